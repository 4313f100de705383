from __future__ import annotations

import contextlib
import io

import pytest
from corpora import corpus_path
from hypothesis import given
from hypothesis import strategies as st

from ladtl_np.corpus.findings import FindingsError
from ladtl_np.corpus.raw import iterate_raw, tokenise
from ladtl_np.corpus.tally import Tally

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


def test_each_code_point_is_a_token_but_for_space_and_tab() -> None:
    raw = tokenise("患者 a\t\u3000\xa0😀", "characters")
    assert raw.tokens == ("患", "者", "a", "\u3000", "\xa0", "😀")
    assert raw.starts == (0, 1, 3, 5, 6, 7)
    assert raw.ends[-1] == len(raw.text)


def test_words_stand_between_runs_of_spaces_and_tabs_only() -> None:
    raw = tokenise("  New York\t\ta\u3000b c\xa0d\u2028e ", "spaces")
    assert raw.tokens == ("New", "York", "a\u3000b", "c\xa0d\u2028e")
    assert raw.starts == (2, 6, 12, 16)


@pytest.mark.parametrize("mode", ["characters", "spaces"])
@given(text=TEXT)
def test_offsets_give_the_tokens_and_nothing_but_white_space_is_lost(mode: str, text: str) -> None:
    raw = tokenise(text, mode)  # type: ignore[arg-type]
    assert tuple(text[s:e] for s, e in zip(raw.starts, raw.ends, strict=True)) == raw.tokens
    assert "".join(raw.tokens) == "".join(c for c in text if c not in " \t\r\n")


def test_spans_of_tokens_become_spans_of_characters() -> None:
    raw = tokenise("in New  York now", "spaces")
    assert raw.character_spans([(1, 3, "LOC"), (3, 4, "X")]) == [(3, 12, "LOC"), (13, 16, "X")]


def test_lines_come_one_by_one_and_empty_ones_stay() -> None:
    tally = Tally()
    stream = [b"\xef\xbb\xbfab\r\n", b"\n", b" \n", "\x85c\u2028".encode()]
    found = list(iterate_raw(stream, "characters", "s", tally=tally))
    assert [raw.tokens for raw in found] == [("a", "b"), (), (), ("\x85", "c", "\u2028")]
    assert [raw.line for raw in found] == [1, 2, 3, 4]
    assert (tally.lines, tally.crlf, tally.bom, tally.unfinished) == (4, 1, True, True)


def test_an_empty_stream_has_no_lines() -> None:
    assert list(iterate_raw([], "spaces", "s")) == []


def test_bad_lines_are_findings_after_what_stood_before_them() -> None:
    reader = iterate_raw([b"a\n", b"b\rc\n", b"d\n", b"\xff\n"], "characters", "s")
    assert next(reader).tokens == ("a",)
    with pytest.raises(FindingsError) as caught:
        next(reader)
    assert [finding.line for finding in caught.value.findings] == [2, 4]


def test_an_unknown_kind_of_token_is_refused() -> None:
    with pytest.raises(ValueError, match="'words', 'characters' or 'spaces'"):
        tokenise("a", "syllables")  # type: ignore[arg-type]


@given(data=st.binary(max_size=60))
def test_any_bytes_give_lines_or_findings(data: bytes) -> None:
    with contextlib.suppress(FindingsError):
        for raw in iterate_raw(io.BytesIO(data), "characters", "s"):
            assert not set(raw.text) & set("\0\r\n")


@pytest.mark.corpora
def test_unlabelled_weibo_has_its_lines() -> None:
    with corpus_path("raw_text", "weibo_unlabelled.txt").open("rb") as stream:
        lengths = [len(raw) for raw in iterate_raw(stream, "characters", "weibo")]
    assert (len(lengths), sum(lengths)) == (29194, 1090536)
