from __future__ import annotations

import json
from dataclasses import replace

import msgspec
import numpy as np
from conftest import Invoke
from shapes_at_random import START

from ladtl_np.commands.model import _rows, describe_model
from ladtl_np.model.file import Model
from ladtl_np.model.network import initialise


def test_info_describes_a_model_without_its_words(
    invoke: Invoke, tiny_model_file: str, tiny_model: Model
) -> None:
    result = invoke("model", "info", tiny_model_file, "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    found = json.loads(result.stdout)
    assert found["file"] == tiny_model_file
    assert (found["method"], found["embedding"], found["hidden"]) == ("la-dtl", 8, 6)
    assert found["parameters"] == sum(a.size for a in tiny_model.network.named().values())
    assert found["tags"] == {"source": 9, "target": 9}
    assert found["matched_types"] == {"Drug": "Drug", "Sign": "Sign"}
    assert found["matched_tags"] == 9
    assert found["token_mode"] == "characters"
    assert found["vocabulary"] == len(tiny_model.vocabulary)
    assert found["provenance"]["data"] == {"target": "00ff"}
    assert "words" not in found


def test_info_as_a_table(invoke: Invoke, tiny_model_file: str) -> None:
    result = invoke("model", "info", tiny_model_file)
    assert result.exit_code == 0
    for word in ("la-dtl, seed 0", "parameters", "9 tags of 2 types: Drug, Sign", "00ff", "numpy"):
        assert word in result.stdout


def test_a_model_of_one_domain_has_nothing_matched(tiny_model: Model) -> None:
    found = describe_model(replace(tiny_model, source_tags=None))
    assert (found["matched_tags"], found["matched_types"]) == (0, {})
    assert list(found["tags"]) == ["target"]


def test_paired_types_are_shown_with_both_names(tiny_model: Model) -> None:
    found = describe_model(replace(tiny_model, label_map={"Drug": "Drug", "Sign": ""}))
    assert found["matched_types"] == {"Drug": "Drug"}
    assert found["matched_tags"] == 5


def test_a_shared_crf_and_characters_are_told(tiny_model: Model) -> None:
    sizes = msgspec.structs.replace(
        tiny_model.network.architecture,
        shared_crf=True,
        projection="mask",
        characters=3,
        character_embedding=2,
        character_hidden=4,
    )
    network = initialise(sizes, np.random.default_rng(0), START)
    rows = dict(_rows(describe_model(replace(tiny_model, network=network))))
    assert rows["CRF"] == "one for both domains, behind fixed masks"
    assert rows["characters"] == "BiLSTM with 4 units per direction"
    assert not {"CRF", "characters"} & dict(_rows(describe_model(tiny_model))).keys()
