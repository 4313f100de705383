"""What every reader returns and every writer takes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ladtl_np.corpus.tally import Remark

__all__ = ["Corpus", "Sentence"]


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence as it stands in its file.

    Attributes
    ----------
    tokens
        The tokens; never empty.
    tags
        One tag a token, in the file's own scheme and never repaired, or None in untagged text.
    line
        1-based line of the first token in the file, 0 where there is no file.
    """

    tokens: tuple[str, ...]
    tags: tuple[str, ...] | None = None
    line: int = 0

    def __len__(self) -> int:
        return len(self.tokens)


@dataclass(frozen=True, slots=True)
class Corpus:
    """The sentences of one file, in file order.

    Attributes
    ----------
    name
        The path as the user gave it, or a name such as ``demo:cardiology``.
    sentences
        The sentences, in file order.
    scheme
        Tag scheme of ``tags``: one of ``corpus.schemes.SCHEMES``.
    sha256
        Hash of the file's bytes, "" where there is no file.
    remarks
        What its reader left out or changed.
    documents
        First sentence of each document, where the file tells documents.
    """

    name: str
    sentences: tuple[Sentence, ...]
    scheme: str = "BIOES"
    sha256: str = ""
    remarks: tuple[Remark, ...] = ()
    documents: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self.sentences)

    def __iter__(self) -> Iterator[Sentence]:
        return iter(self.sentences)

    @property
    def token_count(self) -> int:
        """Number of tokens in all sentences."""
        return sum(map(len, self.sentences))
