from __future__ import annotations

import msgspec
import pytest
import regex
from hypothesis import example, given
from hypothesis import strategies as st

from ladtl_np.corpus.cutting.pattern import GAP
from ladtl_np.corpus.cutting.profile import Joints, Profile
from ladtl_np.corpus.cutting.words import PLAIN, cut_plainly, cut_words

USUAL = Profile(tokens="words")
# what makes joints, beside any code point at all
PARTS = (
    "a b A é 5 . , - ' ’ / : ; @ # & _ + % $ ` ! ? ( ) = 中 の 한 \u0301 \u200d 👩 🏽 🇩 \ufe0f \n"
)
TEXTS = st.text(st.one_of(st.sampled_from([*PARTS.split(" "), " "]), st.characters()), max_size=40)
JOINTS = st.builds(
    Joints,
    **{
        field.name: st.booleans()
        if field.type is bool
        else st.sampled_from(["inside", "own", "pieces"])
        for field in msgspec.structs.fields(Joints)
    },
)


def cut(text: str, known: str = "", **joints: object) -> list[str]:
    profile = Profile(tokens="words", joints=Joints(**joints))  # type: ignore[arg-type]
    has = set(known.split()).__contains__ if known else None
    return [text[start:end] for start, end in cut_words(text, profile, has)]


@given(
    st.text(
        st.one_of(st.sampled_from(" \t\r\n\x0b\x1c\xa0\u3000ab中"), st.characters()), max_size=20
    )
)
@example(" \t\r\n")
@pytest.mark.parametrize("mode", PLAIN)
def test_plain_cutting_finds_what_its_pattern_does(mode: str, text: str) -> None:
    assert cut_plainly(text, mode) == tuple(PLAIN[mode].findall(text))


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Cough, fever. (chest pain) denied.", "Cough , fever . ( chest pain ) denied ."),
        ("[a] {b} <c> “d” «e» \"f\"", "[ a ] { b } < c > “ d ” « e » \" f \""),
        ("10:30 1,000.50 3.5 1996-12-06", "10:30 1,000.50 3.5 1996-12-06"),
        ("see 3.", "see 3 ."),
        ("@bob: #tag, a.b@c.org.", "@bob : #tag , a.b@c.org ."),
        ("(http://t.co/a?x=1, www.x.org.)", "( http://t.co/a?x=1 , www.x.org . )"),
        ("bit.ly/ab1. https://a.b/c-", "bit.ly/ab1 . https://a.b/c-"),
        ("AT&amp;T &lt; x&y", "AT&amp;T &lt; x&y"),
        ("He 's n't .5 a.5", "He 's n't .5 a . 5"),
        (":-) ;) :D (see:) a:)", ":-) ;) :D ( see : ) a : )"),
        ("wait... what?! -- no!!", "wait ... what ?! -- no !!"),
        ("fever.Patient page.html q.d", "fever . Patient page.html q.d"),
        ("U.S.-led US$ 5 HK$5", "U.S.-led US$ 5 HK$ 5"),
        ("中国人CT检查のカタカナ、한국어", "中 国 人 CT 检 查 の カタカナ 、 한국어"),
        ("患者，男。", "患 者 ， 男 。"),
        ("a\u3000b\xa0c\u2028d\u200be\ufefff\tg", "a b c d e f g"),
        ("हिन्दी ภาษาไทย", "हिन्दी ภาษาไทย"),
    ],
)  # fmt: skip
def test_words_fall_as_in_common_corpora(text: str, tokens: str) -> None:
    assert cut(text) == tokens.split(" ")


@pytest.mark.parametrize(
    ("joint", "text", "kept", "parted"),
    [
        ("hyphen", "follow-up", "follow-up", "follow - up"),
        ("range", "8-10", "8-10", "8 - 10"),
        ("slash", "and/or", "and/or", "and / or"),
        ("fraction", "120/80", "120/80", "120 / 80"),
        ("dot", "q.d", "q.d", "q . d"),
        ("acronym", "U.S. says", "U.S. says", "U.S . says"),
        ("initial", "J. Smith", "J. Smith", "J . Smith"),
        ("ordinal", "2. Smith", "2. Smith", "2 . Smith"),
        ("decimal", "1.5 2,000", "1.5 2,000", "1 . 5 2 , 000"),
        ("time", "10:30", "10:30", "10 : 30"),
        ("unit", "81mg 5ml, 10th", "81mg 5ml , 10th", "81 mg 5 ml , 10th"),
        ("percent", "10%", "10%", "10 %"),
        ("sign", "a -5", "a -5", "a - 5"),
        ("currency", "$5 US$5", "$5 US$5", "$ 5 US$ 5"),
        ("ampersand", "AT&T", "AT&T", "AT & T"),
        ("underscore", "a_b", "a_b", "a _ b"),
        ("plus", "CD4+", "CD4+", "CD4 +"),
        ("mention", "@bob", "@bob", "@ bob"),
        ("hashtag", "#tag", "#tag", "# tag"),
        ("link", "a@b.org", "a@b.org", "a @ b.org"),
        ("entity", "&lt;", "&lt;", "& lt ;"),
        ("emoticon", ":)", ":)", ": )"),
        ("marks", "a...", "a ...", "a . . ."),
        ("quotes", "``a", "`` a", "` ` a"),
        ("apostrophe", "O'Brien", "O'Brien", "O ' Brien"),
        ("han", "中国", "中国", "中 国"),
    ],
)
def test_each_joint_is_kept_or_parted(joint: str, text: str, kept: str, parted: str) -> None:
    assert cut(text, **{joint: True}) == kept.split()
    assert cut(text, **{joint: False}) == parted.split()


def test_every_joint_has_its_example() -> None:
    marks = [mark for mark in test_each_joint_is_kept_or_parted.pytestmark if mark.args]  # type: ignore[attr-defined]
    told = {row[0] for mark in marks for row in mark.args[1]}
    assert told | {"possessive", "clitic", "negation"} == set(Joints.__struct_fields__)


@pytest.mark.parametrize(
    ("how", "tokens"),
    [
        ("inside", "Lee's they're don't O'Brien"),
        ("own", "Lee 's they 're do n't O'Brien"),
        ("pieces", "Lee ' s they ' re don ' t O'Brien"),
    ],
)
def test_clitics_stand_in_three_ways(how: str, tokens: str) -> None:
    joints = {"possessive": how, "clitic": how, "negation": how}
    assert cut("Lee's they're don't O'Brien", **joints) == tokens.split()
    assert cut("Lee’s they’re don’t O’Brien", **joints) == tokens.replace("'", "’").split()


def test_each_clitic_has_its_own_way() -> None:
    text = "Lee's they're don't"
    assert cut(text, possessive="inside") == "Lee's they 're do n't".split()
    assert cut(text, clitic="inside") == "Lee 's they're do n't".split()
    assert cut(text, negation="inside") == "Lee 's they 're don't".split()


def test_the_last_period_of_an_abbreviation_is_told_by_the_vocabulary() -> None:
    known = "Corp. Corp U.S."
    assert cut("Acme Corp. said", known) == "Acme Corp. said".split()
    assert cut("Acme Corp. said") == "Acme Corp . said".split()
    assert cut("Acme Inc. said", known) == "Acme Inc . said".split()
    assert cut("(Acme Corp.) said", known) == "( Acme Corp. ) said".split()


def test_at_the_end_of_a_sentence_it_is_the_sentences_unless_the_word_has_no_other_form() -> None:
    assert cut("by Acme Corp.", "Corp. Corp") == "by Acme Corp .".split()
    assert cut("by Acme Corp. The end", "Corp. Corp") == "by Acme Corp . The end".split()
    assert cut("by Acme Corp.\nsaid", "Corp. Corp") == "by Acme Corp . said".split()
    assert cut("by Acme Corp.", "Corp.") == "by Acme Corp.".split()
    assert cut("in the U.S.", "U.S.") == "in the U.S.".split()
    assert cut("in the U.S.") == "in the U.S .".split()
    assert cut("vitamin K.") == "vitamin K .".split()


def test_ordinals_stand_at_the_start_of_a_line() -> None:
    assert cut("1. a\n 2. b 3. c", ordinal=True) == "1. a 2. b 3 . c".split()


@pytest.mark.parametrize(
    "emoji", ["👩🏽\u200d⚕️", "🇩🇪", "1️⃣", "👍🏿", "❤️", "👨\u200d👩\u200d👧", "🏴\U000e0067\U000e007f"]
)  # fmt: skip
def test_an_emoji_is_one_token(emoji: str) -> None:
    assert cut(f"{emoji}{emoji} {emoji}") == [emoji] * 3


@pytest.mark.parametrize(
    "text", ["e\u0301te\u0301", "が", "\u0301", "a\u0301.\u0301.", "中\U000e0100"]
)
def test_combining_marks_stay_with_their_base(text: str) -> None:
    for token in cut(text)[1:]:
        assert not regex.match(r"\p{M}", token)


@given(text=TEXTS, joints=JOINTS)
@example("\ud800a\udfff", Joints())
def test_any_text_gives_tokens_in_order_and_gaps_between_them(text: str, joints: Joints) -> None:
    bounds = cut_words(text, Profile(tokens="words", joints=joints), lambda token: len(token) < 5)
    at, gaps = 0, ""
    for start, end in bounds:
        assert at <= start < end
        gaps += text[at:start]
        at = end
    gaps += text[at:]
    assert regex.fullmatch(f"[{GAP}]*", gaps)
    inside = "".join(text[start:end] for start, end in bounds)
    assert not regex.search(f"[{GAP}]", inside)
    assert len(gaps) + len(inside) == len(text)


@given(text=TEXTS)
def test_what_was_cut_before_does_not_matter(text: str) -> None:
    first = cut_words(text, USUAL)
    cut_words(text + text, Profile(tokens="words", joints=Joints(hyphen=False)))
    assert cut_words(text, USUAL) == first


@given(text=TEXTS)
def test_the_other_modes_leave_out_nothing_but_white_space(text: str) -> None:
    characters = cut_words(text, Profile(tokens="characters"))
    assert [text[a:b] for a, b in characters] == [c for c in text if c not in " \t\r\n"]
    spaces = cut_words(text, Profile(tokens="spaces"))
    assert [text[a:b] for a, b in spaces] == regex.findall(r"[^ \t\r\n]+", text)


HOSTILE = [
    "a", ".", "a.", "-", "a-", "'", "a'", "\u0301", "http://", "x@", "a.a@", "👩\u200d", "🇩", "1,",
    "\ud800", "&a", "n't", "A. ", "a. ", "a_", "#a", "+", "1+", "a\u200d", "$", "A$", "a\n", "1. ",
    "a.\n", "aa.", "b.c/", "!", ":", "`", "中\u0301", "www.", "Corp. ",
]  # fmt: skip


@pytest.mark.parametrize("part", HOSTILE)
def test_lines_of_hostile_text_are_cut_in_linear_time(part: str) -> None:
    """A million of them; quadratic work would take hours, and the test would not end."""
    text = part * (300_000 // len(part))
    profile = Profile(tokens="words", joints=Joints(ordinal=True, unit=False, percent=True))
    assert len(cut_words(text, profile, lambda token: token == "Corp.")) <= len(text)


def test_an_unknown_kind_of_token_is_refused() -> None:
    with pytest.raises(ValueError, match="'words', 'characters' or 'spaces'"):
        cut_words("a", msgspec.structs.replace(USUAL, tokens="syllables"))  # type: ignore[arg-type]
