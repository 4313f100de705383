"""A page as one HTML file, and the files that may lie beside it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ladtl_np import __version__
from ladtl_np.files import make_private_folder, write_atomically
from ladtl_np.pages.content import Section, visible

__all__ = ["Page", "extra_files", "write_files"]

_SVG_LEAD = '<?xml version="1.0" encoding="utf-8"?>\n'


@dataclass(frozen=True, slots=True)
class Page:
    """A title, a line on what the page holds, its sections, and what to know before reading.

    `maker` is the command that made it, which the page names at its foot.
    """

    title: str
    summary: str
    sections: list[Section]
    note: str = ""
    maker: str = "ladtl report"

    def html(self) -> str:
        """Write the page: one file that asks nothing of anybody."""
        import jinja2

        environment = jinja2.Environment(
            loader=jinja2.PackageLoader("ladtl_np.pages", ""),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
        environment.filters["visible"] = visible
        template = environment.get_template("page.html.jinja")
        return template.render(page=self, version=__version__)


def extra_files(page: Page) -> dict[str, bytes]:
    """Figures as PNG and SVG, tables as TSV, by file name."""
    files: dict[str, bytes] = {}
    for section in page.sections:
        for figure in section.figures:
            files[f"{figure.name}.svg"] = f"{_SVG_LEAD}{figure.svg}\n".encode()
            if figure.png:
                files[f"{figure.name}.png"] = figure.png
        for table in section.tables:
            files[f"{table.name}.tsv"] = table.to_tsv().encode("utf-8")
    return files


def write_files(page: Page, folder: Path) -> list[str]:
    """Write `extra_files` into a folder, which is made where it is missing."""
    make_private_folder(folder)
    files = extra_files(page)
    for name, content in files.items():
        write_atomically(folder / name, content)
    return list(files)
