"""The results.json: written whole, read with every field checked, several of them joined; and its JSON schema.

    write_results(path, scores)
    scores = read_results(path)           # or FolderError: file, line, field, value and what should stand there
    scores = join_results([Path("runs/a/results.json"), Path("runs/b/results.json")])

`results.schema.json` beside this file ships with the package; `made_schema` makes it from `Score`.
"""

from __future__ import annotations

import difflib
import functools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, fields
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from isogloss.errors import FolderError
from isogloss.manifest import write_json
from isogloss.scores.score import Score

__all__ = [
    "SCHEMA_NAME",
    "join_results",
    "made_schema",
    "model_origins",
    "read_results",
    "results_file",
    "shipped_schema",
    "write_results",
]

SCHEMA_NAME = "results.schema.json"
# The form of a results.json, and what earlier ones had not; they are read as if it was not used.
VERSION = 4
EARLIER = "1 had no restarts, 2 no drop_types, 3 no architecture"


def results_file(output: Path) -> Path:
    """The file that scores are written to: `output` if it is called .json, else results.json in that folder.

    Raises FolderError where a file stands in the place of a folder, or a folder in that of the file.
    """
    path = output if output.suffix == ".json" else output / "results.json"
    if path.is_dir():
        raise FolderError(f"output = {output} is a folder called .json; name the file, {path / 'results.json'}")
    nearest = next(parent for parent in path.parents if parent.exists())
    if not nearest.is_dir():
        raise FolderError(f"output = {output} cannot be written, as {nearest} is a file; name a folder or a .json file")
    return path


def write_results(path: Path, scores: Sequence[Score]) -> None:
    """Write a results.json whole; its folder is there."""
    assert len({score.question for score in scores}) == len(scores), "two values of one score"
    write_json(path, [asdict(score) for score in scores])


def read_results(path: Path) -> list[Score]:
    """The scores of a results.json. Raises FolderError, with file and line, for what is none and for a score twice."""
    text = _text(path)
    found: dict[tuple[object, ...], int] = {}
    scores: list[Score] = []
    for number, row in _rows(path, text):
        score = _score(f"{path}:{number}", row)
        if score.question in found:
            first = found[score.question]
            raise FolderError(
                f"{path}:{number}: a second score of {score}, the first is in line {first}; leave one there"
            )
        found[score.question] = number
        scores.append(score)
    return scores


def join_results(paths: Iterable[Path]) -> list[Score]:
    """The scores of several files, each once. Raises FolderError where two files have two values of one score."""
    found: dict[tuple[object, ...], tuple[Path, Score]] = {}
    for path in paths:
        for score in read_results(path):
            earlier, same = found.setdefault(score.question, (path, score))
            if (same.value, same.n) != (score.value, score.n):
                data = "" if same.fingerprints.get("data") == score.fingerprints.get("data") else ", of other data"
                raise FolderError(
                    f"{path} has {score.value:.2f} ({score.n:,} examples{data}) for {score}, {earlier} has "
                    f"{same.value:.2f} ({same.n:,}): they cannot stand in one table; leave out one file"
                )
    return [score for _, score in found.values()]


def model_origins(paths: Sequence[Path]) -> dict[str, str]:
    """By fingerprint the file, the first of several, that a model has scores in; its folder for a results.json."""
    return {
        score.fingerprints.get("model", ""): str(path.parent if path.name == "results.json" else path)
        for path in reversed(paths)
        for score in read_results(path)
    }


@functools.cache
def made_schema() -> dict[str, Any]:
    """The JSON schema of a results.json, as `Score` says."""
    schema = TypeAdapter(list[Score]).json_schema()
    about = f"Version {VERSION}: {EARLIER}; earlier files are read with their defaults."
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:isogloss:results:{VERSION}",
        "title": "results.json",
        "description": "What 'isogloss evaluate' writes: a list of scores, each task, language, split, metric, seed, "
        "setting, selection, drop_types and model once.",
        "$comment": about,
        **schema,
    }


def shipped_schema() -> str:
    """The text of the schema that ships with the package."""
    return resources.files("isogloss.scores").joinpath(SCHEMA_NAME).read_text(encoding="utf-8")


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise FolderError(f"{path} cannot be read: {error.strerror}; 'isogloss evaluate' writes results.json") from None
    except UnicodeDecodeError as error:
        raise FolderError(f"{path}: byte {error.start} is not UTF-8; is it a results.json?") from None


def _rows(path: Path, text: str) -> Iterator[tuple[int, Any]]:
    """The items of a JSON list, with the line each begins in."""
    decoder = json.JSONDecoder(object_pairs_hook=functools.partial(_unique, path))
    try:
        rows = decoder.decode(text)
    except json.JSONDecodeError as error:
        where = f"{path}:{error.lineno}"
        raise FolderError(f"{where}: not valid JSON: {error.msg}; was the file cut off? Write it again") from None
    except (ValueError, RecursionError) as error:
        raise FolderError(f"{path}: not valid JSON: {error}; 'isogloss evaluate' writes results.json") from None
    if not isinstance(rows, list):
        raise FolderError(f"{path}: a results.json is a list of scores, this is {_kind(rows)}")
    position = text.index("[") + 1
    for _ in rows:
        while text[position] in " \t\r\n,":
            position += 1
        number = text.count("\n", 0, position) + 1
        row, position = decoder.raw_decode(text, position)
        yield number, row


def _unique(path: Path, pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    keys = [key for key, _ in pairs]
    if twice := [key for place, key in enumerate(keys) if key in keys[:place]]:
        raise FolderError(f"{path}: '{twice[0][:40]}' stands twice in one object; which one counts?")
    return dict(pairs)


def _score(where: str, row: Any) -> Score:
    """A score, or the first thing that is wrong with it: unknown fields first, as one misspelt is missing too."""
    if not isinstance(row, dict):
        raise FolderError(f"{where}: a score is an object, this is {_kind(row)}")
    try:
        return Score(**row)
    except ValidationError as error:
        problems = sorted(error.errors(), key=lambda problem: problem["type"] != "unexpected_keyword_argument")
    raise FolderError(f"{where}: {_problem(row, problems[0])}")


def _problem(row: Mapping[str, Any], problem: Mapping[str, Any]) -> str:
    name, *inner = (str(part) for part in problem["loc"])
    known = {field.name: _about(field.name) for field in fields(Score)}
    if problem["type"] == "unexpected_keyword_argument":
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
        return f"unknown field '{name[:40]}'; " + (
            f"did you mean '{near[0]}'?" if near else f"known: {', '.join(known)}"
        )
    if problem["type"] in ("missing", "missing_argument"):
        return f"no '{name}' ({known[name]}); it has {', '.join(row)[:100] or 'nothing'}"
    value = json.dumps(problem["input"], ensure_ascii=False)[:40]
    field = ".".join((name, *inner))
    should = problem["msg"].partition(" should ")[2] or problem["msg"]
    return f"{field} = {value}: should {should}; {name} is {known[name]}"


def _about(name: str) -> str:
    """The description of a field."""
    about: str = made_schema()["$defs"]["Score"]["properties"][name]["description"]
    return about


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")
