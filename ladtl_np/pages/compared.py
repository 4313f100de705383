"""A page that shows texts with gold entities and predicted ones, and marks where they differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from ladtl_np.corpus.document import Document
from ladtl_np.corpus.formats.html import heading
from ladtl_np.corpus.view import Mark, Palette, marked, page_end, page_start, safe
from ladtl_np.printable import LONG, shown
from ladtl_np.scoring.differences import KINDS, Difference, Kind, differences

__all__ = ["write_compared"]

_NAMES: dict[Kind, str] = {
    "right": "right",
    "missed": "missed",
    "spurious": "spurious",
    "type": "wrong type",
    "boundary": "wrong boundary",
    "both": "wrong type and boundary",
}
_STYLE = """body { margin: 0 auto; padding: 2rem 1rem; max-width: 60rem; background: var(--paper);
  color: var(--ink); font: 1rem/2 system-ui, sans-serif; }
h1 { margin: 0; font-size: 1.4rem; line-height: 1.3; overflow-wrap: anywhere; }
h2 { margin: 0; font-size: .8rem; font-weight: normal; color: var(--soft); }
p { margin: .3rem 0; white-space: pre-wrap; overflow-wrap: anywhere; }
article { border-top: 1px solid var(--line); padding: .6rem 0; }
fieldset { display: flex; flex-wrap: wrap; gap: .4rem 1.2rem; margin: 1rem 0; padding: .6rem 1rem;
  border: 1px solid var(--line); border-radius: .5rem; background: var(--card); line-height: 1.5; }
legend { padding: 0 .4rem; font-size: .875rem; color: var(--soft); }
label { display: inline-flex; gap: .4rem; align-items: baseline; cursor: pointer; }
label span, header p { color: var(--soft); }
mark.missed, mark.wanted { background: none; border: 2px dashed var(--wrong); }
mark.spurious { border-bottom: 0; outline: 2px solid var(--wrong); outline-offset: -1px;
  background-image: repeating-linear-gradient(135deg, transparent 0 5px,
    hsl(var(--h) var(--edge) / .3) 5px 6px); }
mark.type, mark.both, mark.boundary { border-bottom: 4px double var(--wrong); }
mark:not(.right) small { color: var(--wrong); }
"""


def write_compared(
    pairs: Iterable[tuple[Document, Document]], title: str, note: str = ""
) -> Iterator[str]:
    """Write a page on pairs of documents with the same text: gold and predicted.

    What is right looks as it does in ``tag --to html``. What is missed has a dashed frame and no
    ground, what is spurious a solid frame and a hatched ground, what has the wrong type or boundary
    a double line; each says in words what it is. The page shows, without any script, all documents
    or those with a kind of difference.

    Parameters
    ----------
    pairs
        Documents whose entities do not overlap.
    title, note
        Heading of the page, and a line below it.
    """
    palette = Palette()
    counts: Counter[Kind] = Counter()
    holding: Counter[str] = Counter()
    articles = []
    for number, (gold, predicted) in enumerate(pairs, 1):
        found = differences(gold.entities or (), predicted.entities or ())
        counts.update(one.kind for one in found)
        kinds = {one.kind for one in found}
        classes = [*sorted(kinds), *(["differs"] if kinds - {"right"} else [])]
        holding.update(classes)
        probable = dict(zip(predicted.entities or (), predicted.probabilities or (), strict=False))
        marks = [mark for one in found for mark in _marks(one, palette, probable)]
        text = "".join(marked(gold.text, marks))
        articles.append(
            f'<article class="{" ".join(classes)}">\n{heading(gold, number)}\n'
            f'<p dir="auto">{text}</p>\n</article>\n'
        )
    yield page_start(title, style=_STYLE + "".join(_rules()), language="en")
    yield _head(title, note, counts, len(articles), holding)
    yield from articles
    yield page_end()


def _marks(
    one: Difference, palette: Palette, probable: dict[tuple[int, int, str], float]
) -> Iterator[Mark]:
    """The mark of a pair; of two places, the wanted one has a frame of its own."""
    name = _NAMES[one.kind]
    if one.predicted is None:
        assert one.gold is not None
        mark = palette.mark(*one.gold)
        yield mark._replace(style=f"{mark.style} missed", label=f"{name}: {mark.label}")
        return
    mark = palette.mark(*one.predicted, probable.get(one.predicted))
    style = f"{mark.style} {one.kind}"
    if one.kind == "right":
        yield mark._replace(style=style)
    elif one.kind in ("spurious", "boundary"):
        yield mark._replace(style=style, label=f"{name}: {mark.label}")
    else:
        assert one.gold is not None
        wanted = shown(one.gold[2])
        yield mark._replace(style=style, label=f"{name}: {mark.label}, gold {wanted}")
    if one.kind in ("boundary", "both"):
        assert one.gold is not None
        yield Mark(one.gold[0], one.gold[1], f"{palette.classes(one.gold[2])} wanted", label="gold")


def _rules() -> Iterator[str]:
    """What is not shown while a choice is made."""
    for kind in ("differs", *KINDS):
        yield f"body:has(#show-{kind}:checked) article:not(.{kind}) {{ display: none; }}\n"


def _head(
    title: str, note: str, counts: Counter[Kind], documents: int, holding: Counter[str]
) -> str:
    choices = [("all", "all texts", f"{documents:,}")]
    choices += [("differs", "with a difference", f"{holding['differs']:,}")]
    choices += [(kind, _NAMES[kind], f"{counts[kind]:,}") for kind in KINDS]
    first = "differs" if holding["differs"] else "all"
    inputs = "".join(
        f'<label><input type="radio" name="show" id="show-{key}"'
        f"{' checked' if key == first else ''}>{name} <span>{count}</span></label>\n"
        for key, name, count in choices
    )
    return (
        f"<header>\n<h1>{safe(shown(title, LONG))}</h1>\n<p>{safe(note)}</p>\n"
        f"<fieldset>\n<legend>Show</legend>\n{inputs}</fieldset>\n</header>\n"
    )
