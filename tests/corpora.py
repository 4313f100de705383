"""Where the real corpora are; tests that need one are skipped where it is absent."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def corpora_folder() -> Path:
    """Return the folder of the corpora: LADTL_CORPORA, or the development data folder."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    return Path(os.environ.get("LADTL_CORPORA", beside))


def corpus_path(*parts: str) -> Path:
    """Return the path of a corpus file, or skip the test that asks for it."""
    path = corpora_folder().joinpath(*parts)
    if not path.exists():
        pytest.skip(
            f"needs {'/'.join(parts)}, a corpus that is no part of the project; CONTRIBUTING.md "
            "says where to put it"
        )
    return path
