"""The table of methods, and that its page tells the same."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import msgspec

from ladtl_np.options import methods
from ladtl_np.options.config import Config
from ladtl_np.options.methods import METHODS, Method

PAGE = Path(__file__).parents[1] / "docs" / "methods.md"


PAPER = [
    "non-transfer",
    "linear-projection",
    "domain-mask",
    "cd-learning",
    "re-training",
    "joint-training",
    "la-mmd",
    "crf-l2",
    "mmd-crf-l2",
    "la-dtl",
]


def test_all_ten_methods_of_the_paper_are_rows_in_its_order() -> None:
    assert [name for name in METHODS if name in PAPER] == PAPER


def test_no_two_methods_are_the_same() -> None:
    rows = [row._replace(summary="", options="") for row in METHODS.values()]
    assert len(set(rows)) == len(rows)


def test_the_table_fits_on_one_screen() -> None:
    source = inspect.getsource(methods)
    table = source[source.index("METHODS: dict") : source.index("def method_named")]
    assert len(table.splitlines()) <= 60


def test_the_options_of_every_method_are_a_section() -> None:
    sections = {field.name for field in msgspec.structs.fields(Config)}
    own = [row.options for row in METHODS.values() if row.options]
    assert set(own) <= sections
    assert len(set(own)) == len(own)


def test_the_page_of_methods_has_their_rows() -> None:
    words = {
        "unused": "unused",
        "before the target": "before the target",
        "shared": "shared",
        "joint.crf": "`joint.crf`",
        "linear": "learned map $T_d$",
        "mask": "fixed mask $m_d$",
        "similarity": "weighted by likeness",
        "all tokens": "all tokens",
        "each label": "each label",
        True: "yes",
    }
    plain = Method("")
    rows = re.findall(r"^\| `([\w-]+)` \|(.*)\|$", PAGE.read_text("utf-8"), re.MULTILINE)
    told = {name: [cell.strip() for cell in cells.split("|")] for name, cells in rows}
    assert list(told) == list(METHODS)
    for name, row in METHODS.items():
        values = [
            "" if value == default else words[value]
            for value, default in zip(row[1:-1], plain[1:-1], strict=True)
        ]
        assert told[name] == [*values, f"`{row.options}.*`" if row.options else ""], name
