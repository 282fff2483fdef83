"""Requests wait for a few milliseconds, and those that ask one model the same question are run together.

    batcher = Batcher(settings, observe=...)
    task = asyncio.create_task(batcher.run())
    job = batcher.submit(model, "tag", items, sizes, options={})        # Problem 429 where too much waits
    answers = await job.future                                          # or batcher.cancel(job)

Batches run in threads of their own, so that the event loop only ever waits: one at a time, or as many as there are
`workers`, which share the cores. A batch is filled with the items of waiting requests, first come first served, up to a
budget of tokens; a request that is larger than what is left is taken in parts, and waits for its next part behind the
others. What is wrong with one request's items is that request's alone: a batch that fails is run again request by
request.
"""

from __future__ import annotations

import asyncio
import dataclasses
import math
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import torch

from isogloss.serve.models import Item, Options, Question, ServedModel
from isogloss.serve.problems import Problem

__all__ = ["Batch", "Batcher", "Job"]

# How much a new batch counts in the rate that Retry-After is worked out from.
NEWEST_SHARE = 0.2
# Whoever has just been answered often asks again at once. While such requests come in, the next batch waits for them,
# for so much of the time that the last one took: one of all clients is quicker than two of half of them.
LINGER = 0.1

Key = tuple[str, Question, tuple[tuple[str, Any], ...]]


@dataclasses.dataclass(eq=False)
class Job:
    """What one request asks of one model, and how far it has come. Times are those of `time.monotonic`."""

    model: ServedModel
    question: Question
    items: Sequence[Item]
    sizes: Sequence[int]
    options: Options
    future: asyncio.Future[list[Any]]
    accepted: float
    turn: float
    started: float | None = None
    run_seconds: float = 0.0
    num_taken: int = 0
    tokens_left: int = 0
    answers: list[Any] = dataclasses.field(default_factory=list)

    @property
    def key(self) -> Key:
        return self.model.name, self.question, tuple(sorted(self.options.items()))

    @property
    def queue_seconds(self) -> float:
        """How long it waited before its first item was run."""
        return (time.monotonic() if self.started is None else self.started) - self.accepted


@dataclasses.dataclass(frozen=True)
class Part:
    """Items of a job that run in one batch."""

    job: Job
    start: int
    stop: int

    @property
    def items(self) -> Sequence[Item]:
        return self.job.items[self.start : self.stop]

    @property
    def num_tokens(self) -> int:
        return sum(self.job.sizes[self.start : self.stop])


@dataclasses.dataclass(frozen=True)
class Batch:
    """Parts that were run together, and how long that took."""

    parts: Sequence[Part]
    seconds: float

    @property
    def num_tokens(self) -> int:
        return sum(part.num_tokens for part in self.parts)


class Batcher:
    """The queue and what empties it; all but the models' own work happens in the event loop's thread."""

    def __init__(
        self,
        *,
        token_budget: int,
        wait_ms: float,
        workers: int = 1,
        queue_requests: int,
        queue_tokens: int,
        observe: Callable[[Batch], None] = lambda batch: None,
        report: Callable[[BaseException], None] = lambda error: None,
    ) -> None:
        self.token_budget = token_budget
        self.wait_seconds = wait_ms / 1000
        self.queue_requests = queue_requests
        self.queue_tokens = queue_tokens
        self.num_tokens = 0
        self.tokens_per_second = 0.0
        self._observe = observe
        self._report = report
        self._waiting: dict[Key, deque[Job]] = {}
        self._open: set[Job] = set()
        self._arrived = asyncio.Event()
        self._choosing = asyncio.Lock()
        self._workers = workers
        self._num_running = 0
        self._latest = 0.0
        self._ended = 0.0
        self._last_seconds = 0.0
        self._num_answered = 0
        self._cores = torch.get_num_threads()
        self._threads = ThreadPoolExecutor(max_workers=workers, thread_name_prefix="models")

    @property
    def num_requests(self) -> int:
        """Requests that wait or run."""
        return len(self._open)

    def submit(
        self,
        model: ServedModel,
        question: Question,
        items: Sequence[Item],
        sizes: Sequence[int],
        options: Options,
    ) -> Job:
        """Accept a request's items. Raises Problem: 413 for more tokens than ever wait, 429 for too many now."""
        num_tokens = sum(sizes)
        if num_tokens > self.queue_tokens:
            message = f"the texts have {num_tokens:,} tokens, a request may have {self.queue_tokens:,}; send fewer"
            raise Problem(413, "too_many_tokens", message)
        if self.num_requests >= self.queue_requests or self.num_tokens + num_tokens > self.queue_tokens:
            seconds = self.seconds_to_empty()
            message = f"{self.num_requests:,} requests of {self.num_tokens:,} tokens wait here; try in {seconds} s"
            raise Problem(429, "queue_full", message, retry_after=seconds)
        now = time.monotonic()
        future = asyncio.get_running_loop().create_future()
        job = Job(model, question, items, sizes, options, future, accepted=now, turn=now, tokens_left=num_tokens)
        # A client that has left asks nobody for the answer.
        future.add_done_callback(lambda done: done.cancelled() or done.exception())
        self._open.add(job)
        self.num_tokens += num_tokens
        self._waiting.setdefault(job.key, deque()).append(job)
        self._latest = now
        self._arrived.set()
        return job

    def seconds_to_empty(self) -> int:
        """Whole seconds, at least one, until what waits now will have run at the rate of the last batches."""
        return max(1, math.ceil(self.num_tokens / self.tokens_per_second)) if self.tokens_per_second else 1

    def cancel(self, job: Job) -> None:
        """Nobody wants the answer: what has not begun to run does not run."""
        if not job.future.done():
            job.future.cancel()
            self._finish(job)

    def give_up(self) -> None:
        """Whoever still waits is told that the server ends."""
        for job in list(self._open):
            job.future.set_exception(Problem(503, "shutting_down", "the server ended before it could answer"))
            self._finish(job)

    async def run(self) -> None:
        """Run batches until cancelled."""
        try:
            async with asyncio.TaskGroup() as workers:
                for _ in range(self._workers):
                    workers.create_task(self._work())
        finally:
            self._threads.shutdown(wait=False, cancel_futures=True)

    async def _work(self) -> None:
        while True:
            async with self._choosing:
                parts = await self._next_batch()
            await self._run(parts)

    async def _next_batch(self) -> list[Part]:
        while True:
            await self._arrived.wait()
            while (key := self._next_key()) is not None:
                while (left := self._seconds_to_wait(key)) > 0:
                    await asyncio.sleep(left)
                if parts := self._take(key):
                    return parts
            self._arrived.clear()

    def _seconds_to_wait(self, key: Key) -> float:
        """For company: behind a batch as long as requests keep coming, else from the first one's arrival on."""
        jobs = self._waiting[key]
        if not self._alive(jobs) or sum(job.tokens_left for job in jobs) >= self.token_budget:
            return 0.0
        now, last = time.monotonic(), self._ended + LINGER * self._last_seconds
        if len(jobs) >= self._num_answered and now < last:  # they are all back
            return 0.0
        lingering = min(max(self._latest, self._ended) + self.wait_seconds, last)
        return max(jobs[0].turn + self.wait_seconds, lingering) - now

    def _next_key(self) -> Key | None:
        """The kind of work whose first request has waited longest."""
        for key in [key for key, jobs in self._waiting.items() if not self._alive(jobs)]:
            del self._waiting[key]
        return min(self._waiting, key=lambda key: self._waiting[key][0].turn, default=None)

    @staticmethod
    def _alive(jobs: deque[Job]) -> bool:
        """Whether a job is left once those at the head that are over are gone."""
        while jobs and jobs[0].future.done():
            jobs.popleft()
        return bool(jobs)

    def _take(self, key: Key) -> list[Part]:
        """Items up to the budget, at least one; a job that is not all taken goes behind the others."""
        jobs, parts = self._waiting[key], list[Part]()
        # Of little work each idle worker takes its share, so that all end sooner.
        num_idle = self._workers - self._num_running
        left = min(self.token_budget, -(-sum(job.tokens_left for job in jobs) // num_idle))
        now = time.monotonic()
        while self._alive(jobs) and (left >= jobs[0].sizes[jobs[0].num_taken] or not parts):
            job = jobs.popleft()
            start = stop = job.num_taken
            while stop < len(job.items) and (job.sizes[stop] <= left or not (parts or stop > start)):
                left -= job.sizes[stop]
                stop += 1
            parts.append(Part(job, start, stop))
            job.num_taken = stop
            job.started = now if job.started is None else job.started
            if stop < len(job.items):
                job.turn = now
                jobs.append(job)
                break
        return parts

    async def _run(self, parts: list[Part]) -> None:
        begun = time.monotonic()
        self._num_running += 1
        try:
            cores = max(1, self._cores // self._num_running)
            results = await asyncio.get_running_loop().run_in_executor(self._threads, _answer, parts, cores)
        finally:
            self._num_running -= 1
        self._ended = time.monotonic()
        self._last_seconds = self._ended - begun
        self._num_answered = len(parts)
        batch = Batch(parts, self._last_seconds)
        rate = batch.num_tokens / max(batch.seconds, 1e-6)
        known = self.tokens_per_second
        self.tokens_per_second = known + NEWEST_SHARE * (rate - known) if known else rate
        for part, result in zip(parts, results, strict=True):
            self._settle(part, batch.seconds, result)
        self._observe(batch)

    def _settle(self, part: Part, seconds: float, result: list[Any] | Exception) -> None:
        job = part.job
        if job.future.done():
            return
        job.run_seconds += seconds
        job.tokens_left -= part.num_tokens
        self.num_tokens -= part.num_tokens
        if isinstance(result, Exception):
            self._report(result)
            job.future.set_exception(result)
        else:
            job.answers += result
            if len(job.answers) < len(job.items):
                return
            job.future.set_result(job.answers)
        self._finish(job)

    def _finish(self, job: Job) -> None:
        self._open.discard(job)
        self.num_tokens -= job.tokens_left


def _answer(parts: Sequence[Part], cores: int) -> list[list[Any] | Exception]:
    """The answers to each part, or why there are none; in one of the models' threads, on so many cores."""
    job = parts[0].job
    torch.set_num_threads(cores)  # of this thread's products alone
    try:
        items = [item for part in parts for item in part.items]
        # Numbers of items in messages are those of the request, where it runs alone.
        answers = job.model.ask(job.question, items, job.options, first=parts[0].start + 1)
        assert len(answers) == sum(len(part.items) for part in parts), "an answer an item"
    except Exception as error:
        return [error] if len(parts) == 1 else [_answer([part], cores)[0] for part in parts]
    rest = iter(answers)
    return [[next(rest) for _ in part.items] for part in parts]
