"""Word vectors: trained on text, read from files, laid over a vocabulary."""
