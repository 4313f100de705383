"""Model files as a stranger might write them, each from a sound one."""

from __future__ import annotations

import json
import pickle
import zipfile
from collections.abc import Callable
from io import BytesIO
from typing import Any

import numpy as np

from ladtl_np.model.container import Arrays, pack, unpack

__all__ = ["LARGE", "SMALL", "Parts", "assembled", "parts_of"]

MB = 1 << 20


class Parts:
    """A file taken apart: its text as plain values, its arrays, its outer header and its bytes."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        text, self.arrays = unpack("m", content, "a model")
        self.plain: dict[str, Any] = json.loads(text)
        size = int.from_bytes(content[:8], "little")
        self.outer: dict[str, Any] = json.loads(content[8 : 8 + size])
        self.outer["__metadata__"].pop("checksum", None)  # or no other damage would be met
        self.data = content[8 + size :]

    def with_text(self, text: str) -> bytes:
        """The file with another text, and the checksum of that."""
        return pack(self.arrays, text)

    def with_values(self, **changes: Any) -> bytes:
        """The file with some values of its text replaced."""
        return self.with_text(json.dumps(self.plain | changes))

    def with_scores(self, text: str) -> bytes:
        """The file with one score, which is given as it stands in JSON."""
        whole = json.dumps(self.plain | {"scores": {"a": "HERE"}})
        return self.with_text(whole.replace('"HERE"', text))

    def within(self, part: str, **changes: Any) -> bytes:
        """The file with some values of an object of its text replaced."""
        return self.with_values(**{part: self.plain[part] | changes})

    def with_arrays(self, change: Callable[[Arrays], Any]) -> bytes:
        """The file with changed arrays, and the checksum of those."""
        arrays = {name: array.copy() for name, array in self.arrays.items()}
        change(arrays)
        return pack(arrays, json.dumps(self.plain))

    def with_entry(self, name: str, **changes: Any) -> bytes:
        """The file with another entry of its outer header."""
        entry = {**self.outer.get(name, {}), **changes}
        return assembled(json.dumps({**self.outer, name: entry}), self.data)


parts_of = Parts


def assembled(header: str | bytes, data: bytes = b"") -> bytes:
    """A file from the text of its outer header, written as this package does, and its data."""
    raw = header if isinstance(header, bytes) else compact(header)
    return len(raw).to_bytes(8, "little") + raw + data


def compact(header: str) -> bytes:
    try:
        return json.dumps(json.loads(header), separators=(",", ":"), ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return header.encode()


def metadata(text: str) -> bytes:
    """The header of a file without arrays, around a text that stands as it is in JSON."""
    return b'{"__metadata__":{"ladtl_np":"' + text.encode() + b'"}}'


def renamed_zip(_: Parts) -> bytes:
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("model", "x" * 10_000)
    return stream.getvalue()


def doubled(parts: Parts, name: str) -> bytes:
    entry = json.dumps({name: parts.outer[name]})[1:-1]
    header = compact(json.dumps(parts.outer))[:-1] + b"," + compact("{" + entry + "}")[1:]
    return assembled(header, parts.data)


def set_weight(name: str, value: float) -> Callable[[Parts], bytes]:
    def change(arrays: Arrays) -> None:
        arrays[name].flat[0] = value

    return lambda parts: parts.with_arrays(change)


def shifted(parts: Parts, by: int) -> bytes:
    begin, end = parts.outer["forward.W"]["data_offsets"]
    return parts.with_entry("forward.W", data_offsets=[begin + by, end + by])


def without_units(arrays: Arrays) -> None:
    for name, array in arrays.items():
        if name.endswith(".U"):
            arrays[name] = array[:0, :0]
        elif name.startswith(("forward", "backward")):
            arrays[name] = array[..., :0]
        elif name.endswith("crf.W"):
            arrays[name] = array[:0]


SMALL: dict[str, Callable[[Parts], bytes]] = {
    "nothing": lambda p: b"",
    "one byte": lambda p: b"\0",
    "eight bytes": lambda p: bytes(8),
    "zeros": lambda p: bytes(4096),
    "header of 2^60": lambda p: (2**60).to_bytes(8, "little") + p.content[8:],
    "header of 2^63": lambda p: (2**63).to_bytes(8, "little") + p.content[8:],
    "header of 2^64 - 1": lambda p: b"\xff" * 8 + p.content[8:],
    "header longer than the file": lambda p: len(p.content).to_bytes(8, "little") + p.content[8:],
    "a renamed zip": renamed_zip,
    "a pickle": lambda p: pickle.dumps({"a": [1, 2, 3]}),
    "a NumPy file": lambda p: b"\x93NUMPY\x01\x00v\x00{'descr': '|O', 'shape': (1,)}",
    "no metadata": lambda p: assembled('{"a": 1}'),
    "metadata without the text": lambda p: assembled('{"__metadata__": {"format": "np"}}'),
    "metadata of another key": lambda p: assembled('{"__metadata__":{"ladtl_np":"{}","x":"y"}}'),
    "the text twice": lambda p: assembled(
        compact(json.dumps(p.outer)).replace(b'"ladtl_np":', b'"ladtl_np":"{}","ladtl_np":'), p.data
    ),
    "a text that is a number": lambda p: assembled('{"__metadata__": {"ladtl_np": 3}}'),
    "not UTF-8": lambda p: assembled(b'{"__metadata__":{"ladtl_np":"\xff\xfe"}}'),
    "half a character": lambda p: assembled(b'{"__metadata__":{"ladtl_np":"\xe8\xaf"}}'),
    "half a pair outside": lambda p: assembled(metadata("\\ud800")),
    "half a pair inside": lambda p: p.with_text(json.dumps({**p.plain, "format": "\ud800"})),
    "half a pair in a word": lambda p: p.within(
        "vocabulary", words=["<unk>", "\udfff", *p.plain["vocabulary"]["words"][2:]]
    ),
    "an escape that is none": lambda p: assembled(metadata("\\x41")),
    "a line end in a string": lambda p: assembled(metadata("\n")),
    "nested outside": lambda p: assembled("[" * 3000),
    "nested entries": lambda p: assembled(
        b'{"__metadata__":{"ladtl_np":"{}"},"a":' + b"[" * 3000 + b"]" * 3000 + b"}"
    ),
    "nested inside": lambda p: p.with_text("[" * 3000 + "]" * 3000),
    "nested scores": lambda p: p.with_scores("[" * 900 + "]" * 900),
    "scores nested a little too deep": lambda p: p.with_scores("[" * 32 + "]" * 32),
    "an array twice": lambda p: doubled(p, "forward.W"),
    "a field twice": lambda p: p.with_text('{"format": "x", ' + json.dumps(p.plain)[1:]),
    "an option twice": lambda p: p.with_text(
        json.dumps(p.plain).replace('"seed":', '"seed": 1, "seed":')
    ),
    "an array is no object": lambda p: assembled('{"__metadata__":{"ladtl_np":"{}"},"a":3}'),
    "a field of an array is missing": lambda p: assembled(
        '{"__metadata__":{"ladtl_np":"{}"},"a":{"dtype":"F32","shape":[]}}', bytes(4)
    ),
    "overlapping": lambda p: shifted(p, -4),
    "a gap": lambda p: shifted(p, 4),
    "beyond the file": lambda p: shifted(p, 10**12),
    "an offset of 2^63": lambda p: p.with_entry("forward.W", data_offsets=[2**63, 2**63 + 4]),
    "a negative offset": lambda p: p.with_entry("forward.W", data_offsets=[-4, 0]),
    "an offset that is no integer": lambda p: p.with_entry("forward.W", data_offsets=[0.0, 4]),
    "an offset of false": lambda p: p.with_entry(
        "backward.U", data_offsets=[False, p.outer["backward.U"]["data_offsets"][1]]
    ),
    "offsets reversed": lambda p: p.with_entry("forward.W", data_offsets=[8, 4]),
    "one offset": lambda p: p.with_entry("forward.W", data_offsets=[8]),
    "a missing array": lambda p: p.with_arrays(lambda a: a.pop("forward.W")),
    "an array too many": lambda p: p.with_arrays(lambda a: a.update(more=np.zeros(2))),
    "no array": lambda p: p.with_arrays(lambda a: a.clear()),
    "a shape of 2^63": lambda p: p.with_entry("forward.W", shape=[2**63, 1]),
    "a shape of 2^62 twice": lambda p: p.with_entry("forward.W", shape=[2**62, 2**62]),
    "a shape that wraps to the right size": lambda p: p.with_entry(
        "forward.W", shape=[2**32, 2**32 + 48]
    ),
    "a negative shape": lambda p: p.with_entry("forward.W", shape=[-8, -24]),
    "a shape of true": lambda p: p.with_entry("forward.W", shape=[True, 192]),
    "many axes": lambda p: p.with_entry("forward.W", shape=[8, 24] + [1] * 60),
    "a shape turned": lambda p: p.with_entry("forward.W", shape=[24, 8]),
    "halves": lambda p: p.with_entry("forward.W", dtype="F16"),
    "a dtype that is none": lambda p: p.with_entry("forward.W", dtype="O"),
    "a dtype that is no text": lambda p: p.with_entry("forward.W", dtype=["F32"]),
    "whole numbers": lambda p: p.with_arrays(
        lambda a: a.update({name: array.astype(np.int64) for name, array in a.items()})
    ),
    "two dtypes": lambda p: p.with_arrays(
        lambda a: a.update({"forward.W": a["forward.W"].astype(np.float64)})
    ),
    "a NaN": set_weight("target_crf.A", np.nan),
    "an infinity": set_weight("word_embedding", np.inf),
    "absurd words": set_weight("word_embedding", 3e38),
    "absurd gates": set_weight("backward.W", -3e38),
    "absurd recurrence": set_weight("forward.U", 3e38),
    "absurd gates all over": lambda p: p.with_arrays(
        lambda a: [array.fill(3e38) for array in a.values()]
    ),
    "no rows": lambda p: p.within("architecture", vocabulary=0),
    "no columns": lambda p: p.within("architecture", embedding=0),
    "no units": lambda p: p.within("architecture", hidden=0),
    "no units, and arrays of none": lambda p: Parts(p.with_arrays(without_units)).within(
        "architecture", hidden=0
    ),
    "minus six units": lambda p: p.within("architecture", hidden=-6),
    "2^40 units": lambda p: p.within("architecture", hidden=2**40),
    "10^4000 units": lambda p: p.with_text(
        json.dumps(p.plain).replace('"hidden": 6', '"hidden": 1' + "0" * 4000)
    ),
    "10^9999 units": lambda p: p.with_text(
        json.dumps(p.plain).replace('"hidden": 6', '"hidden": 1' + "0" * 9999)
    ),
    "half a unit": lambda p: p.within("architecture", hidden=6.5),
    "minus nine tags": lambda p: p.within("architecture", source_tags=-9),
    "no target": lambda p: p.with_values(target_tags=[]),
    "an alphabet from nowhere": lambda p: p.within("architecture", characters=5),
    "a share of two": lambda p: p.within("architecture", shared_fraction=2.0),
    "words twice": lambda p: p.within(
        "vocabulary", words=["<unk>", *["a"] * (len(p.plain["vocabulary"]["words"]) - 1)]
    ),
    "words that are numbers": lambda p: p.within(
        "vocabulary", words=[*range(len(p.plain["vocabulary"]["words"]))]
    ),
    "words too few": lambda p: p.within("vocabulary", words=["<unk>", "a"], singletons=[]),
    "a singleton beyond": lambda p: p.within("vocabulary", singletons=[10**9]),
    "a vocabulary that is a list": lambda p: p.with_values(vocabulary=[]),
    "tags that are numbers": lambda p: p.with_values(target_tags=[*range(9)]),
    "a tag twice": lambda p: p.with_values(target_tags=["O"] * 9),
    "a tag that is empty": lambda p: p.with_values(target_tags=[*p.plain["target_tags"][:8], ""]),
    "a tag without a type": lambda p: p.with_values(
        target_tags=[*p.plain["target_tags"][:8], "B-"]
    ),
    "a tag of BILOU": lambda p: p.with_values(target_tags=[*p.plain["target_tags"][:8], "U-Sign"]),
    "a tag with a bidi mark": lambda p: p.with_values(
        target_tags=[*p.plain["target_tags"][:8], "\u202eB-x\x1b[2J"]
    ),
    "pairs of types that are not there": lambda p: p.with_values(label_map={"x": "\u202e\x1b[2J"}),
    "pairs with one target": lambda p: p.with_values(label_map={"Drug": "Sign", "Sign": "Sign"}),
    "a field of \x1b[2J": lambda p: p.with_values(**{"\u202e\x1b[2J" * 200: 1}),
    "no header at all": lambda p: p.with_text("null"),
    "a header that is a list": lambda p: p.with_text("[]"),
    "an empty header": lambda p: p.with_text("{}"),
    "a format that is a list": lambda p: p.with_values(format=["ladtl_np model 1"]),
    "a format of format -1": lambda p: p.with_values(format="ladtl_np model -1"),
    "numbers that JSON has not": lambda p: p.with_text(json.dumps({**p.plain, "scores": np.nan})),
    "a number beyond float64": lambda p: p.with_scores("1e999"),
    "bytes behind": lambda p: p.content + b"\0",
    "a file behind": lambda p: p.content + p.content,
    "a checksum of another kind": lambda p: p.content.replace(b"blake2b:", b"crc3200:"),
    "a checksum of nothing": lambda p: p.content.replace(b"blake2b:", b"blake2b\\"),
}
"""Refused whatever their size; the names tell what is wrong."""


def in_vocabulary(words: int, word: Callable[[int], str]) -> Callable[[Parts], bytes]:
    """A model with so many rows of the paper's size, whose words are as given."""

    def build(parts: Parts) -> bytes:
        table = np.zeros((words, 100), np.float32)
        arrays = {**parts.arrays, "word_embedding": table}
        for direction in ("forward", "backward"):
            arrays[f"{direction}.W"] = np.zeros((100, 24), np.float32)
        plain = dict(parts.plain)
        plain["architecture"] = {**plain["architecture"], "vocabulary": words, "embedding": 100}
        listed = ["<unk>", *map(word, range(1, words))]
        plain["vocabulary"] = {**plain["vocabulary"], "words": listed, "singletons": []}
        return pack(arrays, json.dumps(plain))

    return build


def flood(entry: bytes, count: int) -> bytes:
    """An outer header with an entry, in which %d is its number, so many times."""
    entries = b"".join(b"," + entry.replace(b"%d", b"%d" % number) for number in range(count))
    return assembled(b'{"__metadata__":{"ladtl_np":"{}"}' + entries + b"}")


def escaped(parts: Parts, inner: str, count: int) -> bytes:
    """A text of one long list, beside what a header has."""
    return parts.with_scores(f"[{', '.join([inner] * count)}]")


EMPTY = b'"a%d":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}'

LARGE: dict[str, Callable[[Parts], bytes]] = {
    "200,000 empty arrays": lambda p: flood(EMPTY, 200_000),
    "one empty array 200,000 times": lambda p: flood(EMPTY.replace(b"%d", b""), 200_000),
    "a shape of a million axes": lambda p: assembled(
        b'{"__metadata__":{"ladtl_np":"{}"},"a":{"dtype":"F32","shape":['
        + b"0," * 1_000_000
        + b'0],"data_offsets":[0,0]}}'
    ),
    "a name of 10 MB": lambda p: flood(b'"' + b"a" * 10 * MB + EMPTY[2:], 1),
    "other metadata by the hundred thousand": lambda p: assembled(
        b'{"__metadata__":{"ladtl_np":"{}"'
        + b"".join(b',"a":"%d"' % number for number in range(300_000))
        + b"}}"
    ),
    "a text of 20 MB": lambda p: assembled(metadata("a" * 20 * MB)),
    "a text of 20 MB and one rare character": lambda p: assembled(
        metadata("a" * 20 * MB + "\U0001f600")
    ),
    "a text of escapes": lambda p: assembled(metadata("\\u0061" * 4 * MB)),
    "a text of backslashes": lambda p: assembled(metadata("\\\\" * 8 * MB)),
    "a text of pairs": lambda p: assembled(metadata("\\ud83d\\ude00" * MB)),
    "a text of brackets": lambda p: assembled(metadata("[" * 20 * MB)),
    "lists by the million": lambda p: escaped(p, "[]", 3_000_000),
    "objects by the million": lambda p: escaped(p, "{}", 3_000_000),
    "numbers by the million": lambda p: escaped(p, "1000000", 2_000_000),
    "strings by the million": lambda p: escaped(p, '""', 3_000_000),
    "a string of 20 MB": lambda p: escaped(p, '"' + "a" * 20 * MB + '"', 1),
    "a tag of 10 MB": lambda p: p.with_values(target_tags=["O", "B-" + "x" * 10 * MB]),
    "a format of 10 MB": lambda p: p.with_values(format="\u202e" * 3 * MB),
    "a number of 10 MB": lambda p: p.with_text('{"format": ' + "9" * 10 * MB + "}"),
    "60,000 words twice": in_vocabulary(60_000, lambda n: "aa"),
    "60,000 words but one": in_vocabulary(60_000, lambda n: f"w{min(n, 59_998)}"),
    "zeros": lambda p: bytes(20 * MB),
    "20 MB behind": lambda p: p.content + bytes(20 * MB),
}
"""Refused in no more than twice their size of memory."""
