"""What annotation tools give for download, made up: the same few texts in the form of each tool.

`write_download` puts the files of one tool into a folder. They are built here from texts and
offsets, by nothing of the package, so that they hold what the tool writes and not what we write.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

__all__ = [
    "NEW",
    "NEW_CHINESE",
    "SMALL",
    "TOOLS",
    "Text",
    "Tool",
    "chinese",
    "english",
    "write_all",
    "write_download",
]

Entity = tuple[int, int, str]


class Text(NamedTuple):
    """A text and its entities: first character, last + 1, type."""

    text: str
    entities: list[Entity]


def _filled(template: str, words: dict[str, Sequence[str]], rng: random.Random) -> Text:
    """Put a word of a type for each {TYPE} of a template; that of a type _ is no entity."""
    text, entities = "", []
    for piece in re.split(r"(\{\w+\})", template):
        kind = piece[1:-1] if piece.startswith("{") else ""
        word = rng.choice(words[kind]) if kind else piece
        if kind[:1].isalpha():
            entities.append((len(text), len(text) + len(word), kind))
        text += word
    return Text(text, entities)


def _texts(
    count: int, templates: Sequence[str], words: dict[str, Sequence[str]], gap: str
) -> list[Text]:
    """Texts of two sentences each."""
    rng = random.Random(7)
    found = []
    seen: set[str] = set()

    def fresh() -> Text:
        while (drawn := _filled(rng.choice(templates), words, rng)).text in seen:
            pass
        seen.add(drawn.text)
        return drawn

    for _ in range(count):
        first, second = fresh(), fresh()
        shift = len(first.text) + len(gap)
        moved = [(start + shift, end + shift, kind) for start, end, kind in second.entities]
        found.append(Text(first.text + gap + second.text, first.entities + moved))
    return found


def english(count: int = 40) -> list[Text]:
    """English texts with the types Drug and Sign."""
    words = {
        "Drug": ("Zorvex", "Palimar", "Ketrin", "Zorvex forte"),
        "Sign": ("cough", "fever", "back pain"),
        "_": [str(number) for number in range(2, 40)],
    }
    templates = (
        "She took {_} mg of {Drug} for {Sign}.",
        "No {Sign} since day {_}.",
        "He stopped {Drug}, and {Sign} came back in {_} days.",
        "Follow-up in {_} weeks.",
    )
    return _texts(count, templates, words, " ")


def chinese(count: int = 40) -> list[Text]:
    """Chinese texts with the types drug and sign."""
    words = {
        "drug": ("佐维片", "帕利马", "凯特林"),
        "sign": ("咳嗽", "发热", "头痛"),
        "_": [str(number) for number in range(2, 40)],
    }
    templates = (
        "患者因{sign}服用{drug}{_}天。",
        "无{sign}，{_}周后复查。",
        "停用{drug}后第{_}天{sign}消失。",
    )
    return _texts(count, templates, words, "")


def _lines(records: Sequence[Any]) -> bytes:
    return "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in records).encode()


def _doccano(folder: Path) -> None:
    records = [
        {"id": number, "text": text, "label": [list(one) for one in entities], "Comments": []}
        for number, (text, entities) in enumerate(english(), 101)
    ]
    records[3]["Comments"] = ["is this one right?"]
    (folder / "admin.jsonl").write_bytes(_lines(records))


def _spacy_json(folder: Path) -> None:
    records = [
        [text, {"entities": [list(one) for one in entities]}] for text, entities in english()
    ]
    (folder / "train.json").write_bytes(
        b"[\n" + b",\n".join(json.dumps(one).encode() for one in records) + b"\n]\n"
    )


def _docbin(folder: Path) -> None:
    import spacy
    from spacy.tokens import DocBin

    nlp, kept = spacy.blank("en"), DocBin()
    for text, entities in english():
        doc = nlp(text)
        doc.set_ents([doc.char_span(start, end, kind) for start, end, kind in entities])
        kept.add(doc)
    kept.to_disk(folder / "corpus.spacy")


_WORD = re.compile(r"\w+(?:-\w+)*|[^\w\s]")


def _words(text: str) -> list[tuple[int, int]]:
    return [found.span() for found in _WORD.finditer(text)]


def _prodigy(folder: Path) -> None:
    records: list[dict[str, Any]] = []
    for number, (text, entities) in enumerate(english()):
        bounds = _words(text)
        tokens = [
            {"text": text[a:b], "start": a, "end": b, "id": n, "ws": text[b : b + 1] == " "}
            for n, (a, b) in enumerate(bounds)
        ]
        first = {a: n for n, (a, _) in enumerate(bounds)}
        last = {b: n for n, (_, b) in enumerate(bounds)}
        spans = [
            {"start": a, "end": b, "token_start": first[a], "token_end": last[b], "label": kind}
            for a, b, kind in entities
        ]
        record = {"text": text, "_input_hash": 1000 + number, "_task_hash": -2000 - number}
        answer = {5: "reject", 9: "ignore"}.get(number, "accept")
        records.append(record | {"tokens": tokens, "spans": spans, "answer": answer})
    (folder / "annotations.jsonl").write_bytes(_lines(records))


def _label_studio(folder: Path) -> None:
    tasks: list[dict[str, Any]] = []
    for number, (text, entities) in enumerate(english(), 1):
        result = [
            {
                "id": f"r{number}-{place}",
                "from_name": "label",
                "to_name": "text",
                "type": "labels",
                "value": {"start": a, "end": b, "text": text[a:b], "labels": [kind]},
            }
            for place, (a, b, kind) in enumerate(entities)
        ]
        done = {"id": 500 + number, "was_cancelled": False, "result": result}
        task = {"id": number, "annotations": [done], "predictions": [], "data": {"text": text}}
        tasks.append(task)
    tasks[2]["annotations"].append({"id": 999, "was_cancelled": True, "result": []})
    (folder / "project.json").write_bytes(
        b"[" + b",\n".join(json.dumps(one).encode() for one in tasks) + b"]\n"
    )


def _label_studio_min(folder: Path) -> None:
    tasks = []
    for number, (text, entities) in enumerate(english(), 1):
        regions = [
            {"start": a, "end": b, "text": text[a:b], "labels": [kind]} for a, b, kind in entities
        ]
        labels = {"label": regions} if regions else {}
        tasks.append({"id": number, "text": text} | labels | {"annotator": 1, "annotation_id": 1})
    (folder / "project-min.json").write_bytes(
        b"[" + b",\n".join(json.dumps(one).encode() for one in tasks) + b"]\n"
    )


def _tagged(one: Text, scheme: str) -> list[list[tuple[str, str]]]:
    """Words or characters with their tags in IOB1, IOB2 or BMES, sentence by sentence."""
    text, entities = one
    bounds = _words(text) if " " in text else [(n, n + 1) for n in range(len(text))]
    rows: list[list[tuple[str, str]]] = [[]]
    before = -1
    for start, end in bounds:
        tag = "O"
        for a, b, kind in entities:
            if a <= start < b:
                lead = "B" if start == a else "I"
                if scheme == "IOB1" and lead == "B" and before != a:
                    lead = "I"
                if scheme == "BMES" and (lead == "I" or end == b):
                    lead = "S" if start == a else "E" if end == b else "M"
                tag = f"{lead}-{kind}"
        rows[-1].append((text[start:end], tag))
        before = end
        if text[start:end] in ".。":
            rows.append([])
    return [row for row in rows if row]


def _label_studio_conll(folder: Path) -> None:
    lines = ["-DOCSTART- -X- O\n"]
    for one in english():
        rows = [row for sentence in _tagged(one, "IOB2") for row in sentence]
        lines += [f"{word} -X- _ {tag}\n" for word, tag in rows] + ["\n"]
    (folder / "project.conll").write_bytes("".join(lines).encode())


def _brat(folder: Path) -> None:
    place = folder / "ward"
    place.mkdir()
    (place / "annotation.conf").write_bytes(b"[entities]\nDrug\nSign\n")
    for number, (text, entities) in enumerate(english(), 1):
        lines = [
            f"T{n}\t{kind} {a} {b}\t{text[a:b]}\n" for n, (a, b, kind) in enumerate(entities, 1)
        ]
        if len(entities) > 1:
            lines.append("R1\tTreats Arg1:T1 Arg2:T2\n")
        (place / f"note-{number:02}.txt").write_bytes(f"{text}\n".encode())
        (place / f"note-{number:02}.ann").write_bytes("".join(lines).encode())


def _conllu(folder: Path) -> None:
    lines = []
    for number, one in enumerate(english(), 1):
        lines.append(f"# newdoc id = note-{number}\n")
        for place, sentence in enumerate(_tagged(one, "IOB2"), 1):
            lines.append(f"# sent_id = note-{number}-{place}\n")
            for index, (word, tag) in enumerate(sentence, 1):
                misc = f"NER={tag}" if tag != "O" else "_"
                lines.append("\t".join([str(index), word, *"_" * 7, misc]) + "\n")
            lines.append("\n")
    (folder / "notes.conllu").write_bytes("".join(lines).encode())


def _germeval(folder: Path) -> None:
    lines = []
    for number, one in enumerate(english(), 1):
        for sentence in _tagged(one, "IOB2"):
            lines.append(f"#\tnote {number} [2014-01-01]\n")
            lines += [f"{n}\t{word}\t{tag}\tO\n" for n, (word, tag) in enumerate(sentence, 1)]
            lines.append("\n")
    (folder / "NER-de-train.tsv").write_bytes("".join(lines).encode())


def _cluener(folder: Path) -> None:
    records = []
    for text, entities in chinese():
        label: dict[str, dict[str, list[list[int]]]] = {}
        for a, b, kind in entities:
            label.setdefault(kind, {}).setdefault(text[a:b], []).append([a, b - 1])
        records.append({"text": text, "label": label})
    (folder / "cluener.json").write_bytes(_lines(records))


def _ccks(folder: Path) -> None:
    records = []
    for text, entities in chinese():
        found = [
            {"label_type": {"drug": "药物", "sign": "症状"}[kind], "start_pos": a, "end_pos": b}
            for a, b, kind in entities
        ]
        records.append({"originalText": text, "entities": [{"overlap": 0} | one for one in found]})
    (folder / "subtask1.txt").write_bytes(b"\xef\xbb\xbf" + _lines(records))


def _iob1(folder: Path) -> None:
    lines = ["-DOCSTART- -X- O O\n", "\n"]
    for one in english():
        for sentence in _tagged(one, "IOB1"):
            lines += [f"{word} NN I-NP {tag}\n" for word, tag in sentence] + ["\n"]
    (folder / "eng.txt").write_bytes("".join(lines).encode())


def _bmes(folder: Path) -> None:
    lines = []
    for one in chinese():
        for sentence in _tagged(one, "BMES"):
            lines += [f"{word} {tag}\r\n" for word, tag in sentence] + ["\r\n"]
    (folder / "ward.bmes").write_bytes("".join(lines).encode())


class Tool(NamedTuple):
    """A tool, and what a user has to know of it.

    Attributes
    ----------
    write
        Writes the download into a folder.
    download
        Name of the download.
    texts
        What it holds.
    format
        The format as which it is read.
    back
        The format that the tool takes back; where it takes none of ours, one that keeps all.
    options
        What the commands need to read it.
    """

    write: Callable[[Path], None]
    download: str
    texts: Callable[[], list[Text]]
    format: str
    back: str
    options: tuple[str, ...] = ()


TOOLS = {
    "doccano": Tool(_doccano, "admin.jsonl", english, "jsonl", "jsonl"),
    "spacy-json": Tool(_spacy_json, "train.json", english, "json", "spacy-jsonl"),
    "spacy-docbin": Tool(_docbin, "corpus.spacy", english, "spacy", "spacy"),
    "prodigy": Tool(_prodigy, "annotations.jsonl", english, "jsonl", "prodigy"),
    "label-studio": Tool(_label_studio, "project.json", english, "label-studio", "label-studio"),
    "label-studio-min": Tool(
        _label_studio_min, "project-min.json", english, "label-studio", "label-studio"
    ),
    "label-studio-conll": Tool(
        _label_studio_conll, "project.conll", english, "conll", "label-studio"
    ),
    "brat": Tool(_brat, "ward", english, "brat", "brat"),
    "conllu": Tool(_conllu, "notes.conllu", english, "conllu", "conllu"),
    "germeval": Tool(_germeval, "NER-de-train.tsv", english, "germeval", "conllu"),
    "cluener": Tool(_cluener, "cluener.json", chinese, "jsonl", "jsonl"),
    "ccks": Tool(_ccks, "subtask1.txt", chinese, "jsonl", "jsonl", ("--ends", "exclusive")),
    "iob1": Tool(_iob1, "eng.txt", english, "conll", "conll"),
    "bmes": Tool(_bmes, "ward.bmes", chinese, "conll", "conll"),
}
"""All tools by short names."""


def write_download(name: str, folder: Path) -> Path:
    """Write what a tool gives for download; return its path."""
    tool = TOOLS[name]
    tool.write(folder)
    return folder / tool.download


SMALL = """\
method = "non-transfer"
threads = 1

[model]
embedding = 20
hidden = 20

[training]
steps = 120
target_batch = 16
"""
"""Options that train a tiny model on one of the downloads in a second."""
NEW = "She took 9 mg of Ketrin for fever. No cough since day 4.\n"
NEW_CHINESE = "患者因发热服用凯特林9天。\n"
ODD = """\
{"id": 1, "text": "No chest pain, no cough.", "label": [[3, 15, "Sign"], [18, 22, "Sign"]]}
{"id": 2, "text": "Some chest pain.", "label": [[5, 15, "Sign"], [5, 10, "Organ"]]}
"""
"""Entities with a mark and a space, that end within a word, and that overlap."""


def write_all(folder: Path) -> None:
    """Write all downloads, options of a tiny model, and new texts."""
    for name in TOOLS:
        write_download(name, folder)
    (folder / "small.toml").write_text(SMALL, encoding="utf-8")
    (folder / "new.txt").write_text(NEW, encoding="utf-8")
    (folder / "new-zh.txt").write_text(NEW_CHINESE, encoding="utf-8")
    (folder / "odd.jsonl").write_text(ODD, encoding="utf-8")
