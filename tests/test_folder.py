"""A run's folder for one process: what of an earlier run goes, and what stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from ladtl_np.errors import LadtlError, UsageError
from ladtl_np.runs.folder import COLUMNS, RunFolder

OWN = (
    *("config.toml", "manifest.json", "metrics.tsv", "log.jsonl"),
    *("best.safetensors", "last.safetensors", "predictions-a", "predictions-b.txt"),
)


def test_all_of_an_earlier_run_goes_and_nothing_else(tmp_path: Path) -> None:
    for name in (*OWN, "notes.txt", "my-predictions-a", ".manifest.json.1.0123abcd.tmp"):
        (tmp_path / name).write_text("earlier", "utf-8")
    with RunFolder(tmp_path, overwrite=True):
        assert (tmp_path / "metrics.tsv").read_text("utf-8") == "\t".join(COLUMNS) + "\n"
        there = {path.name for path in tmp_path.iterdir()}
        assert there == {"metrics.tsv", "notes.txt", "my-predictions-a", ".lock"}
    assert not (tmp_path / ".lock").exists()


@pytest.mark.parametrize("name", OWN)
def test_any_file_of_a_run_that_was_killed_tells_that_there_was_one(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / name).touch()
    with pytest.raises(UsageError, match="is not empty"):
        RunFolder(tmp_path)
    with RunFolder(tmp_path, overwrite=True) as folder:
        folder.write_text("config.toml", "")


def test_a_folder_of_other_files_is_no_run(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    (tmp_path / "predictions-a").touch()
    with pytest.raises(UsageError, match="holds files but no earlier run"):
        RunFolder(tmp_path, overwrite=True)


def test_a_folder_is_held_until_it_is_left(tmp_path: Path) -> None:
    place = tmp_path / "run"
    with RunFolder(place), pytest.raises(LadtlError, match="in use by another run"):
        with RunFolder(place, overwrite=True):
            pass
    with RunFolder(place, overwrite=True):
        pass
