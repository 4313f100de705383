"""Planted errors: the table fits the sources, each is noticed, and none reaches a file or cache."""

from __future__ import annotations

import importlib
import os
import sys
from collections import Counter
from multiprocessing import active_children, get_context
from pathlib import Path

import pytest

import ladtl_np
from ladtl_np.audit import check_plants, planting
from ladtl_np.audit.outcome import held
from ladtl_np.audit.planting import Looked
from ladtl_np.audit.plants import PACKAGE, Plant, plants
from ladtl_np.errors import LadtlError, UsageError

TESTS = Path(__file__).parent


@pytest.mark.parametrize("plant", plants().values(), ids=plants())
def test_each_error_changes_one_place_of_a_file_that_is_there(plant: Plant) -> None:
    source = (PACKAGE / plant.file).read_text("utf-8")
    planted = plant.planted(source)
    assert planted != source
    compile(planted, plant.file, "exec")
    assert (TESTS / f"{plant.test}.py").is_file()
    assert plant.tells.endswith(".")
    importlib.import_module(plant.module)


def test_there_are_thirteen_and_more_on_either_side() -> None:
    sides = Counter(plant.file.partition("/")[0] == "reference" for plant in plants().values())
    assert min(sides.values()) >= 13
    assert {plant.file.partition("/")[0] for plant in plants().values()} >= {
        *("kernels", "layers", "objective", "reference"),
    }


def test_an_error_whose_place_has_gone_is_told() -> None:
    plant = next(iter(plants().values()))
    with pytest.raises(ValueError, match="holds 0 times"):
        plant.planted("something else")
    with pytest.raises(ValueError, match="holds 2 times"):
        plant.planted(plant.old * 2)


def python_files() -> dict[str, int]:
    found = [*PACKAGE.rglob("*.py"), *PACKAGE.rglob("*.pyc"), *PACKAGE.rglob("*.nbi")]
    return {str(path): path.stat().st_mtime_ns for path in found}


def test_errors_of_both_sides_are_noticed_and_leave_no_trace() -> None:
    before = python_files()
    told: list[tuple[int, int]] = []
    names = ["mmd-sign", "reference-mask"]
    audit = check_plants(names, tell=lambda *share: told.append(share))
    assert audit.passed
    assert [line.check.split()[0] for line in audit.lines] == names
    assert told == [(1, 2), (2, 2)]
    changed = {path for path, when in python_files().items() if before.get(path) != when}
    planted = {plants()[name].file for name in names}
    assert not [
        path
        for path in changed
        if Path(path).stem.split(".")[0] in {Path(file).stem for file in planted}
    ]


def test_an_error_is_noticed_on_a_model_of_ones_own(tiny_model_file: str, gold_file: str) -> None:
    audit = planting.planted_audit("divergence-sign", on=Looked(tiny_model_file, (gold_file,)))
    failed = [line.check for line in audit.lines if line.verdict == "failed"]
    assert "gradient of divergence, kernels and reference" in failed
    assert "kernels: word_embedding" in failed
    with pytest.raises(LadtlError, match="nothing"):
        planting.planted_audit("mmd-sign", on=Looked(tiny_model_file, ("nothing",)))


@pytest.mark.slow
def test_a_planted_kernel_is_compiled_into_a_folder_that_goes(
    tiny_model_file: str, gold_file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    on = Looked(tiny_model_file, (gold_file,))
    audit = planting.planted_audit("forget-gate", on=on)
    assert "kernels: forward.W" in [line.check for line in audit.lines if line.verdict == "failed"]
    assert list(tmp_path.glob("ladtl-planted-*")) == []


@pytest.mark.slow
def test_every_error_is_noticed() -> None:
    audit = check_plants()
    assert [line.check for line in audit.lines if line.verdict == "failed"] == []
    assert len(audit.lines) == len(plants())


def test_an_error_that_nobody_notices_fails_its_line() -> None:
    plant = plants()["mmd-sign"]
    quiet = planting._noticed(plant, [held("a", 0.0, 1.0)])
    assert (quiet.verdict, quiet.found) == ("failed", "nobody noticed")
    loud = planting._noticed(plant, [held("a", 0.0, 1.0), held("b", 2.0, 1.0)])
    assert (loud.verdict, loud.detail) == ("passed", "b: 2")
    both = [held("gradient of mmd, kernels and reference", 2.0, 1.0), held("kernels: b", 3.0, 1.0)]
    assert planting._noticed(plant, both).detail == "kernels: b: 3"


def test_a_process_that_has_the_mathematics_already_is_refused() -> None:
    importlib.import_module("ladtl_np.kernels.mmd")
    with pytest.raises(UsageError, match="__main__"):
        planting._look("mmd-sign", None, 0, "")
    assert not any(isinstance(finder, planting._Finder) for finder in sys.meta_path)


def test_an_interrupt_ends_the_processes_at_work(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(planting, "wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        check_plants(["mmd-sign", "reference-mask", "forget-gate"])
    assert active_children() == []


def test_a_process_that_ends_without_a_result_is_told() -> None:
    context = get_context("spawn")
    receiving, sending = context.Pipe(duplex=False)
    sending.close()
    process = context.Process(target=os._exit, args=(7,))
    process.start()
    with pytest.raises(LadtlError, match="mmd-sign planted ended with code 7"):
        planting._result(plants()["mmd-sign"], receiving, process)


def test_a_name_that_is_none_is_refused_with_those_that_are() -> None:
    with pytest.raises(UsageError, match="there are: forget-gate"):
        check_plants(["no-such-error"])


def test_the_hook_changes_one_module_and_no_other() -> None:
    plant = plants()["mmd-sign"]
    finder = planting._Finder(plant)
    spec = finder.find_spec(plant.module, None)
    assert spec is not None
    assert isinstance(spec.loader, planting._Loader)
    assert spec.origin == str(Path(ladtl_np.__file__).parent / "kernels" / "mmd.py")
    assert plant.new in spec.loader.get_source(plant.module)
    assert finder.find_spec("ladtl_np.kernels.mmd_blocks", None) is None
    # without times of files no bytecode is read or kept
    assert not {"path_mtime", "path_stats", "set_data"} & vars(planting._Loader).keys()
