"""Annotated text as tools and corpora have it: one module for each format."""
