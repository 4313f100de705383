from __future__ import annotations

import hashlib
import json
import os
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
from msgspec import to_builtins
from small_corpora import small_config, small_corpora

from ladtl_np.corpus.cutting.profile import Profile
from ladtl_np.corpus.labels import LabelMap
from ladtl_np.corpus.schemes import from_bioes
from ladtl_np.corpus.sentence import Corpus, Sentence
from ladtl_np.errors import ModelFileError
from ladtl_np.model.file import Model, load_model, model_bytes, model_from_bytes, save_model
from ladtl_np.model.tagging import make_decoder
from ladtl_np.training.preparation import prepare
from ladtl_np.training.trained_model import build_model

KEPT = Path(__file__).parent / "data" / "models"
EXPECTED = json.loads((KEPT / "expected.json").read_text("utf-8"))


@pytest.mark.parametrize("file", sorted(EXPECTED["models"]))
def test_models_of_every_format_ever_released_load_and_tag_as_they_did(file: str) -> None:
    """These files are never written again; docs/model-file.md has the rule."""
    content, expected = (KEPT / file).read_bytes(), EXPECTED["models"][file]
    assert hashlib.sha256(content).hexdigest() == expected["sha256"]
    model = load_model(KEPT / file)
    assert model.target_scheme == "BIOES"  # they do not tell
    named = sorted(model.network.named().items())
    arrays = hashlib.sha256(b"".join(array.tobytes() for _, array in named)).hexdigest()
    assert arrays == expected["arrays"]
    assert model.profile == Profile(model.token_mode, "lines")
    sentences = [line.split(" ") for line in EXPECTED["sentences"]]
    for domain, tags in expected["tags"].items():
        tagged = make_decoder(model, domain=domain).tag(sentences)
        assert [" ".join(sentence) for sentence in tagged] == tags


def test_a_kept_model_is_there_for_every_way_a_model_can_be_built() -> None:
    assert {path.name for path in KEPT.glob("*.safetensors")} == set(EXPECTED["models"])
    built = [load_model(path).network.architecture for path in KEPT.glob("*.safetensors")]
    assert {(one.source_tags > 0, one.shared_crf) for one in built} == {
        (False, False),
        (True, False),
        (True, True),
    }
    assert {one.projection for one in built} == {"none", "linear", "mask"}
    assert {one.characters > 0 for one in built} == {one.emission_bias for one in built}
    assert {one.emission_bias for one in built} == {False, True}


@pytest.fixture(scope="module")
def model() -> Model:
    corpora = small_corpora()
    written = [from_bioes(sentence.tags or (), "IOB2") for sentence in corpora.target]
    sentences = tuple(map(Sentence, (s.tokens for s in corpora.target), written))
    corpora = replace(corpora, target=Corpus("target", sentences, "IOB2"))
    prepared = prepare(small_config(), corpora, LabelMap({"Sign": "Sign"}))
    return build_model(prepared, prepared.network, {}, {"target": "00"})


def test_everything_survives_saving_and_loading(model: Model, tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    save_model(path, model)
    loaded = load_model(path)
    for name, array in model.network.named().items():
        assert loaded.network.named()[name].tobytes() == array.tobytes()
    assert loaded.vocabulary.to_state() == model.vocabulary.to_state()
    assert (loaded.source_tags, loaded.target_tags) == (model.source_tags, model.target_tags)
    assert loaded.config == model.config
    assert loaded.label_map == {"Sign": "Sign"}
    assert loaded.token_mode == "characters"
    assert loaded.profile == model.profile == Profile("characters", "rules")
    assert loaded.target_scheme == "IOB2"
    assert model_bytes(loaded) == model_bytes(model)
    assert model_bytes(model_from_bytes("m", model_bytes(model))) == model_bytes(model)
    sentences = [list("Azxab"), list("xx"), ["?"]]
    before = make_decoder(model).tag(sentences)
    after = make_decoder(loaded).tag(sentences)
    assert before == after


def test_a_model_of_iob2_is_one_again(tmp_path: Path) -> None:
    prepared = prepare(small_config(model={"scheme": "iob2"}), small_corpora())
    built = build_model(prepared, prepared.network, {}, {})
    save_model(tmp_path / "m", built)
    loaded = load_model(tmp_path / "m")
    assert loaded.target_tags == built.target_tags
    assert loaded.target_tags.scheme == "IOB2"
    assert loaded.source_tags is not None
    assert {tag[0] for tag in loaded.source_tags.tags} == set("OBI")
    config = to_builtins(built.config)
    config["model"]["scheme"] = "bioes"  # as which its tags would be read otherwise
    other = load_model_of(tmp_path, rewritten(model_bytes(built), config=config))
    assert other.target_tags.scheme == "BIOES"
    prepared = prepare(small_config(), small_corpora())
    wrong = to_builtins(prepared.config)
    wrong["model"]["scheme"] = "iob2"
    bioes = build_model(prepared, prepared.network, {}, {})
    with pytest.raises(ModelFileError, match="is not one of IOB2"):
        load_model_of(tmp_path, rewritten(model_bytes(bioes), config=wrong))


def load_model_of(folder: Path, content: bytes) -> Model:
    (folder / "other").write_bytes(content)
    return load_model(folder / "other")


def test_scores_that_there_are_not_are_not_kept(tiny_model: Model) -> None:
    prepared = prepare(small_config(), small_corpora())
    built = build_model(prepared, prepared.network, {"dev": None}, {"target": "0f"})
    assert built.scores == {}
    assert built.provenance["data"] == {"target": "0f"}
    assert set(tiny_model.scores) == {"dev"}


def test_a_file_without_a_profile_cuts_as_it_always_did(model: Model, tmp_path: Path) -> None:
    path = tmp_path / "m"
    path.write_bytes(rewritten(model_bytes(model), profile=None))
    assert load_model(path).profile == Profile("characters", "lines")


def test_a_model_is_for_its_owner_only(model: Model, tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    path.touch(mode=0o644)
    save_model(path, model)
    assert path.stat().st_mode & 0o777 == 0o600
    assert [p.name for p in tmp_path.iterdir()] == ["m.safetensors"]


def test_arrays_in_fortran_order_are_stored_right(model: Model, tmp_path: Path) -> None:
    network = model.network
    twisted = Model(
        type(network)(network.architecture, np.asfortranarray(network.embedding), network.weights),
        *(getattr(model, name) for name in list(Model.__slots__)[1:]),
    )
    save_model(tmp_path / "m", twisted)
    assert (load_model(tmp_path / "m").network.embedding == network.embedding).all()


def test_a_file_cut_short_anywhere_is_refused(model: Model, tmp_path: Path) -> None:
    content = model_bytes(model)
    path = tmp_path / "m"
    size = struct.unpack("<Q", content[:8])[0]
    cuts = [*range(0, 64), *range(64, size, 257), size + 8, size + 9, len(content) - 1]
    for cut in cuts:
        path.write_bytes(content[:cut])
        with pytest.raises(ModelFileError, match=str(path)):
            load_model(path)


def rewritten(content: bytes, **changes: object) -> bytes:
    """The file with values of its JSON header replaced."""
    size = struct.unpack("<Q", content[:8])[0]
    outer = json.loads(content[8 : 8 + size])
    inner = json.loads(outer["__metadata__"]["ladtl_np"]) | changes
    arrays = safetensors.numpy.load(content)
    return safetensors.numpy.save(arrays, metadata={"ladtl_np": json.dumps(inner)})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": "ladtl_np model 99"}, r"format 99; this version reads up to 1\); update"),
        ({"format": "ladtl_np checkpoint 1"}, "a checkpoint, not a model"),
        ({"format": "else"}, "not a model written by ladtl_np"),
        ({"target_tags": ["O"], "label_map": {}}, "do not fit"),
        ({"label_map": {"Sign": "None"}}, "None not among the target's types"),
        ({"target_tags": ["B-x"]}, "damaged"),
        ({"vocabulary": {}}, "damaged"),
        ({"token_mode": "syllables"}, "damaged"),
        ({"token_mode": "words"}, "damaged"),
        ({"profile": {"tokens": "spaces"}}, "damaged: token_mode and the profile"),
        ({"profile": {"tokens": "characters", "sentences": "pages"}}, "damaged"),
        ({"profile": {"tokens": "characters", "joints": {"glue": True}}}, "newer version"),
        ({"target_scheme": "IOB3"}, "damaged: the scheme"),
        ({"surplus": 1}, "newer version of ladtl_np; update"),
        ({"architecture": {}}, "damaged"),
    ],
)
def test_a_header_that_does_not_fit_is_refused(
    model: Model, tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    path = tmp_path / "m"
    path.write_bytes(rewritten(model_bytes(model), **changes))
    with pytest.raises(ModelFileError, match=message):
        load_model(path)


@pytest.mark.parametrize(
    "sizes", [{"embedding": 0}, {"hidden": 0}, {"shared_fraction": -0.1}, {"shared_fraction": 1.1}]
)
def test_each_size_that_is_none_is_refused_alone(model: Model, tmp_path: Path, sizes) -> None:
    content, path = model_bytes(model), tmp_path / "m"
    size = struct.unpack("<Q", content[:8])[0]
    inner = json.loads(json.loads(content[8 : 8 + size])["__metadata__"]["ladtl_np"])
    path.write_bytes(rewritten(content, architecture=inner["architecture"] | sizes))
    with pytest.raises(ModelFileError):
        load_model(path)


def test_the_label_map_of_a_file_goes_from_the_sources_types_to_the_targets(tmp_path: Path) -> None:
    corpora = small_corpora()
    renamed = tuple(
        replace(s, tags=tuple(tag.replace("Sign", "Mark") for tag in s.tags or ()))
        for s in corpora.target
    )
    corpora = replace(corpora, target=replace(corpora.target, sentences=renamed))
    prepared = prepare(small_config(), corpora, LabelMap({"Sign": "Mark"}))
    path = tmp_path / "m"
    save_model(path, build_model(prepared, prepared.network, {}, {}))
    assert load_model(path).label_map == {"Sign": "Mark"}
    for pairs in ({"Mark": "Sign"}, {"Mark": "Mark"}, {"Sign": "Sign"}):
        path.write_bytes(
            rewritten(model_bytes(build_model(prepared, prepared.network, {}, {})), label_map=pairs)
        )
        with pytest.raises(ModelFileError, match="not among the"):
            load_model(path)


def test_a_part_of_the_vocabulary_or_alphabet_that_is_not_known_is_a_newer_versions(
    tmp_path: Path,
) -> None:
    """It may say that words are to be read otherwise."""
    content = (KEPT / "format-1-characters.safetensors").read_bytes()
    size = int.from_bytes(content[:8], "little")
    inner = json.loads(json.loads(content[8 : 8 + size])["__metadata__"]["ladtl_np"])
    path = tmp_path / "m"
    for part in ("vocabulary", "characters"):
        path.write_bytes(rewritten(content, **{part: inner[part] | {"reversed": True}}))
        with pytest.raises(ModelFileError, match=r"newer version.*unknown field reversed"):
            load_model(path)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PK\x03\x04 a renamed archive",
        struct.pack("<Q", 2**60) + b"{}",
        struct.pack("<Q", 2) + b"{}",
        struct.pack("<Q", 200_000) + b"[" * 200_000,
        safetensors.numpy.save({"a": np.zeros(2)}),
        safetensors.numpy.save({"a": np.zeros(2)}, metadata={"ladtl_np": "[" * 100_000}),
    ],
    ids=["empty", "zip", "huge header", "no metadata", "nested", "foreign", "nested metadata"],
)
def test_what_is_no_model_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "m"
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match=str(path)):
        load_model(path)


def test_weights_that_are_not_finite_are_refused(model: Model, tmp_path: Path) -> None:
    broken = model.network.copy()
    broken.weights["target_crf.A"][0, 0] = np.nan
    path = tmp_path / "m"
    path.write_bytes(
        model_bytes(Model(broken, *(getattr(model, n) for n in list(Model.__slots__)[1:])))
    )
    with pytest.raises(ModelFileError, match=r"target_crf\.A"):
        load_model(path)


def test_a_missing_file_a_folder_and_a_pipe_are_named(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "none", tmp_path, tmp_path / "pipe"):
        with pytest.raises(ModelFileError, match=r"best\.safetensors"):
            load_model(path)
