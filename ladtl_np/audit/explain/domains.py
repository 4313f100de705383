"""Both domains' heads on one sentence, side by side."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ladtl_np.audit.comparing import difference
from ladtl_np.audit.explain.explained import Explained
from ladtl_np.audit.explain.heads import Head
from ladtl_np.audit.explain.path_tables import marginals_table, probability, tokens_table
from ladtl_np.audit.explain.scores import head_numbers, kernel_lines, lattice_figure
from ladtl_np.audit.outcome import Audit, Line, held, noted
from ladtl_np.layers import divergence as kernels
from ladtl_np.pages.content import Cell, Table
from ladtl_np.reference.divergence import divergence_forward
from ladtl_np.shapes import Floats

__all__ = ["domains_audit"]


def domains_audit(found: Explained, tolerance: float) -> Audit:
    """Paths, marginals and probabilities of both heads, and how far apart they are."""
    own, other = found.heads
    lines = list(kernel_lines(other, found.kernel_heads[1], tolerance))
    told, values = _divergence(found, tolerance)
    tables = [_paths_table(found.heads), _side_by_side(found)]
    tables += [tokens_table(found, other, path, folded=True) for path in other.distinct()]
    tables.append(marginals_table(found, other, folded=True))
    return Audit(
        "explain-heads",
        "Both domains' heads",
        [*lines, *told, _agreement(found)],
        notes=[
            f"The same hidden states under the {own.domain} head and under the {other.domain} "
            "head, each with its own tags."
        ],
        tables=tables,
        draw=lambda _: [lattice_figure(found, other)],
        numbers={"head": head_numbers(other), "kl": values},
    )


def _agreement(found: Explained) -> Line:
    own = found.heads[0]
    pairs = zip(own.names(own.predicted), _as_own(found), strict=True)
    different = sum(one != two for one, two in pairs)
    tokens = len(found.words.tokens)
    return noted("tokens that the heads tag differently", f"{different:,} of {tokens:,}")


def _as_own(found: Explained) -> list[str | None]:
    """Tags that the other head predicts, in the names of the first; None for those it lacks."""
    own, other = found.heads
    partner = _partners(found, other, own)
    numbers = [partner.get(tag) for tag in other.predicted.tags.tolist()]
    return [None if number is None else own.tags.tags[number] for number in numbers]


def _partners(found: Explained, one: Head, two: Head) -> dict[int, int]:
    """Tags of one head and those of the other that mean the same."""
    source, target = (side.tolist() for side in found.matched)
    sides = (target, source) if one.domain == "target" else (source, target)
    return dict(zip(*sides, strict=True))


def _paths_table(heads: list[Head]) -> Table:
    rows = []
    for head in heads:
        for path in head.paths:
            names = [Cell(head.domain), Cell(path.name)]
            numbers = (f"{path.score:.3f}", f"{head.log_z:.3f}", f"{path.log_p:.3f}")
            p = probability(float(np.exp(path.log_p)))
            rows.append([*names, *map(Cell, numbers), Cell(p)])
    header = ["head", "path", "score", "log Z", "log p", "p"]
    return Table("explain-both-paths", "Paths of both heads", header, rows, names=2)


def _side_by_side(found: Explained) -> Table:
    own, other = found.heads
    names, others, as_own = own.names(own.predicted), other.names(other.predicted), _as_own(found)
    rows = []
    for t, token in enumerate(found.shown_tokens):
        different = names[t] != as_own[t]
        first, second = (probability(float(head.predicted.marginal[t])) for head in (own, other))
        cells = [Cell(str(t + 1)), Cell(token), Cell(names[t]), Cell(others[t], best=different)]
        rows.append([*cells, Cell(first), Cell(second)])
    header = [
        "n",
        "token",
        *(f"{head.domain} {what}" for what in ("tag", "p") for head in (own, other)),
    ]
    caption = "Predictions of both heads with their marginals; where they differ they are marked"
    return Table("explain-side-by-side", caption, header, rows, names=4)


def _divergence(found: Explained, tolerance: float) -> tuple[list[Line], dict[str, float] | None]:
    """KL of the two distributions over tag sequences, both ways, where every tag is matched."""
    source, target = sorted(found.heads, key=lambda head: head.domain == "target")
    numbers, partners = found.matched
    if not numbers.size == len(source.tags) == len(target.tags):
        told = f"{numbers.size:,} of {len(source.tags):,} and {len(target.tags):,} tags matched"
        why = "a divergence is of distributions over the same tags"
        return [noted("KL of the heads", told, why)], None
    same = numbers[np.argsort(partners)]  # the source's number of each target tag
    p_s = source.E[:, same], source.A[np.ix_(same, same)]
    p_t = target.E, target.A
    return list(_divergence_lines(p_s, p_t, tolerance)), {
        "source_target": divergence_forward(*p_s, *p_t),
        "target_source": divergence_forward(*p_t, *p_s),
    }


def _divergence_lines(
    p_s: tuple[Floats, Floats], p_t: tuple[Floats, Floats], tolerance: float
) -> Iterator[Line]:
    offsets = np.arange(len(p_s[0]) + 1)
    for name, one, two in (("source || target", p_s, p_t), ("target || source", p_t, p_s)):
        by_reference = divergence_forward(*one, *two)
        E, A, E_other, A_other = map(np.ascontiguousarray, (*one, *two))
        by_kernels, _ = kernels.divergence_forward(E, A, E_other, A_other, offsets)
        yield noted(f"KL({name}) over tag sequences, in nats", f"{by_reference:.4f}")
        law = f"KL({name}), kernels and reference"
        yield held(law, difference(by_kernels, by_reference), tolerance)
