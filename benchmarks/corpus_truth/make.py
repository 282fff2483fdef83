"""A small crawl with known truth, made of clean text: files in Common Crawl's layout, and what is known of each page.

    python benchmarks/corpus_truth/make.py text=texts labelled=nli output=made
    isogloss corpus fetch --crawl CC-MAIN-2018-51 --files 99 --kind wet --base made --output fetched/wet
    isogloss corpus fetch --crawl CC-MAIN-2018-51 --files 99 --kind warc --base made --output fetched/warc
    rm fetched/*/manifest.json && cp -r made/damaged fetched/
    isogloss corpus build input=fetched output=corpus
    python benchmarks/corpus_truth/score.py corpus=corpus truth=made/truth.jsonl.zst output=score

Settings are KEY=VALUE, shown by --help; the same settings and text give the same bytes. The last line is JSON.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections import Counter
from collections.abc import Sequence

from clean_pages import ForeignLines, Page, clean_pages, draws, text_files
from crawl_files import write_crawl
from inject import inject
from rich.console import Console
from rich.progress import track
from settings import CrawlOfTextSettings
from truth import write_truth

from isogloss.config import Settings, make_settings
from isogloss.corpus.dedup.shingles import division_of
from isogloss.corpus.labelled import labelled_files, labelled_texts
from isogloss.corpus.sources import code_or_none
from isogloss.errors import DataError, FolderError, IsoglossError

# A labelled text with fewer words or characters than these is no proof that it was copied (GPT-3's appendix C).
LEAST_LABELLED = {"words": 13, "ideographs": 20, "letters": 50}


def make_crawl(settings: CrawlOfTextSettings) -> dict[str, object]:
    """Write the crawl beside and rename it last; returns what it holds. Raises FolderError if it is there already."""
    if settings.output.exists():
        raise FolderError(f"output {settings.output} is there already; choose another one or delete it")
    work = settings.output.with_name(settings.output.name + ".tmp")
    shutil.rmtree(work, ignore_errors=True)
    files = text_files(settings)
    labelled = labelled_by_language(settings)
    foreign = ForeignLines()
    bar = Console(stderr=True)
    clean = {path.stem: clean_pages(path, settings, foreign) for path in track(files, "cutting pages", console=bar)}
    for code, lines in foreign.lines.items():
        draws(settings, "foreign", code).shuffle(lines)
    pages: list[Page] = []
    for code, of_language in track(clean.items(), "injecting", console=bar):
        pages += inject(of_language, settings, foreign, labelled.get(code, []))
    if not pages:
        raise DataError(f"text {settings.text} gives no page; page_characters asks for more than it has")
    work.mkdir(parents=True)
    entries = write_crawl(pages, settings, work)
    write_truth(work / "truth.jsonl.zst", entries)
    counts = {
        "pages": len(entries),
        "characters": sum(entry.characters for entry in entries),
        "languages": len(clean),
        "kinds": dict(sorted(Counter(entry.kind for entry in entries).items())),
        "forms": dict(sorted(Counter(entry.form for entry in entries).items())),
        "lines": dict(sorted(Counter(line.kind for entry in entries for line in entry.lines).items())),
    }
    about = {"settings": settings.model_dump(mode="json"), **counts}
    (work / "about.json").write_text(json.dumps(about, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    work.rename(settings.output)
    return counts


def labelled_by_language(settings: CrawlOfTextSettings) -> dict[str, list[str]]:
    """Labelled texts long enough to be looked for, by the language that a file's name ends in, in a random order."""
    texts: dict[str, dict[str, None]] = {}
    for source in labelled_files(settings.labelled) if settings.labelled else []:
        code = source.path.stem.rpartition(".")[2]
        if code_or_none(code) is None:
            continue
        division = division_of(code)
        for text in labelled_texts(source):
            size = len(text.split()) if division == "words" else len(text)
            if size >= LEAST_LABELLED[division] and "\n" not in text:
                texts.setdefault(code, {})[text] = None
    shuffled = {code: list(found) for code, found in sorted(texts.items())}
    for code, found in shuffled.items():
        draws(settings, "labelled", code).shuffle(found)
    return shuffled


def read_settings(kind: type[Settings], words: Sequence[str]) -> Settings:
    """KEY=VALUE words as settings; --help prints them and ends."""
    if "--help" in words or not words:
        print((sys.modules["__main__"].__doc__ or "").strip() + "\n")
        print_fields(kind)
        raise SystemExit(0)
    return make_settings(kind, {}, words, where="command line")


def print_fields(kind: type[Settings], prefix: str = "") -> None:
    for name, field in kind.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, Settings):
            print_fields(inner, f"{prefix}{name}.")
        else:
            default = "" if field.is_required() else f" [{field.default}]"
            print(f"  {prefix}{name}: {field.description}{default}")


def main() -> None:
    try:
        settings = read_settings(CrawlOfTextSettings, sys.argv[1:])
        assert isinstance(settings, CrawlOfTextSettings)
        counts = make_crawl(settings)
    except IsoglossError as error:
        sys.exit(f"error: {error}")
    print(json.dumps({"benchmark": "corpus_truth/make", **counts}))


if __name__ == "__main__":
    main()
