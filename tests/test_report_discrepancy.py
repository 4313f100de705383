"""The report's section on gains against MMD: means, correlation, and what it leaves out."""

from __future__ import annotations

import json
from pathlib import Path

from test_report import MakeRun, make_run, report_of, section_of, texts

__all__ = ["make_run"]


def add_mmd(run: Path, mmd: dict[str, float], tokens: int = 50) -> None:
    """Let the manifest of a run tell MMDs by tag."""
    path = run / "manifest.json"
    manifest = json.loads(path.read_bytes())
    manifest["label_mmd"] = [
        {"source": tag, "target": tag, "source_tokens": 90, "target_tokens": tokens, "mmd": value}
        for tag, value in mmd.items()
    ]
    path.write_text(json.dumps(manifest), encoding="utf-8")


def two_methods(make_run: MakeRun, task: str, *, drug: float, sign: float) -> None:
    """Joint training at 50 for both types; la-dtl as given, over two seeds."""
    for seed in range(2):
        options = {"seed": seed, "kinds": {"Drug": 0.5, "Sign": 0.5}}
        run = make_run(f"e/{task}/joint-training/{seed}", "joint-training", {"t": 0.5}, **options)
        add_mmd(run, {"O": 9.0, "B-Drug": 2.0, "E-Drug": 4.0 + 2 * seed, "S-Sign": 1.0})
        options["kinds"] = {"Drug": drug, "Sign": sign}
        run = make_run(f"e/{task}/la-dtl/{seed}", "la-dtl", {"t": 0.6}, **options)
        add_mmd(run, {"O": 1.0, "B-Drug": 1.0, "E-Drug": 1.0, "S-Sign": 1.5}, tokens=30 + 10 * seed)


def test_a_type_has_the_mean_over_its_tags_and_seeds(make_run: MakeRun, tmp_path: Path) -> None:
    two_methods(make_run, "T", drug=0.9, sign=0.4)
    section = section_of(report_of(tmp_path / "e"), "discrepancy")
    (table,) = section.tables
    assert table.header[2:] == [
        "tokens",
        "MMD² joint-training",
        "MMD² la-dtl",
        "change",
        "gain in F1",
    ]
    assert texts(table) == [
        ["T", "Drug", "35", "3.500", "1.000", "-2.500", "+40.00"],  # (2 + 4 + 2 + 6) / 4
        ["T", "Sign", "35", "1.000", "1.500", "+0.500", "-10.00"],
    ]
    assert len(section.figures) == 1
    assert "La-dtl leaves 1 of 2 types closer than joint-training does." in section.notes


def test_the_rank_correlation_is_over_all_types_and_tasks(
    make_run: MakeRun, tmp_path: Path
) -> None:
    two_methods(make_run, "A", drug=0.9, sign=0.4)
    two_methods(make_run, "B", drug=0.8, sign=0.3)
    notes = " ".join(section_of(report_of(tmp_path / "e"), "discrepancy").notes)
    # MMD ranks 3.5 3.5 1.5 1.5, gain ranks 4 3 2 1
    assert "the gain is +0.89 over 4 types and tasks" in notes


def test_runs_without_mmds_leave_the_section_out(make_run: MakeRun, tmp_path: Path) -> None:
    for name in ("joint-training", "la-dtl"):
        make_run(f"e/T/{name}/0", name, {"t": 0.5}, kinds={"Drug": 0.5})
    section = section_of(report_of(tmp_path / "e"), "discrepancy")
    assert "no task has runs of la-dtl and joint-training that tell" in section.missing


def test_a_type_that_one_method_has_no_mmd_of_is_left_out(
    make_run: MakeRun, tmp_path: Path
) -> None:
    two_methods(make_run, "T", drug=0.9, sign=0.4)
    for seed in range(2):
        add_mmd(tmp_path / f"e/T/la-dtl/{seed}", {"O": 1.0, "S-Sign": 0.5})
    (table,) = section_of(report_of(tmp_path / "e"), "discrepancy").tables
    assert [row[1] for row in texts(table)] == ["Sign"]


def test_many_types_are_drawn_without_a_legend(make_run: MakeRun, tmp_path: Path) -> None:
    kinds = {f"Kind{n:02}": 0.5 + n / 100 for n in range(20)}
    for name, value in (("joint-training", 2.0), ("la-dtl", 1.0)):
        run = make_run(f"e/T/{name}/0", name, {"t": 0.5}, kinds=kinds)
        add_mmd(run, {f"B-{kind}": value + n / 10 for n, kind in enumerate(kinds)})
    (figure,) = section_of(report_of(tmp_path / "e"), "discrepancy").figures
    assert "Kind07" not in figure.svg
    assert "MMD² under joint-training" in figure.svg
