"""What the book's cells use, and what a build makes of a cell that fails."""

from __future__ import annotations

import runpy
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("matplotlib", reason="matplotlib is not installed")
pytest.importorskip("myst_nb", reason="myst-nb is not installed")

DOCS = Path(__file__).parents[1] / "docs"
_cells = SimpleNamespace(**runpy.run_path(str(DOCS / "_cells.py")))
FRONT = "---\nfile_format: mystnb\nkernelspec:\n  name: python3\n---\n\n# Page\n\n"


def test_central_differences_are_the_derivative_and_leave_the_point_alone() -> None:
    at = np.array([[1.0, -2.0], [0.5, 3.0]])
    before = at.copy()
    slopes = _cells.central(lambda x: float(np.sum(x**3) + x[0, 0] * x[1, 1]), at)
    expected = 3 * at**2 + np.array([[3.0, 0.0], [0.0, 1.0]])
    np.testing.assert_allclose(slopes, expected, rtol=1e-8)
    np.testing.assert_array_equal(at, before)


def test_what_agrees_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    _cells.agree("P", [1.0, 200.0], exactly=[1.0, 200.0], nearly=[1.0, 200.0 + 1e-6])
    assert capsys.readouterr().out == "P: exactly equal, nearly within 1e-06\n"


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ([1.0, 2.0 + 1e-7], "differs by 1e-07"),
        ([1.0, np.nan], "differs by nan"),
        (1.0, r"shape \(\)"),
    ],
)
def test_what_does_not_agree_is_an_error(value: object, said: str) -> None:
    with pytest.raises(AssertionError, match=f"^P: kernel .*{said}"):
        _cells.agree("P", [1.0, 2.0], kernel=value)


def test_values_are_shown_with_few_digits(capsys: pytest.CaptureFixture[str]) -> None:
    _cells.show(x=np.array([1 / 3, 2e-9]), n=4)
    assert capsys.readouterr().out == "x = [0.3333 0.    ]\nn = 4\n"


def test_a_picture_is_the_same_bytes_each_time_and_holds_no_fonts() -> None:
    def drawn() -> str:
        figure, axes = _cells.canvas()
        _cells.heat(axes, [[1.0, -2.0]], ["row"], ["a", "b"])
        axes.set_title("title")
        return _cells.Picture(figure)._repr_mimebundle_()["image/svg+xml"]

    assert drawn() == drawn()
    assert "font-family" not in drawn()
    assert "<dc:date>" not in drawn()


def build(folder: Path, **pages: str) -> subprocess.CompletedProcess[str]:
    """Build a book of pages with one cell each, by the book's own settings."""
    source = folder / "source"
    source.mkdir()
    for name, code in pages.items():
        cell = f"```{{code-cell}} python\n{code}\n```\n"
        (source / f"{name}.md").write_text(FRONT + cell, "utf-8")
    command = [sys.executable, "-m", "sphinx", "-W", "-q", "-b", "html", "-c", str(DOCS)]
    return subprocess.run(
        [*command, str(source), str(folder / "html")], capture_output=True, text=True, check=False
    )


def test_cells_run_with_this_package_and_their_output_is_on_the_page(tmp_path: Path) -> None:
    done = build(tmp_path, index="import _cells, ladtl_np\nprint(ladtl_np.__file__)")
    assert (done.returncode, done.stderr) == (0, "")
    page = (tmp_path / "html" / "index.html").read_text("utf-8")
    assert str(DOCS.parent / "ladtl_np" / "__init__.py") in page


def test_cells_that_fail_or_warn_end_the_build_and_are_told(tmp_path: Path) -> None:
    done = build(
        tmp_path,
        index="from _cells import agree\nagree('P', 1.0, kernel=1.1)",
        warning="import warnings\nwarnings.warn('old')",
    )
    assert done.returncode != 0
    assert "AssertionError: P: kernel differs by 0.1\n" in done.stderr
    assert "warning.md:11: WARNING: stderr was found in the cell outputs" in done.stderr
