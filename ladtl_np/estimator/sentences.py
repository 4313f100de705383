"""What users give as sentences and tags, checked once: a message names argument and place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import replace
from typing import Any

import numpy as np

from ladtl_np.corpus.limits import TYPE_CHARACTERS
from ladtl_np.corpus.schemes import PREFIXES, detect_scheme, split_tag
from ladtl_np.corpus.sentence import Corpus, Sentence
from ladtl_np.errors import UsageError
from ladtl_np.printable import counted, shown
from ladtl_np.training.prepared import Corpora

__all__ = ["Tagged", "corpora_of", "corpus_of", "corpus_of_tagged", "tokens_of"]

Tagged = (
    Corpus
    | tuple[Sequence[Sequence[str]], Sequence[Sequence[str]]]
    | Iterable[tuple[Sequence[str], Sequence[str]]]
)
"""A corpus; a tuple (X, y); or any other sequence of pairs (tokens, tags)."""

_SENTENCES = 'give a sequence of sentences, each a sequence of tokens, as [["chest", "pain"]]'
_TAGS = 'give a sequence of tags for each sentence, as [["B-Sign", "I-Sign"]]'
_PAIRS = "give (X, y) as one tuple, a list of (tokens, tags) pairs, or a Corpus"


def tokens_of(X: Any, name: str = "X") -> list[tuple[str, ...]]:
    """Tokens of each sentence.

    Parameters
    ----------
    X
        Sentences, each a sequence of tokens, or a corpus.
    name
        What messages call it.

    Raises
    ------
    UsageError
        If it is something else, or there is no sentence, or an empty one: where.
    """
    if isinstance(X, Corpus):
        X = [sentence.tokens for sentence in X]
    return _rows(X, name, "token", _SENTENCES)


def corpus_of(X: Any, y: Any) -> Corpus:
    """The corpus that X and y give together, or that X is.

    Raises
    ------
    UsageError
        If they are not what `tokens_of` wants and tags for each token, saying where.
    """
    if isinstance(X, Corpus):
        if y is not None:
            raise UsageError(
                "y has to be None where X is a Corpus, which has its tags; a corpus of the source "
                "is given as source="
            )
        return _checked(X, "X")
    return _joined("X", "y", tokens_of(X), _rows(y, "y", "tag", _TAGS))


def corpora_of(X: Any, y: Any, source: Any, dev: Any) -> Corpora:
    """The corpora that `fit` is given.

    Raises
    ------
    UsageError
        As for `corpus_of`; or if a dictionary of sources is empty, or its names are none.
    """
    sources, target = _sources(source), corpus_of(X, y)
    return Corpora(
        next(iter(sources), None),
        target,
        None if dev is None else corpus_of_tagged(dev, "dev"),
        more_sources=tuple(sources[1:]),
    )


def _sources(given: Any) -> list[Corpus]:
    """The corpora that are given for `source`: one, a dictionary of several, or none."""
    if given is None:
        return []
    if not isinstance(given, Mapping):
        return [corpus_of_tagged(given, "source")]
    if not given or not all(isinstance(name, str) and name for name in given):
        raise UsageError("source: a dictionary of sources wants a name as str for each, at least 1")
    found = {name: corpus_of_tagged(one, f"source[{name!r}]") for name, one in given.items()}
    return [replace(corpus, name=name) for name, corpus in found.items()]


def corpus_of_tagged(given: Any, name: str) -> Corpus:
    """A corpus from what is given for `source` or `dev`.

    Raises
    ------
    UsageError
        As for `corpus_of`.
    """
    if isinstance(given, Corpus):
        return _checked(given, name)
    if isinstance(given, tuple) and len(given) == 2:
        told = f"{name}, read as (X, y)"
        return _joined(
            told,
            told,
            _rows(given[0], told, "token", _SENTENCES),
            _rows(given[1], told, "tag", _TAGS),
            name,
        )
    pairs = _listed(given, name, _PAIRS)
    for n, pair in enumerate(pairs, 1):
        if not isinstance(pair, list | tuple) or len(pair) != 2:
            raise UsageError(f"{name}: item {n} is no pair of tokens and tags; {_PAIRS}")
    tokens = _rows([pair[0] for pair in pairs], name, "token", _SENTENCES)
    tags = _rows([pair[1] for pair in pairs], name, "tag", _TAGS)
    return _joined(name, name, tokens, tags, name)


def _joined(
    of_tokens: str,
    of_tags: str,
    tokens: list[tuple[str, ...]],
    tags: list[tuple[str, ...]],
    name: str = "X",
) -> Corpus:
    """A corpus in the scheme that fits the tags best."""
    if len(tokens) != len(tags):
        raise UsageError(
            f"{of_tokens} has {counted(len(tokens), 'sentences')} and {of_tags} tags for "
            f"{len(tags):,}; give tags for each sentence"
        )
    for n, (words, marks) in enumerate(zip(tokens, tags, strict=True), 1):
        if len(words) != len(marks):
            raise UsageError(
                f"{of_tokens}: sentence {n} has {counted(len(words), 'tokens')}, and {of_tags} has "
                f"{counted(len(marks), 'tags')} for it; give one tag for each token"
            )
    _require_tags(tags, of_tags)
    try:
        scheme = detect_scheme(tags)
    except ValueError as error:
        raise UsageError(f"{of_tags}: {error}; write all of them in one scheme") from None
    numbered = enumerate(zip(tokens, tags, strict=True), 1)
    return Corpus(name, tuple(Sentence(words, marks, n) for n, (words, marks) in numbered), scheme)


def _checked(corpus: Corpus, name: str) -> Corpus:
    """A corpus that a program may have built by hand."""
    for n, sentence in enumerate(corpus, 1):
        if sentence.tags is None:
            raise UsageError(f"{name}: sentence {n} has no tags; give a corpus that is tagged")
        if len(sentence.tags) != len(sentence.tokens):
            raise UsageError(
                f"{name}: sentence {n} has {counted(len(sentence.tokens), 'tokens')} and "
                f"{counted(len(sentence.tags), 'tags')}; give one tag for each token"
            )
    tokens_of(corpus, name)
    tags = _rows([sentence.tags for sentence in corpus], name, "tag", _TAGS)
    _require_tags(tags, name, corpus.scheme)
    return corpus


def _require_tags(rows: list[tuple[str, ...]], name: str, scheme: str | None = None) -> None:
    """Refuse what is no tag, or not one of the scheme."""
    seen: set[str] = set()
    for n, tags in enumerate(rows, 1):
        if seen.issuperset(tags):
            continue
        for place, tag in enumerate(tags, 1):
            try:
                prefix = split_tag(tag)[0]
            except ValueError as error:
                raise UsageError(
                    f"{name}: sentence {n}, tag {place} is none: {error}; are tokens and tags in "
                    "each other's place? A tuple of two is read as (X, y), and a list as pairs"
                ) from None
            if len(tag) > TYPE_CHARACTERS + 2:
                raise UsageError(
                    f"{name}: sentence {n}, tag {place} has a type of more than "
                    f"{TYPE_CHARACTERS:,} characters; give it a shorter name"
                )
            if scheme is not None and prefix not in {"O", *PREFIXES.get(scheme, "")}:
                raise UsageError(
                    f"{name}: sentence {n}, tag {place} is not one of {shown(scheme)}, which the "
                    "corpus names as its scheme; name the scheme of its tags"
                )
            seen.add(tag)


def _rows(given: Any, name: str, kind: str, wanted: str) -> list[tuple[str, ...]]:
    """Tokens or tags of each sentence, every one of them a string."""
    rows = _listed(given, name, wanted)
    if not rows:
        raise UsageError(f"{name} is empty; give at least one sentence")
    return [_row(row, f"{name}: sentence {n}", kind, wanted) for n, row in enumerate(rows, 1)]


def _row(given: Any, place: str, kind: str, wanted: str) -> tuple[str, ...]:
    if isinstance(given, np.ndarray):
        raise UsageError(f"{place} is a NumPy array; give a list of str, by .tolist()")
    row = tuple(_listed(given, place, f"cut it into {kind}s first: {wanted}"))
    if not row:
        raise UsageError(f"{place} is empty; leave empty sentences out")
    if not set(map(type, row)) <= {str}:
        for n, item in enumerate(row, 1):
            _require_string(item, f"{place}, {kind} {n}")
    if not all(row):
        raise UsageError(f"{place}, {kind} {row.index('') + 1} is an empty str; leave it out")
    if not "".join(row).isascii():
        for n, item in enumerate(row, 1):
            _require_text(item, f"{place}, {kind} {n}")
    return row


def _require_string(item: Any, place: str) -> None:
    if isinstance(item, np.str_):
        raise UsageError(
            f"{place} is a string of NumPy; give lists of str, which .tolist() makes of an array"
        )
    if isinstance(item, list | tuple):
        raise UsageError(
            f"{place} is a {_kind(item)}, not a str; pairs of tokens and tags are given as "
            "X=[tokens for tokens, tags in pairs], y=[tags for tokens, tags in pairs], and those "
            "of the source as source=pairs"
        )
    if not isinstance(item, str):
        raise UsageError(f"{place} is of type {_kind(item)}, not str; write it as text")


def _require_text(item: str, place: str) -> None:
    try:
        item.encode("utf-8")
    except UnicodeEncodeError:
        raise UsageError(
            f"{place} holds half of a character (a lone surrogate), which no file can hold; decode "
            "the text by the encoding that it has"
        ) from None


def _listed(given: Any, place: str, wanted: str) -> list[Any]:
    """The items of a sequence; strings, mappings and sets are none here."""
    if isinstance(given, str | bytes | bytearray):
        raise UsageError(f"{place} is one {_kind(given)}; {wanted}")
    if isinstance(given, Mapping | Set) or not isinstance(given, Iterable):
        told = "None" if given is None else f"of type {_kind(given)}"
        raise UsageError(f"{place} is {told}; {wanted}")
    try:
        return list(given)
    except TypeError:  # an array without an axis
        raise UsageError(f"{place} is of type {_kind(given)}; {wanted}") from None


def _kind(item: Any) -> str:
    return shown(type(item).__name__)
