from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest
from conftest import Invoke
from hostile_models import Parts, assembled
from shapes_at_random import START
from small_corpora import small_config, small_corpora

from ladtl_np.commands.support.described import _tokens, describe_model, lines_of
from ladtl_np.corpus.cutting.profile import Joints, Profile
from ladtl_np.model.file import Model, model_bytes, save_model
from ladtl_np.model.network import initialise
from ladtl_np.model.verify import CHECKS
from ladtl_np.runs import checkpoint
from ladtl_np.training.preparation import Corpora, prepare
from ladtl_np.training.trained_model import build_model
from ladtl_np.training.trainer import Trainer


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
    assert found["profile"]["tokens"] == "characters"
    assert found["profile"]["sentences"] == "rules"
    assert found["target_scheme"] == "BIOES"
    assert found["vocabulary"] == len(tiny_model.vocabulary)
    assert found["provenance"]["data"] == {"target": "00ff"}
    assert "words" not in found


def test_a_model_of_bio_says_so_in_every_command(
    invoke: Invoke, tiny_model_file: str, gold_file: str, tmp_path: Path
) -> None:
    prepared = prepare(small_config(model={"scheme": "iob2"}), small_corpora())
    path = tmp_path / "bio.safetensors"
    save_model(path, build_model(prepared, prepared.network, {}, {}))
    found = json.loads(invoke("model", "info", path, "--json").stdout)
    assert (found["scheme"], found["target_scheme"]) == ("IOB2", "BIOES")
    assert found["tags"] == {"source": 5, "target": 5}
    assert "IOB2; trained on BIOES" in invoke("model", "info", path).stdout
    assert "all of IOB2" in invoke("model", "verify", path).stdout
    assert "all of BIOES" in invoke("model", "verify", tiny_model_file).stdout
    shown = invoke("evaluate", "--model", path, gold_file).stdout
    assert "decoding constrained to legal IOB2" in shown
    both = invoke("evaluate", "--model", path, "--model", tiny_model_file, gold_file).stdout
    told = "as in training: constrained to legal IOB2, constrained to legal BIOES"
    assert told in " ".join(both.split())


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
    rows = dict(lines_of(describe_model(replace(tiny_model, network=network))))
    assert rows["CRF"] == "one for both domains, behind fixed masks"
    assert rows["characters"] == "BiLSTM with 4 units per direction"
    assert not {"CRF", "characters"} & dict(lines_of(describe_model(tiny_model))).keys()


def test_info_escapes_and_shortens_names_that_a_stranger_chose(
    invoke: Invoke, tiny_model: Model, tmp_path: Path
) -> None:
    save_model(tmp_path / "m", replace(tiny_model, scores={"\x1b[2J\u202e" * 500: 1.0}))
    result = invoke("model", "info", tmp_path / "m")
    assert result.exit_code == 0
    assert "\x1b" not in result.stdout
    assert "\u202e" not in result.stdout
    assert len(result.stdout) < 20_000


def test_promise_38_verify_says_what_each_check_found(invoke: Invoke, tiny_model_file: str) -> None:
    result = invoke("model", "verify", tiny_model_file)
    assert (result.exit_code, result.stderr) == (0, "")
    title, *lines = result.stdout.splitlines()
    assert title == f"{tiny_model_file}: sound"
    assert [line.split()[:2] for line in lines] == [[name, "ok"] for name in CHECKS]
    for words in (
        f"{Path(tiny_model_file).stat().st_size:,} bytes, 11 arrays",
        "ladtl_np model 1; this",
        "9 source tags and 9 target tags",
        "11 words of 8 numbers, 6 units per direction",
        "blake2b:",
        "1,186 numbers, float32, all finite",
        "written by ladtl_np",
    ):
        assert words in result.stdout
    (found,) = json.loads(invoke("model", "verify", tiny_model_file, "--json").stdout)
    assert found["sound"] is True
    assert [check["name"] for check in found["checks"]] == list(CHECKS)


@pytest.mark.parametrize(
    ("check", "damage"),
    [
        ("file", lambda p: p.content[:-1]),
        ("format", lambda p: p.with_values(format="ladtl_np model 2")),
        ("tags", lambda p: p.with_values(label_map={"Sign": "None"})),
        ("sizes", lambda p: p.within("architecture", hidden=7)),
        ("checksum", lambda p: p.content[:-1] + b"\x3e"),
        ("values", lambda p: p.with_arrays(lambda a: a["forward.b"].fill(np.nan))),
    ],
)
def test_promise_38_verify_names_the_check_that_fails_and_goes_on_with_other_files(
    invoke: Invoke,
    tiny_model: Model,
    tiny_model_file: str,
    tmp_path: Path,
    check: str,
    damage: object,
) -> None:
    assert callable(damage)
    bad, none = tmp_path / "bad", tmp_path / "none"
    bad.write_bytes(damage(Parts(model_bytes(tiny_model))))
    result = invoke("model", "verify", bad, none, tiny_model_file, "--json")
    assert (result.exit_code, result.stderr) == (1, "")
    first, second, third = json.loads(result.stdout)
    assert [one["sound"] for one in (first, second, third)] == [False, False, True]
    held = [one["held"] for one in first["checks"]]
    assert CHECKS[held.index(False)] == check
    assert held == [True] * held.index(False) + [False] + [None] * (
        len(CHECKS) - held.count(True) - 1
    )
    result = invoke("model", "verify", bad, none, tiny_model_file)
    assert result.exit_code == 1
    assert f"{bad}: NOT SOUND\n" in result.stdout
    assert f"  {check:<9} FAILED  {bad}: " in result.stdout
    assert f"{tiny_model_file}: sound\n" in result.stdout


def test_verify_says_that_a_model_of_before_has_no_checksum(
    invoke: Invoke, tiny_model: Model, tmp_path: Path
) -> None:
    parts = Parts(model_bytes(tiny_model))
    (tmp_path / "m").write_bytes(assembled(json.dumps(parts.outer), parts.data))
    result = invoke("model", "verify", tmp_path / "m")
    assert result.exit_code == 0
    assert "checksum  ok      none: written before files had one" in result.stdout


def test_promise_38_verify_checks_checkpoints(
    invoke: Invoke, tiny_corpus: Corpora, tmp_path: Path
) -> None:
    path = tmp_path / "checkpoint.safetensors"
    trainer = Trainer(prepare(small_config(), tiny_corpus))
    checkpoint.write_checkpoint(path, trainer, {}, {}, 0)
    content = path.read_bytes()
    checkpoint.write_checkpoint(path, trainer, {}, {}, 0)
    assert path.read_bytes() == content
    result = invoke("model", "verify", path)
    assert result.exit_code == 0
    assert "ladtl_np checkpoint 1, after step 0" in result.stdout
    path.write_bytes(content[:-1] + b"\x3e")
    result = invoke("model", "verify", path)
    assert result.exit_code == 1
    assert "  checksum  FAILED  " in result.stdout
    trainer.network.embedding[0, 0] = np.nan
    checkpoint.write_checkpoint(path, trainer, {}, {}, 0)
    assert "network/word_embedding holds values" in invoke("model", "verify", path).stdout
    path.write_bytes(content.replace(b"ladtl_np checkpoint 1", b"ladtl_np checkpoint 2"))
    assert "format 2; this version reads up to 1" in invoke("model", "verify", path).stdout


def test_info_tells_where_words_part() -> None:
    assert _tokens({"tokens": "spaces"}) == "spaces"
    words = Profile(tokens="words", joints=Joints(hyphen=False, clitic="inside")).to_state()
    assert _tokens(words) == (
        "words; parted: hyphen, ordinal, percent, currency, han; "
        "possessive own, clitic inside, negation own"
    )
