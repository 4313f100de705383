"""``check_mmd``: the discrepancy between two domains, checked, tested and drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

from ladtl_np.arrays.workers import Workers, single_threaded_blas
from ladtl_np.audit.mmd import BATCHES, PERMUTATIONS
from ladtl_np.audit.mmd.cloud import Plane, draw_planes, plane_of
from ladtl_np.audit.mmd.labels import (
    Halves,
    LabelFound,
    Sample,
    find_label,
    halves_of,
    quantiles,
    samples_of,
)
from ladtl_np.audit.mmd.lines import (
    halves_lines,
    labels_table,
    law_errors,
    law_lines,
    told_apart,
    width_table,
)
from ladtl_np.audit.mmd.looks import (
    Look,
    Stop,
    batches_of,
    look,
    looks_of_training,
    looks_table,
    mean_look,
    training_table,
)
from ladtl_np.audit.mmd.permutation import SentenceGram
from ladtl_np.audit.outcome import Audit, Line, Tell, noted, steps_of
from ladtl_np.audit.subject import Subject
from ladtl_np.errors import UsageError
from ladtl_np.layers.mmd_variances import REFERENCE_VARIANCES
from ladtl_np.model.network import Network
from ladtl_np.options.seeds import stream
from ladtl_np.pages.content import Table
from ladtl_np.runs.hidden_rows import MOST_ROWS, MOST_SENTENCES, hidden_rows
from ladtl_np.shapes import Floats
from ladtl_np.training.prepared import Prepared

__all__ = ["check_mmd"]

_NOTES = (
    f"Hidden states of at most {MOST_SENTENCES} training sentences a domain, without dropout, and "
    f"at most {MOST_ROWS:,} tokens a label and domain, evenly spaced.",
    "p is the share of permutations of whole sentences between the domains with an MMD² as large. "
    "“If alike” is the mean of the permutations: where the biased estimate lies for domains that "
    "do not differ. “If independent too” is the same for tokens drawn one by one.",
    "The reference variances are fixed, and training changes the scale of hidden states: compare "
    "MMD² before and after with what it would be for domains that are alike, not with each other.",
)


class _Side(NamedTuple):
    """One network's view of all labels."""

    samples: list[Sample]
    grams: list[SentenceGram]
    found: list[LabelFound]
    errors: list[tuple[str, dict[str, float]]]
    distances: Floats
    plane: Plane
    look: Look


def check_mmd(
    subject: Subject,
    *,
    permutations: int = PERMUTATIONS,
    batches: int = BATCHES,
    seed: int = 0,
    retrain: Prepared | None = None,
    tell: Tell | None = None,
) -> Audit:
    """Squared MMD of every matched label, Eq. (4) and (5), tested, and what it does in training.

    Parameters
    ----------
    subject
        A run, or a model with corpora of both domains.
    permutations
        Of the sentences of each label; the least p-value is 1 / (permutations + 1).
    batches
        Mini-batches of the run's sizes whose gradients are compared.
    seed
        Of permutations, halves and mini-batches.
    retrain
        What the run started from (`run_files.prepared_run`): it is trained again, in place, and
        looked at at every evaluation.
    tell
        Is told how far it is.

    Raises
    ------
    UsageError
        If the subject has one domain, no label that both hold, or a source without text.
    """
    _require_two_domains(subject)
    known = {"before training": subject.initial, "after training": subject.network}
    networks = {name: network for name, network in known.items() if network is not None}
    total = len(subject.objective.matched[0]) * (len(networks) + 1)
    total += 0 if retrain is None else retrain.config.training.steps
    step = steps_of(tell, total)
    given = (subject, permutations, batches, seed, step)
    with single_threaded_blas():
        sides = {name: _side(network, name, *given) for name, network in networks.items()}
        last = sides["after training"]
        halved = halves_of(last.samples, last.grams, seed, step)
    stops = None
    if retrain is not None:
        rng = stream(seed, "audit")
        stops = looks_of_training(retrain, batches, rng, step, subject.number)
    if tell is not None:
        tell(total, total)  # labels that one domain lacks are not counted
    lines = law_lines([error for side in sides.values() for error in side.errors])
    lines += halves_lines(halved)
    lines += [told_apart(name, side.found) for name, side in sides.items()]
    lines += _gradient_lines(last.look)
    return Audit(
        "mmd",
        "Maximum mean discrepancy",
        lines,
        [*subject.notes, *_NOTES],
        _tables(subject, sides, stops, batches),
        partial(draw_planes, planes={name: side.plane for name, side in sides.items()}),
        _numbers(sides, halved, stops),
    )


def _require_two_domains(subject: Subject) -> None:
    if not subject.source:
        raise UsageError(
            f"{subject.name}: method {subject.config.method} trains one domain at a time, and "
            "there are no two to compare; name a run of a method that trains both, such as la-dtl"
        )
    if subject.prepared is not None and subject.prepared.from_file is not None:
        raise UsageError(
            f"{subject.name}: its source is a file without text, so that there are no hidden "
            "states of the source to compare with; name a run that read its source"
        )
    if not subject.objective.matched[0].size:
        raise UsageError(
            f"{subject.name}: no tag of the source is matched with one of the target; see "
            "data.label_map"
        )


def _side(
    network: Network,
    name: str,
    subject: Subject,
    permutations: int,
    batches: int,
    seed: int,
    step: Callable[[], None],
) -> _Side:
    workers = Workers()
    halves = subject.source, subject.target
    rows = hidden_rows(network, *halves, subject.spelled, workers)
    samples = samples_of(subject, rows, rows.pairs(subject.objective.matched))
    if not samples:
        raise UsageError(f"{subject.name}: no label is in the sentences of both domains")
    own = subject.objective.options.variances()
    chances = stream(seed, "audit").spawn(len(samples) + 1)  # the same for every network
    grams, found, errors = [], [], []
    for sample, rng in zip(samples, chances[1:], strict=True):
        gram = sample.gram(REFERENCE_VARIANCES)
        found.append(find_label(sample, gram, own, permutations, rng))
        errors.append((f"{sample.name} {name}", law_errors(sample, gram, workers)))
        grams.append(gram)
        step()
    given = subject.config, subject.objective
    drawn = batches_of(*given, *halves, subject.spelled, batches, chances[0])
    seen = mean_look([look(network, subject.objective, batch) for batch in drawn])
    return _Side(samples, grams, found, errors, quantiles(samples), plane_of(samples), seen)


def _gradient_lines(seen: Look) -> list[Line]:
    """What the transfer terms weigh in a mini-batch of the trained network."""
    lines = [
        noted(
            "gradient of w_mmd MMD, of the likelihood's on the encoder",
            f"{100 * seen.mmd:.1f} %",
            "after training",
        )
    ]
    if seen.param == seen.param:  # NaN without a CRF of the target's own
        told = f"{100 * seen.param:.1f} %"
        name = "gradient of the parameter term, of the likelihood's on the target CRF"
        lines.append(noted(name, told, "after training"))
    told = f"{seen.gaussians:.1f} of {len(REFERENCE_VARIANCES)}"
    return [*lines, noted("Gaussians that tell distances apart", told, "after training")]


def _tables(
    subject: Subject, sides: dict[str, _Side], stops: Sequence[Stop] | None, batches: int
) -> list[Table]:
    short = {name.split()[0]: side for name, side in sides.items()}
    distances = {name: side.distances for name, side in sides.items()}
    samples = next(iter(sides.values())).samples
    own = subject.objective.options.variances()
    widths = sorted({*REFERENCE_VARIANCES, *(own or ())})
    return [
        labels_table(samples, {name: side.found for name, side in short.items()}),
        width_table(distances, widths),
        looks_table({name: side.look for name, side in sides.items()}, batches),
        *([] if stops is None else [training_table(stops, batches)]),
    ]


def _numbers(
    sides: dict[str, _Side], halved: Halves, stops: Sequence[Stop] | None
) -> dict[str, Any]:
    """Plain values of what the tables round."""
    return {
        "networks": {
            name.split()[0]: {
                "labels": [
                    _label_numbers(sample, label)
                    for sample, label in zip(side.samples, side.found, strict=True)
                ],
                "distances": side.distances.tolist(),
                "variance_drawn": list(side.plane.shares),
                "look": side.look.to_json(),
            }
            for name, side in sides.items()
        },
        "halves": halved._asdict(),
        "training": None if stops is None else [stop.to_json() for stop in stops],
    }


def _label_numbers(sample: Sample, label: LabelFound) -> dict[str, Any]:
    own = {} if label.own is None else {"own": label.own._asdict()}
    return {
        "label": sample.name,
        "source_tokens": len(sample.source),
        "target_tokens": len(sample.target),
        **label.tested._asdict(),
        "floor": label.floor,
        "median_distance": label.median,
        **own,
    }
