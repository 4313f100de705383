"""JSON lines with ``spans``, as Prodigy takes and gives them; written here, read by `jsonl`.

Tokens are numbered, and a span names its first and its last, so that Prodigy need not cut the text
again. There is no ``answer``: that is for whoever looks at the suggestions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from ladtl_np.corpus.document import Document, Identity
from ladtl_np.printable import escaped_json

__all__ = ["write"]


class _Token(msgspec.Struct):
    text: str
    start: int
    end: int
    id: int
    ws: bool


class _Span(msgspec.Struct, omit_defaults=True):
    start: int
    end: int
    label: str
    token_start: int | None = None
    token_end: int | None = None


class _Output(msgspec.Struct, omit_defaults=True):
    text: str
    spans: list[_Span] | None = None
    id: Identity = None
    tokens: list[_Token] | None = None


def write(documents: Iterable[Document]) -> Iterator[str]:
    """Write documents, one line each; unannotated ones without spans."""
    for document in documents:
        text, bounds = document.text, document.tokens or ()
        first = {start: number for number, (start, _) in enumerate(bounds)}
        last = {end: number for number, (_, end) in enumerate(bounds)}
        spans = None
        if document.entities is not None:
            spans = [
                _Span(start, end, kind, first.get(start), last.get(end))
                for start, end, kind in document.entities
            ]
        tokens = [
            _Token(text[start:end], start, end, number, text[end : end + 1] == " ")
            for number, (start, end) in enumerate(bounds)
        ]
        known = None if document.tokens is None else tokens
        output = _Output(text, spans, document.id, known)
        yield escaped_json(msgspec.json.encode(output).decode()) + "\n"
