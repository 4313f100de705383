"""What a file of word vectors gave to a run, in lines for people."""

from __future__ import annotations

from collections.abc import Iterator

from ladtl_np.corpus.tally import Remark
from ladtl_np.corpus.vectors.coverage import Coverage
from ladtl_np.corpus.vectors.used import UsedVectors
from ladtl_np.printable import LONG, shown

__all__ = ["coverage_told", "file_told", "found_told", "unwritable_remark", "vector_lines"]


def vector_lines(vectors: UsedVectors) -> Iterator[str]:
    """The file, what was left aside in it, and the coverage of each corpus."""
    file = vectors.file
    yield f"  vectors {file_told(vectors)}"
    if file.duplicates:
        yield (
            f"         {file.duplicates:,} further vectors of words in use are left aside, the "
            f"first in line {file.first_duplicate:,}"
        )
    if file.undecodable:
        yield (
            f"         {file.undecodable:,} words are not UTF-8 and match no token, the first in "
            f"line {file.first_undecodable:,}"
        )
    for split in vectors.coverage:
        yield f"  {split.role:<6} {shown(split.name, LONG)}: {coverage_told(split)}"


def file_told(vectors: UsedVectors) -> str:
    """Name and sizes."""
    file = vectors.file
    return (
        f"{shown(file.name, LONG)}: {file.rows:,} words of {file.dimension:,} values, "
        f"{vectors.added:,} of them known beside those of the training data"
    )


def coverage_told(split: Coverage) -> str:
    """How much of a corpus has a vector, by which form, and how much the model knows."""
    tokens = split.tokens
    return f"{found_told(split)}; the model knows {tokens.share(tokens.known)}"


def found_told(split: Coverage) -> str:
    """How much of a corpus has a vector, and by which form."""
    words, tokens = split.words, split.tokens
    return (
        f"{words.found:,} of {words.total:,} words have a vector, of tokens "
        f"{tokens.share(tokens.found)} (exact {tokens.share(tokens.exact)}, in lower case "
        f"{tokens.share(tokens.lower)}, digits as 0 {tokens.share(tokens.zeros)})"
    )


def unwritable_remark(count: int, which: str, out: str) -> Remark:
    """What a file of vectors in text format has no room for."""
    what = f"{count:,} words {which} left out: a file of vectors cannot hold them"
    return Remark("unwritable-words", out, count, what)
