"""Model files keep their promises: hostile ones are refused, damaged ones noticed, tags are real."""

from __future__ import annotations

import gc
import os
import random
import socket
import subprocess
import sys
import time
import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import Invoke
from hostile_models import LARGE, SMALL, Parts

from ladtl_np import LaDTLTagger, load_model
from ladtl_np.errors import ModelFileError, ScoreError
from ladtl_np.model.container import open_container
from ladtl_np.model.file import Model, model_bytes, save_model

KEPT = sorted((Path(__file__).parent / "data" / "models").glob("*.safetensors"))
SLACK = 4 << 20  # bytes beside twice the file's: what a small file may take
HANGS = 20.0  # seconds; a bound on hanging, not on speed


@pytest.fixture(scope="module")
def parts(tiny_model: Model) -> Parts:
    return Parts(model_bytes(replace(tiny_model, label_map={"Sign": "Sign"})))


def refused(path: Path) -> str:
    """The message with which a file is refused, which takes neither time nor room."""
    gc.collect()
    tracemalloc.start()
    begin = time.perf_counter()
    try:
        with pytest.raises(ModelFileError) as caught:
            load_model(path)
        seconds, (_, peak) = time.perf_counter() - begin, tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    message = str(caught.value)
    size = path.stat().st_size if path.is_file() else 0
    assert seconds < HANGS
    assert peak <= 2 * size + SLACK
    assert message.startswith(str(path))
    assert len(message) < len(str(path)) + 1500
    assert message.isprintable()
    return message


@pytest.mark.parametrize("kind", SMALL)
def test_promise_11_a_hostile_file_is_refused(kind: str, parts: Parts, tmp_path: Path) -> None:
    path = tmp_path / "m"
    path.write_bytes(SMALL[kind](parts))
    refused(path)


def test_promise_11_what_hostile_files_are_made_of_loads(parts: Parts, tmp_path: Path) -> None:
    """Each differs from this one in the one thing that its name says."""
    for number, content in enumerate((parts.content, parts.with_values())):
        (tmp_path / str(number)).write_bytes(content)
        load_model(tmp_path / str(number))


@pytest.mark.parametrize("kind", LARGE)
def test_promise_11_a_large_hostile_file_is_refused_in_twice_its_size(
    kind: str, parts: Parts, tmp_path: Path
) -> None:
    path = tmp_path / "m"
    path.write_bytes(LARGE[kind](parts))
    refused(path)
