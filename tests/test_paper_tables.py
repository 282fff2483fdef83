"""Scores in the form of the paper's tables: its columns, sections and order, its cells of two figures, its means."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner

from isogloss.cli import app
from isogloss.paper_tables import SECTIONS, paper_tables
from isogloss.published import MEAN, published_row, published_rows
from isogloss.report import Block, Section, Table, Text, to_latex, to_markdown
from isogloss.scores import Score

ROW = published_row("XLM-R base", task="xnli", metric="accuracy", setting="zero-shot")


def score(language: str, value: float, **changes: object) -> Score:
    one = Score("xnli", language, "test", "accuracy", value, 5010, "higher", 1, "zero-shot", "joint-dev", {})
    return dataclasses.replace(one, **changes)  # type: ignore[arg-type]


def table_of(blocks: Sequence[Block]) -> Table:
    (table,) = [block for block in blocks if isinstance(block, Table)]
    return table


def lines(table: Table, model: str) -> list[dict[str, str]]:
    """The cells by column of each line of a model, with the section that it stands in."""
    found, section = [], ""
    for row in table.rows:
        if isinstance(row, Section):
            section = row.text
        elif row[0] == model:
            found.append({**dict(zip(table.head, map(str, row), strict=True)), "section": section})
    return found


def test_columns_come_in_the_papers_order_and_means_over_other_languages_are_left_out() -> None:
    table = table_of(paper_tables([score("ur", 50.0), score("en", 80.0), score("fr", 70.0)]))
    assert table.head == ("model", "D", "#M", "#lg", "selection", "en", "fr", "ur", MEAN)
    (ours,) = lines(table, "ours")
    assert [ours[column] for column in ("D", "#M", "#lg", "en", "fr", "ur", MEAN)] == [
        *("", "1", ""),
        *("80.0", "70.0", "50.0", "66.7"),
    ]
    base = next(line for line in lines(table, "XLM-R base") if line["section"] == SECTIONS["zero-shot"])
    # The printed mean is over fifteen languages, these are three.
    assert [base[column] for column in ("D", "#M", "#lg", "en", "fr", "ur", MEAN)] == [
        *("CC", "1", "100"),
        *("85.8", "79.7", "68.3", "–"),
    ]
    assert lines(table, "mT5 XXL") == [], "a mean alone, over other languages"


def test_over_the_papers_languages_printed_means_stand_beside_ours() -> None:
    table = table_of(paper_tables([score(code, value) for code, value in ROW.values.items() if code != MEAN]))
    base = next(line for line in lines(table, "XLM-R base") if line["section"] == SECTIONS["zero-shot"])
    assert base[MEAN] == "76.2"
    assert [line[MEAN] for line in lines(table, "mT5 XXL")] == ["85.0", "87.8"]
    # Of two rows of one name the second says where it is from.
    assert [line[MEAN] for line in lines(table, "XLM-R large (XTREME)")] == ["79.2"]


def test_settings_are_sections_and_what_changes_them_stands_with_the_model() -> None:
    changed = {"setting": "zero-shot, random weights", "drop_types": ("DATE",)}
    scores = [
        score("en", 1.0, setting="all"),
        score("en", 33.3, setting="majority", seed=None),
        score("en", 2.0),
        score("en", 3.0, **changed),
        score("en", 4.0, setting=""),
    ]
    table = table_of(paper_tables(scores, published=False))
    assert [row.text for row in table.rows if isinstance(row, Section)] == [
        SECTIONS[setting] for setting in ("zero-shot", "all", "", "majority")
    ]
    assert [line["en"] for line in lines(table, "ours")] == ["2.0", "1.0", "4.0"]
    (random,) = lines(table, "ours, random weights, without DATE")
    assert (random["section"], random["en"]) == (SECTIONS["zero-shot"], "3.0")
    assert [line["en"] for line in lines(table, "one answer for all")] == ["33.3"]


def test_answers_have_two_figures_in_a_cell_each_with_its_spread() -> None:
    scores = [
        score("es", value + plus, task="mlqa", metric=metric, seed=seed, selection="source-dev")
        for metric, value in (("exact_match", 40.0), ("f1", 60.0))
        for seed, plus in ((1, -1.0), (2, 1.0))
    ]
    table = table_of(paper_tables(scores))
    (ours,) = lines(table, "ours")
    assert ours["es"] == ours[MEAN] == "60.0 ± 1.4 / 40.0 ± 1.4"
    assert lines(table, "XLM-R base")[0]["es"] == "67.4 / 49.6"
    alone = table_of(paper_tables([one for one in scores if one.metric == "f1"], published=False))
    assert lines(alone, "ours")[0]["es"] == "60.0 ± 1.4"


def test_glue_is_one_table_with_the_papers_mean() -> None:
    tasks = {"mnli": 80.0, "mnli-mm": 10.0, "qnli": 81.0, "qqp": 82.0, "sst-2": 83.0, "mrpc": 84.0}
    scores = [
        score("en", value, task=task, split="dev", setting="each", fingerprints={"model": task})
        for task, value in tasks.items()
    ]
    further = [score("en", 50.0, task="qqp", metric="f1", split="dev", setting="each")]
    without = table_of(paper_tables(scores))
    assert [line[MEAN] for line in lines(without, "ours")] == ["–"], "a mean of six needs all six"
    assert "CoLA" not in without.head
    scores += [
        score("en", 85.0, task="sts-b", metric="pearson", split="dev", setting="each"),
        score("en", 20.0, task="cola", metric="matthews", split="dev", setting="zero-shot"),
    ]
    blocks = paper_tables([*scores, *further])
    first, second = [block for block in blocks if isinstance(block, Table)]
    assert first.head[5:] == ("MNLI-m/mm", "QNLI", "QQP", "SST-2", "MRPC", "STS-B", "CoLA", MEAN)
    each = next(line for line in lines(first, "ours") if line["QNLI"] != "–")
    assert (each["MNLI-m/mm"], each[MEAN]) == ("80.0 / 10.0", "82.5")
    assert [line["CoLA"] for line in lines(first, "ours")] == ["–", "20.0"]
    # As table 4 prints them.
    for model, mean in (
        ("BERT-large", "90.2"),
        ("XLNet-large", "92.0"),
        ("RoBERTa-large", "92.8"),
        ("XLM-R large", "91.8"),
    ):
        assert [line[MEAN] for line in lines(first, model)] == [mean]
    assert lines(first, "XLM-R XL")[0][MEAN] == "–", "no STS-B is printed"
    assert second.head[-2:] == ("en", MEAN)


def test_a_model_a_language_counts_as_n_models() -> None:
    scores = [
        score(code, 90.0, task="conll", metric="f1", setting="each", fingerprints={"model": code})
        for code in ("en", "nl")
    ]
    table = table_of(paper_tables(scores))
    assert [(line["#M"], line["en"]) for line in lines(table, "ours")] == [("N", "90.00")]
    base = {line["section"]: line for line in lines(table, "XLM-R base")}
    assert (base[SECTIONS["each"]]["#M"], base[SECTIONS["each"]]["en"]) == ("N", "92.25"), "digits as printed"
    assert base[SECTIONS["all"]]["#M"] == "1"


def test_published_rows_are_of_the_files_that_were_scored() -> None:
    assert lines(table_of(paper_tables([score("en", 50.0, split="dev")])), "XLM-R base") == []
    answers = [
        score(code, 50.0, task="tydiqa-goldp", metric="f1", split="dev")
        for code in ["ar", "bn", "en", "fi", "id", "ko", "ru", "sw", "te"]
    ]
    assert lines(table_of(paper_tables(answers)), "XLM-R large")[0][MEAN] == "65.1", "its labels are of dev files alone"


def test_what_is_told_below_is_of_the_rows_shown() -> None:
    said = [block.text for block in paper_tables([score("en", 80.0), score("sw", 60.0)]) if isinstance(block, Text)]
    assert any("(table 1)" in text and "XTREME" not in text for text in said)
    assert any("D: data of pretraining" in text for text in said)
    bare = [block.text for block in paper_tables([score("en", 80.0)], published=False) if isinstance(block, Text)]
    assert bare == ["#M: one model for all languages, or N, one for each."]
    seeds = [score("en", 80.0, fingerprints={"model": "a"}), score("en", 70.0, seed=2, fingerprints={"model": "b"})]
    told = [block.text for block in paper_tables(seeds, origins={"a": "x", "b": "y"}) if isinstance(block, Text)]
    assert "Seeds of these files are taken for those of one training: x, y." in told


def test_every_table_is_whole_in_latex_and_on_a_page(tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    file.write_text(json.dumps([dataclasses.asdict(score("en", 80.0)), dataclasses.asdict(score("sw", 60.0))]))
    said = CliRunner().invoke(app, ["results", str(file), str(file)])
    assert said.exit_code == 0
    assert sum(line.startswith("| ours") for line in said.output.splitlines()) == 1
    latex, page = tmp_path / "table.tex", tmp_path / "table.html"
    for form, output in (("latex", latex), ("html", page)):
        assert CliRunner().invoke(app, ["results", str(file), "--format", form, "--output", str(output)]).exit_code == 0
    rows = [line for line in latex.read_text(encoding="utf-8").splitlines() if line.endswith("\\\\")]
    assert {len(re.findall(r"(?<!\\\\)&", row)) for row in rows if "multicolumn" not in row} == {7}
    assert all("\\multicolumn{8}" in row for row in rows if "multicolumn" in row)
    text = page.read_text(encoding="utf-8")
    assert text.count("<tr>") == text.count("</tr>")
    assert 'colspan="8"' in text


def test_latex_escapes_and_lines_up() -> None:
    text = to_latex(
        [Table(("a_b", "50 %"), [Section("all & some"), ("x & y", "1.0 ± 0.1"), Section("rest"), ("z", "2")])]
    )
    assert "a\\_b & 50 \\% \\\\" in text
    assert "x \\& y & 1.0 $\\pm$ 0.1 \\\\" in text
    assert text.startswith("\\begin{tabular}{lr}")
    assert "\\multicolumn{2}{l}{\\emph{all \\& some}} \\\\" in text
    assert "\\midrule\n\\midrule" not in text, "one rule below the head"
    assert text.count("\\midrule") == 2
    assert "| *rest* |  |" in to_markdown([Table(("a", "b"), [Section("rest")])])


@pytest.mark.parametrize("setting", sorted({row.setting for row in published_rows(task="xnli", metric="accuracy")}))
def test_every_published_setting_has_a_section(setting: str) -> None:
    assert SECTIONS[setting].lower().startswith(setting)
