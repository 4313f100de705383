"""Every term of Eq. (1) to (6), twice, and a third time where all tag sequences can be listed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from ladtl_np.arrays.packing import pack
from ladtl_np.arrays.workers import Workers, single_threaded_blas
from ladtl_np.audit.chains import Chain, chain_of
from ladtl_np.audit.chosen import batch_of, some
from ladtl_np.audit.comparing import Comparisons
from ladtl_np.audit.divergence import without_two_chains
from ladtl_np.audit.equations.characters import check_characters
from ladtl_np.audit.equations.decoding import check_decoding, check_legal, drawn_heads
from ladtl_np.audit.equations.defaults import LONGEST, SENTENCES, TOLERANCE
from ladtl_np.audit.equations.discrepancy import check_mmd_terms, matched_by_name
from ladtl_np.audit.equations.likelihood import Likelihood, check_chains
from ladtl_np.audit.equations.literal import literal_chain, literal_hidden
from ladtl_np.audit.equations.loss import check_loss
from ladtl_np.audit.equations.packed import drawn_chains, first_tokens, pack_chains
from ladtl_np.audit.equations.paths import MOST, longest
from ladtl_np.audit.equations.renumbered import RENUMBERED, renumbered
from ladtl_np.audit.equations.shown import equation_tables
from ladtl_np.audit.equations.step import check_adagrad, check_dropout
from ladtl_np.audit.equations.transfer import check_distance, check_divergences
from ladtl_np.audit.outcome import Audit, Line, Tell, noted
from ladtl_np.audit.subject import Subject
from ladtl_np.model.network import SOURCE, TARGET
from ladtl_np.objective.batching import EncodedSentence
from ladtl_np.objective.encoder import encoder_forward
from ladtl_np.options.seeds import stream
from ladtl_np.shapes import Floats

__all__ = ["check_equations"]

_PARTS = 7
_FEW_TAGS = 5  # of drawn chains, so that longer ones can be enumerated however many a model has
_CUT = 6  # lengths that decoding is tried on: 1, 2, ... of a sentence's first words
_TITLE = "Equations 1 to 6, computed twice and three times"


class Side(NamedTuple):
    """One domain's sentences as the kernels see them."""

    head: str
    sentences: tuple[EncodedSentence, ...]
    hidden: list[Floats]  # (T, 2H) of each

    @property
    def name(self) -> str:
        """The domain."""
        return self.head.partition("_")[0]

    def where(self) -> list[str]:
        """What each sentence is called."""
        return [f"{self.name} line {sentence.line}" for sentence in self.sentences]


def check_equations(
    subject: Subject,
    *,
    sentences: int = SENTENCES,
    tolerance: float = TOLERANCE,
    seed: int = 0,
    tell: Tell | None = None,
) -> Audit:
    """Compute each term of Eq. (1) to (6) by the kernels, by the reference and by enumeration.

    Parameters
    ----------
    subject
        A model and sentences.
    sentences
        Of either domain at most, evenly spaced over those of up to LONGEST tokens.
    tolerance
        Largest difference that passes, relative to the larger value and at least to 1.
    seed
        Of drawn scores, weights and masks.
    tell
        Told how far the work is.

    Returns
    -------
    Audit
        A line for each comparison, with its largest difference and where that is.
    """
    rng = stream(seed, "audit")
    book = Comparisons()
    source, target = (some(half, sentences, LONGEST) for half in (subject.source, subject.target))
    batch = batch_of(source, target, subject.spelled)
    done = _counted(tell)
    with single_threaded_blas():
        hidden = encoder_forward(subject.network, batch, None, Workers())[0].copy()
    sides = _sides((source, target), hidden)
    _check_encoder(book, subject, sides, rng)
    done(1)
    likelihoods = [row for side in sides for row in _check_likelihood(book, subject, side, rng)]
    done(2)
    _check_decoders(book, subject, sides, rng)
    done(3)
    labels = check_mmd_terms(book, subject, batch, hidden) if source else []
    done(4)
    divergences, lines = _check_transfer(book, subject, sides, rng)
    done(5)
    losses = check_loss(book, subject, source, target, rng)
    if not without_two_chains(subject):
        _check_renumbered(book, subject, sentences, rng)
    done(6)
    check_adagrad(book, subject, batch, rng)
    lines += check_dropout(subject, rng)
    done(_PARTS)
    return Audit(
        key="equations",
        title=_TITLE,
        lines=[*book.lines(tolerance), *lines],
        notes=_notes(subject, sides),
        tables=equation_tables(likelihoods, divergences, labels, losses),
        numbers={"sentences": [row._asdict() for row in likelihoods]},
    )


def _counted(tell: Tell | None) -> Callable[[int], None]:
    return lambda done: None if tell is None else tell(done, _PARTS)


def _notes(subject: Subject, sides: Sequence[Side]) -> list[str]:
    lengths = [
        f"{longest(m)} tokens of {m} tags" for m in sorted({_tags_of(subject, s) for s in sides})
    ]
    counts = " and ".join(f"{len(side.sentences)} of the {side.name}" for side in sides)
    return [
        *subject.notes,
        f"Looked at {counts}. Each term is computed by the kernels that train, in float64, and by "
        "the reference, sentence by sentence.",
        f"Chains of at most {MOST:,} tag sequences are enumerated, that is of up to "
        f"{' or '.join(lengths)}. Of longer sentences the first tokens are taken, whose scores are "
        "a chain as well. Chains with drawn scores are there too, in which no path stands out.",
    ]


def _tags_of(subject: Subject, side: Side) -> int:
    return subject.network.architecture.heads()[side.head]


def _sides(chosen: Sequence[Sequence[EncodedSentence]], hidden: Floats) -> list[Side]:
    """The sentences of each head that is there, with their rows of the packed hidden states."""
    together = [sentence for half in chosen for sentence in half]
    lengths = np.array([sentence.words.size for sentence in together])
    rows = iter(np.split(pack(lengths).rows, np.cumsum(lengths)[:-1]))
    sides = [
        Side(head, tuple(half), [hidden[next(rows)] for _ in half])
        for head, half in zip((SOURCE, TARGET), chosen, strict=True)
    ]
    return [side for side in sides if side.sentences]


def _check_encoder(
    book: Comparisons, subject: Subject, sides: Sequence[Side], rng: np.random.Generator
) -> None:
    """Hidden states and emission scores of every sentence."""
    for side in sides:
        for where, sentence, H in zip(side.where(), side.sentences, side.hidden, strict=True):
            literal = literal_hidden(subject.network, sentence, subject.spelled)
            book.add("hidden states H: kernels against reference", H, literal, where)
            E, _ = chain_of(subject.network, side.head, H)
            wanted, _ = literal_chain(subject.network, side.head, literal)
            book.add("emission scores E: kernels against reference", E, wanted, where)
    if subject.network.architecture.characters:
        check_characters(book, subject.network, rng)


def _check_likelihood(
    book: Comparisons, subject: Subject, side: Side, rng: np.random.Generator
) -> list[Likelihood]:
    """Eq. (1) and (3) of whole sentences, of first tokens, and of drawn scores."""
    chains = [chain_of(subject.network, side.head, H) for H in side.hidden]
    tags = [sentence.tags for sentence in side.sentences]
    whole = pack_chains(side.where(), [chain.E for chain in chains], chains[0].A, tags)
    rows = check_chains(book, whole, rng)
    most = longest(len(whole.A))
    check_chains(book, first_tokens(whole, most), rng)
    for m in (len(whole.A), _FEW_TAGS):
        check_chains(book, drawn_chains(side.name, m, longest(m), rng), rng)
    return rows


def _check_decoders(
    book: Comparisons, subject: Subject, sides: Sequence[Side], rng: np.random.Generator
) -> None:
    """Best paths by the decoder, of whole sentences and of their first words."""
    drawn = drawn_heads(subject.network, rng)
    for side in sides:
        tags = subject.target_tags if side.head == TARGET else subject.source_tags
        assert tags is not None
        check_legal(book, tags, side.name)
        sentences = [*side.sentences, *_cut(side.sentences)]
        for what, network in {"own scores": subject.network, "drawn scores": drawn}.items():
            check_decoding(book, subject, network, side.head, sentences, what)


def _cut(sentences: Sequence[EncodedSentence]) -> list[EncodedSentence]:
    """The first 1, 2, ... words of some sentences: boundaries are where batches go wrong."""
    return [
        sentence._replace(
            words=sentence.words[:count],
            tags=sentence.tags[:count],
            spellings=None if sentence.spellings is None else sentence.spellings[:count],
        )
        for sentence, count in zip(sentences, range(1, _CUT + 1), strict=False)
    ]


def _check_renumbered(
    book: Comparisons, subject: Subject, sentences: int, rng: np.random.Generator
) -> None:
    """What is matched by name, with the source's tags in another order."""
    other = renumbered(subject)
    source, target = (some(half, sentences, LONGEST) for half in (other.source, other.target))
    batch = batch_of(source, target, other.spelled)
    with single_threaded_blas():
        hidden = encoder_forward(other.network, batch, None, Workers())[0].copy()
    check_mmd_terms(book, other, batch, hidden)
    check_distance(book, other.network, matched_by_name(other))
    check_loss(book, other, source, target, rng, RENUMBERED)


def _check_transfer(
    book: Comparisons, subject: Subject, sides: Sequence[Side], rng: np.random.Generator
) -> tuple[list[tuple[str, float, float]], list[Line]]:
    """Eq. (6) and L_p, where there are two CRFs."""
    reason = without_two_chains(subject)
    if reason:
        return [], [noted("Eq. (6) and L_p", "not there", reason)]
    network = subject.network
    check_distance(book, network, matched_by_name(subject))
    named: list[tuple[str, Chain, Chain]] = [
        (where, chain_of(network, SOURCE, H), chain_of(network, TARGET, H))
        for side in sides
        for where, H in zip(side.where(), side.hidden, strict=True)
    ]
    found = check_divergences(book, named, subject.objective.matched)
    drawn = (drawn_chains("drawn", _FEW_TAGS, longest(_FEW_TAGS), rng).chains() for _ in range(2))
    pairs = [(where, p, q) for (where, p, _), (_, q, _) in zip(*drawn, strict=True)]
    every = np.arange(_FEW_TAGS)
    check_divergences(book, pairs, (every, every))
    names = (where for where, _, _ in named)
    return [(where, *each) for where, each in zip(names, found, strict=True)], []
