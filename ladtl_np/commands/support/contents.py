"""What ``ladtl model privacy`` prints."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from ladtl_np.model.privacy import LEAKS, ONCE, RULES, PrivacyReport
from ladtl_np.printable import LONG, shown

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["privacy_table"]

_KIND = {
    "plain": "plain: the file holds words as they are written",
    "hashed": "hashed: the file holds keyed hashes; its key is a file of its own",
}


def privacy_table(file: str, report: PrivacyReport, *, show_text: bool) -> Table:
    """One row for each thing that came from the data; words themselves with `show_text` alone."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE, show_header=False, pad_edge=False, title=shown(file, LONG))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in (*_counts(report), *_lists(report)):
        table.add_row(name, value)
    if show_text:
        for name, words in (*report.words.items(), ("characters", report.characters)):
            table.add_row(f"text: {name}", _joined(words))
    table.add_row("can leak", "\n".join(LEAKS))
    return table


def _counts(report: PrivacyReport) -> Iterator[tuple[str, str]]:
    yield "vocabulary", _KIND[report.mode]
    rarest = "none is left out" if report.min_count == 1 else "rarer ones are left out"
    yield "min_count", f"{report.min_count:,}: {rarest}"
    meanings = {"all": "all", "hashes": "hashes", ONCE: "known to occur once in training"}
    meanings |= {name: f"{name}: {meaning}" for name, (meaning, _) in RULES.items()}
    for name, count in report.counts.items():
        yield "words", f"{count:>9,}  {meanings[name]}"
    for name, count in report.alphabet.items():
        yield "characters", f"{count:>9,}  {meanings[name]}"


def _lists(report: PrivacyReport) -> Iterator[tuple[str, str]]:
    for domain, kinds in report.types.items():
        yield f"{domain} types", f"{len(kinds):,}: {_joined(kinds)}"
    if report.label_map:
        pairs = (f"{source} = {target}" for source, target in report.label_map.items())
        yield "label map", _joined(pairs)
    for key, value in report.options.items():
        yield shown(key, 80), _joined(value) if isinstance(value, list) else shown(str(value), LONG)
    for role, sha256 in report.hashes.items():
        yield f"SHA-256 of {shown(role)}", shown(sha256, 80)
    yield "scores of", _joined(report.scores)


def _joined(texts: Iterable[str]) -> str:
    return ", ".join(shown(text, LONG) for text in texts) or "none"
