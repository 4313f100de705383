"""Tables of the equations: each sentence, each label, each term of the loss."""

from __future__ import annotations

from collections.abc import Sequence

from ladtl_np.audit.equations.discrepancy import LabelMmd
from ladtl_np.audit.equations.likelihood import Likelihood
from ladtl_np.objective.terms import LossTerms
from ladtl_np.pages.content import Cell, Table

__all__ = ["equation_tables"]

_HEADER = ["sentence", "tokens", "emissions", "transitions", "log Z", "log p(y|H)", "best path"]


def equation_tables(
    sentences: Sequence[Likelihood],
    divergences: Sequence[tuple[str, float, float]],
    labels: Sequence[LabelMmd],
    losses: Sequence[tuple[str, LossTerms, LossTerms]],
) -> list[Table]:
    """Tables for the page; those of sentences and labels are folded."""
    tables = [
        Table(
            "equations-loss",
            "Loss of sec. 4.2 for one mini-batch, with weights for sentences and a dropout mask",
            ["objective", "term", "kernels", "reference", "difference"],
            [_cells(name, *row) for name, one, other in losses for row in _terms(one, other)],
            names=2,
        ),
        Table(
            "equations-sentences",
            "Each sentence under its own domain's CRF; differences are relative",
            [*_HEADER, "difference: log Z", "log p", "best"],
            [_sentence(each) for each in sentences],
            folded=True,
        ),
    ]
    if divergences:
        rows = [_cells(name, f"{kl:.6g}", f"{error:.1e}") for name, kl, error in divergences]
        header = ["sentence", "KL(p_s || p_t)", "difference"]
        tables.append(Table("equations-kl", "Eq. (6)", header, rows, folded=True))
    if labels:
        header = ["label", "source rows", "target rows", "MMD²", "difference"]
        rows = [
            _cells(each.label, *map(str, each.rows), f"{each.value:.6g}", f"{each.error:.1e}")
            for each in labels
        ]
        tables.append(
            Table("equations-labels", "Eq. (4), label by label", header, rows, folded=True)
        )
    return tables


def _cells(*texts: str) -> list[Cell]:
    return [Cell(text) for text in texts]


def _terms(one: LossTerms, other: LossTerms) -> list[tuple[str, str, str, str]]:
    return [
        (term, f"{kernels:.10g}", f"{literal:.10g}", f"{abs(kernels - literal):.1e}")
        for term, kernels, literal in zip(LossTerms._fields, one, other, strict=True)
    ]


def _sentence(each: Likelihood) -> list[Cell]:
    values = each.emissions, each.transitions, each.log_z, each.log_p, each.best
    return _cells(
        each.where,
        str(each.tokens),
        *(f"{value:.6g}" for value in values),
        *(f"{error:.1e}" for error in each.errors),
    )
