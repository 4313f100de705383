"""What ``ladtl data stats`` counts; numbers, tags and types, never text of the data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ladtl_np.commands.formats import illegal_places
from ladtl_np.corpus.schemes import spans
from ladtl_np.corpus.sentence import Corpus

__all__ = ["Overlap", "Statistics", "describe", "overlaps"]


@dataclass(frozen=True, slots=True)
class Statistics:
    """One file in numbers.

    Attributes
    ----------
    file, sha256
        The file, and the hash of its bytes.
    scheme
        Tag scheme; None in untagged text.
    sentences, tokens
        How many.
    vocabulary
        Different tokens.
    longest, longest_line
        Tokens of the longest sentence, and the line where it starts.
    repeated
        Sentences whose tokens all stood in an earlier sentence of the file.
    entities
        Entities of each type, the most frequent first.
    tags
        Occurrences of each tag, the most frequent first.
    illegal, illegal_places
        Tags that the scheme forbids, and the first of them as ``file:line``.
    """

    file: str
    sha256: str
    scheme: str | None
    sentences: int
    tokens: int
    vocabulary: int
    longest: int
    longest_line: int
    repeated: int
    entities: dict[str, int]
    tags: dict[str, int]
    illegal: int
    illegal_places: list[str]

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Overlap:
    """How much of one file stands in another.

    Attributes
    ----------
    file
        The file whose sentences are looked up.
    within
        The file in which they are looked for.
    sentences
        Sentences of `file` whose tokens are all those of a sentence of `within`.
    share
        The same as a share of the sentences of `file`.
    """

    file: str
    within: str
    sentences: int
    share: float

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


def describe(corpus: Corpus, *, tagged: bool = True) -> Statistics:
    """Count what `Statistics` holds."""
    longest = max(corpus, key=len)
    illegal, places = illegal_places(corpus) if tagged else (0, [])
    tags = Counter(tag for sentence in corpus for tag in sentence.tags or ())
    entities = Counter(
        kind for sentence in corpus for _, _, kind in spans(sentence.tags or (), corpus.scheme)
    )
    return Statistics(
        file=corpus.name,
        sha256=corpus.sha256,
        scheme=corpus.scheme if tagged else None,
        sentences=len(corpus),
        tokens=corpus.token_count,
        vocabulary=len({token for sentence in corpus for token in sentence.tokens}),
        longest=len(longest),
        longest_line=longest.line,
        repeated=len(corpus) - len({sentence.tokens for sentence in corpus}),
        entities=_ranked(entities),
        tags=_ranked(tags),
        illegal=illegal,
        illegal_places=places,
    )


def _ranked(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def overlaps(corpora: Sequence[Corpus]) -> list[Overlap]:
    """Look up the sentences of each file in all others."""
    known = [{sentence.tokens for sentence in corpus} for corpus in corpora]
    found = []
    for place, corpus in enumerate(corpora):
        for other, within in enumerate(corpora):
            if place != other:
                count = sum(sentence.tokens in known[other] for sentence in corpus)
                found.append(Overlap(corpus.name, within.name, count, count / len(corpus)))
    return found
