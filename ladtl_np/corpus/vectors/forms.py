"""Forms under which a word is looked up in a file of vectors; the first that is there counts."""

from __future__ import annotations

from ladtl_np.corpus.vocabulary import digits_to_zero

__all__ = ["EXACT", "LOWER", "LOWER_ZEROS", "MISSING", "ZEROS", "forms_of"]

MISSING, EXACT, LOWER, ZEROS, LOWER_ZEROS = -1, 0, 1, 2, 3
"""How a word was found: not at all, as it is, in lower case, with its digits as 0, with both."""


def forms_of(word: str) -> list[tuple[str, int]]:
    """List the distinct forms of a word in their order, each with its way."""
    lower = word.lower()
    ways = (
        (word, EXACT),
        (lower, LOWER),
        (digits_to_zero(word), ZEROS),
        (digits_to_zero(lower), LOWER_ZEROS),
    )
    # of equal forms the first; a dictionary keeps the place of a key and the last of its values
    return list({form: way for form, way in reversed(ways)}.items())[::-1]
