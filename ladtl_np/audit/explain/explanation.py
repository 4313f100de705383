"""What a model does with one sentence, as audits that a page or a terminal shows."""

from __future__ import annotations

from collections.abc import Sequence

from ladtl_np.audit.explain.domains import domains_audit
from ladtl_np.audit.explain.explained import explained
from ladtl_np.audit.explain.gates import gates_audit
from ladtl_np.audit.explain.scores import scores_audit
from ladtl_np.audit.outcome import TOLERANCE, Audit
from ladtl_np.model.file import Model

__all__ = ["explain_sentence"]


def explain_sentence(
    model: Model,
    tokens: Sequence[str],
    gold: Sequence[str] | None = None,
    *,
    domain: str = "target",
    constrained: bool | None = None,
    tolerance: float = TOLERANCE,
) -> list[Audit]:
    """Explain one sentence: scores and probabilities, both domains' heads, and the BiLSTM.

    Everything is computed in float64, with the reference, and held against the kernels.

    Parameters
    ----------
    model
        From `load_model`.
    tokens
        Of the sentence, as the model's training data are cut; at most `LONGEST`.
    gold
        BIOES tags of the domain; None where they are not known.
    domain
        Whose head is looked at first, and whose tags are gold.
    constrained
        Whether tags are the best legal ones; None is as in training.
    tolerance
        Largest relative error that passes.

    Returns
    -------
    list of Audit
        ``explain``, then ``explain-heads`` of a model with two, and ``explain-gates``.

    Raises
    ------
    DataError
        If a gold tag is none of the model's.
    ScoreError
        If the scores are not finite.
    UsageError
        If there is no such head, the sentence has no token or too many, or the key of a hashed
        vocabulary is missing.
    """
    found = explained(model, tokens, gold, domain=domain, constrained=constrained)
    audits = [scores_audit(found, tolerance)]
    if len(found.heads) > 1:
        audits.append(domains_audit(found, tolerance))
    return [*audits, gates_audit(found, tolerance)]
