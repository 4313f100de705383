from __future__ import annotations

import msgspec
import pytest
from corpora import corpus_path
from hypothesis import given
from hypothesis import strategies as st
from small_corpora import small_config

from ladtl_np.corpus.cutting.measuring import measure_profile
from ladtl_np.corpus.cutting.profile import Joints, Profile
from ladtl_np.corpus.cutting.words import cut_words
from ladtl_np.corpus.formats.conll import read_conll
from ladtl_np.corpus.formats.reading import ReadOptions
from ladtl_np.corpus.sentence import Corpus, Sentence
from ladtl_np.training.preparation import Corpora, prepare


def corpus(*sentences: str) -> Corpus:
    return Corpus("made up", tuple(Sentence(tuple(s.split(" "))) for s in sentences))


def joints(*sentences: str) -> Joints:
    profile = measure_profile([corpus(*sentences)])
    assert profile.tokens == "words"
    return profile.joints


def test_single_code_points_are_characters() -> None:
    assert measure_profile([corpus("患 者 C T 。")]).tokens == "characters"
    many = corpus(*["患 者 C T 。"] * 100, "患 😀\ufe0f")
    assert measure_profile([many]).tokens == "characters"


def test_chinese_with_whole_latin_words_is_words() -> None:
    assert measure_profile([corpus(*["患 者 检 查 。"] * 100, "作 CT 检 查")]).tokens == "words"


def test_marks_that_cling_to_words_make_spaces() -> None:
    assert measure_profile([corpus("He has cough, fever, and nausea.")]).tokens == "spaces"
    assert measure_profile([corpus("He has cough , fever , and nausea .")]).tokens == "words"
    assert measure_profile([corpus("no marks here")]).tokens == "words"


@pytest.mark.parametrize(
    ("joint", "kept", "parted"),
    [
        ("hyphen", "a follow-up", "a follow - up"),
        ("range", "in 8-10 days", "in 8 - 10 days"),
        ("slash", "and/or", "and / or"),
        ("fraction", "BP 120/80", "BP 120 / 80"),
        ("dot", "in U.S.", "in U . S ."),
        ("acronym", "the U.S. says", "the U.S . says"),
        ("initial", "by J. Smith", "by J . Smith"),
        ("ordinal", "2. Smith", "2 . Smith"),
        ("decimal", "at 3.5 or", "at 3 . 5 or"),
        ("time", "at 10:30", "at 10 : 30"),
        ("unit", "of 5mg or", "of 5 mg or"),
        ("percent", "by 10% or", "by 10 % or"),
        ("sign", "at -5 or", "at - 5 or"),
        ("currency", "for $5", "for $ 5"),
        ("ampersand", "by AT&T", "by AT & T"),
        ("underscore", "the a_b is", "the a _ b is"),
        ("plus", "the CD4+ cells", "the CD4 + cells"),
        ("mention", "by @bob", "by @ bob"),
        ("hashtag", "a #tag", "a # tag"),
        ("link", "at http://a.b", "at http : / / a . b"),
        ("entity", "a &lt; b", "a & lt ; b"),
        ("emoticon", "so :) good", "so : ) good"),
        ("marks", "so ... good", "so . . . good"),
        ("quotes", "one `` b '' c", "one ` ` b ' ' c"),
        ("apostrophe", "by O'Brien", "by O ' Brien"),
        ("han", "中国 很 大 , ok", "中 国 很 大 , ok"),
    ],
)
def test_each_joint_is_measured(joint: str, kept: str, parted: str) -> None:
    assert getattr(joints(*[kept] * 3), joint) is True
    assert getattr(joints(*[parted] * 3), joint) is False


@pytest.mark.parametrize(
    ("how", "text"),
    [
        ("inside", "Lee's they're don't"),
        ("own", "Lee 's they 're do n't"),
        ("pieces", "Lee ' s they ' re don ' t"),
    ],
)
def test_clitics_are_measured(how: str, text: str) -> None:
    found = joints(text)
    assert (found.possessive, found.clitic, found.negation) == (how, how, how)


def test_what_is_not_seen_is_as_usual() -> None:
    assert joints("nothing here") == Joints()


def test_the_share_of_places_decides() -> None:
    assert joints(*["by 5% or"] * 4, *["by 5 % or"] * 6).percent is False
    assert joints(*["by 5% or"] * 6, *["by 5 % or"] * 4).percent is True
    assert joints(*["a follow-up"] * 4, *["a - b"] * 6).hyphen is True  # these may be dashes
    assert joints(*["a follow-up"] * 2, *["a - b"] * 8).hyphen is False


def test_the_first_corpus_decides_and_the_others_fill_in() -> None:
    target, source = corpus(*["a - b 5%"] * 3), corpus(*["a-b 5 % U . S ."] * 9)
    found = measure_profile([target, source]).joints
    assert (found.hyphen, found.percent, found.dot) == (False, True, False)


def test_training_measures_the_target_first() -> None:
    def tagged(text: str) -> Corpus:
        tokens = tuple(text.split(" "))
        tags = ("B-Drug", *("O" for _ in tokens[1:]))
        return Corpus("made up", (Sentence(tokens, tags),) * 4, "IOB2")

    corpora = Corpora(tagged("aspirin 5 % and a-b"), tagged("aspirin 5% ."))
    profile = prepare(small_config(), corpora).profile
    assert (profile.tokens, profile.joints.percent, profile.joints.hyphen) == ("words", True, True)


def test_ends_within_sentences_make_lines() -> None:
    plain = ["He is well .", "So is Dr. Lee ."] * 9
    assert measure_profile([corpus(*plain)]).sentences == "rules"
    tweets = ["He is well . She is not !"] * 3
    assert measure_profile([corpus(*plain, *tweets)]).sentences == "lines"
    assert measure_profile([corpus("咳 嗽 。 无 痰 。")]).sentences == "lines"
    assert measure_profile([corpus("咳 嗽 ， 无 痰 。")]).sentences == "rules"


def test_semicolons_are_ends_where_sentences_end_with_them() -> None:
    assert measure_profile([corpus(*["咳 ；"] * 3)]).semicolons
    inner = measure_profile([corpus(*["咳 ； 痰 。"] * 3)])
    assert (inner.semicolons, inner.sentences) == (False, "rules")


@given(
    st.builds(
        Profile,
        st.sampled_from(["words", "characters", "spaces"]),
        st.sampled_from(["lines", "rules"]),
        st.booleans(),
        st.builds(Joints, hyphen=st.booleans(), clitic=st.sampled_from(["inside", "pieces"])),
    )
)
def test_a_profile_survives_as_plain_values(profile: Profile) -> None:
    state = msgspec.json.decode(msgspec.json.encode(profile.to_state()))
    assert Profile.from_state(state) == profile


@pytest.mark.parametrize(
    "state",
    [
        {"tokens": "syllables"},
        {"sentences": 1},
        {"semicolons": "yes"},
        {"joints": {"hyphen": 1}},
        {"joints": {"glue": True}},
        {"joints": {"clitic": "outside"}},
        {"more": 1},
    ],
)
def test_values_that_are_none_are_refused(state: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="how text is cut"):
        Profile.from_state(state)


def test_a_joint_that_is_not_named_is_as_before() -> None:
    assert Profile.from_state({"tokens": "words", "joints": {"hyphen": False}}).joints == Joints(
        hyphen=False
    )


@pytest.mark.corpora
def test_the_measured_profile_cuts_the_english_news_as_they_are() -> None:
    options = ReadOptions(delimiter="space", tag_column=-1)
    news = read_conll(corpus_path("conll2003_en", "eng.testb"), options)
    profile = measure_profile([news])
    assert (profile.tokens, profile.sentences) == ("words", "rules")
    known = {token for sentence in news for token in sentence.tokens}.__contains__
    same = 0
    for sentence in news:
        text = " ".join(sentence.tokens)
        same += [text[a:b] for a, b in cut_words(text, profile, known)] == list(sentence.tokens)
    assert same >= 0.95 * len(news)
