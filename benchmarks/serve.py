"""The server under many clients beside the same model asked offline: texts/s of both, and what a request waits.

    python benchmarks/serve.py                                # the shape of XLM-R Base, random weights
    python benchmarks/serve.py --preset mini --clients 8 --seconds 5
    python benchmarks/serve.py --question embed --model runs/xlmr

Sides get the same short texts, one to three sentences of the embedded phrasebook in 15 languages:

    offline     one Predictor asked for all of them in one call, which sorts them by length and packs them
    server      `isogloss serve` in a process of its own, and in another one as many clients as told, each of which
                sends one text a request on a connection of its own, and the next one when that is answered

Rounds take turns, each side in processes of its own; each is warm before its clock starts. Medians of rounds are
compared. Clients share the machine with the server, as the offline side shares it with nobody: what they take counts
against the server. The table has as many rows as the vocabulary, since others would never be read. The last line is
JSON, whose ratio is the server's texts/s over the offline ones.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
import uvloop
from random_model import make_vocabulary
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from isogloss.checkpoint import save_model
from isogloss.heads import TaskModel
from isogloss.model import Encoder, ModelSettings, initialise
from isogloss.phrasebook import LANGUAGES, pairs
from isogloss.predict import load
from isogloss.vocab import Vocabulary

LABELS = ("entailment", "neutral", "contradiction")
QUANTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}


def main() -> None:
    options = parse()
    if options.side:
        print(json.dumps(SIDES[options.side](options)))
        return
    with tempfile.TemporaryDirectory() as folder:
        options.model = options.model or str(make_model(Path(folder), options))
        rounds = [{"offline": ask_offline(options), "server": ask_server(options)} for _ in shown(options.rounds)]
    offline = statistics.median(one["offline"]["texts_per_second"] for one in rounds)
    served = statistics.median(one["server"]["texts_per_second"] for one in rounds)
    milliseconds = {name: statistics.median(one["server"][name] for one in rounds) for name in QUANTILES}
    errors = sum(one["server"]["errors"] for one in rounds)
    tell(options, rounds)
    result = {
        "benchmark": "serve",
        "question": options.question,
        "preset": options.preset,
        "clients": options.clients,
        "offline_texts_per_second": round(offline, 2),
        "server_texts_per_second": round(served, 2),
        "milliseconds": milliseconds,
        "errors": errors,
        "tokens_per_batch": statistics.median(one["server"]["tokens_per_batch"] for one in rounds),
        "threads": options.threads or torch.get_num_threads(),
        "runs_on": rounds[0]["offline"]["runs_on"],
        "machine": platform.machine(),
        "torch": torch.__version__,
        "ratio": round(served / offline, 3),
    }
    print(json.dumps(result))


def shown(num_rounds: int) -> Iterator[int]:
    with Progress(console=Console(stderr=True), transient=True) as bar:
        yield from bar.track(range(num_rounds), description="rounds")


def make_model(folder: Path, options: argparse.Namespace) -> Path:
    """A classifier of random weights; only as many pieces of its table as the vocabulary has are ever used."""
    size = ModelSettings(preset="base").vocabulary_size if options.preset == "base" else None
    vocabulary = make_vocabulary(folder, documents=options.documents, pieces=options.pieces, size=size)
    layers = {} if options.layers is None else {"num_layers": options.layers}
    shape = {"vocabulary_size": Vocabulary.load(vocabulary).size, "max_length": 512, **layers}
    model = TaskModel(Encoder(ModelSettings(preset=options.preset, **shape)), "sequence", LABELS)
    initialise(model, 1)
    save_model(folder / "model", model, vocabulary_folder=vocabulary, parents=[], command="benchmark", card="Random.")
    return folder / "model"


def texts_of(options: argparse.Namespace) -> list[str]:
    """As many texts of each language, in turn, each of one to `sentences` sentences."""
    per_language = -(-options.texts // len(LANGUAGES))
    random = np.random.default_rng(1)
    texts = []
    for code in LANGUAGES:
        drawn = [pair.premise for pair in pairs(code, options.sentences * per_language, seed=1, held_out=False)]
        lengths = random.integers(1, options.sentences + 1, per_language)
        ends = lengths.cumsum()
        texts.append([" ".join(drawn[end - length : end]) for end, length in zip(ends, lengths, strict=True)])
    return [text for row in zip(*texts, strict=True) for text in row][: options.texts]


def ask_offline(options: argparse.Namespace) -> dict[str, Any]:
    return json.loads(finished(command_of(options, "offline"), options))  # type: ignore[no-any-return]


def offline(options: argparse.Namespace) -> dict[str, Any]:
    """One side: all texts in one call, as often as the time allows."""
    if options.threads:
        torch.set_num_threads(options.threads)
    predictor = load(options.model, device=options.device)
    texts = texts_of(options)
    ask = getattr(predictor, options.question)
    ask(texts)
    num_texts, begun = 0, time.perf_counter()
    while (seconds := time.perf_counter() - begun) < options.seconds:
        ask(texts)
        num_texts += len(texts)
    tokens = statistics.mean(predictor.count_tokens(texts))
    return {"texts_per_second": num_texts / seconds, "tokens_a_text": tokens, "runs_on": str(predictor.device)}


def ask_server(options: argparse.Namespace) -> dict[str, Any]:
    """The other side: a server and its clients, each a process of its own."""
    words = ["--port", "0", "--device", options.device, "--token-budget", str(options.token_budget)]
    command = [sys.executable, "-m", "isogloss", "serve", options.model, *words, "--wait-ms", str(options.wait_ms)]
    command += ["--workers", str(options.workers)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment(options)) as server:
        assert server.stderr is not None
        try:
            first = server.stderr.readline()
            if '"listening"' not in first:
                raise SystemExit(f"the server did not start:\n{first}{server.stderr.read()}")
            port = json.loads(first)["url"].rpartition(":")[2]
            drain = subprocess.Popen(["cat"], stdin=server.stderr, stdout=subprocess.DEVNULL)
            told = finished([*command_of(options, "clients"), "--port", port], options)
        finally:
            server.terminate()
            server.wait()
        drain.wait()
    return json.loads(told)  # type: ignore[no-any-return]


def clients(options: argparse.Namespace) -> dict[str, Any]:
    """All clients in one event loop on bare protocols, so that they take little of the machine."""
    return uvloop.run(load_server(options))


async def load_server(options: argparse.Namespace) -> dict[str, Any]:
    bodies = [json.dumps({"texts": [text]}).encode() for text in texts_of(options)]
    head = f"POST /ask/{options.question} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: "
    requests = itertools.cycle([f"{head}{len(body)}\r\n\r\n".encode() + body for body in bodies])
    await ask_for(options.warm_up, requests, options)
    before = await batches(options.port)
    begun = time.perf_counter()
    taken, errors = await ask_for(options.seconds, requests, options)
    seconds = time.perf_counter() - begun
    tokens, number = (after - earlier for after, earlier in zip(await batches(options.port), before, strict=True))
    quantiles = {name: round(1000 * float(np.quantile(taken, share)), 1) for name, share in QUANTILES.items()}
    return {
        "texts_per_second": len(taken) / seconds,
        "errors": errors,
        "tokens_per_batch": round(tokens / max(number, 1), 1),
        **quantiles,
    }


async def ask_for(seconds: float, requests: Iterator[bytes], options: argparse.Namespace) -> tuple[list[float], int]:
    """What each request of all clients took, in seconds, and how many were not answered with 200."""
    until = time.perf_counter() + seconds
    loop = asyncio.get_running_loop()
    joined = [
        await loop.create_connection(lambda: Client(requests, until), "127.0.0.1", options.port)
        for _ in range(options.clients)
    ]
    await asyncio.gather(*(client.done for _, client in joined))
    return [one for _, client in joined for one in client.taken], sum(client.errors for _, client in joined)


class Client(asyncio.Protocol):
    """Sends a request, and the next one when that is answered, until the time is over."""

    def __init__(self, requests: Iterator[bytes], until: float = 0.0) -> None:
        self.requests, self.until = requests, until
        self.taken: list[float] = []
        self.errors = 0
        self.body = b""
        self.done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self._ask()

    def data_received(self, data: bytes) -> None:
        self._answer += data
        head, _, self.body = self._answer.partition(b"\r\n\r\n")
        length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
        if not length or len(self.body) < int(length):
            return
        now = time.perf_counter()
        self.taken.append(now - self._begun)
        self.errors += head[9:12] != b"200"
        if now < self.until:
            self._ask()
        else:
            self.transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_result(None)

    def _ask(self) -> None:
        self._begun, self._answer = time.perf_counter(), b""
        self.transport.write(next(self.requests))


async def batches(port: int) -> tuple[float, float]:
    """Tokens and batches that the server has run, as its metrics say."""
    request = b"GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n"
    loop = asyncio.get_running_loop()
    _, client = await loop.create_connection(lambda: Client(iter([request])), "127.0.0.1", port)
    await client.done
    rows = dict(line.rsplit(" ", 1) for line in client.body.decode().splitlines() if not line.startswith("#"))
    named = [{name: float(value) for name, value in rows.items() if name.startswith(prefix)} for prefix in COUNTS]
    return sum(named[0].values()), sum(named[1].values())


COUNTS = ("isogloss_batch_tokens_sum", "isogloss_batch_tokens_count")


def finished(command: list[str], options: argparse.Namespace) -> str:
    """The last line of a side's output."""
    done = subprocess.run(command, capture_output=True, text=True, env=environment(options))
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr}")
    return done.stdout.splitlines()[-1]


def environment(options: argparse.Namespace) -> dict[str, str]:
    threads = {"OMP_NUM_THREADS": str(options.threads)} if options.threads else {}
    return {**os.environ, "HF_HUB_OFFLINE": "1", **threads}


def command_of(options: argparse.Namespace, side: str) -> list[str]:
    given = {name: value for name, value in vars(options).items() if value is not None}
    words = [f"--{name.replace('_', '-')}={value}" for name, value in given.items() if name not in ("side", "port")]
    return [sys.executable, __file__, "--side", side, *words]


def tell(options: argparse.Namespace, rounds: list[dict[str, Any]]) -> None:
    """A table for the reader."""
    tokens = rounds[0]["offline"]["tokens_a_text"]
    table = Table(title=f"{options.preset}, {options.question}: {tokens:.0f} tokens a text, {options.clients} clients")
    for column in ("round", "offline, texts/s", "server, texts/s", *QUANTILES, "tokens a batch", "errors"):
        table.add_column(column, justify="right", no_wrap=True)
    for number, one in enumerate(rounds, start=1):
        offline, served = one["offline"], one["server"]
        waits = [f"{served[name]:.0f} ms" for name in QUANTILES]
        rates = [f"{side['texts_per_second']:.1f}" for side in (offline, served)]
        table.add_row(str(number), *rates, *waits, f"{served['tokens_per_batch']:.0f}", str(served["errors"]))
    Console().print(table)


SIDES = {"offline": offline, "clients": clients}


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", default="base", help="a preset of isogloss.model")
    parser.add_argument("--model", help="a model folder, instead of random weights")
    parser.add_argument("--question", choices=["classify", "embed"], default="classify")
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--texts", type=int, default=1024, help="different texts")
    parser.add_argument("--seconds", type=float, default=30, help="of a side in a round")
    parser.add_argument("--warm-up", type=float, default=3, help="seconds before the clients' clock starts")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--token-budget", type=int, default=4096)
    parser.add_argument("--sentences", type=int, default=3, help="a text has one to so many")
    parser.add_argument("--wait-ms", type=float, default=3)
    parser.add_argument("--workers", type=int, default=1, help="batches that run at once")
    parser.add_argument("--layers", type=int, help="layers (as in the preset)")
    parser.add_argument("--documents", type=int, default=1500, help="of the phrasebook's text, a language")
    parser.add_argument("--pieces", type=int, default=8000, help="pieces of the vocabulary")
    parser.add_argument("--threads", type=int, default=0, help="0: as torch chooses")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--side", default="", help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, default=0, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
