"""What a file of word vectors gave to a run, in lines for people."""

from __future__ import annotations

from collections.abc import Iterator

from ladtl_np.corpus.vectors.coverage import Found
from ladtl_np.printable import LONG, shown
from ladtl_np.training.word_vectors import WordVectors

__all__ = ["vector_lines"]


def vector_lines(vectors: WordVectors) -> Iterator[str]:
    """The file, what was left aside in it, and the coverage of each corpus."""
    file = vectors.report
    yield (
        f"  vectors {shown(file.name, LONG)}: {file.rows:,} words of {file.dimension:,} values, "
        f"{vectors.added:,} of them known beside those of the training data"
    )
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
    for role, name, found in vectors.coverage:
        words, tokens = found.words, found.tokens
        ways = f"exact {_share(tokens.exact, tokens)}, in lower case {_share(tokens.lower, tokens)}"
        yield (
            f"  {role:<6} {shown(name, LONG)}: {words.found:,} of {words.total:,} words have a "
            f"vector, of tokens {_share(tokens.found, tokens)} ({ways}, digits as 0 "
            f"{_share(tokens.zeros, tokens)}); the model knows {_share(tokens.known, tokens)}"
        )


def _share(count: int, of: Found) -> str:
    return f"{100 * count / max(of.total, 1):.1f} %"
