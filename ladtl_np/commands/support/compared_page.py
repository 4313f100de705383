"""The page of ``score --html`` and ``evaluate --html``: texts with all differences marked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from ladtl_np.commands.support.command import refuse_without_effect
from ladtl_np.commands.support.streams import check_output, open_output
from ladtl_np.corpus.conversion import documents_of
from ladtl_np.corpus.document import Document
from ladtl_np.corpus.lines import page_name
from ladtl_np.corpus.sentence import Corpus
from ladtl_np.errors import UsageError
from ladtl_np.scoring import Scores

if TYPE_CHECKING:
    from ladtl_np.model.confidence import Sure

__all__ = ["check_page", "documents_of_sure", "write_page"]


def check_page(html: str | None, files: Sequence[str], *, overwrite: bool, as_json: bool) -> None:
    """Refuse a page that cannot be written, before any work is done.

    Parameters
    ----------
    html
        Where it goes; None is no page.
    files
        What is read.
    overwrite, as_json
        Whether a page that is there is replaced, and whether JSON is printed.
    """
    if html is None:
        refuse_without_effect(["overwrite"], "without --html", "name a page")
        return
    if html == "-" and as_json:
        raise UsageError("--json and a page on standard output do not go together")
    check_output(html, files, overwrite=overwrite)


def write_page(
    html: str,
    gold: Corpus,
    predicted: Iterable[Document],
    name: str,
    scores: Scores,
    *,
    overwrite: bool,
) -> None:
    """Write the differences, document by document, as conlleval reads the tags.

    Parameters
    ----------
    html
        Where it goes.
    gold
        The gold corpus.
    predicted
        The same documents as they were predicted.
    name
        Of the predictions.
    scores, overwrite
        What the heading tells, and whether a page that is there is replaced.
    """
    from ladtl_np.pages.compared import write_compared

    names = page_name(name), page_name(gold.name)
    title = names[0] if names[0] == names[1] else " against ".join(names)
    total = scores.conlleval.overall
    note = (
        f"{total.gold:,} gold entities, {total.predicted:,} predicted, {total.correct:,} right: "
        f"precision {100 * total.precision:.2f}, recall {100 * total.recall:.2f}, "
        f"F1 {100 * total.f1:.2f} (conlleval)"
    )
    pairs = zip(documents_of(gold), predicted, strict=True)
    with open_output(html, overwrite=overwrite) as put:
        for piece in write_compared(pairs, title, note):
            put(piece)


def documents_of_sure(gold: Corpus, found: Sequence[Sure]) -> Iterator[Document]:
    """The documents of a corpus as a model tags them, each entity with its probability."""
    from ladtl_np.commands.support.units import probabilities_of

    tagged = zip(gold, found, strict=True)
    sentences = tuple(replace(sentence, tags=sure.tags) for sentence, sure in tagged)
    probabilities = iter(probabilities_of(found))
    for document in documents_of(replace(gold, sentences=sentences, scheme="BIOES")):
        own = islice(probabilities, len(document.entities or ()))
        yield replace(document, probabilities=tuple(own))
