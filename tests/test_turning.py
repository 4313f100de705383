"""Tables and bars on narrow terminals lose nothing that is needed."""

from __future__ import annotations

import io

import pytest
from rich.console import Console
from rich.table import Table

from ladtl_np.commands.support.turning import fitting
from ladtl_np.objective import LossTerms
from ladtl_np.progress.training import TrainingDisplay
from ladtl_np.scoring import render, score
from ladtl_np.training.events import Step


def printed(table: Table, width: int) -> str:
    console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None)
    console.print(fitting(table, console))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize("width", [40, 60])
def test_a_wide_table_is_turned_and_keeps_every_cell(width: int) -> None:
    gold = [["S-Tumour", "O", "S-Drug"]] * 9
    table = render(score(gold, [["S-Tumour", "O", "O"]] * 9, "BIOES"))
    text = printed(table, width)
    assert "…" not in text
    lines = [line.split() for line in text.splitlines()]
    tumour = lines.index(["Tumour"])
    assert lines[tumour + 1] == ["conlleval", "gold", "9"]
    assert lines[tumour + 4] == ["conlleval", "F1", "100.00"]
    assert lines[tumour + 8] == ["strict", "F1", "100.00"]
    assert ["overall"] in lines
    assert ["Drug"] in lines
    assert "token accuracy" in text
    assert all(len(line) <= width for line in text.splitlines())


def test_a_table_that_fits_or_can_be_folded_stays() -> None:
    table = Table("file", "sentences")
    table.add_row("a" * 100, "3")
    assert fitting(table, Console(width=40)) is table
    wide = Table(*"abcdef")
    wide.add_row(*"123456")
    assert fitting(wide, Console(width=60)) is wide
    assert fitting(wide, Console(width=12)) is not wide


@pytest.mark.parametrize("width", [60, 80, 200])
def test_the_bar_shows_number_and_time_left_at_any_width(width: int) -> None:
    display = TrainingDisplay(1000)
    console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None)
    display._bar.live.console = console
    terms = LossTerms(160.5, 174.2, 138.3, 243.9, 211.1, 10.0)
    display.show(Step(120, 1000, terms, 1.0, 4000, 0.1))
    console.print(display._bar.get_renderable())
    assert isinstance(console.file, io.StringIO)
    line = console.file.getvalue().splitlines()[0]
    assert "120/1000" in line
    assert ":" in line.split()[2]  # behind the bar
    assert "tokens/s" in line or width < 80
    assert len(line) <= width
