from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ladtl_np.corpus.cutting.profile import Profile, SentenceMode, TokenMode
from ladtl_np.corpus.cutting.sentences import LONGEST, cut_sentences
from ladtl_np.corpus.cutting.words import Bounds, Known, cut_words

MODES: tuple[TokenMode, ...] = ("words", "characters", "spaces")


def cut(
    text: str,
    tokens: TokenMode = "words",
    mode: SentenceMode = "rules",
    known: Known | None = None,
    **options: object,
) -> list[str]:
    bounds = cut_words(text, Profile(tokens=tokens), known)
    firsts = cut_sentences(text, bounds, mode, known=known, **options)  # type: ignore[arg-type]
    ends = [*firsts[1:], len(bounds)][: len(firsts)]
    return [
        text[bounds[first][0] : bounds[end - 1][1]] for first, end in zip(firsts, ends, strict=True)
    ]


@pytest.mark.parametrize("tokens", MODES)
@pytest.mark.parametrize(
    "sentences",
    [
        ["He has cough. ", "She has none! ", "Is it so? ", "Yes."],
        ['He said "no." ', "(She did.) ", "He's well."],
        ["One line\n", "another\r\n", "a third"],
        ["It costs 3.5 dollars. ", "2 were sold."],
        ["So he was ill... ", "Then he was not."],
        ["Dr. Lee and J. Smith of the U.S. Army came. ", "The end."],
        ["e.g. Paris, vs. Rome, No. 5 and fig. 3 are here. ", "It is."],
        ["He lives in the U.S. ", "The house is old."],
        ["1. Aspirin 2. none\n", "2. Iron"],
        ["Seen at example.com and in v1.2 of it. ", "Good."],
        ["cough. fever, etc. and so on."],
        ["the pain, etc. ", "Élan is here."],
    ],
)
def test_sentences_end_by_rules(sentences: list[str], tokens: TokenMode) -> None:
    assert cut("".join(sentences), tokens) == [sentence.strip() for sentence in sentences]


@pytest.mark.parametrize("tokens", ["words", "characters"])
@pytest.mark.parametrize(
    "sentences",
    [
        ["患者男性。", "他说：“好。”", "真的？！", "是；", "咳嗽…", "36.5度。", "CT正常"],
        ["（见上。）", "体温36.5℃"],
        ["正常.", "另一"],
    ],
)
def test_chinese_sentences_end_by_rules(sentences: list[str], tokens: TokenMode) -> None:
    assert cut("".join(sentences), tokens) == sentences
    assert cut("".join(sentences), "spaces") == ["".join(sentences)]


def test_a_sentence_may_begin_without_a_space_where_tokens_part() -> None:
    assert cut("He is well.The end.") == ["He is well.", "The end."]
    assert cut("He is well.The end.", "spaces") == ["He is well.The end."]
    assert cut("see Example.The") == ["see Example.", "The"]


def test_a_vocabulary_tells_abbreviations() -> None:
    text = "The Corp. Building is high. It is."
    assert cut(text) == ["The Corp.", "Building is high.", "It is."]
    assert cut(text, known={"Corp."}.__contains__) == ["The Corp. Building is high.", "It is."]
    assert cut("By Acme Corp. The end", known={"Corp."}.__contains__)[0] == "By Acme Corp."


def test_chinese_semicolons_end_sentences_where_they_do_in_training() -> None:
    assert cut("咳；痰。无", semicolons=True) == ["咳；", "痰。", "无"]
    assert cut("咳；痰。无", semicolons=False) == ["咳；痰。", "无"]


@pytest.mark.parametrize("tokens", MODES)
def test_lines_end_at_line_ends_only(tokens: TokenMode) -> None:
    text = "A b. C d。e\r\nF\rG\n\nH"
    assert cut(text, tokens, "lines") == ["A b. C d。e", "F", "G", "H"]


def test_spans_that_are_to_stay_whole_are_not_parted() -> None:
    text = "He met St. John. Mary was there. A. B"
    whole = [(7, 20), (text.index("A. B"), len(text))]
    assert cut(text, keep=whole) == ["He met St. John. Mary was there.", "A. B"]
    assert cut("a\nb. C\nd", keep=[(0, 3)]) == ["a\nb.", "C", "d"]
    assert cut("a\nb\nc", keep=[(2, 5), (0, 3)]) == ["a\nb\nc"]


def test_long_sentences_are_cut_at_the_best_place() -> None:
    assert cut("a b, c d e f g", longest=4) == ["a b,", "c d e f", "g"]
    assert cut("a b; c, d e f g h", longest=6) == ["a b; c,", "d e f g h"]
    assert cut("abcdef gh", "characters", longest=7) == ["abcdef", "gh"]
    assert cut("abcdefghi", "characters", longest=4) == ["abcd", "efgh", "i"]
    assert cut("a b c d e", longest=1) == ["a", "b", "c", "d", "e"]
    assert cut("a b c d e f", "words", "lines", longest=2) == ["a b c d e f"]


def test_windows_part_no_span_even_one_that_is_longer_than_they_are() -> None:
    assert cut("a b c d e f", longest=3, keep=[(4, 7)]) == ["a b", "c d e", "f"]
    assert cut("a b c d e f", longest=3, keep=[(0, 9)]) == ["a b c d e", "f"]
    assert cut("a b c d e f", longest=3, keep=[(0, 11)]) == ["a b c d e f"]
    assert cut("a b c d e f", longest=4, keep=[(2, 11)]) == ["a", "b c d e f"]


TEXTS = st.text(st.one_of(st.sampled_from('aB.!?。；,， \n"”)12'), st.characters()), max_size=60)
SPANS = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 9)), max_size=4)


@given(
    text=TEXTS,
    tokens=st.sampled_from(MODES),
    mode=st.sampled_from(["lines", "rules"]),
    longest=st.integers(1, 9),
    spans=SPANS,
)
def test_any_text_is_parted_into_sentences(
    text: str, tokens: TokenMode, mode: SentenceMode, longest: int, spans: list[Bounds]
) -> None:
    bounds = cut_words(text, Profile(tokens=tokens))
    keep = [(start, start + length) for start, length in spans]
    firsts = cut_sentences(text, bounds, mode, longest, keep)
    assert firsts == sorted(set(firsts))
    assert firsts[:1] == ([0] if bounds else [])
    for first in firsts[1:]:
        assert not any(start < bounds[first][0] < end for start, end in keep)
    lengths = [b - a for a, b in zip(firsts, [*firsts[1:], len(bounds)], strict=False)]
    assert all(length > 0 for length in lengths)
    if mode == "rules" and not keep:
        assert max(lengths, default=0) <= longest


@pytest.mark.parametrize(
    "part", [".", ". ", "a. ", "。", '."', "(", ".(", "A. ", "a.\n", "1. ", "’"]
)
def test_hostile_text_is_cut_in_linear_time(part: str) -> None:
    text = part * (200_000 // len(part))
    bounds = cut_words(text, Profile(tokens="words"))
    assert cut_sentences(text, bounds, "rules", known=lambda token: True)[0] == 0
    whole = [(n, n + 1) for n in range(0, len(text), 2)]
    assert cut_sentences(text, bounds, "rules", keep=whole)[0] == 0
    assert cut_sentences(text, bounds, "rules", keep=[(0, len(text))]) == [0]


def test_the_usual_bound_holds() -> None:
    text = "a " * (3 * LONGEST)
    bounds = cut_words(text, Profile(tokens="words"))
    assert cut_sentences(text, bounds, "rules") == [0, LONGEST, 2 * LONGEST]


def test_what_is_no_mode_or_bound_is_refused() -> None:
    with pytest.raises(ValueError, match="'lines' or 'rules'"):
        cut_sentences("a", [(0, 1)], "paragraphs")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="at least 1"):
        cut_sentences("a", [(0, 1)], "rules", 0)
