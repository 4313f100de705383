"""The divergence of the two CRFs on every sentence, and the chain of its bounds.

Eq. (6) to (8), lemmas A.1 and A.2; docs/math/parameter_transfer.md (6) to (10).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

from ladtl_np.audit.bounds import CHECKS, Bounds, bounds_of, difference_of, matched_chains
from ladtl_np.audit.chains import hidden_states
from ladtl_np.audit.chosen import some
from ladtl_np.audit.comparing import Comparison
from ladtl_np.audit.divergence_shown import bounds_figure, bounds_tables
from ladtl_np.audit.outcome import Audit, Line, Tell, noted
from ladtl_np.audit.subject import Subject
from ladtl_np.audit.subject_notes import STANDING_IN
from ladtl_np.model.network import SOURCE, TARGET, Network
from ladtl_np.objective.batching import EncodedSentence
from ladtl_np.reference.divergence import divergence_forward

__all__ = ["TOLERANCE", "check_divergence", "without_two_chains"]

TOLERANCE = 1e-9
"""Rounding that is allowed for, relative to the larger side and at least to 1."""
_TITLE = "Divergence of the two CRFs, and its bounds"
_TWICE, _LONGEST = 50, 300  # sentences that the reference computes too, tokens of one at most
_WHAT = (
    "For every sentence: the exact KL(p_s || p_t) in nats; (b - a)^2 / 8, where a and b are the "
    "least and the largest difference s_s - s_t over all tag sequences, from two Viterbi runs; "
    "c_1 / 2 L_p with the sentence's own constant c_1; and 2 sqrt(c_1 L_p), which lemma A.2 of the "
    "paper gives. Epsilon is sqrt(c_1 L_p)."
)
_UNKNOWN_START = (
    "What training did is not told, because a model file does not hold the values that it started "
    "from. Name a run's folder to see both."
)


def check_divergence(
    subject: Subject,
    *,
    sentences: int | None = None,
    tolerance: float = TOLERANCE,
    tell: Tell | None = None,
) -> Audit:
    """Check the order of KL and its bounds on each of the target's sentences.

    Parameters
    ----------
    subject
        A model with two CRFs; of others the audit says why there is nothing to compare.
    sentences
        At most so many, evenly spaced; None is all.
    tolerance
        Rounding that is allowed for, relative to the larger side and at least to 1.
    tell
        Told how far the work is.

    Returns
    -------
    Audit
        A line for each inequality; before training too where the start is known.
    """
    reason = without_two_chains(subject)
    if reason:
        return Audit("kl", _TITLE, [noted("KL(p_s || p_t)", "not there", reason)])
    chosen = some(subject.target, sentences or len(subject.target))
    stages = {"after training": subject.network}
    if subject.initial is not None:
        stages = {"before training": subject.initial, **stages}
    found: dict[str, list[Bounds]] = {}
    lines: list[Line] = []
    for number, (stage, network) in enumerate(stages.items()):
        done = number * len(chosen), len(stages) * len(chosen)
        found[stage], agreed = _measured(subject, network, chosen, tell, done)
        checked = [_ordered(name, found[stage], tolerance) for name in CHECKS]
        checked += [comparison.line(tolerance) for comparison in agreed]
        lead = f"{stage}: " if len(stages) > 1 else ""
        lines += [line._replace(check=f"{lead}{line.check}") for line in checked]
    lines += _without_gold(found["after training"])
    return Audit(
        key="kl",
        title=_TITLE,
        lines=lines,
        notes=_notes(subject, len(chosen)),
        tables=bounds_tables(found),
        draw=partial(bounds_figure, found=found),
        numbers={stage: [each.to_json() for each in bounds] for stage, bounds in found.items()},
    )


def without_two_chains(subject: Subject) -> str:
    """Why L_p does not hold two CRFs together, "" where it does."""
    sizes = subject.network.architecture
    if not {SOURCE, TARGET} <= sizes.heads().keys():
        return "the model has one domain, so there is no second distribution to compare with"
    if sizes.shared_crf:
        return (
            "the model has one CRF for both domains, so there is no L_p; a model of la-dtl, crf-l2 "
            "or mmd-crf-l2 has two"
        )
    if sizes.projection != "none":
        return "a projection stands before the CRFs, which the bound by L_p does not know of"
    return ""


def _notes(subject: Subject, count: int) -> list[str]:
    sizes, (source, target) = subject.network.architecture, subject.objective.matched
    told = [note for note in subject.notes if note != STANDING_IN]  # the target's alone count here
    looked_at = f"Looked at {count:,} of {len(subject.target):,} sentences of the target."
    notes = [_WHAT, *told, looked_at]
    left_out = sizes.source_tags - source.size, sizes.target_tags - target.size
    if any(left_out):
        notes.append(
            f"{left_out[0]} tags of the source and {left_out[1]} of the target are unmatched. Both "
            f"chains are restricted to the sequences of the {source.size} matched tags."
        )
    return notes if subject.initial is not None else [*notes, _UNKNOWN_START]


def _measured(
    subject: Subject,
    network: Network,
    sentences: Sequence[EncodedSentence],
    tell: Tell | None,
    done: tuple[int, int],
) -> tuple[list[Bounds], list[Comparison]]:
    """Bounds of every sentence, and what was computed twice."""
    literal = Comparison("KL: layers against reference")
    extremes = Comparison("b and a: score of Viterbi against its path's")
    products = Comparison("(8): difference of scores against the scalar product")
    distance = Comparison("L_p: layers against sum of squared differences")
    matched = subject.objective.matched
    difference = difference_of(network, matched)
    distance.add(difference.distance, (difference.W**2).sum() + (difference.A**2).sum(), "")
    twice = {id(sentence) for sentence in some(sentences, _TWICE, _LONGEST)}
    found = []
    states = hidden_states(network, sentences, subject.spelled)
    for number, (sentence, H) in enumerate(zip(sentences, states, strict=True), 1):
        where = f"line {sentence.line}"
        source, target = matched_chains(network, matched, H)
        bounds = bounds_of(sentence, H, (source, target), difference, matched[1])
        if id(sentence) in twice:
            literal.add(bounds.kl, divergence_forward(*source, *target), where)
        for score, path in zip((bounds.high, bounds.low), bounds.paths, strict=False):
            extremes.add(score, path.difference, where)
        for path in bounds.paths:
            products.add(path.product, path.difference, where)
        found.append(bounds)
        if tell is not None:
            tell(done[0] + number, done[1])
    return found, [literal, extremes, products, distance]


def _ordered(name: str, bounds: Sequence[Bounds], tolerance: float) -> Line:
    """A line for one inequality on every sentence; a NaN on either side breaks it."""
    broken, nearest = 0, (-math.inf, "")
    for each in bounds:
        largest = -math.inf
        for left, right in CHECKS[name](each):
            excess = (left - right) / max(1.0, abs(left), abs(right))
            excess = math.inf if math.isnan(excess) else excess
            largest = max(largest, excess)
            told = f"nearest on line {each.line}: {left:.6g} and {right:.6g}"
            nearest = max(nearest, (excess, told))
        broken += largest > tolerance
    found = f"on {len(bounds) - broken:,} of {len(bounds):,} sentences"
    return Line(name, found, "on all", "failed" if broken else "passed", nearest[1])


def _without_gold(bounds: Sequence[Bounds]) -> list[Line]:
    count = sum(all(path.name != "gold" for path in each.paths) for each in bounds)
    why = "their gold tags have unmatched ones, so lemma A.1 is seen on the two extreme paths only"
    return [noted("sentences without a gold path in both chains", f"{count:,}", why)] * bool(count)
