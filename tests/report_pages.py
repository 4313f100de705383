"""A report with every section there is, on numbers that are made up."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

from test_report import CANARY, columns_of, scores

from ladtl_np.pages import Page
from ladtl_np.report import build_report, study_of
from ladtl_np.report.term_list import Term
from ladtl_np.runs.folder import RunFolder
from ladtl_np.runs.found import find_runs

__all__ = ["full_report"]

TASKS = ("cardiology-to-neurology", "emergency-and-intensive-care-to-paediatrics")
METHODS = {"non-transfer": 0.5, "joint-training": 0.6, "la-dtl": 0.7}
KINDS = ("价值", "NonphysiologicalStructure", *(f"Type{number}" for number in range(28)))
LONG = "x" * 200  # a name that no line can hold
GOLD = columns_of(*(f"S-{kind} O" for kind in KINDS))
SEEN = columns_of(*(f"S-{kind}/S-{KINDS[place // 2]} O/O" for place, kind in enumerate(KINDS)))


def full_report(folder: Path) -> Page:
    """Write runs of some tasks, methods, shares, grid points and seeds, and make their report."""
    corpus = folder / "synthetic" / LONG / "test.txt"
    corpus.parent.mkdir(parents=True)
    corpus.write_text(GOLD, "utf-8")
    roles = ("source", "target", "test")
    common = {"name": str(corpus), "scheme": "BIOES", "sha256": ""}
    data = [{"role": role, **common} for role in roles]
    places = [(TASKS[0], 0.1), (TASKS[0], 1.0), (TASKS[1], 0.1)]
    for (task, share), (method, f1), seed in product(places, METHODS.items(), range(2)):
        weights = (0.005, 0.02, 0.2) if method == "la-dtl" and share == 0.1 else (0.02,)
        for weight in weights:
            place = (
                folder
                / "runs"
                / task
                / method
                / f"fraction-{share}"
                / f"w_mmd={weight}"
                / f"{seed}"
            )
            better = f1 + share / 10 + seed / 50 - weight / 10
            options = f"data.target_fraction = {share}\nobjective.w_mmd = {weight}\n"
            _write(place, method, better, f"seed = {seed}\n{options}", data)
    study = study_of(find_runs([folder / "runs"]))
    return build_report(study, title=f"Made-up numbers {LONG}", terms=[Term(CANARY), Term(LONG)])


def _write(place: Path, method: str, f1: float, options: str, data: list[dict[str, Any]]) -> None:
    kinds = {kind: f1 * (1 - number / 60) for number, kind in enumerate(KINDS)}
    if method == "la-dtl":
        kinds[KINDS[1]] = 0.0  # a type that loses
    manifest = {"command": ["train", "--source", LONG], "method": method, "data": data}
    manifest |= {"versions": {"numpy": "2.0"}, "machine": {"system": "Linux"}, "best_step": 20}
    told = {"kind": "still-improving", "corpus": LONG, "count": 20, "what": LONG, "cure": LONG}
    manifest |= {"updates": 40 if method == "la-dtl" else 20, "remarks": [told]}
    manifest["results"] = {name: scores(f1, kinds) for name in ("dev", "test.txt")}
    apart = {"source_tokens": 90, "target_tokens": 9}
    manifest["label_mmd"] = [
        {"source": f"S-{kind}", "target": f"S-{kind}", "mmd": f1 + number / 30, **apart}
        for number, kind in enumerate(KINDS)
        if method != "non-transfer"
    ]
    with RunFolder(place) as folder:
        folder.write_text("config.toml", options)
        folder.write_manifest(manifest, [])
        folder.begin_metrics()
        folder.write_text("predictions-test.txt", SEEN)
        for step in range(10, 110, 10):
            folder.metrics({"step": step, "dev_f1": f1 * step / 100, "best": True})
