"""How far apart two domains are, label by label: values, a test, gradients, and a picture."""

__all__ = ["BATCHES", "PERMUTATIONS"]

PERMUTATIONS = 999
"""Of the sentences of each label."""
BATCHES = 5
"""Mini-batches whose gradients are compared."""
