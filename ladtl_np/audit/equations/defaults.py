"""What the audit of the equations does where nothing else is chosen."""

__all__ = ["LONGEST", "SENTENCES", "TOLERANCE"]

TOLERANCE = 1e-9
"""Largest difference that passes, relative to the reference's largest value and at least to 1."""
SENTENCES = 8
"""Sentences of either domain that are looked at."""
LONGEST = 120
"""Tokens of a sentence at most, where there are such: the reference's MMD grows with the square."""
