"""What every reader of annotated documents returns: a text, and its entities as the file has them.

Columns hold tokens and tags, and need no document. Everything else holds texts in which entities
are marked by their characters; `corpus.alignment` cuts these into sentences and tokens.
"""

from __future__ import annotations

from dataclasses import dataclass

from ladtl_np.corpus.schemes import Span

__all__ = ["Alternative", "Certainty", "Document", "Identity"]

Identity = int | str | None
"""A document's id; None where the file gives none."""

Bounds = tuple[int, int]
"""First code point of a token, and the one after its last."""


@dataclass(frozen=True, slots=True)
class Alternative:
    """One way to annotate a sentence, and its probability; offsets are those of the document."""

    probability: float
    entities: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Certainty:
    """How sure a tagger is of one sentence.

    Attributes
    ----------
    start, end
        First code point of the sentence in its document, and the one after its last.
    probability
        Of all its tags together.
    entropy
        Of its tag sequences, in nats.
    best
        Its best tag sequences, best first, if they were asked for.
    """

    start: int
    end: int
    probability: float
    entropy: float
    best: tuple[Alternative, ...] = ()


@dataclass(frozen=True, slots=True)
class Document:
    """One text and its entities, neither cut nor checked.

    All offsets count code points of `text` from 0, and ends are exclusive, whatever the file's own
    way to count.

    Attributes
    ----------
    text
        The text as it stands in the file.
    entities
        Entities in the file's order; they may overlap, and need not end where tokens do. None in
        a document without annotation.
    id
        The document's id.
    line
        1-based line of the file at which it starts, or number of the document; 0 for neither.
    file
        File within a folder, "" where the input is one file.
    tokens
        Bounds of the tokens, where the file gives them.
    sentences
        Offset of each sentence's first code point, where the file gives them; the first is 0.
    probabilities
        How probable a tagger found each of `entities`, in their order; None where it did not say.
    certainties
        How sure it is of each sentence; None where it did not say.
    """

    text: str
    entities: tuple[Span, ...] | None = None
    id: Identity = None
    line: int = 0
    file: str = ""
    tokens: tuple[Bounds, ...] | None = None
    sentences: tuple[int, ...] | None = None
    probabilities: tuple[float, ...] | None = None
    certainties: tuple[Certainty, ...] | None = None
