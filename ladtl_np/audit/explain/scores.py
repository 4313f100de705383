"""Scores and probabilities of the paths of a sentence, Eq. (1) and (3), and its lattice."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from ladtl_np.audit.comparing import difference
from ladtl_np.audit.explain.explained import Explained
from ladtl_np.audit.explain.heads import Head, KernelHead, Path, chain_log_probability
from ladtl_np.audit.explain.path_tables import (
    differences_table,
    entities_table,
    marginals_table,
    paths_table,
    probability,
    sentence_table,
    tokens_table,
)
from ladtl_np.audit.outcome import Audit, Line, held, noted
from ladtl_np.pages.content import Figure
from ladtl_np.pages.drawing.lattice import Lattice, Way, draw_lattice
from ladtl_np.pages.drawing.lattice_layout import LEAST
from ladtl_np.printable import counted

__all__ = ["head_numbers", "kernel_lines", "lattice_figure", "scores_audit"]

_SINGLE = 1e-5
"""Relative difference of two scores that the precision of a model file, float32, cannot tell."""
_CAPTION = (
    "Nodes: marginals of tags; edges: expected transitions. A line starts with the last token of "
    "the line before. Pointing at a node shows its token, tag and marginal."
)


def scores_audit(found: Explained, tolerance: float) -> Audit:
    """Paths, their scores split by token, and the checks of the chosen domain's head."""
    head = found.heads[0]
    tables = [sentence_table(found, head), paths_table(head), entities_table(found, head)]
    tables += [
        tokens_table(found, head, path, folded=number > 1)
        for number, path in enumerate(head.distinct())
    ]
    tables.append(marginals_table(found, head, folded=False))
    gold = head.gold
    if gold is not None and not np.array_equal(gold.tags, head.predicted.tags):
        tables.append(differences_table(found, head, gold))
    return Audit(
        "explain",
        f"Paths of the {head.domain} head",
        [*_lines(found, head, found.kernel_heads[0], tolerance), _legal_line(head)],
        notes=list(_notes(found, head)),
        tables=tables,
        draw=lambda _: [lattice_figure(found, head)],
        numbers={
            "tokens": list(found.words.tokens),
            "unknown": [not known for known in found.words.known],
            "decoded": list(found.decoded),
            "constrained": found.constrained,
            "head": head_numbers(head),
        },
    )


def _notes(found: Explained, head: Head) -> Iterator[str]:
    tokens = len(found.words.tokens)
    unknown = found.words.known.count(False)
    way = "the best legal path" if found.constrained else "the best path, legal or not"
    yield (
        f"{counted(tokens, 'tokens')}, {unknown:,} of them unknown to the model. The predicted "
        f"path is {way} of the {head.domain} head; probabilities are those of Eq. (3), over all "
        "tag sequences."
    )
    if head.gold is None:
        yield "The sentence comes without gold tags."
    if found.left_out:
        yield (
            "The model has an emission bias, which its options leave out of decoding "
            "(decoding.emission_bias); scores are without it, as tagging has them."
        )


def _lines(found: Explained, head: Head, kernels: KernelHead, tolerance: float) -> Iterator[Line]:
    paths = head.paths
    sums = [float(path.sums[-1]) for path in paths]
    parts = difference(np.array(sums), np.array([path.score for path in paths]))
    yield held("emissions and transitions add up to the score, Eq. (1)", parts, tolerance)
    chains = [(path, chain_log_probability(head, path)) for path in paths]
    errors = [difference(p, path.log_p) for path, p in chains if not math.isnan(p)]
    if errors:
        law = "score - log Z is log p by the marginals alone, Eq. (3)"
        yield held(law, max(errors), tolerance)
    sums_of_tags = head.unary.sum(axis=1)
    yield held(
        "marginals of each token sum to 1",
        difference(sums_of_tags, np.ones_like(sums_of_tags)),
        tolerance,
    )
    rows, columns = head.neighbours.sum(axis=2), head.neighbours.sum(axis=1)
    both = max(difference(rows, head.unary[:-1]), difference(columns, head.unary[1:]))
    yield held("transitions out of and into a tag sum to its marginal", both, tolerance)
    yield _decoder_line(found, head)
    yield from kernel_lines(head, kernels, tolerance)


def kernel_lines(head: Head, kernels: KernelHead, tolerance: float) -> Iterator[Line]:
    """The numbers of a head by the kernels against those by the reference."""
    nll = [-path.log_p for path in head.paths]
    errors = {
        "emission scores": difference(kernels.E, head.E),
        "-log p of the paths": difference(np.array(kernels.nll), np.array(nll)),
        "marginals of tags": difference(kernels.unary, head.unary),
        "expected transitions": difference(kernels.pairwise, head.neighbours.sum(axis=0)),
        "best score": difference(kernels.best_score, _best_free(head).score),
    }
    for name, error in errors.items():
        yield held(f"{head.domain} head, kernels and reference: {name}", error, tolerance)


def _best_free(head: Head) -> Path:
    """The best path of all; a legal one that is no better than it comes before it in the list."""
    return max(head.paths, key=lambda path: path.score)


def _decoder_line(found: Explained, head: Head) -> Line:
    """Whether tagging gives the path that is best in float64, or one that float32 cannot tell."""
    check, wanted = "tagging gives the predicted path", "the same tags"
    if found.decoded == head.names(head.predicted):
        return Line(check, "the same tags", wanted, "passed")
    other = head.path("decoded", head.tags.encode(found.decoded))
    gap = head.predicted.score - other.score
    told = f"other tags, with a score that is {gap:.2g} lower in float64"
    if 0 <= gap <= _SINGLE * max(1.0, abs(head.predicted.score)):
        return noted(check, told, "the precision of the model file cannot tell them apart")
    return Line(check, told, wanted, "failed")


def _legal_line(head: Head) -> Line:
    legal = probability(math.exp(head.log_legal))
    return noted(f"probability that tags are legal in {head.tags.scheme}", legal)


def lattice_figure(found: Explained, head: Head) -> Figure:
    """The lattice of a head with its paths."""
    unknown = {t for t, known in enumerate(found.words.known) if not known}
    ways = [Way(path.name, path.tags) for path in head.paths]
    lattice = Lattice(
        found.words.tokens, head.tags.tags, head.unary, head.neighbours, ways, unknown
    )
    caption = f"Lattice of the {head.domain} head. {_CAPTION}"
    return draw_lattice(f"lattice-{head.domain}", caption, lattice)


def head_numbers(head: Head) -> dict[str, Any]:
    """Everything in full precision; marginals of the tags that matter anywhere.

    A transition is the token that it leads to, counted from 1, its two tags and its marginal.
    """
    names = head.tags.tags
    kept = np.flatnonzero(head.unary.max(axis=0) >= LEAST)
    return {
        "domain": head.domain,
        "log_z": head.log_z,
        "log_legal": head.log_legal,
        "tags": [names[tag] for tag in kept],
        "marginals": head.unary[:, kept].tolist(),
        "transitions": [
            [t + 2, names[i], names[j], float(head.neighbours[t, i, j])]
            for t, i, j in np.argwhere(head.neighbours >= LEAST).tolist()
        ],
        "paths": {
            path.name: {
                "tags": list(head.names(path)),
                "emission": path.emission.tolist(),
                "transition": path.transition.tolist(),
                "marginal": path.marginal.tolist(),
                "score": path.score,
                "log_p": path.log_p,
            }
            for path in head.paths
        },
    }
