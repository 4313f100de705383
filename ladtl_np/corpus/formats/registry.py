"""Which formats there are, what tells them apart, and who reads and writes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["FORMATS", "NEEDS", "Format"]

Family = Literal["columns", "documents", "view"]


@dataclass(frozen=True, slots=True)
class Format:
    """One format.

    Attributes
    ----------
    name
        As options name it.
    what
        What it is, in a few words.
    family
        ``columns`` hold tokens and tags; ``documents`` texts and characters; a ``view`` is only
        written, for people.
    suffixes
        Ends of the names of its files; the first format that has one is told by it, unless it is a
        folder.
    module
        Module of `corpus.formats` that reads and writes it.
    reads, writes
        Whether it is read, and written.
    folder
        Whether it is a folder of files.
    tokens
        Whether documents are written with their tokens.
    """

    name: str
    what: str
    family: Family
    suffixes: tuple[str, ...]
    module: str
    reads: bool = True
    writes: bool = True
    folder: bool = False
    tokens: bool = False

    def uses(self, option: str) -> bool:
        """Whether an option of `ReadOptions` can change how files of this format are read."""
        return {
            "columns": self.family == "columns",
            "documents": self.family == "documents",
            "JSON with offsets": self.module in _JSON,
            "a folder of brat": self.folder,
        }.get(NEEDS.get(option, ""), True)


NEEDS = {
    **dict.fromkeys(("token_column", "tag_column", "delimiter", "position_digits"), "columns"),
    **dict.fromkeys(("scheme", "keep_docstart"), "columns"),
    **dict.fromkeys(("tokens", "sentences", "overlaps", "repair"), "documents"),
    "ends": "JSON with offsets",
    "fragments": "a folder of brat",
}
"""What has to be read for an option to change anything; the other options always may."""

_JSON = ("jsonl", "array", "label_studio")

FORMATS = {
    found.name: found
    for found in (
        Format(
            "conll",
            "columns: one token a line",
            "columns",
            (".conll", ".bio", ".iob", ".iob2", ".bmes", ".tsv", ".txt"),
            "conll",
        ),
        Format("conllu", "CoNLL-U, tags as NER= in column MISC", "columns", (".conllu",), "conllu"),
        Format(
            "germeval",
            "columns: index, token, tag, as GermEval and Universal NER have them",
            "columns",
            (),
            "conll",
            writes=False,
        ),
        Format(
            "jsonl",
            "one JSON document a line: doccano, spaCy, Prodigy, CLUENER, CCKS",
            "documents",
            (".jsonl", ".ndjson"),
            "jsonl",
        ),
        Format("json", "a JSON list of such documents", "documents", (".json",), "array"),
        Format(
            "label-studio",
            "Label Studio's JSON and JSON-MIN (its CoNLL export is conll)",
            "documents",
            (".json",),
            "label_studio",
        ),
        Format(
            "spacy", "spaCy's DocBin (extra spacy)", "documents", (".spacy",), "docbin", tokens=True
        ),
        Format(
            "spacy-jsonl",
            "JSON lines with ents, as spaCy has them (read as jsonl)",
            "documents",
            (".jsonl",),
            "spacy_jsonl",
            reads=False,
        ),
        Format(
            "prodigy",
            "JSON lines with spans and tokens, as Prodigy has them (read as jsonl)",
            "documents",
            (".jsonl",),
            "prodigy",
            reads=False,
            tokens=True,
        ),
        Format(
            "brat",
            "a folder of .txt and .ann files",
            "documents",
            (".txt", ".ann"),
            "brat",
            folder=True,
        ),
        Format("html", "a page with entities marked", "view", (".html",), "html", reads=False),
    )
}
"""All formats by their names."""
