"""The queue: what is run together, in which order, what is bounded, and whose mistake is whose."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isogloss.errors import DataError
from isogloss.serve.batching import Batcher, Job
from isogloss.serve.problems import Problem


class Shouting:
    """A model that answers in capitals, `seconds` a batch; it keeps what it was asked together."""

    def __init__(self, name: str = "loud", seconds: float = 0.0) -> None:
        self.name = name
        self.seconds = seconds
        self.batches: list[list[str]] = []
        self.threads: set[int] = set()
        self.may_go = threading.Event()
        self.may_go.set()

    def ask(self, question: str, items: Sequence[str], options: Any, *, first: int = 1) -> list[str]:
        self.batches.append(list(items))
        self.threads.add(threading.get_ident())
        self.may_go.wait(30)
        time.sleep(self.seconds)
        for number, item in enumerate(items, start=first):
            if item == "bad":
                raise DataError(f"text {number} is bad")
            if item == "worse":
                raise ZeroDivisionError("worse")
        return [item.upper() for item in items]


def run(work: Callable[[Batcher], Awaitable[Any]], **more: Any) -> Any:
    """What `work` gives, with a batcher at work beside it."""

    async def whole() -> Any:
        limits = {"token_budget": 10, "wait_ms": 1, "queue_requests": 100, "queue_tokens": 1000, **more}
        batcher = Batcher(**limits)
        task = asyncio.create_task(batcher.run())
        try:
            return await asyncio.wait_for(work(batcher), 60)
        finally:
            task.cancel()

    return asyncio.run(whole())


def submit(batcher: Batcher, model: Any, items: Sequence[str], **options: Any) -> Job:
    return batcher.submit(model, "embed", list(items), [len(item) for item in items], options)


def test_requests_of_one_kind_run_together_in_another_thread() -> None:
    model = Shouting()

    async def work(batcher: Batcher) -> list[list[str]]:
        return await asyncio.gather(*(submit(batcher, model, [word]).future for word in ("a", "b", "c")))

    assert run(work) == [["A"], ["B"], ["C"]]
    assert model.batches == [["a", "b", "c"]]
    assert model.threads.isdisjoint({threading.get_ident()})


def test_once_all_who_were_answered_are_back_nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("isogloss.serve.batching.LINGER", 100)
    model = Shouting(seconds=0.1)

    async def ask(batcher: Batcher, words: list[str]) -> None:
        await asyncio.gather(*(submit(batcher, model, [word]).future for word in words))

    async def work(batcher: Batcher) -> float:
        await ask(batcher, ["aaaa", "bbbb", "cc"])  # as much as the budget: nobody waits here either
        begun = time.monotonic()
        await ask(batcher, ["d", "e", "f"])
        return time.monotonic() - begun

    assert run(work, wait_ms=8_000) < 4
    assert model.batches == [["aaaa", "bbbb", "cc"], ["d", "e", "f"]]


def test_models_and_options_are_kept_apart() -> None:
    one, other = Shouting("one"), Shouting("other")

    async def work(batcher: Batcher) -> Any:
        jobs = [
            submit(batcher, one, ["a"]),
            submit(batcher, other, ["b"]),
            submit(batcher, one, ["c"], k=1),
            submit(batcher, one, ["d"]),
        ]
        return await asyncio.gather(*(job.future for job in jobs))

    assert run(work) == [["A"], ["B"], ["C"], ["D"]]
    assert one.batches == [["a", "d"], ["c"]]
    assert other.batches == [["b"]]


def test_a_large_request_is_taken_in_parts_and_lets_small_ones_through() -> None:
    model = Shouting()
    finished: list[str] = []

    async def work(batcher: Batcher) -> None:
        large = submit(batcher, model, ["four"] * 10)
        small = submit(batcher, model, ["one"])
        large.future.add_done_callback(lambda _: finished.append("large"))
        small.future.add_done_callback(lambda _: finished.append("small"))
        assert await large.future == ["FOUR"] * 10
        assert await small.future == ["ONE"]

    run(work)
    assert finished == ["small", "large"]
    assert all(sum(map(len, batch)) <= 10 for batch in model.batches)


@given(
    st.lists(st.lists(st.text("abc", min_size=1, max_size=15), min_size=1, max_size=6), min_size=1, max_size=8),
    st.integers(1, 20),
)
@settings(max_examples=40)
def test_every_request_gets_its_own_answers_whatever_the_budget(requests: list[list[str]], budget: int) -> None:
    model = Shouting()

    async def work(batcher: Batcher) -> Any:
        found = await asyncio.gather(*(submit(batcher, model, items).future for items in requests))
        assert (batcher.num_requests, batcher.num_tokens) == (0, 0)
        return found

    assert run(work, token_budget=budget, wait_ms=0) == [[item.upper() for item in items] for items in requests]
    assert all(sum(map(len, batch)) <= budget or len(batch) == 1 for batch in model.batches)
    assert sum(map(len, model.batches)) == sum(map(len, requests))


@pytest.mark.parametrize(("word", "error"), [("bad", DataError), ("worse", ZeroDivisionError)])
def test_a_bad_item_fails_its_request_alone(word: str, error: type[Exception]) -> None:
    model, reported = Shouting(), list[BaseException]()

    async def work(batcher: Batcher) -> Any:
        jobs = [submit(batcher, model, items) for items in (["a"], ["b", word], ["c"])]
        found = await asyncio.gather(*(job.future for job in jobs), return_exceptions=True)
        assert (batcher.num_requests, batcher.num_tokens) == (0, 0)
        return found

    first, second, third = run(work, report=reported.append)
    assert (first, third) == (["A"], ["C"])
    assert isinstance(second, error)
    assert reported == [second]


def test_what_was_cancelled_before_its_turn_is_not_run() -> None:
    model = Shouting()
    model.may_go.clear()

    async def work(batcher: Batcher) -> None:
        first = submit(batcher, model, ["first"])
        while not model.batches:
            await asyncio.sleep(0.001)
        left, stays = submit(batcher, model, ["left"]), submit(batcher, model, ["stays"])
        batcher.cancel(left)
        assert batcher.num_requests == 2
        assert batcher.num_tokens == len("first") + len("stays")
        model.may_go.set()
        assert await first.future == ["FIRST"]
        assert await stays.future == ["STAYS"]

    run(work)
    assert model.batches == [["first"], ["stays"]]


def test_the_queue_is_bounded_in_requests_and_in_tokens() -> None:
    model = Shouting()
    model.may_go.clear()

    async def work(batcher: Batcher) -> None:
        jobs = [submit(batcher, model, ["12345678"]), submit(batcher, model, ["1234"])]
        with pytest.raises(Problem, match="wait here") as caught:
            submit(batcher, model, ["123456789"])
        assert (caught.value.status, caught.value.retry_after) == (429, 1)
        jobs.append(submit(batcher, model, ["1"]))
        with pytest.raises(Problem) as caught:
            submit(batcher, model, ["1"])
        assert caught.value.status == 429
        with pytest.raises(Problem, match="a request may have 20") as caught:
            submit(batcher, model, ["1" * 21])
        assert caught.value.status == 413
        model.may_go.set()
        await asyncio.gather(*(job.future for job in jobs))
        submit(batcher, model, ["123456789"])

    run(work, queue_requests=3, queue_tokens=20)


def test_retry_after_follows_the_rate_of_the_last_batches() -> None:
    model = Shouting(seconds=0.1)

    async def work(batcher: Batcher) -> tuple[float, int]:
        for _ in range(3):
            await submit(batcher, model, ["1" * 10]).future
        rate = batcher.tokens_per_second
        jobs = [submit(batcher, model, ["1" * 10]) for _ in range(60)]
        seconds = batcher.seconds_to_empty()
        for job in jobs:
            batcher.cancel(job)
        return rate, seconds

    rate, seconds = run(work)
    assert rate == pytest.approx(100, rel=0.5)
    assert seconds == pytest.approx(600 / rate, abs=1)


def test_giving_up_tells_all_who_wait() -> None:
    model = Shouting()
    model.may_go.clear()

    async def work(batcher: Batcher) -> None:
        jobs = [submit(batcher, model, [word]) for word in ("a", "b")]
        await asyncio.sleep(0.02)
        batcher.give_up()
        for job in jobs:
            with pytest.raises(Problem) as caught:
                await job.future
            assert caught.value.status == 503
        assert (batcher.num_requests, batcher.num_tokens) == (0, 0)
        model.may_go.set()

    run(work)
