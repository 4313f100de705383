"""Whether what a run is scored on was trained on, or chose the model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ladtl_np.audit.data.evidence import Evidence, Held
from ladtl_np.audit.outcome import Line, Verdict, noted
from ladtl_np.corpus.chosen import read_chosen
from ladtl_np.corpus.sampling import sample
from ladtl_np.corpus.sentence import Corpus
from ladtl_np.options.config import Config
from ladtl_np.options.input_file import Role
from ladtl_np.options.seeds import stream
from ladtl_np.pages.content import Cell, Table
from ladtl_np.training.preparation import target_sample

__all__ = [
    "LONG",
    "Shared",
    "leakage_lines",
    "overlap_table",
    "shared_sentences",
    "used_sentences",
]

LONG = 10
"""Tokens from which on a sentence that stands in two corpora is hardly one by chance."""

_PAIRS: tuple[tuple[Role, Role], ...] = (
    *(("test", "target"), ("test", "source"), ("test", "dev")),
    *(("dev", "target"), ("dev", "source")),
)
"""Corpora that a score is from, and those that should not hold their sentences."""


class Shared(NamedTuple):
    """Sentences of one corpus that stand in another, word for word.

    Attributes
    ----------
    scored, within
        The corpora.
    sentences, long
        How many, and how many of them have `LONG` tokens or more.
    sampled
        How many stand among the sentences that were trained on; None where all were.
    """

    scored: Held
    within: Held
    sentences: int
    long: int
    sampled: int | None

    @property
    def total(self) -> int:
        """Sentences of the first corpus."""
        return len(self.scored.corpus or ())


def used_sentences(config: Config, held: Held) -> Corpus:
    """The sentences of a training corpus that the run was trained on, drawn again."""
    data, corpus = config.data, held.corpus
    if corpus is None:
        raise ValueError("the corpus must have been read")
    if held.role == "source":
        seed = config.seed if data.sample_seed < 0 else data.sample_seed
        chance = stream(seed, "source sample", number=held.number)
        return sample(corpus, data.source_fraction, chance)
    return target_sample(
        config, corpus, read_chosen(data.target_chosen) if data.target_chosen else None
    )


def shared_sentences(evidence: Evidence) -> list[Shared]:
    """Look up the sentences of every corpus that is scored in every other one."""
    return [
        _shared(evidence.config, scored, within)
        for first, second in _PAIRS
        for scored in evidence.of(first)
        for within in evidence.of(second)
    ]


def _shared(config: Config, scored: Held, within: Held) -> Shared:
    if scored.corpus is None or within.corpus is None:
        raise ValueError("both corpora must have been read")
    known = {sentence.tokens for sentence in within.corpus}
    found = [sentence for sentence in scored.corpus if sentence.tokens in known]
    sampled = None
    if within.role in ("source", "target"):
        used = used_sentences(config, within)
        if len(used) < len(within.corpus):
            known = {sentence.tokens for sentence in used}
            sampled = sum(sentence.tokens in known for sentence in found)
    long = sum(len(sentence) >= LONG for sentence in found)
    return Shared(scored, within, len(found), long, sampled)


def leakage_lines(evidence: Evidence, shared: list[Shared]) -> Iterator[Line]:
    """Files that are scored must not be those of training; shared sentences are told."""
    same = [
        f"{one.scored.name} is {one.within.name}"
        for one in shared
        if one.within.role != "dev" and _same(one)
    ]
    check = "no file that is scored was trained on"
    verdict: Verdict = "failed" if same else "passed"
    yield Line(check, "; ".join(same) or "none", "none", verdict, "by hash and by sentences")
    yield _choice_line(evidence, shared)
    for one in shared:
        if one.sentences:
            found = f"{one.sentences:,} of {one.total:,} ({100 * one.sentences / one.total:.1f} %)"
            told = f"{one.long:,} of them of {LONG} tokens or more"
            if one.sampled is not None:
                told += f"; {one.sampled:,} stand among the sentences that were trained on"
            check = f"sentences of {one.scored.role} in {one.within.role}, word for word"
            yield noted(check, found, f"{evidence.short(one.scored)}: {told}")


def _same(one: Shared) -> bool:
    """Whether two corpora are one file, or have the same sentences in the same order."""
    first, second = one.scored.corpus, one.within.corpus
    if first is None or second is None:
        return False
    if first.sha256 and first.sha256 == second.sha256:
        return True
    return [s.tokens for s in first] == [s.tokens for s in second]


def _choice_line(evidence: Evidence, shared: list[Shared]) -> Line:
    """What chose the model: the development corpus, which must be no test."""
    check, wanted = "the model was chosen by", "no test corpus"
    reading = evidence.config.training.select_by
    if not (evidence.config.data.dev or evidence.generated):
        told = "there is no development corpus"
        return noted(check, "nothing: it is the one after the last step", told)
    same = [one.scored.name for one in shared if one.within.role == "dev" and _same(one)]
    if same:
        found = f"the test corpus {'; '.join(same)}"
        return Line(check, found, wanted, "failed", "its score is too high")
    if not evidence.of("dev"):
        return noted(check, "not looked at", "the development corpus could not be read")
    return Line(check, f"F1 on the development corpus, {reading}", wanted, "passed")


def overlap_table(shared: list[Shared]) -> Table:
    """Every pair, those without a shared sentence as well."""
    rows = []
    for one in shared:
        share = f"{100 * one.sentences / one.total:.1f} %" if one.total else ""
        sampled = "" if one.sampled is None else f"{one.sampled:,}"
        cells = [one.scored.name, one.within.name, f"{one.sentences:,}", f"{one.total:,}", share]
        rows.append([Cell(cell) for cell in (*cells, f"{one.long:,}", sampled)])
    header = [
        *("scored on", "stand in", "sentences", "of", "share"),
        *(f"of {LONG} tokens or more", "in the sample trained on"),
    ]
    return Table("data-overlap", "Sentences in two corpora, word for word", header, rows, names=2)
