"""A page that shows texts with their entities marked; only written, for people to look at.

It needs nothing from elsewhere and runs nothing, and follows the reader's choice of dark or light.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from ladtl_np.corpus.document import Document
from ladtl_np.corpus.view import Palette, marked, page_end, page_start, safe
from ladtl_np.printable import shown

__all__ = ["article", "heading", "write"]

_STYLE = """body { margin: 2rem auto; padding: 0 1rem; max-width: 60rem; display: flex;
  flex-direction: column; background: var(--paper); color: var(--ink);
  font: 1rem/1.9 system-ui, sans-serif; }
#legend { order: -1; margin: 0 0 1rem; }
article { border-top: 1px solid var(--line); padding: .5rem 0; }
h2 { margin: 0; font-size: .8rem; font-weight: normal; color: var(--soft); }
p { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; }
"""


def write(documents: Iterable[Document]) -> Iterator[str]:
    """Write a page on documents, one document at a time.

    Characters that steer or cannot be seen are shown as escapes. Entities may lie within or over
    each other; where they cross, one of them is drawn in parts. Where a document knows how probable
    its entities are, they are shaded by it.

    Raises
    ------
    ValueError
        If an entity is empty or leaves its text.
    """
    counts: Counter[str] = Counter()
    palette, shaded = Palette(), False
    yield page_start("Texts and their entities", style=_STYLE)
    for number, document in enumerate(documents, 1):
        counts.update(kind for _, _, kind in document.entities or ())
        shaded = shaded or bool(document.probabilities)
        yield article(document, number, palette)
    # It stands first on the page, and is known last.
    entries = [f"{palette.swatch(kind)}\u00a0{count:,}" for kind, count in counts.items()]
    legend = "  ".join(entries) or "no entities"
    if shaded:
        legend += f"\nprobability {palette.shades()}"
    yield f'<p id="legend">{legend}</p>\n{page_end()}'


def article(document: Document, number: int, palette: Palette) -> str:
    """A document with its entities marked, under a heading that tells it."""
    entities = document.entities or ()
    probable = document.probabilities or (None,) * len(entities)
    marks = [
        palette.mark(*span, probability)
        for span, probability in zip(entities, probable, strict=True)
    ]
    body = "".join(marked(document.text, marks))
    return f'<article>\n{heading(document, number)}\n<p dir="auto">{body}</p>\n</article>\n'


def heading(document: Document, number: int) -> str:
    """Number, file and id of a document."""
    names = [str(number), document.file, "" if document.id is None else str(document.id)]
    head = " · ".join(safe(shown(name, 200)) for name in names if name)
    if document.entities is None:
        head += " · not annotated"
    return f"<h2>{head}</h2>"
