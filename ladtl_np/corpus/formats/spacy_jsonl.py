"""JSON lines with ``ents`` and ``tokens``, as ``Doc.to_json`` of spaCy has them; written only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from ladtl_np.corpus.document import Document, Identity
from ladtl_np.corpus.formats.jsonl import Part, parts_of
from ladtl_np.printable import escaped_json

__all__ = ["write"]


class _Entity(msgspec.Struct):
    start: int
    end: int
    label: str


class _Output(msgspec.Struct, omit_defaults=True):
    text: str
    ents: list[_Entity] | None = None
    id: Identity = None
    tokens: list[Part] | None = None
    sents: list[Part] | None = None


def write(documents: Iterable[Document]) -> Iterator[str]:
    """Write documents, one line each; unannotated ones without entities."""
    for document in documents:
        entities = None
        if document.entities is not None:
            entities = [_Entity(*one) for one in document.entities]
        tokens, sentences = parts_of(document)
        output = _Output(document.text, entities, document.id, tokens, sentences)
        yield escaped_json(msgspec.json.encode(output).decode()) + "\n"
