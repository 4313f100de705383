"""Names in scripts that matplotlib's own font lacks, in PNGs: with a font for them, and without."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Invoke
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib import font_manager
from matplotlib.font_manager import FontEntry, fontManager

from ladtl_np.pages import Figure
from ladtl_np.pages.drawing.fonts import Fonts
from ladtl_np.pages.drawing.pen import Pen
from ladtl_np.runs.folder import RunFolder

Install = Callable[..., Path]


def write_font(path: Path, family: str, characters: str) -> Path:
    """A font whose every character is a black square."""
    builder = FontBuilder(1000, isTTF=True)
    names = {ord(c): f"u{ord(c)}" for c in characters}
    builder.setupGlyphOrder([".notdef", *names.values()])
    builder.setupCharacterMap(names)
    pen = TTGlyphPen(None)
    pen.moveTo((50, 0))
    for corner in ((50, 900), (950, 900), (950, 0)):
        pen.lineTo(corner)
    pen.closePath()
    square = pen.glyph()
    builder.setupGlyf(dict.fromkeys([".notdef", *names.values()], square))
    builder.setupHorizontalMetrics(dict.fromkeys([".notdef", *names.values()], (1000, 50)))
    builder.setupHorizontalHeader(ascent=900, descent=-100)
    builder.setupNameTable({"familyName": family, "styleName": "Regular"})
    builder.setupOS2(usWeightClass=400)
    builder.setupPost()
    builder.save(path)
    return path


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """A machine with matplotlib's own fonts alone, and a way to install more."""
    own = [e for e in fontManager.ttflist if e.name.startswith(("DejaVu", "Last Resort"))]
    assert {entry.name for entry in own} >= {"DejaVu Sans", "Last Resort High-Efficiency"}
    monkeypatch.setattr(fontManager, "ttflist", own)
    monkeypatch.setattr(font_manager, "findSystemFonts", lambda: [])

    def install(family: str, characters: str) -> Path:
        path = write_font(tmp_path / f"{family}.ttf", family, characters)
        fontManager.addfont(path)
        return path

    return install


def drawn(name: str) -> Figure:
    pen = Pen(["a"], png=True)
    with pen.page(2, 1) as drawing:
        drawing.text(0.1, 0.1, name)
        return pen.finish(drawing, "f", "A figure.")


def test_a_font_that_has_the_characters_is_used_and_in_the_png_alone(install: Install) -> None:
    before = drawn("F1 价值")
    assert before.boxes == ("F1 价值",)
    install("One Sans", "价值")
    after = drawn("F1 价值")
    assert after.boxes == ()
    assert after.png != before.png
    assert after.svg == before.svg  # the page is the same on every machine
    assert "One Sans" not in after.svg
    assert drawn("F1 价值").png == after.png


def test_a_font_that_has_some_of_the_characters_is_used_and_the_name_told(install: Install) -> None:
    before = drawn("价值")
    install("Half Sans", "值")
    after = drawn("价值")
    assert after.boxes == ("价值",)
    assert after.png != before.png


def test_names_in_its_own_characters_need_no_other_font(
    install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Fonts, "choose", lambda *_: pytest.fail("searched for fonts"))
    assert drawn("F1 ± 0.5 – ∆ → Ж").boxes == ()


def test_fonts_are_chosen_by_what_they_have_and_by_name_whatever_their_order(
    install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    for family, characters in (
        *(("A Serif", "价值"), ("D Sans", "价值"), ("C Sans", "价值"), ("B Sans", "价")),
        *(("Z Sans", "量"), ("Y", "量")),
    ):
        install(family, characters)
    fonts = list(fontManager.ttflist)
    for seed in range(5):
        random.Random(seed).shuffle(fonts)
        monkeypatch.setattr(fontManager, "ttflist", fonts)
        choice = Fonts().choose(frozenset("价值量药"))
        assert choice == (("C Sans", "Z Sans"), frozenset("药"))


def test_a_font_installed_since_matplotlib_made_its_list_is_found(
    install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = write_font(tmp_path / "new.ttf", "New Sans", "价值")
    damaged = tmp_path / "damaged.ttf"
    damaged.write_bytes(b"no font")
    monkeypatch.setattr(font_manager, "findSystemFonts", lambda: [str(new), str(damaged)])
    assert Fonts().choose(frozenset("价值")) == (("New Sans",), frozenset())


def test_damaged_and_removed_fonts_are_passed_over(install: Install, tmp_path: Path) -> None:
    install("Good", "价")
    for family in ("Damaged Sans", "Gone Sans"):
        fontManager.ttflist.append(FontEntry(fname=str(tmp_path / family), name=family))
    (tmp_path / "Damaged Sans").write_bytes(b"no font")
    assert Fonts().choose(frozenset("价")) == (("Good",), frozenset())


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Two methods with types in two scripts."""
    counts = {"gold": 10, "predicted": 10, "correct": 5, "precision": 0.5, "recall": 0.5, "f1": 0.5}
    report = {"overall": counts, "per_type": {"价值": counts, "ยา": counts, "Drug": counts}}
    results = {"test.txt": {"conlleval": report, "strict": report}}
    for method in ("joint-training", "la-dtl"):
        with RunFolder(tmp_path / "runs" / "T" / method / "0") as folder:
            folder.write_manifest({"method": method, "results": results}, [])
    return tmp_path / "runs"


def test_the_command_names_what_it_cannot_draw_in_one_line(
    install: Install, runs: Path, invoke: Invoke, tmp_path: Path
) -> None:
    arguments = ("report", runs, "--overwrite", "--out", tmp_path / "r.html")
    figures = (*arguments, "--figures", tmp_path / "f")

    def warnings(*given: object) -> list[str]:
        result = invoke(*given)
        assert result.exit_code == 0
        assert "Glyph" not in result.stderr
        return [line for line in result.stderr.split("\n") if line.startswith("warning")]

    assert warnings(*arguments) == []  # no PNG, no boxes
    assert warnings(*figures) == [
        "warning: no font here can write ยา, 价值 in labels-1.png, where boxes stand instead; "
        "install a font with Chinese characters, such as Noto Sans CJK"
    ]
    install("Han Sans", "价值")
    assert warnings(*figures) == [
        "warning: no font here can write ยา in labels-1.png, where boxes stand instead; install a "
        "font with their script"
    ]
    install("Thai Sans", "ยา")
    assert warnings(*figures) == []
