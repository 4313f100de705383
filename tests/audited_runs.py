"""Small finished runs, as ``ladtl train`` writes them, for audits to look at."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from conftest import write_corpus
from small_corpora import small_config, small_corpora

from ladtl_np.runs.folder import RunFolder
from ladtl_np.runs.run import Run, read_corpora, read_label_maps
from ladtl_np.training.preparation import prepare

__all__ = ["write_tiny_run"]


def write_tiny_run(folder: Path, **changes: Any) -> Path:
    """Train the small options on the small corpora, all in `folder`; returns the run's folder."""
    folder.mkdir(exist_ok=True)
    made = small_corpora()
    corpora = {"source": made.source, "target": made.target, "dev": made.dev}
    data: dict[str, Any] = {
        role: write_corpus(folder / f"{role}.txt", corpus)
        for role, corpus in corpora.items()
        if corpus is not None
    }
    data["test"] = [write_corpus(folder / "test.txt", made.tests[0])]
    given = changes.pop("data", {})
    config = small_config(**{"data": {**data, **given}, "seed": 3, **changes})
    corpora_read = read_corpora(config)
    prepared = prepare(config, corpora_read, *read_label_maps(config))
    with RunFolder(folder / "run") as held:
        run = Run(prepared, corpora_read, held, ["ladtl", "train"])
        for _ in run.train():
            pass
        run.finish()
    return folder / "run"
