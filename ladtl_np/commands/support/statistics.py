"""What ``ladtl data stats`` counts; numbers, tags and types, never text of the data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from ladtl_np.corpus.overlap import Overlap, overlaps
from ladtl_np.corpus.schemes import spans
from ladtl_np.corpus.sentence import Corpus
from ladtl_np.corpus.tally import Remark

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


def describe(corpus: Corpus, remarks: Iterable[Remark], *, tagged: bool = True) -> Statistics:
    """Count what `Statistics` holds; `remarks` are those of `inspect` on the corpus."""
    longest = max(corpus, key=len)
    told = {remark.kind: remark for remark in remarks}
    illegal, again = told.get("illegal-tags"), told.get("repeated-sentences")
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
        repeated=again.count if again else 0,
        entities=_ranked(entities),
        tags=_ranked(tags),
        illegal=illegal.count if illegal else 0,
        illegal_places=list(illegal.places) if illegal else [],
    )


def _ranked(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
