"""Files of two small domains with all that an option may turn on.

Capitals, digits, letters beyond ASCII, words seen once, a second column of tokens and of tags,
blocks of -DOCSTART-, illegal gold, and types whose order differs between the domains.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np

Row = tuple[str, ...]
Rows = list[list[Row]]

SOURCE_TYPES = {"Drug": ("Zol", "zol", "Mex7", "Mex8"), "Pain": ("ow", "é"), "Sign": ("red", "Red")}
TARGET_TYPES = {"Ache": ("ow", "aï"), "Drug": ("Zol", "Mex9", "Kan"), "Sign": ("red", "fEe")}
OTHERS = ("the", "The", "of", "x1", "x2", "été")
LENGTHS = {"S": 1, "BE": 2, "BIE": 3}
PROBES = [
    ("Zol", "the", "red"),
    ("new", "ow", "Mex9", "x1", "of", "KAN"),
    ("é",),
    ("The", "unseen7", "Red", "zol", "ow", "aï", "the", "x2"),
]
"""Sentences to be tagged, with words that no corpus holds."""


def _sentences(seed: int, count: int, types: dict[str, Row]) -> Rows:
    """Sentences that can be told apart by the prefixes of their tags alone."""
    rng = np.random.default_rng(seed)
    sentences: Rows = []
    seen: set[str] = set()
    while len(sentences) < count:
        rows: list[Row] = []
        for _ in range(int(rng.integers(2, 4))):
            rows += _segment(rng, types)
        pattern = "".join(row[3][0] for row in rows)
        if pattern not in seen:
            seen.add(pattern)
            sentences.append(rows)
    return sentences


def _segment(rng: np.random.Generator, types: dict[str, Row]) -> Iterator[Row]:
    """An entity or some other words: token, its other form, its other tag, its tag."""
    if rng.random() < 0.4:
        for _ in range(int(rng.integers(1, 3))):
            word = str(rng.choice(OTHERS)) if rng.random() < 0.5 else f"once{rng.integers(10**6)}"
            yield word, word[::-1], "O", "O"
        return
    kind = str(rng.choice(list(types)))
    prefixes = str(rng.choice(list(LENGTHS)))
    words = [str(rng.choice(types[kind])), *("mid", "end")[-len(prefixes) + 1 :]]
    for word, prefix in zip(words, prefixes, strict=False):
        yield word, word[::-1], f"{prefix}-Sign", f"{prefix}-{kind}"


def _in_iob2(row: Row) -> Row:
    prefix = {"S": "B", "E": "I"}.get(row[3][0], row[3][0])
    return (*row[:3], prefix + row[3][1:])


def _one_character(row: Row) -> Row:
    return (f"{row[0][0]}{len(row[0])}", *row[1:])


def _write(path: Path, sentences: Rows) -> None:
    blocks = [[("-DOCSTART-", "-X-", "O", "O")], *sentences]
    text = "\n".join("".join("\t".join(row) + "\n" for row in block) for block in blocks)
    path.write_text(text, encoding="utf-8")


def _document(rows: list[Row]) -> tuple[str, list[tuple[int, int, str]]]:
    """A sentence as text, and its entities by character."""
    text, entities = "", list[tuple[int, int, str]]()
    for word, _, _, tag in rows:
        start = len(text)
        prefix, _, kind = tag.partition("-")
        if prefix in ("B", "S", "I") and not (prefix == "I" and entities):
            entities.append((start, start + len(word), kind))
        elif prefix in ("I", "E"):
            entities[-1] = (entities[-1][0], start + len(word), kind)
        text += word + " "
    return text, entities


def _write_documents(path: Path, sentences: Rows) -> None:
    """The same as JSON lines, and as a folder of brat whose name tells nothing."""
    documents = [_document(rows) for rows in sentences]
    lines = [json.dumps({"text": text, "label": label}) + "\n" for text, label in documents]
    path.with_name(f"{path.name}-json.txt").write_text("".join(lines), encoding="utf-8")
    folder = path.with_name(f"{path.name}-brat.txt")
    folder.mkdir()
    for number, (text, label) in enumerate(documents):
        found = [f"T{n}\t{k} {a} {b}\t{text[a:b]}\n" for n, (a, b, k) in enumerate(label, 1)]
        (folder / f"{number:02}.txt").write_text(text, encoding="utf-8")
        (folder / f"{number:02}.ann").write_text("".join(found), encoding="utf-8")


def write_law_files(folder: Path) -> None:
    """Write corpora, label maps and word vectors; the tables of options name them."""
    for name, seed, count, types in (
        ("source", 1, 24, SOURCE_TYPES),
        ("source-other", 2, 29, SOURCE_TYPES),
        ("second", 232, 8, SOURCE_TYPES),  # no sentence has the tags of one of source
        ("target", 3, 16, TARGET_TYPES),
        ("target-other", 4, 19, TARGET_TYPES),
        ("dev", 5, 6, TARGET_TYPES),
        ("dev-other", 6, 6, TARGET_TYPES),
        ("test", 7, 5, TARGET_TYPES),
        ("test-other", 8, 5, TARGET_TYPES),
        ("text", 9, 60, TARGET_TYPES),
    ):
        sentences = _sentences(seed, count, types)
        sentences[0][-1] = (*sentences[0][-1][:2], "I-Sign", "I-Sign")  # illegal: nothing follows
        if name == "dev":
            sentences[0][0] = ("dev-only", *sentences[0][0][1:])
        _write(folder / f"{name}.txt", sentences)
        iob2 = [[_in_iob2(row) for row in rows] for rows in sentences]
        _write(folder / f"{name}-iob2.txt", iob2)
        positions = [[_one_character(row) for row in rows] for rows in sentences]
        _write(folder / f"{name}-positions.txt", positions)
        _write_documents(folder / name, sentences)
    (folder / "chosen.txt").write_text("2\n3\n5\n7\n11\n13\n")
    (folder / "map.toml").write_text('Pain = "Ache"\n')
    (folder / "map-other.toml").write_text('Pain = "Drug"\nDrug = "Ache"\n')
    for name, words in (("vectors", ("Zol", "end", "red")), ("vectors-dev", ("Zol", "dev-only"))):
        rows = [f"{word} {n} 0.5 -1 0.25 {n}.5 1\n" for n, word in enumerate(words)]
        (folder / f"{name}.txt").write_text("".join(rows))
