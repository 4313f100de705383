"""All sections of a report on one page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ladtl_np.corpus.demo import DEMO
from ladtl_np.experiment.run_options import CORPORA
from ladtl_np.pages.drawing.pen import Pen, require_libraries
from ladtl_np.pages.page import Page
from ladtl_np.printable import counted
from ladtl_np.report.calibrations import Calibrated
from ladtl_np.report.sections.annotation import annotation_section
from ladtl_np.report.sections.calibration import calibration_section
from ladtl_np.report.sections.choice import choice_section
from ladtl_np.report.sections.confusion import confusion_section
from ladtl_np.report.sections.curves import fraction_section, grid_section, learning_section
from ladtl_np.report.sections.differing import differing_section
from ladtl_np.report.sections.discrepancy import discrepancy_section
from ladtl_np.report.sections.labels import contrasted, label_section
from ladtl_np.report.sections.losses import losses_section
from ladtl_np.report.sections.overlap import leakage_section
from ladtl_np.report.sections.provenance import provenance_section
from ladtl_np.report.sections.results import results_section
from ladtl_np.report.sections.schedules import schedules_section
from ladtl_np.report.sections.scorers import readings_section
from ladtl_np.report.sections.sentences import sentence_section
from ladtl_np.report.sections.sources import has_several, sources_section
from ladtl_np.report.sections.terms import terms_section
from ladtl_np.report.study import Study
from ladtl_np.report.tagged import Library
from ladtl_np.report.term_list import Term

__all__ = ["build_report"]

_SYNTHETIC = (
    "Made on synthetic text, from a generator: the scores show that everything works, and say "
    "nothing about the methods on real text."
)


def build_report(
    study: Study,
    *,
    methods: Sequence[str] = (),
    title: str = "Report",
    png: bool = False,
    terms: Sequence[Term] = (),
    differing: int | None = None,
    calibrations: Sequence[Calibrated] = (),
) -> Page:
    """Make every section of a report.

    Parameters
    ----------
    study
        The runs.
    methods
        Two methods to look at closely; chosen by `labels.contrasted` if not given.
    title
        Heading of the page.
    png
        Whether figures are drawn as PNG as well.
    terms
        Terms to count; without any there is no section on them.
    differing
        Terms of each task, found in the corpora, that are shown where the domains annotate them
        differently; 0 counts them alone, and None leaves the section out.
    calibrations
        How well probabilities of models hold; without any there is no section on them.

    Raises
    ------
    UsageError
        If matplotlib or Jinja is missing, or a method is not there.
    """
    require_libraries()
    pen, library = Pen(study.methods, png=png), Library()
    two = contrasted(study, methods)
    sections = [
        results_section(study),
        *([choice_section(study)] if study.choices else []),
        *([annotation_section(study, pen)] if any(run.strategy for run in study.runs) else []),
        sentence_section(study, two, library),
        *([sources_section(study)] if has_several(study) else []),
        learning_section(study, pen),
        *([scheduled] if (scheduled := schedules_section(study, pen)) else []),
        fraction_section(study, pen),
        grid_section(study, pen),
        label_section(study, pen, two),
        losses_section(study),
        discrepancy_section(study, pen, two),
        confusion_section(study, pen, two, library),
        *([terms_section(study, two, library, terms)] if terms else []),
        *([] if differing is None else [differing_section(study, two, library, differing)]),
        *([calibration_section(calibrations, pen)] if calibrations else []),
        readings_section(study),
        leakage_section(study, library),
        provenance_section(study),
    ]
    return Page(title, _summary(study), sections, _SYNTHETIC if _is_synthetic(study) else "")


def _summary(study: Study) -> str:
    counts = {
        "runs": len(study.runs),
        "tasks": len(study.tasks),
        "methods": len(study.methods),
        "seeds": len({run.seed for run in study.runs}),
    }
    return ", ".join(counted(count, name) for name, count in counts.items())


def _is_synthetic(study: Study) -> bool:
    """Whether any run read the corpora that the package makes."""
    names = [entry.name for run in study.runs for entry in run.run.manifest.data]
    return any(name.startswith(DEMO) or CORPORA in Path(name).parts for name in names)
