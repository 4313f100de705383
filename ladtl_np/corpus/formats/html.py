"""A page that shows texts with their entities marked; only written, for people to look at.

It needs nothing from elsewhere and runs nothing, and follows the reader's choice of dark or light.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from html import escape

from ladtl_np.corpus.document import Document
from ladtl_np.corpus.schemes import Span
from ladtl_np.printable import escaped, shown

__all__ = ["write"]

_HUES = (210, 20, 140, 270, 50, 330, 180, 0, 90, 300)
"""Hues of the types in the order in which they are met; lines under them tell more types."""
_LINES = ("solid", "dashed", "dotted", "double")

_HEAD = """<!DOCTYPE html>
<html lang="und">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Texts and their entities</title>
<style>
:root { color-scheme: light dark; --ink: #1d2024; --soft: #5b626b; --paper: #fff; --line: #d7dbe0;
  --back: 80% 90%; --edge: 55% 42%; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e4e6e9; --soft: #a2a9b2; --paper: #16181b; --line: #383d44;
    --back: 40% 24%; --edge: 60% 62%; }
}
body { margin: 2rem auto; padding: 0 1rem; max-width: 60rem; display: flex; flex-direction: column;
  background: var(--paper); color: var(--ink); font: 1rem/1.9 system-ui, sans-serif; }
#legend { order: -1; margin: 0 0 1rem; }
article { border-top: 1px solid var(--line); padding: .5rem 0; }
h2 { margin: 0; font-size: .8rem; font-weight: normal; color: var(--soft); }
p { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; }
mark { color: inherit; border-radius: .2em; padding: .05em .15em;
  background: hsl(var(--h) var(--back)); border-bottom: 2px solid hsl(var(--h) var(--edge)); }
mark[data-type]::after { content: attr(data-type); margin-left: .35em; font-size: .7em;
  color: var(--soft); }
"""


def write(documents: Iterable[Document]) -> Iterator[str]:
    """Write a page on documents, one document at a time.

    Characters that steer or cannot be seen are shown as escapes. Entities may lie within or over
    each other; where they cross, one of them is drawn in parts.

    Raises
    ------
    ValueError
        If an entity is empty or leaves its text.
    """
    counts: Counter[str] = Counter()
    styles = [f".t{n} {{ --h: {hue}; }}\n" for n, hue in enumerate(_HUES)]
    styles += [f".u{n} {{ border-bottom-style: {line}; }}\n" for n, line in enumerate(_LINES)]
    yield _HEAD + "".join(styles) + "</style>\n</head>\n<body>\n"
    numbers: dict[str, int] = {}
    for number, document in enumerate(documents, 1):
        for _, _, kind in document.entities or ():
            numbers.setdefault(kind, len(numbers))
            counts[kind] += 1
        yield _article(document, number, numbers)
    # It stands first on the page, and is known last.
    entries = "  ".join(
        f"{_mark(kind, number, named=False)}{_safe(shown(kind))}</mark> {counts[kind]:,}"
        for kind, number in numbers.items()
    )
    yield f'<p id="legend">{entries or "no entities"}</p>\n</body>\n</html>\n'


def _article(document: Document, number: int, numbers: dict[str, int]) -> str:
    names = [str(number), document.file, "" if document.id is None else str(document.id)]
    head = " · ".join(_safe(shown(name, 200)) for name in names if name)
    if document.entities is None:
        head += " · not annotated"
    body = "".join(_marked(document.text, document.entities or (), numbers))
    return f'<article>\n<h2>{head}</h2>\n<p dir="auto">{body}</p>\n</article>\n'


def _marked(text: str, entities: tuple[Span, ...], numbers: dict[str, int]) -> Iterator[str]:
    """Yield a text and the marks in it; at each end, marks that lie within it are closed too."""
    # the next one is the last
    waiting = sorted(reversed(entities), key=lambda span: (-span[0], span[1]))
    opened: list[Span] = []
    at = 0
    while waiting or opened:
        start = waiting[-1][0] if waiting else len(text)
        end = min((span[1] for span in opened), default=len(text))
        place = min(start, end)
        yield _safe(text[at:place])
        at = place
        if end == place and opened:
            first = next(n for n, span in enumerate(opened) if span[1] == end)
            yield "</mark>" * (len(opened) - first)
            opened[first:] = [span for span in opened[first:] if span[1] > end]
            for _, _, kind in opened[first:]:
                yield _mark(kind, numbers[kind], named=False)
            continue
        span = waiting.pop()
        if not 0 <= span[0] < span[1] <= len(text):
            raise ValueError(f"entity {span[0]}..{span[1]} is empty or leaves its text")
        opened.append(span)
        yield _mark(span[2], numbers[span[2]], named=True)
    yield _safe(text[at:])


def _mark(kind: str, number: int, *, named: bool) -> str:
    name = f' data-type="{_safe(shown(kind))}"' if named else ""
    hue, line = number % len(_HUES), number // len(_HUES) % len(_LINES)
    return f'<mark class="t{hue} u{line}"{name}>'


def _safe(text: str) -> str:
    """Escape for a page, and what steers or cannot be seen for the eye; line ends stay."""
    lines = text.replace("\r\n", "\n").split("\n")
    return "\n".join(escape(escaped(line)) for line in lines)
