from __future__ import annotations

import gc
import hashlib
import io
import sys
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from corpora import corpus_path
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ladtl_np.corpus.findings import FindingsError
from ladtl_np.corpus.formats.conll import (
    ReadOptions,
    format_sentence,
    iterate_conll,
    read_conll,
    write_conll,
)
from ladtl_np.corpus.limits import FINDINGS
from ladtl_np.corpus.schemes import illegal_positions, spans
from ladtl_np.corpus.sentence import Corpus, Sentence
from ladtl_np.corpus.tally import Tally
from ladtl_np.errors import DataError, LadtlError, UsageError


@pytest.fixture
def read(tmp_path: Path) -> Any:
    def read(data: bytes | str, **options: Any) -> Corpus:
        path = tmp_path / "in.txt"
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        extra = {key: options.pop(key) for key in ("tally", "require_renames") if key in options}
        return read_conll(path, ReadOptions(**options), name="in.txt", **extra)

    return read


def findings_of(read: Any, data: bytes | str, **options: Any) -> str:
    with pytest.raises(FindingsError) as caught:
        read(data, **options)
    assert caught.value.exit_code == 3
    return str(caught.value)


def test_sentences_keep_tokens_tags_lines_and_hash(read: Any) -> None:
    data = "a\tB-X\nb\tI-X\n\n\nc\tO\n"
    corpus = read(data)
    assert corpus.sentences == (
        Sentence(("a", "b"), ("B-X", "I-X"), 1),
        Sentence(("c",), ("O",), 5),
    )
    assert corpus.scheme == "IOB2"
    assert corpus.sha256 == hashlib.sha256(data.encode()).hexdigest()


def test_columns_may_be_chosen_and_stand_between_runs_of_spaces(read: Any) -> None:
    corpus = read("1  EU   NNP I-ORG junk \n", token_column=1, tag_column=3)
    assert corpus.sentences[0] == Sentence(("EU",), ("I-ORG",), 1)


def test_untagged_text_has_no_tags(read: Any) -> None:
    assert read("a\nb\n", tag_column=None).sentences[0] == Sentence(("a", "b"), None, 1)


@pytest.mark.parametrize("data", ["a\tO\r\nb\tO\r\n\r\nc\tO", "a\tO\nb\tO\r\n \t\nc\tO"])
def test_line_ends_may_be_lf_or_crlf_and_the_last_may_lack(read: Any, data: str) -> None:
    tally = Tally()
    corpus = read(data, tally=tally)
    assert [sentence.tokens for sentence in corpus] == [("a", "b"), ("c",)]
    assert tally.crlf == data.count("\r")
    assert tally.unfinished
    assert tally.white_blank == (" " in data)


@pytest.mark.parametrize("character", ["\x85", "\u2028", "\u3000", "\xa0", "\x0b", "\x0c", "\x1c"])
@pytest.mark.parametrize("delimiter", ["\t", " "])
def test_only_the_delimiter_and_lf_divide(read: Any, character: str, delimiter: str) -> None:
    corpus = read(f"{character}{delimiter}O\na{character}b{delimiter}B-X\n")
    assert corpus.sentences[0].tokens == (character, f"a{character}b")


def test_a_space_may_be_a_token_between_tabs(read: Any) -> None:
    assert read("a\tO\n \tO\n").sentences[0].tokens == ("a", " ")


def test_a_byte_order_mark_is_removed_at_the_start_only(read: Any) -> None:
    tally = Tally()
    corpus = read(b"\xef\xbb\xbfa\tO\n\xef\xbb\xbfb\tO\n", tally=tally)
    assert corpus.sentences[0].tokens == ("a", "\ufeffb")
    assert tally.bom


def test_docstart_blocks_are_dropped_and_counted_or_kept(read: Any) -> None:
    data = "-DOCSTART- -X- O\n\na NN B-X\n\n-DOCSTART- -X- O\n"
    tally = Tally()
    assert len(read(data, tally=tally)) == 1
    assert tally.docstart == 2
    assert len(read(data, keep_docstart=True)) == 3


def test_a_docstart_line_needs_no_blank_line_around_it(read: Any) -> None:
    """Label Studio writes none behind it, and gives it fewer columns than the tokens."""
    data = "-DOCSTART- -X- O\na -X- _ B-X\n\nb -X- _ O\n-DOCSTART- -X- O\nc -X- _ O\n"
    tally = Tally()
    assert read(data, tally=tally).sentences == (
        Sentence(("a",), ("B-X",), 2),
        Sentence(("b",), ("O",), 4),
        Sentence(("c",), ("O",), 6),
    )
    assert tally.docstart == 2
    assert "4 columns where line 1 has 3" in findings_of(read, data, keep_docstart=True)


def test_comments_before_a_sentence_are_left_out_and_rule_nothing(read: Any) -> None:
    data = "# made up, no corpus\n\n# id\n# 病\na\tO\n#\tO\n\n#\tB-X\n\n#\t1\tX\nb\tO\n"
    tally = Tally()
    corpus = read(data, tally=tally)
    assert [(s.tokens, s.line) for s in corpus] == [(("a", "#"), 5), (("#",), 8), (("b",), 11)]
    assert tally.left_out == {"comment lines": 4}


def test_what_looks_like_a_comment_is_data_with_the_columns_of_data(read: Any) -> None:
    assert read("# O\na O\n").sentences[0].tokens == ("#", "a")
    assert read("#\tO\n").sentences[0].tokens == ("#",)
    assert "3 columns where line 1 has 2" in findings_of(read, "a\tO\n# b\tO\tO\n")
    assert "1 column where line 1 has 2" in findings_of(read, "a\tO\n\n#\n")


@pytest.mark.parametrize("tag", ["creative-work,B-person", "B-X;B-X", "ORG|O", "B-a,B-b", "O|O"])
def test_joined_tags_are_called_that(read: Any, tag: str) -> None:
    message = findings_of(read, f"a\tO\nb\t{tag}\n")
    assert "in.txt:2: a value of" in message
    assert "several tags joined by" in message


@pytest.mark.parametrize("tag", ["B-X|Y", "B-Oslo,Bonn", "B-a;b", "B-C-B-A"])
def test_types_may_hold_what_joins_tags(read: Any, tag: str) -> None:
    assert read(f"a\t{tag}\n").sentences[0].tags == (tag,)


def test_bmes_is_read(read: Any) -> None:
    corpus = read("a\tB-X\nb\tM-X\nc\tE-X\nd\tS-X\n")
    assert corpus.scheme == "BMES"
    assert spans(corpus.sentences[0].tags or (), "BMES") == [(0, 3, "X"), (3, 4, "X")]


def test_a_bare_docstart_line_may_lack_columns(read: Any) -> None:
    assert len(read("-DOCSTART-\n\na\tO\n")) == 1


def test_other_encodings_are_read_when_named(read: Any) -> None:
    corpus = read("病\tO\n".encode("gb18030"), encoding="gb18030")
    assert corpus.sentences[0].tokens == ("病",)
    with pytest.raises(UsageError, match="unknown text encoding"):
        read("a\tO\n", encoding="klingon")
    with pytest.raises(UsageError, match="convert the file to UTF-8"):
        read("a\tO\n", encoding="utf-16")


@pytest.mark.parametrize(
    ("data", "options", "place", "what"),
    [
        ("a\tO\nb\n", {}, 2, "1 column where line 1 has 2"),
        ("a\tO\nb\tO\tO\n", {}, 2, "3 columns where line 1 has 2"),
        ("a\tO\n\tO\n", {}, 2, "an empty token"),
        ("a\tO\nb\tb-PER\n", {}, 2, "a value of 5 characters in the tag column is not a tag"),
        ("a\tO\nb\t\n", {}, 2, "a value of 0 characters in the tag column is not"),
        ("a\tB-PER \n", {}, 1, "remove the white space"),
        ("a\tE-X\n", {"scheme": "IOB2"}, 1, "wanted O, B-TYPE, I-TYPE"),
        (b"a\tO\nb\0\tO\n", {}, 2, "a NUL byte"),
        (b"a\tO\rb\tO\n", {}, 1, "a carriage return inside"),
        (b"a\tO\n\n\xe7\x97\tO\n", {}, 3, "not UTF-8 at byte offset 5"),
        (b"\xed\xa0\x80\tO\n", {}, 1, "not UTF-8 at byte offset 0"),
        (b"\xff\xfea\0\t\0O\0\n\0", {}, 1, "UTF-16 byte order mark"),
        ("a O\nb\tO O\n", {}, 2, "a tab in a file whose columns end at spaces"),
        ("a\n", {}, 1, "1 column (delimiter: space)"),
        ("a\tO\n", {"tag_column": 2}, 1, "columns 0, 2"),
        ("科0\tO\n技\tO\n", {"position_digits": True}, 2, "a token of 1 characters"),
        ("科0\tO\nab1\tO\n", {"position_digits": True}, 2, "a token of 3 characters"),
    ],
)
def test_findings_name_the_line_and_what_was_wanted(
    read: Any, data: bytes | str, options: dict[str, Any], place: int, what: str
) -> None:
    message = findings_of(read, data, **options)
    assert message.startswith(f"in.txt:{place}: ")
    assert what in message
    assert "\n" not in message


@pytest.mark.parametrize("data", [b"", b"\n", b"\n \n\r\n", b"\xef\xbb\xbf", b"-DOCSTART- -X- O\n"])
def test_a_file_without_sentences_is_a_finding(read: Any, data: bytes) -> None:
    assert "no sentence in it" in findings_of(read, data)


def test_all_findings_are_reported_together_up_to_a_limit(read: Any) -> None:
    message = findings_of(read, "a\tO\nb\n\n\tO\nc\tX\n")
    assert [line.split(":")[1] for line in message.split("\n")] == ["2", "4", "5"]
    message = findings_of(read, "a\tO\n" + "b\n" * 100)
    assert message.count("\n") == FINDINGS
    assert message.endswith(f"stopped after {FINDINGS} findings")


def test_messages_hold_no_tokens_of_the_data(read: Any) -> None:
    canary = "canary7c1"
    for data in (
        f"{canary}\tO\n{canary}\n",
        f"a\t{canary}\n",
        f"a\tO\n{canary}\tX\n",
        f"{canary}\r{canary}\tO\n",
        f"{canary}\0\tO\n",
        f"{canary}\n",
    ):
        assert canary not in findings_of(read, data)
        assert canary not in findings_of(read, data, position_digits=True)


def test_wrong_paths_are_usage_errors(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file"):
        read_conll(tmp_path / "none.txt")
    with pytest.raises(UsageError, match="is a folder"):
        read_conll(tmp_path)


def test_standard_input_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    stdin = io.TextIOWrapper(io.BytesIO(b"a\tO\n"))
    monkeypatch.setattr("sys.stdin", stdin)
    corpus = read_conll("-")
    assert (corpus.name, corpus.sha256, len(corpus)) == ("standard input", "", 1)


def test_position_digits_are_stripped(read: Any) -> None:
    corpus = read("科0\tO\np10\tO\n70\tO\n\ufffd\ufffd0\tO\n\ufffd0\tO\n", position_digits=True)
    assert corpus.sentences[0].tokens == ("科", "p", "7", "\ufffd", "\ufffd")


def test_types_are_renamed_merged_and_dropped(read: Any) -> None:
    data = "a\tB-GPE.NAM\nb\tI-GPE.NAM\nc\tB-LOC.NAM\nd\tB-PER.NOM\ne\tB-ORG\n"
    corpus = read(data, rename={"*.NOM": "", "GPE.NAM": "LOC", "*.NAM": "PLACE"})
    assert corpus.sentences[0].tags == ("B-LOC", "I-LOC", "B-PLACE", "O", "B-ORG")


def test_renaming_keeps_spans_apart_that_iob1_parts_by_type_only(read: Any) -> None:
    corpus = read("a\tI-GPE\nb\tI-LOC\nc\tI-LOC\nd\tB-LOC\n", rename={"GPE": "LOC"})
    assert corpus.scheme == "IOB1"
    assert corpus.sentences[0].tags == ("I-LOC", "B-LOC", "I-LOC", "B-LOC")


def test_a_renaming_that_fits_nothing_is_an_error_where_asked(read: Any) -> None:
    options = {"rename": {"PRE": "person", "*.NOM": ""}}
    assert len(read("a\tB-PER\n", **options)) == 1
    with pytest.raises(DataError, match=r"'PRE', '\*\.NOM'.*types in this file: PER"):
        read("a\tB-PER\n", **options, require_renames=True)


def test_mixed_schemes_are_refused(read: Any) -> None:
    with pytest.raises(DataError, match=r"in\.txt: .*BIOES .* BILOU"):
        read("a\tS-X\nb\tU-X\n")


def test_options_are_strict() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"token_colum": 1}, ReadOptions)
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"scheme": "BMEOS"}, ReadOptions)
    with pytest.raises(ValueError, match="delimiter must be one of auto, tab, space"):
        ReadOptions(delimiter="comma")  # type: ignore[arg-type]
    for rename in ({"": "X"}, {"X": "Y "}, {"X": "Y\t"}):
        with pytest.raises(msgspec.ValidationError, match="rename cannot turn"):
            msgspec.convert({"rename": rename}, ReadOptions)


def test_a_stream_yields_up_to_its_first_finding_then_reports_the_rest() -> None:
    lines = [b"a\tO\n", b"\n", b"b\n", b"\n", b"c\tO\n", b"\n", b"\tO\n"]
    seen = []
    with pytest.raises(FindingsError) as caught:  # noqa: PT012
        for sentence in iterate_conll(lines, ReadOptions(), "stream"):
            seen.append(sentence.tokens)
    assert seen == [("a",)]
    assert [finding.line for finding in caught.value.findings] == [3, 7]


def test_a_stream_is_renamed_where_its_scheme_is_declared() -> None:
    options = ReadOptions(rename={"A": "B"}, scheme="IOB2")
    assert next(iterate_conll([b"a\tB-A\n"], options, "s")).tags == ("B-B",)
    with pytest.raises(UsageError, match="declared tag scheme"):
        next(iterate_conll([b"a\tB-A\n"], ReadOptions(rename={"A": "B"}), "s"))


def test_a_stream_takes_constant_memory() -> None:
    # few tokens, all alive: Python's table of interned strings grows with every one that comes
    tokens = [sys.intern(f"token{number}") for number in range(10)]

    def lines(count: int) -> Iterator[bytes]:
        for number in range(count):
            yield b"token%d\tB-X\n\n" % (number % len(tokens))
            yield b"\n"

    def peak(count: int) -> int:
        gc.collect()
        tracemalloc.start()
        stream = (line for pair in lines(count) for line in pair.splitlines(True))
        for number, _ in enumerate(iterate_conll(stream, ReadOptions(), "s")):
            if number % 100 == 0:
                gc.collect()  # what only waits for the collector is not held
        top = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return top

    peak(10)
    assert peak(5000) < peak(50) + 100_000


def test_long_sentences_and_tokens_are_read_whole(read: Any) -> None:
    long = "x" * 1_000_000
    corpus = read(f"{long}\tO\n" + "y\tB-X\n" * 100_000)
    assert len(corpus.sentences[0]) == 100_001
    assert corpus.sentences[0].tokens[0] == long


def test_extra_columns_are_written_after_the_tags() -> None:
    stream = io.StringIO()
    write_conll(stream, [Sentence(("a", "b"), ("O", "B-X")), Sentence(("c",), ("O",))],
                [("O", "O"), ("B-X",)])  # fmt: skip
    assert stream.getvalue() == "a\tO\tO\nb\tB-X\tO\n\nc\tO\tB-X\n"


@pytest.mark.parametrize("token", ["", "a\tb", "a\nb", "a\rb", "a\0"])
def test_what_columns_cannot_hold_is_not_written(token: str) -> None:
    with pytest.raises(ValueError, match="token 1 cannot be written"):
        format_sentence([token], ["O"])
    with pytest.raises(ValueError, match="token 1 cannot be written"):
        format_sentence(["  "])
    with pytest.raises(ValueError, match="zip"):
        format_sentence(["a", "b"], ["O"])


writable = st.text(
    st.characters(exclude_characters="\0\t\n\r", exclude_categories=["Cs"]), min_size=1, max_size=5
)
rows = st.tuples(writable, st.sampled_from(["O", "B-X", "I-X", "B-y-z"]))


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(blocks=st.lists(st.lists(rows, min_size=1, max_size=4), min_size=1, max_size=4))
def test_a_written_file_reads_as_the_same_corpus(
    tmp_path: Path, blocks: list[list[tuple[str, str]]]
) -> None:
    path = tmp_path / "out.txt"
    sentences = [Sentence(*map(tuple, zip(*block, strict=True))) for block in blocks]
    with path.open("w", encoding="utf-8", newline="\n") as stream:
        write_conll(stream, sentences)
    corpus = read_conll(path, ReadOptions(delimiter="tab", keep_docstart=True))
    assert [(s.tokens, s.tags) for s in corpus] == [(s.tokens, s.tags) for s in sentences]


pieces = st.sampled_from(
    [b"\n", b"\r\n", b"\r", b"\t", b" ", b"O", b"B-", b"I-X", b"a0", b"\0", b"\xef\xbb\xbf",
     b"\xff", b"-DOCSTART-", "病".encode(), b"\xc2\x85", b"\xe2\x80\xa8"]
)  # fmt: skip


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    data=st.one_of(st.binary(max_size=60), st.lists(pieces, max_size=30).map(b"".join)),
    column=st.sampled_from([-1, 1, None]),
    digits=st.booleans(),
)
def test_any_bytes_give_a_corpus_or_an_explained_error(
    tmp_path: Path, data: bytes, column: int | None, digits: bool
) -> None:
    path = tmp_path / "fuzz"
    path.write_bytes(data)
    try:
        corpus = read_conll(path, ReadOptions(tag_column=column, position_digits=digits))
    except LadtlError:
        return
    assert all(sentence.tokens and all(sentence.tokens) for sentence in corpus)


# Real corpora: sentences, entities by type, scheme, illegal tags, as their READMEs have them.

TWEETS = ["company", "facility", "geo-loc", "movie", "musicartist",
          "other", "person", "product", "sportsteam", "tvshow"]  # fmt: skip
NEWS = ["LOC", "MISC", "ORG", "PER"]
MERGED = ["PER", "LOC", "ORG"]
CLINICAL = ["BODY", "CHECK", "DISEASE", "SIGNS", "TREATMENT"]
FINE = ["PER.NAM", "PER.NOM", "LOC.NAM", "LOC.NOM", "ORG.NAM", "ORG.NOM", "GPE.NAM", "GPE.NOM"]
DEPARTMENTS = "ccks2017_clinical/departments_70_15_15"
NER = {"tag_column": 3}
DIGITS = {"position_digits": True}

CORPORA = [
    ("conll2003_en/eng.train", NER, 14041, 203621, NEWS, [7140, 3438, 6321, 6600], "IOB1", 2),
    ("conll2003_en/eng.testa", NER, 3250, 51362, NEWS, [1837, 922, 1341, 1842], "IOB1", 0),
    ("conll2003_en/eng.testb", NER, 3453, 46435, NEWS, [1668, 702, 1661, 1617], "IOB1", 0),
    ("weibo/orig/weiboNER_2nd_conll.train", DIGITS, 1350, 73778, FINE,
     [578, 772, 56, 51, 183, 42, 205, 8], "IOB2", 10),
    ("weibo/orig/weiboNER_2nd_conll.dev", DIGITS, 270, 14509, FINE,
     [90, 208, 6, 6, 47, 5, 26, 1], "IOB2", 0),
    ("weibo/orig/weiboNER_2nd_conll.test", DIGITS, 270, 14842, FINE,
     [113, 172, 19, 9, 39, 17, 47, 2], "IOB2", 4),
    ("weibo/ladtl_merged/eval_train", {}, 1350, 73778, MERGED, [1349, 320, 225], "IOB2", 9),
    ("weibo/ladtl_merged/eval_valid", {}, 270, 14509, MERGED, [298, 39, 52], "IOB2", 0),
    ("weibo/ladtl_merged/eval_test", {}, 270, 14842, MERGED, [285, 77, 56], "IOB2", 4),
    ("sighan_msra/paper_split/test.txt", {}, 4636, 219197, MERGED, [1864, 3658, 2185], "IOB2", 0),
    ("twitter_ner/ritter2011/ner.txt", {}, 2394, 46469, TWEETS,
     [171, 104, 276, 34, 55, 225, 449, 97, 51, 34], "IOB2", 0),
    ("twitter_ner/ritter2011/train.txt", {}, 1900, 36888, TWEETS,
     [128, 80, 218, 26, 41, 168, 357, 82, 44, 30], "IOB2", 0),
    ("twitter_ner/ritter2011/dev.txt", {}, 240, 4720, TWEETS,
     [21, 11, 35, 3, 5, 18, 51, 2, 6, 2], "IOB2", 0),
    ("twitter_ner/ritter2011/test.txt", {}, 254, 4861, TWEETS,
     [22, 13, 23, 5, 9, 39, 41, 13, 1, 2], "IOB2", 0),
    ("twitter_ner/wnut16/dev", {}, 1000, 16261, TWEETS,
     [39, 38, 116, 15, 41, 132, 171, 37, 70, 2], "IOB2", 0),
    ("twitter_ner/wnut16/test", {}, 3850, 61908, TWEETS,
     [621, 253, 882, 34, 191, 584, 482, 246, 147, 33], "IOB2", 0),
    (f"{DEPARTMENTS}/neurology/train.txt", {}, 1595, 58057, CLINICAL,
     [2003, 2141, 298, 1692, 311], "BIOES", 0),
    (f"{DEPARTMENTS}/respiratory/train.txt", {}, 2408, 72800, CLINICAL,
     [3071, 2817, 143, 2540, 312], "BIOES", 0),
    (f"{DEPARTMENTS}/surgery_urology/dev.txt", {}, 444, 10654, CLINICAL,
     [437, 391, 23, 329, 40], "BIOES", 0),
    (f"{DEPARTMENTS}/orthopaedics_trauma/test.txt", {}, 388, 13958, CLINICAL,
     [577, 437, 53, 310, 50], "BIOES", 0),
]  # fmt: skip


@pytest.mark.corpora
@pytest.mark.parametrize(
    ("name", "options", "sentences", "tokens", "types", "counts", "scheme", "illegal"),
    CORPORA,
    ids=[case[0] for case in CORPORA],
)
def test_real_corpora_hold_what_their_readmes_say(
    name: str,
    options: dict[str, Any],
    sentences: int,
    tokens: int,
    types: list[str],
    counts: list[int],
    scheme: str,
    illegal: int,
) -> None:
    corpus = read_conll(corpus_path(*name.split("/")), ReadOptions(**options))
    assert (len(corpus), corpus.token_count, corpus.scheme) == (sentences, tokens, scheme)
    found = Counter(kind for s in corpus for *_, kind in spans(s.tags or (), scheme))
    assert found == dict(zip(types, counts, strict=True))
    assert sum(len(illegal_positions(s.tags or (), scheme)) for s in corpus) == illegal


@pytest.mark.corpora
def test_docstart_blocks_of_conll2003_are_counted() -> None:
    tally = Tally()
    read_conll(corpus_path("conll2003_en", "eng.train"), ReadOptions(**NER), tally=tally)
    assert tally.docstart == 946


@pytest.mark.corpora
@pytest.mark.parametrize(("fine", "merged"), [("train", "train"), ("dev", "valid")])
def test_weibo_as_released_becomes_what_the_authors_trained_on(fine: str, merged: str) -> None:
    rename = {"GPE.*": "LOC", "PER.*": "PER", "LOC.*": "LOC", "ORG.*": "ORG"}
    ours = read_conll(
        corpus_path("weibo", "orig", f"weiboNER_2nd_conll.{fine}"),
        ReadOptions(position_digits=True, rename=rename),
    )
    theirs = read_conll(corpus_path("weibo", "ladtl_merged", f"eval_{merged}"))
    assert ours.sentences == theirs.sentences


def test_untagged_columns_keep_where_documents_begin(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("-DOCSTART-\n\na\n\n-DOCSTART-\n\nb\n", encoding="utf-8")
    assert read_conll(path, ReadOptions(tag_column=None)).documents == (0, 1)
