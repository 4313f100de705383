"""What annotated formats are fed with: each is read, and what it writes has to read the same."""

from __future__ import annotations

import contextlib
import tempfile
import zlib
from io import BytesIO
from pathlib import Path

from ladtl_np.corpus.document import Document
from ladtl_np.corpus.findings import Findings
from ladtl_np.corpus.formats import array, brat, docbin, jsonl, label_studio
from ladtl_np.corpus.formats.reading import ReadOptions
from ladtl_np.corpus.tally import Tally
from ladtl_np.printable import escaped_json

__all__ = [
    "BRAT",
    "BRAT_PIECES",
    "PACKED_PIECES",
    "RECORDS",
    "RECORD_PIECES",
    "TASKS",
    "TASK_PIECES",
    "folders",
    "packed",
    "packed_seeds",
    "records",
    "tasks",
]

_ENDS = (ReadOptions(), ReadOptions(ends="exclusive"), ReadOptions(ends="inclusive"))


def _told(documents: list[Document]) -> list[object]:
    return [(d.text, d.entities, d.id) for d in documents]


def records(data: bytes) -> None:
    """JSON records, one a line or in a list, whose ends are told or declared."""
    choice = data[0] if data else 0
    module, options = (jsonl, array)[choice % 2], _ENDS[choice // 2 % 3]
    found = list(module.read(BytesIO(data[1:]), options, Findings("fuzz"), Tally()))
    text = "".join(module.write(found))
    assert escaped_json(text) == text
    again = module.read(BytesIO(text.encode()), ReadOptions(), Findings("again"), Tally())
    assert _told(list(again)) == _told(found)


def tasks(data: bytes) -> None:
    """Tasks of Label Studio."""
    options = _ENDS[data[0] % 3] if data else _ENDS[0]
    found = list(label_studio.read(BytesIO(data[1:]), options, Findings("fuzz"), Tally()))
    with contextlib.suppress(ValueError):  # entities without text that leave theirs
        text = "".join(label_studio.write(found))
        again = label_studio.read(BytesIO(text.encode()), ReadOptions(), Findings("a"), Tally())
        assert _told(list(again)) == _told(found)


def packed(data: bytes) -> None:
    """A DocBin, unpacked here and packed again so that the search gets into it."""
    whole = zlib.compress(data[1:], 1) if data[:1] == b"\0" else data[1:]
    found = list(docbin.read(BytesIO(whole), ReadOptions(), Findings("fuzz"), Tally()))
    with contextlib.suppress(ValueError):  # what spaCy's own rules refuse
        again = docbin.write_bytes(found)
        same = docbin.read(BytesIO(again), ReadOptions(), Findings("again"), Tally())
        assert [d.text for d in same] == [d.text for d in found]


def packed_seeds() -> list[bytes]:
    """Sound files of every kind."""
    documents = (
        Document("a b.\nc", ((0, 1, "X"), (2, 4, "Y")), tokens=((0, 1), (2, 3), (3, 4), (5, 6))),
        Document("病", None, tokens=((0, 1),), sentences=(0,)),
    )
    content = docbin.write_bytes(documents)
    return [b"\0" + zlib.decompress(content), b"\1" + content]


PACKED_PIECES = (
    *(b"attrs", b"tokens", b"lengths", b"spaces", b"strings", b"flags", b"cats", b"span_groups"),
    *(b"\x80", b"\x90", b"\x91", b"\xdd\xff\xff\xff\xff", b"\xc4\x08", b"\xc6\xff\xff\xff\xff"),
    *(b"\xff", b"\0" * 8, b"\1" + b"\0" * 7, b"\x91" * 3000, b"\xa1X", b"\xc0", b"\xc2", b"\xc3"),
)


def folders(data: bytes) -> None:
    """A text and its annotations, parted by a NUL, as a folder of brat."""
    text, _, lines = data[1:].partition(b"\0")
    fragments = ("refuse", "join", "split")[data[0] % 3] if data else "refuse"
    with tempfile.TemporaryDirectory(dir=_MEMORY) as name:
        folder = Path(name)
        (folder / "a.txt").write_bytes(text)
        (folder / "a.ann").write_bytes(lines)
        options = ReadOptions(fragments=fragments)
        found = list(brat.read_folder(folder, options, Findings("fuzz"), Tally()))
        for file, content in brat.write_files(found[0], "a").items():
            (folder / file).write_bytes(content.encode())
        again = brat.read_folder(folder, ReadOptions(), Findings("again"), Tally())
        assert _told(list(again)) == _told(found)


_MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
BRAT = (
    b"\0a b\nc\0T1\tX 0 1\ta\nT2\tY 2 3;4 5\tb c\nR1\tx Arg1:T1 Arg2:T2\n",
    b"\1a b\r\nc\0T1\tX 0 1;2 3\ta b\r\n#1\tx\n",
)
BRAT_PIECES = (
    *(b"T1", b"T2", b"\t", b" ", b";", b"0 1", b"1 3", b"X", b"\n", b"\r\n", b"\r", b"E1\tX:T1\n"),
    *(b"a", b"\xe7\x97\x85", b"\xf0\x9f\x98\x80", b"\xef\xbb\xbf", b"\xff", b"\0", b"9" * 5000),
    *(b"\xe2\x80\xa8", b"\xe3\x80\x80", b"\x85", b"#", b"*", b"A1", b"N1", b"-1", b"0 1;" * 999),
)


TASKS = (
    b'\0[{"id": 1, "data": {"text": "a b"}, "predictions": [{}], "annotations": [{"result": ['
    b'{"type": "labels", "value": {"start": 0, "end": 1, "text": "a", "labels": ["X"]}}, '
    b'{"type": "relation"}]}, {"was_cancelled": true}]}, {"data": {"x": "c"}}]',
    b'\0[{"id": 1, "text": "a", "label": [{"start": 0, "end": 1, "text": "a", "labels": ["X"]}]}]',
)
TASK_PIECES = (
    *(b'"data"', b'"text"', b'"annotations"', b'"completions"', b'"result"', b'"value"', b'"id"'),
    *(b'"start"', b'"end"', b'"labels"', b'"label"', b'"type"', b'"choices"', b'"predictions"'),
    *(b"{", b"}", b"[", b"]", b":", b",", b'"', b"0", b"-1", b"1.0", b"9" * 30, b"null", b"true"),
    *(b"\\ud800", b"\n", b"\xff", b"\xf0\x9f\x98\x80", b"[" * 3000, b"\0", b"\xef\xbb\xbf"),
)
_LINES = (
    b'{"text": "a b", "ents": [{"start": 0, "end": 1, "label": "X"}], "tokens": [{"start": 0, '
    b'"end": 1}], "sents": [{"start": 0, "end": 3}]}',
    b'{"text": "abc", "label": {"X": {"ab": [[0, 1]]}}, "id": 7}',
    b'{"originalText": "abc", "entities": [{"label_type": "X", "start_pos": 0, "end_pos": 1}]}',
    b'{"text": "abc", "entity_list": [{"type": "X", "start_pos": 0, "end_pos": 1, "entity": "a"}]}',
    b'{"text": "abc", "spans": [{"start": 0, "end": 1, "label": "X"}], "answer": "accept"}',
    b'["abc", {"entities": [[0, 1, "X"]]}]',
)
RECORDS = (
    b"\2" + _LINES[2],
    *(b"\0" + line + b"\n" for line in _LINES if line != _LINES[2]),
    *(b"\1[" + line + b", \n" + line + b"]" for line in _LINES if line != _LINES[2]),
)
RECORD_PIECES = (
    *_LINES,
    *(b'"text"', b'"label"', b'"ents"', b'"spans"', b'"tokens"', b'"sents"', b'"answer"', b'"id"'),
    *(b'"start"', b'"end"', b'"start_pos"', b'"end_pos"', b'"entity"', b'"reject"', b"null"),
    *(b"{", b"}", b"[", b"]", b":", b",", b'"', b"0", b"-1", b"1.0", b"9" * 30, b"9" * 5000),
    *(b"\\ud800", b"\\ud83d\\ude00", b"\n", b"\xff", b"\xf0\x9f\x98\x80", b"[" * 3000, b"\0"),
)
