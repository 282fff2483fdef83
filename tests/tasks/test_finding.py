"""Files of a task: whose they are is never guessed, in published forms, folders of the Hub's Parquet, and shards."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from isogloss.errors import DataError
from isogloss.tasks import find_files, find_task, splits_in
from isogloss.tasks.files import parquet_rows, shards_of

PAIR = {"premise": ["a"], "hypothesis": ["b"], "label": ["neutral"]}
SHARD = "validation-00000-of-00001.parquet"


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def write_parquet(path: Path, columns: Mapping[str, list[Any]]) -> None:
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(dict(columns)), path)


@pytest.mark.parametrize(
    ("task", "folder", "language"),
    [
        ("xnli", "xnli/sw", "sw"),
        ("pawsx", "paws-x/fr", "fr"),
        ("conll", "conll2003/conll2003", "en"),
        ("conll", "conll2002/es", "es"),
        ("xquad", "xquad/xquad.de", "de"),
        ("mlqa", "mlqa/mlqa.de.en", "context-de-question-en"),
        ("mlqa", "mlqa/mlqa.de.de", "de"),
        ("panx", "wikiann/sw", "sw"),
        ("panx", "wikiann/als", "gsw"),
        ("masakhaner", "masakhaner2/swa", "sw"),
        ("masakhaner", "masakhaner2/yor", "yo"),
        ("udpos", "ud/fr_gsd", "fr"),
        ("rte", "glue/rte", "en"),
        ("squad", "squad/plain_text", "en"),
    ],
)
@pytest.mark.parametrize("form", [SHARD, "validation/0000.parquet"])
def test_a_configuration_is_in_the_language_it_is_called_after(
    tmp_path: Path, task: str, folder: str, language: str, form: str
) -> None:
    configuration = touch(tmp_path, f"{folder}/{form}") / folder
    row = find_task(task)
    assert list(find_files(row, configuration, split="dev")) == [language]
    assert find_files(row, configuration, split="dev", languages=[language]) == {language: configuration / form}
    # The set's folder has a folder a configuration.
    assert find_files(row, configuration.parent, split="dev") == {language: configuration / form}
    other = "it" if language != "it" else "sw"
    with pytest.raises(DataError, match=f"it has dev in {language}$"):
        find_files(row, configuration, split="dev", languages=[other])


def test_what_does_not_say_its_language_is_no_guess(tmp_path: Path) -> None:
    # "ner" and "new" are three letters as codes are; of no set of the table are they a language's.
    for name in ("ner", "data"):
        folder = touch(tmp_path, f"{name}/{SHARD}") / name
        for task in ("xnli", "panx", "conll", "mlqa"):
            with pytest.raises(DataError, match=r"does not say its language.*languages="):
                find_files(find_task(task), folder, split="dev")
            with pytest.raises(DataError, match="does not say its language"):
                find_files(find_task(task), folder, split="dev", languages=["de", "en"])
            assert list(find_files(find_task(task), folder, split="dev", languages=["de"])) == ["de"]
            assert splits_in(find_task(task), folder) == ("dev",)


def test_rows_that_name_their_language_hold_all(tmp_path: Path) -> None:
    for task, name in (
        ("xnli", "xnli.dev.tsv"),
        ("xnli", "xnli.dev.jsonl"),
        ("tydiqa-goldp", f"secondary_task/{SHARD}"),
    ):
        row = find_task(task)
        folder = touch(tmp_path / name.replace("/", "-"), name)
        assert set(find_files(row, folder, split="dev")) == set(row.languages)


def test_a_folder_of_another_task_is_no_language(tmp_path: Path) -> None:
    touch(tmp_path, *(f"{name}/{SHARD}" for name in ("rte", "qqp", "cola", "sst2", "stsb", "mrpc", "qnli")))
    for task, name in (("rte", "rte"), ("qqp", "qqp"), ("sst-2", "sst2"), ("sts-b", "stsb")):
        assert find_files(find_task(task), tmp_path, split="dev") == {"en": tmp_path / name / SHARD}
    touch(tmp_path / "xcopa", f"et/{SHARD}", f"translation-et/{SHARD}")
    said: list[str] = []
    assert list(find_files(find_task("xcopa"), tmp_path / "xcopa", split="dev", tell=said.append)) == ["et"]
    assert said == [f"{tmp_path / 'xcopa'}: passed over, as xcopa has no such language: translation-et"]
    said.clear()
    find_files(find_task("xcopa"), tmp_path / "xcopa", split="dev", languages=["et"], tell=said.append)
    assert said == [], "what was not asked for is not missed"


def test_wikiann_is_called_after_editions_of_wikipedia(tmp_path: Path) -> None:
    names = {"en": "en", "simple": "en-simple", "bat-smg": "sgs", "zh-min-nan": "nan", "zh-classical": "lzh"}
    for name in names:
        (tmp_path / name).mkdir()
        (tmp_path / name / "dev").write_text(f"{name}:word\tO\n{name}:a:b\tB-LOC\n")
    panx = find_task("panx")
    found = find_files(panx, tmp_path, split="dev")
    assert found == {code: tmp_path / name / "dev" for name, code in names.items()}
    for path in found.values():
        (sentence,) = panx.read(path)
        assert sentence.words == ("word", "a:b")  # type: ignore[union-attr]


def test_several_treebanks_stand_in_the_way_of_their_own_language_alone(tmp_path: Path) -> None:
    touch(tmp_path, "UD_X-A/en_a-ud-dev.conllu", "UD_X-B/en_b-ud-dev.conllu", "UD_Y-Z/sw_z-ud-dev.conllu")
    udpos = find_task("udpos")
    assert list(find_files(udpos, tmp_path, split="dev", languages=["sw"])) == ["sw"]
    for languages in ([], ["en"]):
        with pytest.raises(DataError) as caught:
            find_files(udpos, tmp_path, split="dev", languages=languages)
        first, second = tmp_path / "UD_X-A", tmp_path / "UD_X-B"
        assert f"{first}/en_a-ud-dev.conllu and {second}/en_b-ud-dev.conllu are both dev in en" in str(caught.value)
        assert f"data={first}" in str(caught.value)
    assert list(find_files(udpos, tmp_path / "UD_X-A", split="dev")) == ["en"]


def test_shards_are_read_in_order_as_one(tmp_path: Path) -> None:
    xnli = find_task("xnli")
    forms = ("en/train-0000{}-of-00003.parquet", "en/train-0000{}-of-00003-0abc{}.parquet", "en/train/000{}.parquet")
    for place, form in enumerate(forms):
        folder = tmp_path / str(place)
        for number in (2, 0, 1):
            write_parquet(folder / form.format(number, number), {**PAIR, "premise": [f"text {number}"]})
        (path,) = find_files(xnli, folder, split="train").values()
        assert [example.texts[0] for example in xnli.read(path)] == ["text 0", "text 1", "text 2"]  # type: ignore[union-attr]
        assert len(xnli.files_read(path)) == 3
        places = [where for where, _ in parquet_rows(path)]
        assert places == [f"{shard}: row 1" for shard in shards_of(path)]
    (tmp_path / "0/en/train-00001-of-00003.parquet").unlink()
    with pytest.raises(DataError, match="one of 3 shards, number 1 is not beside it"):
        find_files(xnli, tmp_path / "0", split="train")


def test_two_sets_of_parquet_in_one_folder_are_no_shards(tmp_path: Path) -> None:
    touch(tmp_path, f"sw/{SHARD}", "sw/validation-more.parquet")
    with pytest.raises(DataError, match="are both dev in sw, where one is read"):
        find_files(find_task("xnli"), tmp_path, split="dev")


def test_our_own_files_too_may_call_the_dev_split_as_others_do(tmp_path: Path) -> None:
    touch(tmp_path, "val.sw.tsv", "train.sw.tsv")
    nli = find_task("nli")
    for split in ("dev", "val", "validation"):
        assert find_files(nli, tmp_path, split=split) == {"sw": tmp_path / "val.sw.tsv"}
    touch(tmp_path, "dev.ur.tsv")
    assert list(find_files(nli, tmp_path, split="dev")) == ["ur"], "its own name first"
    assert list(find_files(nli, tmp_path, split="val")) == ["sw"]
    assert splits_in(nli, tmp_path) == ("train", "dev")


def test_a_part_of_a_set_names_the_whole(tmp_path: Path) -> None:
    touch(tmp_path, "x-final/de/dev_2k.tsv", "x-final/en/dev_2k.tsv")
    with pytest.raises(DataError, match=rf"it is a part of {tmp_path}/x-final: give that folder"):
        find_files(find_task("pawsx"), tmp_path / "x-final" / "de", split="dev")
    (tmp_path / "x-final" / "empty").mkdir()
    with pytest.raises(DataError, match=r"splits there: none$"):
        find_files(find_task("pawsx"), tmp_path / "x-final" / "empty", split="dev")
