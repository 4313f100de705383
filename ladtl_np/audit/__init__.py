"""The mathematics checked on a user's own model, run and sentences.

Each ``check_*`` function returns an `Audit`: lines that passed or failed, tables, and drawings;
`explain_sentence` returns some.
`subject` loads what is looked at, in float64. docs/audit.md says what is compared with what.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ladtl_np.audit.data.check import check_data
    from ladtl_np.audit.divergence import check_divergence
    from ladtl_np.audit.equations.check import check_equations
    from ladtl_np.audit.everything import RunAudit, check_run
    from ladtl_np.audit.explain.explanation import explain_sentence
    from ladtl_np.audit.gradients import check_gradients
    from ladtl_np.audit.mmd.check import check_mmd
    from ladtl_np.audit.outcome import Audit, Line
    from ladtl_np.audit.planting import check_plants, planted_audit
    from ladtl_np.audit.run_files import Moved
    from ladtl_np.audit.run_sentences import run_on
    from ladtl_np.audit.subject import Subject, demo_subject, model_subject, run_subject

__all__ = [
    "Audit",
    "Line",
    "Moved",
    "RunAudit",
    "Subject",
    "check_data",
    "check_divergence",
    "check_equations",
    "check_gradients",
    "check_mmd",
    "check_plants",
    "check_run",
    "demo_subject",
    "explain_sentence",
    "model_subject",
    "planted_audit",
    "run_on",
    "run_subject",
]

_HOMES = {
    "Audit": "ladtl_np.audit.outcome",
    "Line": "ladtl_np.audit.outcome",
    "Moved": "ladtl_np.audit.run_files",
    "RunAudit": "ladtl_np.audit.everything",
    "Subject": "ladtl_np.audit.subject",
    "check_data": "ladtl_np.audit.data.check",
    "check_divergence": "ladtl_np.audit.divergence",
    "check_equations": "ladtl_np.audit.equations.check",
    "check_gradients": "ladtl_np.audit.gradients",
    "check_mmd": "ladtl_np.audit.mmd.check",
    "check_plants": "ladtl_np.audit.planting",
    "check_run": "ladtl_np.audit.everything",
    "demo_subject": "ladtl_np.audit.subject",
    "explain_sentence": "ladtl_np.audit.explain.explanation",
    "model_subject": "ladtl_np.audit.subject",
    "planted_audit": "ladtl_np.audit.planting",
    "run_on": "ladtl_np.audit.run_sentences",
    "run_subject": "ladtl_np.audit.subject",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
