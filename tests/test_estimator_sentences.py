"""What is no sentence, token or tag is refused in words, wherever it is given."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

from ladtl_np import LaDTLTagger
from ladtl_np.corpus.schemes import detect_scheme
from ladtl_np.corpus.sentence import Corpus, Sentence
from ladtl_np.errors import LadtlError, UsageError
from ladtl_np.estimator.sentences import corpus_of, corpus_of_tagged, tokens_of

X, Y = [["chest", "pain"], ["no", "pain"]], [["B-Sign", "I-Sign"], ["O", "B-Sign"]]
SMALL = {"training.steps": 1, "model.embedding": 2, "model.hidden": 2}
SECRET = "Meier"


@pytest.fixture(scope="module")
def tagger() -> LaDTLTagger:
    return LaDTLTagger("non-transfer", options=SMALL).fit(X, Y)


# what stands where the second sentence or all of them should, and what is said of it
NO_TOKENS: dict[str, tuple[Any, str]] = {
    "none": (None, "{name} is None; give a sequence of sentences"),
    "str": ("chest pain", "{name} is one str; give a sequence of sentences"),
    "bytes": (b"chest pain", "{name} is one bytes; give"),
    "int": (5, "{name} is of type int; give"),
    "mapping": ({"chest": "pain"}, "{name} is of type dict; give"),
    "set": ({("chest", "pain")}, "{name} is of type set; give"),
    "scalar": (np.array(5), "{name} is of type ndarray; give"),
    "empty": ([], "{name} is empty; give at least one sentence"),
    "flat": (["chest", "pain"], "{name}: sentence 1 is one str; cut it into tokens first"),
    "sentence of str": ([["a", "b"], "chest pain"], "{name}: sentence 2 is one str; cut it"),
    "sentence of none": ([["a", "b"], None], "{name}: sentence 2 is None; cut it"),
    "sentence of int": ([["a", "b"], 7], "{name}: sentence 2 is of type int; cut it"),
    "empty sentence": ([["a", "b"], []], "{name}: sentence 2 is empty; leave empty sentences out"),
    "array": ([["a", "b"], np.array(["a", "b"])], "{name}: sentence 2 is a NumPy array; give a li"),
    "table": (np.array([["a", "b"], ["c", "d"]]), "{name}: sentence 1 is a NumPy array; give a li"),
    "token of numpy": (
        [["a", "b"], list(np.array(["a", "b"]))],
        "{name}: sentence 2, token 1 is a string of NumPy; give lists of str",
    ),
    "token of int": ([["a", "b"], ["a", 7]], "{name}: sentence 2, token 2 is of type int, not str"),
    "token of none": ([["a", "b"], [None, "a"]], "{name}: sentence 2, token 1 is of type NoneType"),
    "token of bytes": ([["a", "b"], ["a", b"b"]], "{name}: sentence 2, token 2 is of type bytes"),
    "empty token": ([["a", "b"], ["a", ""]], "{name}: sentence 2, token 2 is an empty str"),
    "surrogate": ([["a", "b"], ["a", "\ud800"]], "{name}: sentence 2, token 2 holds half of a ch"),
    "pairs": ([(["a"], ["O"])], "{name}: sentence 1, token 1 is a list, not a str; pairs"),
    "sentence object": ([Sentence(("a",))], "{name}: sentence 1 is of type Sentence; cut it"),
}
NO_TAGS: dict[str, tuple[Any, str]] = {
    "none": (None, "{name} is None; give a sequence of tags for each"),
    "str": ("O O", "{name} is one str; give"),
    "flat": (["O", "O"], "{name}: sentence 1 is one str; cut it into tags first"),
    "empty": ([], "{name} is empty"),
    "fewer": (Y[:1], "{x} has 2 sentences and {name} tags for 1; give"),
    "uneven": (
        [Y[0], ["O"]],
        "{x}: sentence 2 has 2 tokens, and {name} has 1 tag for it; give one tag for each",
    ),
    "no tag": ([Y[0], ["O", SECRET]], "{name}: sentence 2, tag 2 is none: a tag is O or one of"),
    "tag of int": ([Y[0], ["O", 3]], "{name}: sentence 2, tag 2 is of type int, not str"),
    "tag of numpy": (
        [Y[0], list(np.array(["O", "O"]))],
        "{name}: sentence 2, tag 1 is a string of NumPy",
    ),
    "endless type": (
        [Y[0], ["O", "B-" + 1001 * "x"]],
        "{name}: sentence 2, tag 2 has a type of mo",
    ),
    "two schemes": ([["S-a", "O"], ["U-a", "O"]], "{name}: tags of BIOES (E-, S-) and of BILOU"),
}

Call = Callable[[LaDTLTagger, Any], Any]
TAKE_TOKENS: dict[str, tuple[Call, str]] = {
    "fit": (lambda tagger, given: tagger.fit(given, Y), "X"),
    "predict": (lambda tagger, given: tagger.predict(given), "X"),
    "score": (lambda tagger, given: tagger.score(given, Y), "X"),
    "scores": (lambda tagger, given: tagger.scores(given, Y), "X"),
    "source": (
        lambda tagger, given: tagger.fit(X, Y, source=(given, Y)),
        "source, read as (X, y)",
    ),
    "dev": (lambda tagger, given: tagger.fit(X, Y, dev=(given, Y)), "dev, read as (X, y)"),
}
TAKE_TAGS: dict[str, tuple[Call, str]] = {
    "fit": (lambda tagger, given: tagger.fit(X, given), "y"),
    "score": (lambda tagger, given: tagger.score(X, given), "y"),
    "scores": (lambda tagger, given: tagger.scores(X, given), "y"),
    "source": (lambda tagger, given: tagger.fit(X, Y, source=(X, given)), "source, read as (X, y)"),
    "dev": (lambda tagger, given: tagger.fit(X, Y, dev=(X, given)), "dev, read as (X, y)"),
}


@pytest.mark.parametrize("call", TAKE_TOKENS)
@pytest.mark.parametrize("case", NO_TOKENS)
def test_what_is_no_sentence_is_refused_with_its_place(
    tagger: LaDTLTagger, call: str, case: str
) -> None:
    (given, message), (function, name) = NO_TOKENS[case], TAKE_TOKENS[call]
    with pytest.raises(UsageError, match="^" + re.escape(message.format(name=name))):
        function(tagger, given)


@pytest.mark.parametrize("call", TAKE_TAGS)
@pytest.mark.parametrize("case", NO_TAGS)
def test_what_is_no_tag_is_refused_with_its_place(
    tagger: LaDTLTagger, call: str, case: str
) -> None:
    (given, message), (function, name) = NO_TAGS[case], TAKE_TAGS[call]
    x = "X" if name == "y" else name
    with pytest.raises(UsageError, match="^" + re.escape(message.format(name=name, x=x))) as error:
        function(tagger, given)
    assert SECRET not in str(error.value)


@pytest.mark.parametrize("name", ["source", "dev"])
@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("chest pain", "{name} is one str; give (X, y) as one tuple"),
        (7, "{name} is of type int; give (X, y) as one tuple"),
        ([], "{name} is empty"),
        ([X, Y, X], "{name}: sentence 1, tag 1 is none"),
        ([["a"], ["O"]], "{name}: item 1 is no pair of tokens and tags; give"),
        ([(["a"], ["O"]), "ab"], "{name}: item 2 is no pair of tokens and tags; give"),
        ([X, Y], "{name}: sentence 1, tag 1 is none"),
        ([X * 2, Y * 2], "{name}: item 1 is no pair of tokens and tags; give (X, y) as one tuple"),
        ([(["a"], ["O", "O"])], "{name}: sentence 1 has 1 token, and {name} has 2 tags for it"),
        ([(["O"], ["a"])], "{name}: sentence 1, tag 1 is none"),
        (((["a"], ["O"]), (["b"], ["O"])), "{name}, read as (X, y): sentence 1, tag 1 is none"),
        (
            ((["a", "b"], ["O"]), 3),
            "{name}, read as (X, y) is of type int; give a sequence of tags",
        ),
    ],
)
def test_what_are_no_tagged_sentences_is_refused(
    tagger: LaDTLTagger, name: str, given: Any, message: str
) -> None:
    with pytest.raises(UsageError, match="^" + re.escape(message.format(name=name))):
        tagger.fit(X, Y, **{name: given})


def corpus(*tags: Any, scheme: str = "IOB2") -> Corpus:
    return Corpus("c", tuple(Sentence(("a", "b"), each) for each in tags), scheme)


@pytest.mark.parametrize("name", ["X", "source", "dev"])
@pytest.mark.parametrize(
    ("given", "message"),
    [
        (corpus(), "{name} is empty"),
        (corpus(("O", "O"), None), "{name}: sentence 2 has no tags; give"),
        (corpus(("O", "O"), ("O",)), "{name}: sentence 2 has 2 tokens and 1 tag"),
        (corpus(("O", "E-x")), "{name}: sentence 1, tag 2 is not one of IOB2, which the corpus"),
        (corpus(("O", "x")), "{name}: sentence 1, tag 2 is none"),
        (Corpus("c", (Sentence(("a", 1), ("O", "O")),)), "{name}: sentence 1, token 2 is of type"),  # type: ignore[arg-type]
    ],
)
def test_a_corpus_that_is_none_is_refused(
    tagger: LaDTLTagger, name: str, given: Corpus, message: str
) -> None:
    fit = partial(tagger.fit, given) if name == "X" else partial(tagger.fit, X, Y, **{name: given})
    with pytest.raises(UsageError, match="^" + re.escape(message.format(name=name))):
        fit()


def test_calls_with_the_source_first_are_refused() -> None:
    ward, clinic = [(["a"], ["O"])] * 2, [(["b"], ["O"])] * 2
    tagger = LaDTLTagger(options=SMALL)
    with pytest.raises(UsageError, match="source as source=pairs"):
        tagger.fit(ward, clinic)
    with pytest.raises(UsageError, match="X is None"):
        tagger.fit(None, clinic)
    with pytest.raises(UsageError, match="a corpus of the source is given as source="):
        tagger.fit(corpus(("O", "O")), corpus(("O", "O")))
    with pytest.raises(TypeError, match="positional"):
        tagger.fit(X, Y, ward)  # type: ignore[misc]
    with pytest.raises(LadtlError, match="source"):
        tagger.fit(X, Y)


def test_sentences_may_be_tuples_generators_and_arrays_of_lists() -> None:
    told = [("chest", "pain"), ("no", "pain")]
    array = np.empty(2, object)
    array[:] = X
    for given in (X, tuple(map(tuple, X)), iter(X), (iter(x) for x in X), array):
        assert tokens_of(given) == told
    assert corpus_of(iter(X), iter(Y)).sentences[1] == Sentence(told[1], ("O", "B-Sign"), 2)


def test_a_tuple_of_two_is_x_and_y_and_a_list_of_two_are_pairs() -> None:
    one = corpus_of_tagged((X, Y), "source")
    other = corpus_of_tagged([(X[0], Y[0]), (X[1], Y[1])], "source")
    assert one == other == corpus_of_tagged(iter(zip(X, Y, strict=True)), "source")
    assert (one.name, one.scheme, len(one)) == ("source", "IOB2", 2)
    three = corpus_of_tagged(tuple(zip(X * 2, Y * 2, strict=True)), "dev")
    assert (three.name, len(three)) == ("dev", 4)


def test_the_scheme_is_that_of_the_tags_and_a_corpus_keeps_its_own() -> None:
    for tags in (["S-a", "O"], ["I-a", "O"], ["U-a", "O"], ["B-a", "I-a"]):
        assert corpus_of([["a", "b"]], [tags]).scheme == detect_scheme([tags])
    given = corpus(("I-a", "O"), scheme="IO")
    assert corpus_of(given, None) is given
    assert corpus_of_tagged(given, "dev") is given
