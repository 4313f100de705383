"""Tags of files as they stand, gold and predicted: read, and held against each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from ladtl_np.corpus.findings import Findings
from ladtl_np.corpus.formats.conll import iterate_conll
from ladtl_np.corpus.formats.reading import ReadOptions
from ladtl_np.corpus.lines import display_name, open_input, read_lines
from ladtl_np.corpus.read import format_of, read_corpus
from ladtl_np.corpus.renaming import Renamer
from ladtl_np.corpus.schemes import detect_scheme
from ladtl_np.corpus.sentence import Corpus, Sentence
from ladtl_np.corpus.tally import Tally
from ladtl_np.errors import DataError

__all__ = ["read_predicted", "read_tagged", "require_same_tokens"]


def read_predicted(path: str, options: ReadOptions, gold_scheme: str | None) -> Corpus:
    """Read tags as they stand; of documents, those of their entities, in BIOES."""
    if format_of(path, options).family == "documents":
        return read_corpus(path, options)
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

    A poor tagger's stray tags can make IOB2 look like IOB1, and predictions without an entity look
    like anything.
    """
    try:
        scheme = detect_scheme(sentence.tags or () for sentence in sentences)
    except ValueError as error:
        raise DataError(f"{name}: {error}; declare the scheme to see which lines") from None
    if gold_scheme is None:
        return scheme
    plain = {"IOB1", "IOB2", "IO"}
    alike = {scheme, gold_scheme} <= plain
    empty = all(tag == "O" for sentence in sentences for tag in sentence.tags or ())
    return gold_scheme if alike or empty else scheme


def require_same_tokens(gold: Corpus, predicted: Corpus) -> None:
    """Raise `FindingsError` with the lines at which two corpora part."""
    findings = Findings(predicted.name)
    for truth, guess in zip(gold, predicted, strict=False):
        if len(truth) != len(guess):
            findings.fail(
                guess.line,
                f"a sentence of {len(guess)} tokens where {gold.name}:{truth.line} has "
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
            f"{len(predicted)} sentences where {gold.name} has {len(gold)}",
            "is one of the files cut short?",
        )
    findings.raise_any()
