"""The pages in a real headless browser: every head is asked by typing and clicking, at two widths, without an error."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

selenium = pytest.importorskip("selenium", reason="selenium is not installed")
from selenium import webdriver  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.support.ui import Select, WebDriverWait  # noqa: E402

FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--window-size=1280,1000"),
)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or driver is None:
        pytest.skip("chromium and chromedriver are not installed")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('browser')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    started = webdriver.Chrome(options=options, service=webdriver.ChromeService(executable_path=driver))
    yield started
    started.quit()


class Page:
    """The page as somebody uses it."""

    def __init__(self, browser: Any, port: int, path: str = "") -> None:
        self.browser = browser
        browser.get(f"http://127.0.0.1:{port}/{path}")

    def wait(self, value: Any) -> Any:
        return WebDriverWait(self.browser, 60).until(lambda _: value())

    def find(self, name: str) -> Any:
        return self.browser.find_element(By.ID, name)

    def choose(self, model: str, question: str) -> None:
        self.wait(lambda: self.find("asking").is_displayed())
        Select(self.find("model")).select_by_value(model)
        self.find(f"tab-{question}").click()

    def type(self, name: str, text: str) -> None:
        self.find(name).clear()
        self.find(name).send_keys(text)

    def ask(self) -> str:
        """The text of the answer, or of the problem."""
        self.find("ask").click()
        self.wait(lambda: self.find("ask").is_enabled())
        self.wait(lambda: self.find("answer").is_displayed() or self.find("problem").is_displayed())
        shown = "answer" if self.find("answer").is_displayed() else "problem"
        return str(self.find(shown).text)

    def complaints(self) -> list[str]:
        """What stands in the console, but for refused requests, which the page shows itself."""
        rows = [row["message"] for row in self.browser.get_log("browser")]
        return [row for row in rows if "the server responded with a status of 4" not in row]


@pytest.fixture(params=[1280, 360])
def page(request: pytest.FixtureRequest, browser: Any, everything: Any) -> Page:
    # Narrower than a headless window may be.
    screen = {"width": request.param, "height": 900, "deviceScaleFactor": 1, "mobile": request.param < 600}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    return Page(browser, everything.client.port)


def test_every_head_can_be_asked(page: Page, tmp_path: Path) -> None:
    page.choose("mlm", "fill-mask")
    page.type("texts", "Anna lives in <mask>.\nthe <mask> is <mask>")
    found = page.ask()
    assert found.count("%") == 15
    widths = [bar.size["width"] for bar in page.find("answer").find_elements(By.TAG_NAME, "i")]
    assert widths[:5] == sorted(widths[:5], reverse=True)
    assert widths[0] > 0
    assert "tokens" in found
    page.choose("mlm", "embed")
    page.type("texts", "Anna lives in Oslo.\nthe moon is here")
    found = page.ask()
    assert found.count("1.000") >= 2
    assert "32 numbers" in found
    page.choose("nli", "classify")
    page.type("texts", "Anna lives in Oslo. || the moon is here\nthe dog runs")
    found = page.ask()
    assert found.count("entailment") == 2
    page.type("texts", "Anna lives in Oslo.\nthe dog runs")
    page.type("labels", "moon, dog, river")
    assert page.ask().count("river") == 2
    page.choose("ner", "tag")
    page.type("texts", "Anna lives in Oslo.\n安娜住在奥斯陆。")
    page.ask()
    marks = page.find("answer").find_elements(By.TAG_NAME, "mark")
    assert {mark.find_element(By.TAG_NAME, "b").text for mark in marks} <= {"PER", "LOC"}
    assert marks
    page.choose("qa", "answer")
    page.type("asked", "Who?")
    page.type("context", "the moon is here and the dog runs near the river")
    page.type("top_k", "3")
    assert "score" in page.ask()
    assert page.complaints() == []
    width = page.browser.execute_script("return document.documentElement.scrollWidth - window.innerWidth")
    assert width <= 0, "the page is wider than its window"


def test_characters_beyond_the_first_plane_are_marked_where_they_are(page: Page, everything: Any) -> None:
    page.choose("ner", "tag")
    text = "😀😀 Anna 😀 lives in Oslo."
    # ChromeDriver types no characters beyond the first plane.
    page.browser.execute_script("document.getElementById('texts').value = arguments[0]", text)
    page.ask()
    marks = page.find("answer").find_elements(By.TAG_NAME, "mark")
    spans = everything.client.post("/ask/tag", {"texts": [text]}).json["answers"][0]["spans"]
    assert [mark.text.rpartition(span["tag"])[0].strip() for mark, span in zip(marks, spans, strict=True)] == [
        span["text"] for span in spans
    ]


def test_a_mistake_is_shown_and_goes_away(page: Page) -> None:
    page.choose("mlm", "fill-mask")
    page.type("texts", "no mask at all")
    assert "texts[0]" in page.ask()
    assert not page.find("answer").is_displayed()
    page.type("texts", "a <mask>")
    page.ask()
    assert not page.find("problem").is_displayed()
    assert page.complaints() == []


def test_every_input_has_a_label(page: Page) -> None:
    for model, question in (("mlm", "fill-mask"), ("nli", "classify"), ("qa", "answer"), ("mlm", "embed")):
        page.choose(model, question)
        for one in page.browser.find_elements(By.CSS_SELECTOR, "input, select, textarea"):
            assert one.get_attribute("id")
            labels = page.browser.execute_script("return arguments[0].labels.length", one)
            assert labels == 1, one.get_attribute("id")


def test_a_key_is_asked_for_and_used(browser: Any, start: Any) -> None:
    page = Page(browser, start(only=("ner",), key="s3cret").client.port)
    page.wait(lambda: page.find("locked").is_displayed())
    page.type("key", "wrong")
    page.find("unlock").click()
    page.wait(lambda: page.find("problem").is_displayed())
    page.type("key", "s3cret")
    page.find("unlock").click()
    page.choose("ner", "tag")
    assert "tokens" in page.ask()


def test_the_routes_are_shown_and_each_example_is_answered(browser: Any, everything: Any) -> None:
    page = Page(browser, everything.client.port, "docs")
    routes = page.wait(lambda: browser.find_elements(By.TAG_NAME, "details"))
    assert len(routes) == len(everything.client.get("/openapi.json").json["paths"])
    for route in routes:
        route.find_element(By.TAG_NAME, "summary").click()
        route.find_element(By.CLASS_NAME, "ask").click()
        result = route.find_element(By.TAG_NAME, "pre")
        page.wait(lambda result=result: result.text)
        assert result.text.startswith("200"), result.text
    assert page.complaints() == []


def test_the_pages_name_no_other_host(everything: Any) -> None:
    for path in ("/", "/docs"):
        answer = everything.client.get(path)
        assert re.findall(rb"(?:https?:)?//[a-z0-9.-]+\.[a-z]", answer.body) == []
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "connect-src 'self'" in policy
