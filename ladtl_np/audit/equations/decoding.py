"""Best paths as `Decoder` finds them: batched, constrained to legal tags or not, with real packing.

What is legal in each scheme is written down here once more, and paths are held against the best
score.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, cast

import numpy as np

from ladtl_np.audit.chains import Chain
from ladtl_np.audit.comparing import Comparisons
from ladtl_np.audit.equations.literal import literal_chain, literal_hidden
from ladtl_np.audit.equations.paths import MOST, Paths
from ladtl_np.audit.subject import Subject
from ladtl_np.corpus.labels import TagSet
from ladtl_np.corpus.schemes import legal_start_end_transition
from ladtl_np.errors import ScoreError
from ladtl_np.model.decoding import Decoder
from ladtl_np.model.network import TARGET, Network
from ladtl_np.objective.batching import EncodedSentence
from ladtl_np.reference.crf import sequence_score, viterbi
from ladtl_np.shapes import Floats, Integers

__all__ = [
    "check_decoding",
    "check_legal",
    "drawn_heads",
    "may_end",
    "may_follow",
    "may_start",
    "written_rules",
]


def may_start(tag: str) -> bool:
    """Whether a sentence may begin with a tag of BIOES or IOB2."""
    return tag[0] in "OBS"


def may_end(tag: str, scheme: str) -> bool:
    """Whether a sentence may end with it; only BIOES marks the ends of entities."""
    return scheme == "IOB2" or tag[0] in "OES"


def may_follow(before: str, after: str, scheme: str) -> bool:
    """Whether one tag may follow another."""
    goes_on = before[0] in "BI" and after[0] in "IE" and after[2:] == before[2:]
    if before[0] in "BI" and scheme == "BIOES":  # an entity is open: it goes on or ends
        return goes_on
    return goes_on or may_start(after)


def written_rules(tags: TagSet) -> tuple[list[bool], list[bool], list[list[bool]]]:
    """Tags that may start a sentence, end it, and follow each other, by the rules above."""
    names, scheme = tags.tags, tags.scheme
    return (
        [may_start(tag) for tag in names],
        [may_end(tag, scheme) for tag in names],
        [[may_follow(before, after, scheme) for after in names] for before in names],
    )


def check_legal(book: Comparisons, tags: TagSet, where: str) -> None:
    """Compare the rules that decoding uses with those above."""
    found = legal_start_end_transition(tags.tags, tags.scheme)
    check = f"legal tags of {tags.scheme}, decoding's rules against written ones"
    parts = ("starts", "ends", "transitions")
    for part, rules, written in zip(parts, found, written_rules(tags), strict=True):
        book.add(check, rules, written, f"{where}: {part}")


def drawn_heads(network: Network, rng: np.random.Generator) -> Network:
    """The same encoder with CRFs whose parameters are drawn: their best paths are seldom legal."""
    drawn = network.copy()
    for name, array in drawn.weights.items():
        if "_crf." in name:
            array[...] = rng.normal(0.0, 1.0, array.shape)
    return drawn


def check_decoding(
    book: Comparisons,
    subject: Subject,
    network: Network,
    head: str,
    sentences: Sequence[EncodedSentence],
    what: str,
) -> None:
    """Decode sentences in one go, and compare each path's score with the best there is.

    Parameters
    ----------
    book
        Where comparisons go.
    subject
        For tags and spellings.
    network, head
        What tags.
    sentences
        Of any lengths.
    what
        Called so in the checks: ``own scores``, say.
    """
    tags = subject.target_tags if head == TARGET else subject.source_tags
    assert tags is not None
    biased = f"{network.architecture.crf_of(head)}.b" in network.weights
    forbidden = _forbidden(tags)
    hidden = [literal_hidden(network, sentence, subject.spelled) for sentence in sentences]
    for bias in (True, False) if biased else (True,):
        chains = [literal_chain(network, head, H, bias=bias) for H in hidden]
        for constrained in (False, True):
            decoder = Decoder(
                network,
                cast(Any, _Numbered()),
                tags,
                head=head,
                constrained=constrained,
                emission_bias=bias,
                characters=None if subject.spelled is None else cast(Any, _Spelled(subject)),
                own_scheme=True,
            )
            kind = "legal" if constrained else "any"
            check = f"decoder, {kind} tags, {what}"
            try:
                found = decoder.tag([_tokens(sentence) for sentence in sentences])
            except ScoreError:
                book.add(f"{check}: finite scores", np.nan, 0.0, head)
                continue
            for sentence, chain, names in zip(sentences, chains, found, strict=True):
                where = f"{head.partition('_')[0]} line {sentence.line}, {len(names)} tokens"
                where += "" if bias else ", bias left out"
                path = np.array([tags.index[name] for name in names])
                allowed = _only(chain, forbidden) if constrained else chain
                _check_path(book, check, allowed, path, where)


def _check_path(book: Comparisons, check: str, chain: Chain, path: Integers, where: str) -> None:
    _, best = viterbi(*chain)
    score = sequence_score(*chain, path)  # -inf for a path that is not allowed
    book.add(f"{check}: score of its path against reference", score, best, where)
    T, m = chain.E.shape
    if m**T <= MOST:
        book.add(f"{check}: against all paths", score, Paths(*chain).best(), where)


class _Forbidden(NamedTuple):
    """-inf for what the tags' scheme does not allow, 0 for all else."""

    start: Floats  # (m,)
    end: Floats  # (m,)
    step: Floats  # (m, m)


def _forbidden(tags: TagSet) -> _Forbidden:
    return _Forbidden(*(np.where(each, 0.0, -np.inf) for each in written_rules(tags)))


def _only(chain: Chain, forbidden: _Forbidden) -> Chain:
    """The same scores with -inf wherever a tag is forbidden."""
    E = chain.E.copy()
    E[0] += forbidden.start
    E[-1] += forbidden.end
    return Chain(E, chain.A + forbidden.step)


def _tokens(sentence: EncodedSentence) -> list[str]:
    """Words that stand for rows and spellings, which is all that a subject has of its text."""
    numbers = sentence.words if sentence.spellings is None else sentence.spellings
    pairs = zip(sentence.words.tolist(), numbers.tolist(), strict=True)
    return [f"{row} {number}" for row, number in pairs]


class _Numbered:
    """A vocabulary of such words."""

    def encode(self, tokens: Sequence[str]) -> Integers:
        return np.array([int(token.partition(" ")[0]) for token in tokens], np.int64)


class _Spelled:
    """An alphabet of such words."""

    def __init__(self, subject: Subject) -> None:
        assert subject.spelled is not None
        self._spelled = subject.spelled

    def spell(self, token: str) -> Integers:
        return self._spelled[int(token.partition(" ")[2])]
