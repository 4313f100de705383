"""Tags of files as they stand, gold and predicted: read, and held against each other."""

from __future__ import annotations

from collections.abc import Sequence
from operator import ne
from typing import Any

import msgspec

from ladtl_np.corpus.findings import Findings
from ladtl_np.corpus.formats.conll import iterate_conll
from ladtl_np.corpus.formats.reading import ReadOptions
from ladtl_np.corpus.inspection import illegal_places
from ladtl_np.corpus.lines import display_name, open_input, read_lines
from ladtl_np.corpus.read import format_of, read_corpus
from ladtl_np.corpus.renaming import Renamer
from ladtl_np.corpus.schemes import detect_scheme, illegal_positions, spans, spans_to_tags
from ladtl_np.corpus.sentence import Corpus, Sentence
from ladtl_np.corpus.tally import Remark, Tally
from ladtl_np.errors import DataError
from ladtl_np.printable import counted

__all__ = ["in_scheme_of", "read_predicted", "read_tagged", "require_same_tokens"]

_PLAIN = frozenset({"IOB1", "IOB2", "IO"})  # schemes that few tags tell apart


def read_predicted(path: str, options: ReadOptions, gold_scheme: str | None) -> Corpus:
    """Read tags as they stand; of documents, those of their entities, in BIOES."""
    found = format_of(path, options)
    if found.family == "documents":
        return read_corpus(path, options)
    options = msgspec.structs.replace(options, format=found.name)
    with open_input(path) as stream:
        return read_tagged(read_lines(stream), options, display_name(path), gold_scheme)


def read_tagged(
    lines: list[bytes], options: ReadOptions, name: str, gold_scheme: str | None
) -> Corpus:
    """Read tags as they stand, renamed once the scheme is known; `gold_scheme` helps to tell it."""
    plain = msgspec.structs.replace(options, rename={})
    tally = Tally()
    sentences = tuple(iterate_conll(lines, plain, name, tally=tally))
    scheme = options.scheme
    if scheme == "detect":
        scheme = _detected(sentences, name, gold_scheme)
    if options.rename:
        renamer = Renamer(options.rename, scheme)
        sentences = tuple(
            Sentence(s.tokens, renamer.apply(s.tags or ()), s.line) for s in sentences
        )
    return Corpus(name, sentences, scheme, remarks=tally.remarks(name))


def _detected(sentences: Sequence[Sentence], name: str, gold_scheme: str | None) -> Any:
    """Detect a scheme; predictions follow the gold where their own tags do not tell.

    A poor tagger's stray tags can make IOB2 look like IOB1, so predictions are in that other scheme
    only where it allows all of their tags, and the gold's does not. Predictions without an entity
    look like anything.
    """
    try:
        scheme = detect_scheme(sentence.tags or () for sentence in sentences)
    except ValueError as error:
        raise DataError(f"{name}: {error}; declare the scheme to see which lines") from None
    if gold_scheme is None:
        return scheme
    if all(tag == "O" for sentence in sentences for tag in sentence.tags or ()):
        return gold_scheme
    alike = {scheme, gold_scheme} <= _PLAIN
    other = _allows(scheme, sentences) and not _allows(gold_scheme, sentences)
    return gold_scheme if alike and not other else scheme


def _allows(scheme: str, sentences: Sequence[Sentence]) -> bool:
    """Whether a scheme allows every tag where it stands."""
    try:
        return not any(illegal_positions(sentence.tags or (), scheme) for sentence in sentences)
    except ValueError:  # a prefix that it does not have
        return False


def in_scheme_of(
    gold: Corpus, predicted: Corpus
) -> tuple[list[tuple[str, ...]], tuple[Remark, ...]]:
    """Predicted tags in the gold's scheme, and what is to be told of how they got there."""
    before = [tuple(sentence.tags or ()) for sentence in predicted]
    if predicted.scheme == gold.scheme:
        return before, ()
    after = [
        spans_to_tags(spans(tags, predicted.scheme), len(tags), gold.scheme) for tags in before
    ]
    changed = sum(map(_differences, before, after))
    if not changed:
        return after, ()
    what = (
        f"{changed:,} {'tag was' if changed == 1 else 'tags were'} converted from "
        f"{predicted.scheme} to {gold.scheme}, the gold's scheme"
    )
    if illegal_places(predicted)[0]:
        what += ": their illegal tags are read as conlleval reads them, in strict scores as well"
    cure = "declare the scheme if it is another one"
    return after, (Remark("converted", predicted.name, changed, what, cure),)


def _differences(some: Sequence[str], others: Sequence[str]) -> int:
    return sum(map(ne, some, others))


def require_same_tokens(gold: Corpus, predicted: Corpus) -> None:
    """Raise `FindingsError` with the lines at which two corpora part."""
    findings = Findings(predicted.name)
    for truth, guess in zip(gold, predicted, strict=False):
        if len(truth) != len(guess):
            findings.fail(
                guess.line,
                f"a sentence of {counted(len(guess), 'tokens')} where {gold.name}:{truth.line} has "
                f"{len(truth)}",
                "were the predictions made for another file, or another way to cut sentences?",
            )
        for place, (wanted, token) in enumerate(zip(truth.tokens, guess.tokens, strict=True)):
            if wanted != token:
                findings.add(
                    guess.line + place,
                    f"another token than {gold.name}:{truth.line + place} has",
                    "were the predictions made for another file, or is --token-column wrong?",
                )
    if len(gold) != len(predicted):
        findings.add(
            0,
            f"{counted(len(predicted), 'sentences')} where {gold.name} has {len(gold)}",
            "is one of the files cut short?",
        )
    findings.raise_any()
