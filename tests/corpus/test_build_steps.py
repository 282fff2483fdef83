"""The steps of a build, joined: each thing that was put into the text goes for its own reason, whoever does it."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import zstandard

from isogloss.config import load_recipe
from isogloss.corpus import Corpus, CorpusSettings, build_corpus
from isogloss.corpus.lm.train import LanguageModelSettings, train_models
from isogloss.errors import DataError, FolderError
from isogloss.manifest import Manifest, hash_file
from isogloss.phrasebook import documents

from .conftest import check_sums

LANGUAGES = ("en", "sw", "de")
MENU = "Home | About us | Contact | Imprint"
LABELLED = (
    "The old captain of the northern lighthouse counted seventeen silver boats before the storm reached the harbour"
)
FOREIGN = "Der alte Kapitän des Leuchtturms zählte siebzehn silberne Boote, bevor der Sturm den Hafen erreichte."
STEPS: dict[str, Any] = {
    "rules": {"min_document_characters": 100},
    "personal": {"email": "hide"},
    # A file is compared with itself: the copies of a page stand in another one.
    "repeats": {"rule": "every", "group_sources": 1},
    "identify": {},
    "near_duplicates": {"threshold": 0.6},
    "keep_dropped": True,
}


def pages(language: str, num_pages: int) -> list[str]:
    """Documents of one language, several lines each, a menu on every one."""
    texts = iter(documents(language, 12 * num_pages, seed=3))
    return ["\n".join([MENU, *(next(texts) for _ in range(12))]) for _ in range(num_pages)]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """JSON lines that say no language: good pages, and one of each kind of trouble."""
    folder = tmp_path_factory.mktemp("pages")
    english = pages("en", 6)
    good = [page for language in LANGUAGES[1:] for page in pages(language, 6)] + english
    # In the order of files, which is that of numbers modulo three, each stands after what it is made from.
    bad = {
        "short": "Too short.",
        "twin": f"{english[0]}\n",
        "alike": english[3].rpartition(" ")[0] + " elsewhere.",
        "odd": "\n".join(" ".join(f"qzx{line}{word}vw" for word in "abcdefghijklmnop") for line in "stuvw"),
        "mixed": "\n".join([*english[2].split("\n")[:6], FOREIGN, "Write to anna.smith@mail.example.org at once."]),
        "exam": "\n".join([*english[4].split("\n")[4:8][::-1], f"{LABELLED}, he said."]),
    }
    records = [{"text": text, "url": f"https://example.org/{n}"} for n, text in enumerate(good)]
    records += [{"text": text, "url": f"https://example.org/{name}"} for name, text in bad.items()]
    for number in range(3):
        part = records[number::3]
        (folder / f"{number}.jsonl").write_text("\n".join(map(json.dumps, part)) + "\n", encoding="utf-8")
    (folder.parent / "exam.tsv").write_text(f"premise\thypothesis\n{LABELLED}\tyes\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    for language in ("en", "sw"):
        (folder / f"{language}.txt").write_text("\n\n".join(pages(language, 20)), encoding="utf-8")
    train_models(LanguageModelSettings(input=folder, output=folder / "lm", num_pieces=200, order=3, held_out_every=3))
    return folder / "lm"


def settings_for(files: Path, models: Path, output: Path, **values: Any) -> CorpusSettings:
    exam = {"sets": [{"name": "exam", "path": files.parent / "exam.tsv"}]}
    steps = {"decontaminate": exam, "perplexity": {"models": models, "keep": ("head", "middle", "all")}}
    return CorpusSettings(input=files, output=output, keep_keys=("url",), **{**STEPS, **steps, **values})


@pytest.fixture(scope="module")
def built(files: Path, models: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Manifest]:
    output = tmp_path_factory.mktemp("built") / "corpus"
    return output, build_corpus(settings_for(files, models, output))


def records_in(path: Path) -> Iterator[dict[str, Any]]:
    stream = io.TextIOWrapper(zstandard.ZstdDecompressor().stream_reader(path.read_bytes()), encoding="utf-8")
    yield from map(json.loads, stream)


def dropped_of(folder: Path) -> dict[str, list[dict[str, Any]]]:
    found = defaultdict(list)
    for path in sorted((folder / "dropped").iterdir()):
        for record in records_in(path):
            found[record["reason"]].append(record)
    return found


def hashes(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): hash_file(path) for path in sorted(folder.rglob("*")) if path.is_file()}


def page_of(record: dict[str, Any]) -> str:
    return record["source"]["url"].rpartition("/")[2]


def test_what_was_read_is_kept_or_dropped(built: tuple[Path, Manifest]) -> None:
    check_sums(built[1])


@pytest.mark.parametrize(
    ("reason", "page"),
    [
        ("short-document", "short"),
        ("duplicate-document", "twin"),
        ("near-duplicate", "alike"),
        ("foreign-line", "mixed"),
        ("labelled-document", "exam"),
    ],
)
def test_each_trouble_goes_for_its_own_reason(built: tuple[Path, Manifest], reason: str, page: str) -> None:
    assert {page_of(record) for record in dropped_of(built[0])[reason]} - {"odd"} == {page}


def test_text_in_no_language_goes(built: tuple[Path, Manifest]) -> None:
    some = [one for some in dropped_of(built[0]).values() for one in some if page_of(one) == "odd"]
    (reason,) = [one["reason"] for one in some if one["kind"] == "document"]
    assert reason in {"low-confidence", "disagree", "unwanted-language", "perplexity-tail"}


def test_the_good_is_kept_in_its_language_without_what_repeats(built: tuple[Path, Manifest]) -> None:
    corpus = Corpus.open(built[0])
    kept = {(language, page_of(record)) for language in corpus.languages for record in corpus.records(language)}
    lost = {page_of(one) for one in dropped_of(built[0])["perplexity-tail"]}
    wanted = {(code, str(6 * place + n)) for place, code in enumerate(("sw", "de", "en")) for n in range(6)}
    assert {pair for pair in wanted if pair[1] not in lost} <= kept <= wanted | {("en", "mixed")}
    assert len(lost) <= 6
    texts = [record["text"] for language in corpus.languages for record in corpus.records(language)]
    assert not any(MENU in text for text in texts)
    assert len([record for record in dropped_of(built[0])["repeated-line"] if record["text"] == MENU]) >= 18
    assert not any("anna.smith" in text for text in texts)


def test_records_say_their_scores(built: tuple[Path, Manifest]) -> None:
    corpus = Corpus.open(built[0])
    for language in corpus.languages:
        for record in corpus.records(language):
            scores = record["scores"]
            assert 0.5 <= scores["confidence"] <= 1
            assert isinstance(scores["agreed"], bool)
            assert (scores["bucket"] == "all") == ("perplexity" not in scores) == (language == "de")


def test_the_report_can_be_written_from_statistics(built: tuple[Path, Manifest]) -> None:
    statistics = built[1].statistics
    assert statistics["labelled"] == {"exam": 1}
    for code, entry in statistics["identification"].items():
        assert sum(entry["confidence"]) == entry["documents"] >= entry["agreed"] + entry["differed"], code
    for code, entry in statistics["perplexity"].items():
        assert code in ("en", "sw")
        assert len(entry["bounds"]) == len(entry["counts"]) + 1
        dropped = statistics["dropped"][code]
        judged = (
            statistics["languages"][code]["documents"]
            + dropped.get("perplexity-tail", 0)
            + dropped.get("near-duplicate", 0)
        )
        assert sum(entry["counts"]) >= judged
        assert (
            sum(bucket["documents"] for bucket in entry["buckets"].values())
            == statistics["languages"][code]["documents"]
        )


def test_samples_are_what_was_kept_and_dropped(built: tuple[Path, Manifest]) -> None:
    folder, manifest = built
    samples = [json.loads(line) for line in (folder / "samples.jsonl").read_text(encoding="utf-8").splitlines()]
    dropped = {(reason, one["id"], one["text"]) for reason, some in dropped_of(folder).items() for one in some}
    counts: dict[tuple[str, str], int] = defaultdict(int)
    for sample in samples:
        counts[sample["language"], sample["reason"]] += 1
        if sample["kind"] != "kept" and not sample["cut"]:
            assert (sample["reason"], sample["id"], sample["text"]) in dropped
    for (language, reason), count in counts.items():
        whole = (
            manifest.statistics["dropped"][language][reason]
            if reason
            else manifest.statistics["languages"][language]["documents"]
        )
        assert count == min(20, whole)


def test_settings_of_the_samples_bound_them(files: Path, models: Path, tmp_path: Path) -> None:
    build_corpus(settings_for(files, models, tmp_path / "few", num_samples=2, keep_dropped=False))
    lines = [json.loads(line) for line in (tmp_path / "few" / "samples.jsonl").read_text().splitlines()]
    assert (
        max(sum(one[:2] == other[:2] for other in map(key_of_sample, lines)) for one in map(key_of_sample, lines)) == 2
    )
    assert not (tmp_path / "few" / "dropped").exists()


def key_of_sample(sample: dict[str, Any]) -> tuple[str, str]:
    return sample["language"], sample["reason"]


def test_lines_with_labelled_text_can_go_alone(files: Path, models: Path, tmp_path: Path) -> None:
    exam = {"sets": [{"name": "exam", "path": files.parent / "exam.tsv"}], "drop": "line"}
    manifest = build_corpus(settings_for(files, models, tmp_path / "lines", decontaminate=exam, perplexity=None))
    check_sums(manifest)
    corpus = Corpus.open(tmp_path / "lines")
    assert [one["text"] for one in dropped_of(tmp_path / "lines")["labelled-line"]] == [f"{LABELLED}, he said."]
    assert not any(LABELLED in text for text in corpus.documents("en"))


def test_cutoffs_of_the_corpus_itself(files: Path, models: Path, tmp_path: Path) -> None:
    own = {"models": models, "cutoffs_from": "corpus", "keep": ("head",)}
    manifest = build_corpus(settings_for(files, models, tmp_path / "own", perplexity=own))
    check_sums(manifest)
    for code in ("en", "sw"):
        entry = manifest.statistics["perplexity"][code]
        scored = [r["scores"]["perplexity"] for r in Corpus.open(tmp_path / "own").records(code)]
        assert 0 < len(scored) < sum(entry["counts"])
        assert max(scored) <= entry["head"] + 0.01 < entry["middle"] + 0.01
    assert "de" not in manifest.statistics["languages"]


def test_names_are_trusted_or_not(tmp_path: Path) -> None:
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "en.txt").write_text("\n\n".join(pages("sw", 3)), encoding="utf-8")
    for trust, code in ((True, "en"), (False, "sw")):
        manifest = build_corpus(
            CorpusSettings(input=tmp_path / "texts", output=tmp_path / code, identify={}, trust_names=trust)
        )
        assert list(manifest.statistics["languages"]) == [code]
        check_sums(manifest)


def test_languages_choose_among_those_found(files: Path, tmp_path: Path) -> None:
    manifest = build_corpus(CorpusSettings(input=files, output=tmp_path / "sw", identify={}, languages=("sw",)))
    assert list(manifest.statistics["languages"]) == ["sw"]
    assert manifest.statistics["dropped"]["und"]["unwanted-language"] >= 12


@pytest.mark.parametrize("what", ["model", "labelled set", "block list"])
def test_what_the_settings_name_has_to_be_there(files: Path, tmp_path: Path, what: str) -> None:
    values = {
        "model": {"perplexity": {"models": tmp_path / "none"}},
        "labelled set": {"decontaminate": {"sets": [{"name": "exam", "path": tmp_path / "none"}]}},
        "block list": {"rules": {"blocked_urls": tmp_path / "none"}},
    }[what]
    with pytest.raises((DataError, FolderError), match=f"{what}.*|.*{what}") as caught:
        build_corpus(CorpusSettings(input=files, output=tmp_path / "corpus", **values))
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_another_labelled_set_is_another_corpus(files: Path, tmp_path: Path) -> None:
    exam = tmp_path / "exam.txt"
    exam.write_text(LABELLED)
    values = {"decontaminate": {"sets": [{"name": "exam", "path": exam}]}}
    settings = CorpusSettings(input=files, output=tmp_path / "corpus", identify={}, **values)
    build_corpus(settings)
    exam.write_text(FOREIGN)
    with pytest.raises(FolderError, match="labelled set exam, file exam"):
        build_corpus(settings)


@pytest.mark.timeout(300)
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="finds what a build has written")
def test_killed_in_every_phase_it_goes_on_to_the_same_bytes(
    built: tuple[Path, Manifest], files: Path, models: Path, tmp_path: Path
) -> None:
    settings = settings_for(files, models, tmp_path / "corpus", engine={"workers": 2})
    (tmp_path / "settings.json").write_text(settings.model_dump_json(exclude_unset=True), encoding="utf-8")
    code = """if True:
        import sys
        from pathlib import Path
        from isogloss.corpus import CorpusSettings, build_corpus
        if __name__ == "__main__":
            build_corpus(CorpusSettings.model_validate_json(Path(sys.argv[1]).read_text()))
    """
    script = tmp_path / "build.py"
    script.write_text(code, encoding="utf-8")
    for phase in ("reading", "repeats", "identifying", "judging", "writing"):
        with subprocess.Popen([sys.executable, script, tmp_path / "settings.json"], start_new_session=True) as process:
            while process.poll() is None and not (tmp_path / "corpus.work" / phase).exists():
                time.sleep(0.005)
            os.killpg(process.pid, signal.SIGKILL)
        assert not (tmp_path / "corpus").exists()
    build_corpus(settings)
    assert hashes(tmp_path / "corpus") == hashes(built[0])


@pytest.mark.parametrize("name", ["ccnet", "full"])
def test_the_recipes_can_be_read(name: str) -> None:
    recipe = Path(__file__).parents[2] / "recipes" / "corpus" / f"{name}.toml"
    settings = load_recipe(recipe, CorpusSettings, ["input=crawl", "output=corpus"])
    assert settings.rules is not None
    assert settings.rules.min_document_characters == 300
    assert settings.repeats is not None
    assert settings.repeats.rule == {"ccnet": "every", "full": "first"}[name]
    assert (settings.decontaminate is not None) == (name == "full")


@pytest.mark.parametrize(
    ("number", "exit_code", "says"), [(signal.SIGTERM, 75, "goes on from there"), (signal.SIGINT, 130, "")]
)
def test_stopped_it_ends_at_once_with_a_line_and_no_more(
    files: Path, tmp_path: Path, number: signal.Signals, exit_code: int, says: str
) -> None:
    # A shell starts what it puts into the background with Ctrl-C ignored, and children inherit that.
    code = """if True:
        import signal
        signal.signal(signal.SIGINT, signal.default_int_handler)
        from isogloss.cli import main
        if __name__ == "__main__":
            main()
    """
    script = tmp_path / "main.py"
    script.write_text(code, encoding="utf-8")
    words = ["corpus", "build", f"input={files}", f"output={tmp_path / 'corpus'}", "identify={}", "engine.workers=2"]
    command = [sys.executable, script, *words]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
        while process.poll() is None and not (tmp_path / "corpus.work" / "reading").exists():
            time.sleep(0.005)
        # To all of them, as a terminal sends Ctrl-C.
        os.killpg(process.pid, number) if number == signal.SIGINT else process.send_signal(number)
        _, said = process.communicate(timeout=60)
    assert process.returncode == exit_code
    assert len(said.splitlines()) == (1 if says else 0), said
    assert says in said
    assert not (tmp_path / "corpus").exists()
