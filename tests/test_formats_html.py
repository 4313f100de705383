from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from format_cases import annotated
from hypothesis import given
from hypothesis import strategies as st

from ladtl_np.corpus.document import Document
from ladtl_np.corpus.formats.html import write
from ladtl_np.corpus.view import percent
from ladtl_np.printable import escaped


class Page(HTMLParser):
    """What a page shows: texts, and for each entity's name what is marked from there on."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.named: list[str] = []
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag == "meta":
            return
        self.open.append(tag)
        if tag == "p":
            self.texts.append("")
        if name := dict(attrs).get("data-type"):
            self.named.append(name)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "p" in self.open and "small" not in self.open:
            self.texts[-1] += data


def page(*documents: Document) -> str:
    return "".join(write(documents))


def body(*entities: tuple[int, int, str], text: str = "abcdef") -> str:
    found = re.search('<p dir="auto">(.*?)</p>', page(Document(text, entities)), re.DOTALL)
    assert found
    unnamed = re.sub("<small> [^<]*</small>", "", found[1])
    plain = re.sub('<mark class="t([0-9]) u0" data-type="([^"]*)">', r"[\2 ", unnamed)
    return re.sub('<mark class="t([0-9]) u0">', r"[", plain).replace("</mark>", "]")


def test_entities_are_marked_and_named() -> None:
    assert body((1, 2, "X"), (2, 4, "Y")) == "a[X b][Y cd]ef"
    assert body() == "abcdef"
    assert body((0, 6, "X")) == "[X abcdef]"


def test_entities_may_lie_within_and_over_each_other() -> None:
    assert body((1, 2, "Y"), (0, 3, "X")) == "[X a[Y b]c]def"
    assert body((0, 3, "X"), (2, 5, "Y")) == "[X ab[Y c]][de]f"
    assert body((0, 2, "X"), (0, 2, "Y")) == "[X [Y ab]]cdef"
    assert body((0, 4, "X"), (1, 3, "Y"), (2, 5, "Z")) == "[X a[Y b[Z c]][d]][e]f"


def test_a_page_needs_nothing_and_runs_nothing() -> None:
    text = page(Document("<script>alert(1)</script>&\"'", ((0, 8, '"><script>'),), id="<b>"))
    found = Page(text)
    assert not found.tags & {"script", "link", "img", "b", "iframe"}
    assert "<small> &quot;&gt;&lt;script&gt;</small></mark>" in text
    assert "default-src 'none'" in text
    assert not re.search("https?:|url\\(|@import|javascript:", text)
    assert found.named == ['"><script>']
    assert "prefers-color-scheme: dark" in text


def test_the_legend_counts_types_and_types_beyond_the_hues_have_other_lines() -> None:
    kinds = [f"K{number}" for number in range(25)]
    text = page(Document("a" * 25, tuple((n, n + 1, kind) for n, kind in enumerate(kinds))),
                Document("b", ((0, 1, "K0"),)))  # fmt: skip
    legend = text[text.index('<p id="legend">') :]
    assert '<mark class="t0 u0">K0</mark>\u00a02' in legend
    assert '<mark class="t4 u2">K24</mark>\u00a01' in legend
    assert legend.count("<mark") == len(set(re.findall('class="t[0-9] u[0-9]"', legend))) == 25
    assert "no entities" in page()


def test_the_name_stands_once_behind_the_last_part() -> None:
    text = page(Document("abcdef", ((0, 3, "X"), (2, 5, "Y"))))
    shown = re.findall("<p dir.*?</p>", text)[0]
    assert re.sub("<mark[^>]*>", "[", shown.replace("</mark>", "]")) == (
        '<p dir="auto">[ab[c]<small> X</small>][de<small> Y</small>]f</p>'
    )


def test_probabilities_shade_and_are_told() -> None:
    probabilities = (0.123456, 0.5, 0.7, 0.9, 0.99, 1.0, 0.001)
    text = page(
        Document("a" * 7, tuple((n, n + 1, "X") for n in range(7)), probabilities=probabilities)
    )
    body = re.findall("<p dir.*?</p>", text)[0]
    assert re.findall("u0 p([0-9])", body) == ["0", "1", "2", "3", "4", "4", "0"]
    assert re.findall("<small> X<span> (.*?)</span>", body) == [
        *("12 %", "50 %", "70 %", "90 %", "99 %", "100 %", "&lt;1 %"),
    ]
    assert 'title="X, probability 0.1235"' in body
    assert re.findall('p[0-4]">(.*?)</mark>', text.partition('<p id="legend">')[2]) == [
        *("under 50 %", "50–70 %", "70–90 %", "90–99 %", "99 % or more"),
    ]
    assert percent(0.995) == ">99 %"
    assert " p0" not in page(Document("a", ((0, 1, "X"),))).partition("<body>")[2]


def test_documents_are_told_by_number_file_and_id() -> None:
    text = page(Document("a", None, "p\x1b1", file="d/a.txt"), Document("b", (), 7))
    assert "<h2>1 · d/a.txt · p\\x1b1 · not annotated</h2>" in text
    assert "<h2>2 · 7</h2>" in text


@pytest.mark.parametrize("span", [(0, 0, "X"), (0, 7, "X"), (-1, 2, "X"), (3, 2, "X")])
def test_entities_that_do_not_fit_are_refused(span: tuple[int, int, str]) -> None:
    with pytest.raises(ValueError, match="is empty or leaves its text"):
        page(Document("abcdef", (span,)))


@given(st.lists(annotated(), max_size=3))
def test_a_page_shows_all_texts_and_nothing_that_steers(documents: list[Document]) -> None:
    text = page(*documents)
    assert all(escaped(line) == line for line in text.split("\n"))
    assert not set(text) & set("\r\x07\x7f\u2028\u202e")
    found = Page(text)
    for document, shown in zip(documents, found.texts[:-1], strict=True):
        lines = document.text.replace("\r\n", "\n").split("\n")
        assert shown == "\n".join(map(escaped, lines))
    assert len(found.named) == sum(len(d.entities or ()) for d in documents)
