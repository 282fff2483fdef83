"""A corpus beside the truth about its pages: what was found, what was overlooked, and which good text was lost.

    measured = measure(read_outcomes(corpus, read_truth(path)))     # a dictionary for JSON

Shares are None where there is nothing to count. A removal counts by its outcome, whichever step it was of: a duplicate
whose lines went as repeated lines is removed as well as one that went whole. Precision needs the reasons of what was
dropped; without them it is None, and what is gone without a reason stands under "".
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from typing import Any

from outcomes import Outcomes, PageOutcome
from truth import BROKEN_KINDS, Entry, KnownLine

from isogloss.corpus.sources import code_or_none
from isogloss.languages import is_known

__all__ = ["measure", "share"]

# Words in reasons that say that no language was found, or one that was not asked for.
NO_LANGUAGE = ("language", "letters", "disagree", "confidence", "identif")
LABELLED = ("labelled", "labelled-inside")


def measure(outcomes: Outcomes) -> dict[str, Any]:
    """All measures."""
    pages = [page for page in outcomes.pages if page.entry.readable]
    repeats = Counter(line.key for page in pages for line in page.entry.lines)
    clusters = _clusters(pages)
    return {
        "pages": len(outcomes.pages),
        "has_reasons": outcomes.has_reasons,
        "strangers": outcomes.strangers,
        "reading": _reading(outcomes, pages),
        "identification": _identification(pages),
        "foreign_lines": _foreign_lines(pages, repeats, outcomes.has_reasons),
        "duplicates": _duplicates(pages, clusters, outcomes.has_reasons),
        "repeated_lines": _repeated_lines(pages, repeats, outcomes.has_reasons),
        "labelled": _labelled(pages, outcomes.has_reasons),
        "short": _short(pages),
        "personal": _personal(pages),
        "good_text": _good_text(pages, repeats, clusters),
    }


def share(part: float, whole: float) -> float | None:
    """None where there is nothing to have a share of."""
    return round(part / whole, 4) if whole else None


def _reading(outcomes: Outcomes, pages: list[PageOutcome]) -> dict[str, Any]:
    """Broken records as made and as the build's tally has them, over all languages."""
    made = Counter(page.entry.reason for page in outcomes.pages if not page.entry.readable)
    counted: Counter[str] = Counter()
    for reasons in outcomes.statistics["dropped"].values():
        counted.update({reason: number for reason, number in reasons.items() if reason in BROKEN_KINDS.values()})
    return {
        "readable": dict(sorted(Counter(page.entry.form for page in pages).items())),
        "broken": {reason: {"made": made[reason], "counted": counted[reason]} for reason in sorted({*made, *counted})},
        "kept_though_broken": sum(page.kept for page in outcomes.pages if not page.entry.readable),
    }


def _identification(pages: list[PageOutcome]) -> dict[str, Any]:
    """Of pages that are long enough, the language found; those of languages outside the table are to be left out."""
    languages: dict[str, Counter[str]] = defaultdict(Counter)
    scripts: dict[str, Counter[str]] = defaultdict(Counter)
    confused: dict[str, Counter[str]] = defaultdict(Counter)
    assigned: Counter[str] = Counter()
    outside: dict[str, Counter[str]] = defaultdict(Counter)
    for page in pages:
        entry, code = page.entry, code_or_none(page.entry.language) or page.entry.language
        verdict = _verdict(page, code)
        if entry.kind == "short" or not verdict:
            continue
        if not is_known(code):
            outside[code][page.language if page.kept else ""] += 1
            continue
        languages[code].update((verdict, "documents"))
        scripts[entry.script].update((verdict, "documents"))
        if verdict != "undecided":
            assigned[page.language] += 1
        if verdict == "wrong":
            confused[code][page.language] += 1
    rows = {
        code: {
            **_counts(counts, ("documents", "right", "wrong", "undecided")),
            "accuracy": share(counts["right"], counts["documents"]),
            "precision": share(counts["right"], assigned[code]),
            "confused_with": dict(confused[code].most_common(3)),
        }
        for code, counts in sorted(languages.items())
    }
    total = sum(languages.values(), Counter[str]())
    accuracies = [counts["right"] / counts["documents"] for counts in languages.values()]
    return {
        "documents": total["documents"],
        "accuracy": share(total["right"], total["documents"]),
        "mean_accuracy": share(sum(accuracies), len(accuracies)),
        "wrong": share(total["wrong"], total["documents"]),
        "undecided": share(total["undecided"], total["documents"]),
        "languages": rows,
        "scripts": {
            script: {
                **_counts(counts, ("documents", "right", "wrong", "undecided")),
                "accuracy": share(counts["right"], counts["documents"]),
            }
            for script, counts in sorted(scripts.items())
        },
        "outside": {
            code: {
                "documents": counts.total(),
                "kept": counts.total() - counts[""],
                "kept_as": {name: number for name, number in counts.most_common(4) if name},
            }
            for code, counts in sorted(outside.items())
        },
    }


def _verdict(page: PageOutcome, code: str) -> str:
    """right, wrong or undecided; empty where the page left before it was asked, or nobody looked for languages."""
    if page.language:
        return "right" if page.language == code else "wrong"
    if not page.kept and any(word in page.reason for word in NO_LANGUAGE):
        return "undecided"
    return ""


def _foreign_lines(pages: list[PageOutcome], repeats: Counter[int], has_reasons: bool) -> dict[str, Any]:
    """Foreign lines of kept pages; by whether they are in the script of their page or in another one."""
    script_of = {page.entry.language: page.entry.script for page in pages if page.entry.kind == "clean"}
    found: dict[str, Counter[str]] = {"same script": Counter(), "another script": Counter()}
    for page in (page for page in pages if page.kept):
        for line, is_left in page.lines():
            if line.kind == "foreign":
                same = script_of.get(line.language) == page.entry.script
                found["same script" if same else "another script"].update({"lines": 1, "gone": not is_left})
    taken = _taken_lines(pages, lambda reason: "foreign" in reason)
    total = sum(found.values(), Counter[str]())
    return {
        "lines": total["lines"],
        "gone": total["gone"],
        "recall": share(total["gone"], total["lines"]),
        "precision": share(taken["foreign"], taken.total() - taken["boilerplate"]) if has_reasons else None,
        "taken": dict(taken),
        "by_script": {
            name: {"lines": counts["lines"], "gone": counts["gone"], "recall": share(counts["gone"], counts["lines"])}
            for name, counts in found.items()
        },
    }


def _taken_lines(pages: Iterable[PageOutcome], is_meant: Callable[[str], bool]) -> Counter[str]:
    """The lines, by their kind, that a step took from pages."""
    return Counter(
        line.kind
        for page in pages
        for line, is_left in page.lines()
        if not is_left and is_meant(page.line_reasons.get(line.key, ""))
    )


def _clusters(pages: list[PageOutcome]) -> list[list[PageOutcome]]:
    """Pages made from one another, the original first, then those that differ least; none gone for its language."""
    members: dict[str, list[PageOutcome]] = defaultdict(list)
    for page in pages:
        if _verdict(page, page.language) != "undecided":
            members[page.entry.of or page.entry.url].append(page)
    return [
        sorted(cluster, key=lambda page: (page.entry.of != "", page.entry.change, page.entry.url))
        for cluster in members.values()
        if len(cluster) > 1
    ]


def _duplicates(pages: list[PageOutcome], clusters: list[list[PageOutcome]], has_reasons: bool) -> dict[str, Any]:
    """One page of each cluster may stay, the first that did; any other that stayed was overlooked."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    reasons: dict[str, Counter[str]] = defaultdict(Counter)
    lost = 0
    for cluster in clusters:
        kept = [page for page in cluster if page.kept]
        lost += not kept
        for page in cluster:
            if page in kept[:1] or not page.entry.of:
                continue
            left = sum(line.characters for line, is_left in page.lines() if is_left and line.kind != "boilerplate")
            own = sum(line.characters for line in page.entry.lines if line.kind != "boilerplate")
            for name in _names(page.entry):
                found[name].update({"pages": 1, "gone": not page.kept, "characters": own, "left": left})
                if not page.kept:
                    reasons[name][page.reason] += 1
    in_clusters = {page.entry.url for cluster in clusters for page in cluster}
    taken = [page for page in pages if not page.kept and "duplicate" in page.reason]
    right = sum(page.entry.url in in_clusters for page in taken)
    return {
        "clusters": len(clusters),
        "clusters_lost": lost,
        "precision": share(right, len(taken)) if has_reasons else None,
        "taken_wrongly": len(taken) - right,
        "kinds": {
            name: {
                "pages": counts["pages"],
                "gone": counts["gone"],
                "recall": share(counts["gone"], counts["pages"]),
                "text_left": share(counts["left"], counts["characters"]),
                "reasons": dict(reasons[name].most_common()),
            }
            for name, counts in sorted(found.items())
        },
    }


def _names(entry: Entry) -> list[str]:
    """The rows that a duplicate is counted in: a near one by how much was changed and by how much it still shares."""
    if entry.kind == "exact-duplicate":
        return [entry.kind]
    least = min(int(10 * entry.similarity), 9) / 10
    return [entry.kind, f"words changed {entry.change:g}", f"shingles shared {least:.1f}–{least + 0.1:.1f}"]


def _repeated_lines(pages: list[PageOutcome], repeats: Counter[int], has_reasons: bool) -> dict[str, Any]:
    """Lines that stand more than once in readable pages. Of each, one may stay; where none does, it is lost."""
    left: Counter[int] = Counter()
    boilerplate: set[int] = set()
    by_form: dict[str, Counter[str]] = defaultdict(Counter)
    for page in pages:
        for line, is_left in page.lines():
            left[line.key] += is_left
            if line.kind == "boilerplate":
                boilerplate.add(line.key)
                by_form[page.entry.form].update({"lines": 1, "left": is_left})
    rows = {}
    for name, wanted in (("boilerplate", True), ("other", False)):
        keys = [key for key, number in repeats.items() if number > 1 and (key in boilerplate) == wanted]
        too_many = sum(repeats[key] - 1 for key in keys)
        overlooked = sum(max(0, left[key] - 1) for key in keys)
        rows[name] = {
            "lines": len(keys),
            "copies": too_many,
            "recall": share(too_many - overlooked, too_many),
            "none_left": sum(not left[key] for key in keys),
        }
    taken = Counter(
        line.kind == "boilerplate" or repeats[line.key] > 1
        for page in pages
        for line, is_left in page.lines()
        if not is_left and page.line_reasons.get(line.key) in ("repeated-line", "duplicate-line")
    )
    return {
        **rows,
        "boilerplate_left": {form: share(counts["left"], counts["lines"]) for form, counts in sorted(by_form.items())},
        "precision": share(taken[True], taken.total()) if has_reasons else None,
    }


def _labelled(pages: list[PageOutcome], has_reasons: bool) -> dict[str, Any]:
    """Labelled texts that were put into pages, and pages that were taken for having one."""
    found: dict[str, Counter[str]] = {name: Counter() for name in LABELLED}
    for page in pages:
        for line, is_left in page.lines():
            if line.kind in LABELLED:
                found[line.kind].update({"texts": 1, "gone": not is_left})
    taken = Counter(page.entry.kind for page in pages if not page.kept and page.reason.startswith("labelled"))
    lines = _taken_lines(pages, lambda reason: reason.startswith("labelled"))
    right = taken["contaminated"] + sum(lines[kind] for kind in LABELLED)
    return {
        "kinds": {
            name: {"texts": counts["texts"], "gone": counts["gone"], "recall": share(counts["gone"], counts["texts"])}
            for name, counts in found.items()
        },
        "precision": share(right, taken.total() + lines.total()) if has_reasons else None,
        "taken": dict(taken + lines),
    }


def _short(pages: list[PageOutcome]) -> dict[str, Any]:
    short = [page for page in pages if page.entry.kind == "short"]
    taken = Counter(page.entry.kind for page in pages if not page.kept and page.reason == "short-document")
    gone = sum(not page.kept for page in short)
    return {"pages": len(short), "gone": gone, "recall": share(gone, len(short)), "taken": dict(taken)}


def _personal(pages: list[PageOutcome]) -> dict[str, Any]:
    secrets = sum(len(page.entry.secrets) for page in pages if page.kept)
    left = sum(page.secrets_left for page in pages if page.kept)
    return {"in_kept_pages": secrets, "left": left, "recall": share(secrets - left, secrets)}


def _good_text(pages: list[PageOutcome], repeats: Counter[int], clusters: list[list[PageOutcome]]) -> dict[str, Any]:
    """Text of pages in languages of the table, each line once, that ought to be in the corpus, and why it is not.

    A page of a cluster of which another one stayed is not lost, nor is what stands beside a labelled text.
    """
    spared = {
        page.entry.url
        for cluster in clusters
        for page in cluster
        if page.entry.of or (not page.kept and any(other.kept for other in cluster))
    }
    left = Counter(line.key for page in pages for line, is_left in page.lines() if is_left)
    seen: set[int] = set()
    total: Counter[str] = Counter()
    lost: dict[str, Counter[str]] = defaultdict(Counter)
    for page in pages:
        entry = page.entry
        if entry.kind in ("short", "contaminated") or entry.url in spared or not is_known(entry.language):
            continue
        gone: dict[str, list[KnownLine]] = defaultdict(list)
        for line, is_left in page.lines():
            if line.kind != "text" or line.key in seen:
                continue
            seen.add(line.key)
            total.update({"lines": 1, "characters": line.characters})
            if not is_left and not (repeats[line.key] > 1 and left[line.key]):
                gone[page.why(line) or ("changed, or no reason" if page.kept else "page not there")].append(line)
        total["pages"] += 1
        for reason, lines in gone.items():
            characters = sum(line.characters for line in lines)
            lost[reason].update({"pages": int(not page.kept), "lines": len(lines), "characters": characters})
            lost[reason][entry.form] += characters
    return {
        **_counts(total, ("pages", "lines", "characters")),
        "lost": share(sum(counts["characters"] for counts in lost.values()), total["characters"]),
        "reasons": {
            reason: {
                **_counts(counts, ("pages", "lines", "characters")),
                "share": share(counts["characters"], total["characters"]),
                "wet": counts["wet"],
                "warc": counts["warc"],
            }
            for reason, counts in sorted(lost.items(), key=lambda item: -item[1]["characters"])
        },
    }


def _counts(counts: Counter[str], names: Iterable[str]) -> dict[str, int]:
    return {name: counts[name] for name in names}
