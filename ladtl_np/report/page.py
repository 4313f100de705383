"""The page, and the files beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ladtl_np import __version__
from ladtl_np.corpus.demo import DEMO
from ladtl_np.experiment.expansion import CORPORA
from ladtl_np.files import make_private_folder, write_atomically
from ladtl_np.report.content import Section, visible
from ladtl_np.report.drawing.pen import Pen, require_libraries
from ladtl_np.report.sections.confusion import confusion_section
from ladtl_np.report.sections.curves import fraction_section, grid_section, learning_section
from ladtl_np.report.sections.discrepancy import discrepancy_section
from ladtl_np.report.sections.labels import contrasted, label_section
from ladtl_np.report.sections.losses import losses_section
from ladtl_np.report.sections.overlap import leakage_section
from ladtl_np.report.sections.provenance import provenance_section
from ladtl_np.report.sections.results import results_section
from ladtl_np.report.sections.scorers import readings_section
from ladtl_np.report.sections.sentences import sentence_section
from ladtl_np.report.sections.terms import terms_section
from ladtl_np.report.study import Study
from ladtl_np.report.tagged import Library
from ladtl_np.report.term_list import Term

__all__ = ["Report", "build_report", "extra_files", "write_files"]

_SYNTHETIC = (
    "Made on synthetic text, from a generator: the scores show that everything works, and say "
    "nothing about the methods on real text."
)
_SVG_LEAD = '<?xml version="1.0" encoding="utf-8"?>\n'


@dataclass(frozen=True, slots=True)
class Report:
    """A page's title, a line on what it holds, its sections, and what to know before reading."""

    title: str
    summary: str
    sections: list[Section]
    note: str = ""

    def html(self) -> str:
        """Write the page: one file that asks nothing of anybody."""
        import jinja2

        environment = jinja2.Environment(
            loader=jinja2.PackageLoader("ladtl_np.report", ""),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
        environment.filters["visible"] = visible
        template = environment.get_template("page.html.jinja")
        return template.render(report=self, version=__version__)


def build_report(
    study: Study,
    *,
    methods: Sequence[str] = (),
    title: str = "Report",
    png: bool = False,
    terms: Sequence[Term] = (),
) -> Report:
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
        sentence_section(study, two, library),
        learning_section(study, pen),
        fraction_section(study, pen),
        grid_section(study, pen),
        label_section(study, pen, two),
        losses_section(study),
        discrepancy_section(study, pen, two),
        confusion_section(study, pen, two, library),
        *([terms_section(study, two, library, terms)] if terms else []),
        readings_section(study),
        leakage_section(study, library),
        provenance_section(study),
    ]
    return Report(title, _summary(study), sections, _SYNTHETIC if _is_synthetic(study) else "")


def _summary(study: Study) -> str:
    counts = {
        "run": len(study.runs),
        "task": len(study.tasks),
        "method": len(study.methods),
        "seed": len({run.seed for run in study.runs}),
    }
    return ", ".join(f"{count:,} {name}{'s' * (count != 1)}" for name, count in counts.items())


def _is_synthetic(study: Study) -> bool:
    """Whether any run read the corpora that the package makes."""
    names = [entry.name for run in study.runs for entry in run.run.manifest.data]
    return any(name.startswith(DEMO) or CORPORA in Path(name).parts for name in names)


def extra_files(report: Report) -> dict[str, bytes]:
    """Figures as PNG and SVG, tables as TSV, by file name."""
    files: dict[str, bytes] = {}
    for section in report.sections:
        for figure in section.figures:
            files[f"{figure.name}.svg"] = f"{_SVG_LEAD}{figure.svg}\n".encode()
            if figure.png:
                files[f"{figure.name}.png"] = figure.png
        for table in section.tables:
            files[f"{table.name}.tsv"] = table.to_tsv().encode("utf-8")
    return files


def write_files(report: Report, folder: Path) -> list[str]:
    """Write `extra_files` into a folder, which is made where it is missing."""
    make_private_folder(folder)
    files = extra_files(report)
    for name, content in files.items():
        write_atomically(folder / name, content)
    return list(files)
