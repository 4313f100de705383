from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ladtl_np.corpus.findings import FindingsError
from ladtl_np.corpus.formats.conll import iterate_conll, read_conll
from ladtl_np.corpus.formats.conllu import format_conllu
from ladtl_np.corpus.formats.reading import ReadOptions
from ladtl_np.corpus.sentence import Sentence
from ladtl_np.corpus.tally import Tally

REST = "\t_" * 7

CONLLU = "\n".join(
    (
        "# newdoc id = d1",
        "# sent_id = 1",
        "# text = Zum Rhein 😀",
        f"1-2\tZum{REST}\tNER=B-LOC",
        f"1\tZu{REST}\tSpaceAfter=No|NER=O",
        f"2\tdem{REST}\t_",
        f"2.1\tx{REST}\t_",
        f"3\tRhein{REST}\tner=B-LOC|start_char=4",
        f"4\t#{REST}\tSpaceAfter=No",
        "",
        "# sent_id = 2",
        f"1\t病{REST}\tNER=S-X",
        "",
    )
)
GERMEVAL = (
    "#\thttp://example.org [2010-01-01]\n1\tBonn\tB-LOC\tO\n2\t#\tO\tB-X\n\n#\ty\n1\ta\tO\tO\n"
)


def read(data: str | bytes, *, tally: Tally | None = None, **options: Any) -> list[Sentence]:
    raw = data if isinstance(data, bytes) else data.encode()
    options = {"format": "conllu"} | options
    lines = raw.splitlines(keepends=True)
    return list(iterate_conll(lines, ReadOptions(**options), "in.conllu", tally=tally))


def findings_of(data: str | bytes, **options: Any) -> str:
    with pytest.raises(FindingsError) as caught:
        read(data, **options)
    return str(caught.value)


def test_tags_stand_in_the_last_column_and_what_is_no_token_is_counted() -> None:
    tally = Tally()
    assert read(CONLLU, tally=tally) == [
        Sentence(("Zu", "dem", "Rhein", "#"), ("O", "O", "B-LOC", "O"), 4),
        Sentence(("病",), ("S-X",), 12),
    ]
    assert tally.left_out == {"comment lines": 3, "multiword tokens": 1, "empty nodes": 1}


def test_tags_may_stand_in_another_column() -> None:
    row = "1\ta\t_\tB-X\t_\t_\t_\t_\t_\t_\n2\tb\t_\t_\t_\t_\t_\t_\t_\t_\n"
    assert read(row, tag_column=3)[0].tags == ("B-X", "O")
    assert read(row, tag_column=None)[0].tags is None


def test_crlf_and_byte_order_marks_change_nothing() -> None:
    data = b"\xef\xbb\xbf" + CONLLU.replace("\n", "\r\n").encode()
    assert read(data) == read(CONLLU)


def test_germeval_has_comments_indices_and_two_columns_of_tags() -> None:
    assert read(GERMEVAL, format="germeval") == [
        Sentence(("Bonn", "#"), ("B-LOC", "O"), 2),
        Sentence(("a",), ("O",), 6),
    ]
    assert read(GERMEVAL, format="germeval", tag_column=3)[0].tags == ("O", "B-X")


def test_a_file_is_read_as_a_corpus(tmp_path: Path) -> None:
    path = tmp_path / "a.tsv"
    path.write_text(GERMEVAL, "utf-8")
    corpus = read_conll(path, ReadOptions(format="germeval", rename={"LOC": "place"}))
    assert (corpus.scheme, corpus.sentences[0].tags) == ("IOB2", ("B-place", "O"))


@pytest.mark.parametrize(
    ("data", "options", "place", "what"),
    [
        (f"1\ta{REST}\t_\n", {}, "", "no NER= in the column MISC of any token"),
        (f"1\ta{REST}\tNER=B-X|NER=O\n", {}, ":1", "several NER="),
        (f"1\ta{REST}\tNER=B-X,B-Y\n", {}, ":1", "several tags joined"),
        (f"1\ta{REST}\tNER=x\n", {}, ":1", "a value of 1 characters in the tag column"),
        (f"1\ta{REST}\tNER=O\nx\tb{REST}\tNER=O\n", {}, ":2", "is no index"),
        (f"1\ta{REST}\tNER=O\n2\tb\n", {}, ":2", "2 columns where line 1 has 10"),
        (f"1\t{REST}\tNER=O\n", {}, ":1", "an empty token"),
        ("1\ta\tO\n", {}, ":1", "columns 1, 9"),
        ("# only\n\n# comments\n", {}, "", "no sentence in it"),
        ("1-2\ta\tO\n", {"format": "germeval"}, ":1", "is no index"),
        ("a b O\n", {"format": "germeval"}, ":1", "columns 1, 2"),
        (b"1\ta\xff\n", {}, ":1", "not UTF-8"),
        (f"1\ta\0{REST}\tNER=O\n", {}, ":1", "a NUL byte"),
    ],
)
def test_findings_name_the_line(
    data: str | bytes, options: dict[str, Any], place: str, what: str
) -> None:
    message = findings_of(data, **options)
    assert message.startswith(f"in.conllu{place}: ")
    assert what in message


token = st.text(st.characters(exclude_characters="\0\t\n\r", exclude_categories=["Cs"]), min_size=1)
row = st.tuples(token, st.sampled_from(["O", "B-X", "I-病", "B-a=b"]))


@given(st.lists(st.lists(row, min_size=1, max_size=4), min_size=1, max_size=3))
def test_what_is_written_reads_as_the_same(blocks: list[list[tuple[str, str]]]) -> None:
    pairs = [tuple(zip(*block, strict=True)) for block in blocks]
    text = "\n".join(format_conllu(*pair) for pair in pairs)
    again = list(iterate_conll(text.encode().split(b"\n"), ReadOptions(format="conllu"), "a"))
    assert [(s.tokens, s.tags) for s in again] == pairs


def test_sentences_without_tags_are_written_and_what_cannot_be_is_refused() -> None:
    assert format_conllu(("a",), None) == f"1\ta{REST}\t_\n"
    for bad in ((("",), None), (("a\tb",), None), (("a",), ("B-x|y",))):
        with pytest.raises(ValueError, match="token 1 cannot be written in CoNLL-U"):
            format_conllu(*bad)


def test_comments_tell_where_documents_begin(tmp_path: Path) -> None:
    row = f"1\tx{REST}\tNER=B-X\n\n"
    path = tmp_path / "a.conllu"
    path.write_text(f"# newdoc id = a\n{row}{row}#newdoc\n# sent_id = 3\n{row}# newdocument\n{row}")
    assert read_conll(path, ReadOptions(format="conllu")).documents == (0, 2)
    (tmp_path / "a.tsv").write_text("# newdoc\n1\tx\tB-X\tO\n")
    assert read_conll(tmp_path / "a.tsv", ReadOptions(format="germeval")).documents == ()
