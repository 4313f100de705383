from __future__ import annotations

import os
import pickle
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest

from ladtl_np import LaDTLTagger, load_model, save_model
from ladtl_np.corpus.cutting.profile import Profile
from ladtl_np.errors import ModelFileError, ModelWarning, UsageError

spacy = pytest.importorskip("spacy", reason="spaCy is not installed: 'ladtl-np[spacy]'")

from spacy.language import Language  # noqa: E402
from spacy.tokens import Doc, Span  # noqa: E402

from ladtl_np import spacy_component  # noqa: E402
from ladtl_np.model.tagging import Tagger  # noqa: E402

X = [["no", "pain"], ["chest", "pain", "today"], ["no", "fever"], ["all", "well"]] * 3
Y = [["O", "S-Sign"], ["B-Sign", "E-Sign", "O"], ["O", "S-Sign"], ["O", "O"]] * 3
SMALL = {"training.steps": 60, "model.embedding": 8, "model.hidden": 8}
ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "m.safetensors"
    LaDTLTagger("non-transfer", options=SMALL).fit(X, Y).save(path)
    return path


def pipeline(model: object, **config: Any) -> Language:
    nlp = spacy.blank("en")
    nlp.add_pipe("ladtl", config={"model": str(model), **config})
    return nlp


@pytest.fixture(scope="module")
def nlp(model_file: Path) -> Language:
    return pipeline(model_file)


def entities(doc: Doc) -> list[tuple[int, int, str]]:
    return [(entity.start, entity.end, entity.label_) for entity in doc.ents]


def words(nlp: Language, *tokens: str, **more: Any) -> Doc:
    return Doc(nlp.vocab, words=list(tokens), **more)


def test_the_entities_are_those_of_the_model(nlp: Language, model_file: Path) -> None:
    tagger = Tagger(load_model(model_file))
    doc = nlp("chest pain today")
    assert [token.text for token in doc] == ["chest", "pain", "today"]
    assert entities(doc) == next(iter(tagger.spans([["chest", "pain", "today"]])))
    assert entities(doc) == [(0, 2, "Sign")]
    assert [token.ent_iob_ for token in doc] == ["B", "I", "O"]
    assert entities(nlp("")) == entities(nlp("  ")) == []


def test_sentences_of_the_doc_are_tagged_one_by_one(nlp: Language, model_file: Path) -> None:
    seen: list[list[str]] = []
    real = Tagger.spans

    def spans(tagger: Tagger, sentences: Any) -> Any:
        seen.extend(map(list, sentences))
        return real(tagger, sentences)

    tokens = ["no", "pain", "chest", "pain", "today"]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Tagger, "spans", spans)
        whole = nlp.get_pipe("ladtl")(words(nlp, *tokens))
        starts = [True, False, True, False, False]
        parted = nlp.get_pipe("ladtl")(words(nlp, *tokens, sent_starts=starts))
    assert seen == [tokens, tokens[:2], tokens[2:]]
    assert entities(parted) == [(1, 2, "Sign"), (2, 4, "Sign")]
    assert len(list(whole)) == 5


def test_white_space_is_no_token_of_the_model(nlp: Language) -> None:
    doc = nlp.get_pipe("ladtl")(words(nlp, "chest", "\n", "pain", "today", " "))
    assert entities(doc) == [(0, 3, "Sign")]


def test_entities_of_before_are_replaced(nlp: Language) -> None:
    doc = words(nlp, "chest", "pain", "today")
    doc.ents = [Span(doc, 1, 3, label="Other")]
    assert entities(nlp.get_pipe("ladtl")(doc)) == [(0, 2, "Sign")]


TEXTS = ["chest pain today", "", "no fever", "all well", "no pain"]


@pytest.mark.parametrize("size", [1, 2, 100])
def test_batches_give_what_single_texts_give(nlp: Language, size: int) -> None:
    def endless() -> Iterator[str]:
        while True:
            yield from TEXTS

    alone = [entities(nlp(text)) for text in TEXTS]
    assert [entities(doc) for doc in nlp.pipe(TEXTS, batch_size=size)] == alone
    several = nlp.pipe(endless(), batch_size=size)
    assert [entities(next(several)) for _ in TEXTS] == alone


def test_a_fork_gets_threads_of_its_own(model_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[object] = []
    real = spacy_component.Tagger
    monkeypatch.setattr(
        spacy_component, "Tagger", lambda *a, **k: made.append(real(*a, **k)) or made[-1]
    )
    nlp = pipeline(model_file)
    for process in (os.getpid(), os.getpid(), -1, -1):
        monkeypatch.setattr(spacy_component.os, "getpid", lambda process=process: process)
        assert entities(nlp("chest pain today")) == [(0, 2, "Sign")]
    assert len(made) == 2


def test_processes_of_spacy_tag_as_this_one_does(model_file: Path) -> None:
    nlp = pipeline(model_file)
    alone = [entities(nlp(text)) for text in TEXTS]  # the threads of here are not in a fork
    both = nlp.pipe(TEXTS, n_process=2, batch_size=2)
    assert [entities(doc) for doc in both] == alone


def test_a_pipeline_on_disk_has_its_model(model_file: Path, tmp_path: Path) -> None:
    moved = tmp_path / "moved.safetensors"
    moved.write_bytes(model_file.read_bytes())
    nlp = pipeline(moved)
    nlp.to_disk(tmp_path / "pipeline")
    moved.unlink()
    assert (tmp_path / "pipeline" / "ladtl" / "model.safetensors").is_file()
    loaded = spacy.load(tmp_path / "pipeline")
    assert [entities(loaded(text)) for text in TEXTS] == [entities(nlp(text)) for text in TEXTS]
    assert (
        model_file.read_bytes()
        == (tmp_path / "pipeline" / "ladtl" / "model.safetensors").read_bytes()
    )


def test_a_pipeline_in_bytes_and_in_a_pickle_has_its_model(nlp: Language) -> None:
    other = pipeline("").from_bytes(nlp.to_bytes())
    assert entities(other("chest pain today")) == [(0, 2, "Sign")]
    copied = pickle.loads(pickle.dumps(nlp.get_pipe("ladtl")))
    assert entities(copied(words(nlp, "chest", "pain", "today"))) == [(0, 2, "Sign")]
    empty = pickle.loads(pickle.dumps(pipeline("").get_pipe("ladtl")))
    with pytest.raises(UsageError, match="none is named"):
        empty(words(nlp, "a"))


def test_without_a_model_the_first_text_says_so(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no model to tag with, as none is named; .*add_pipe"):
        pipeline("")("chest pain")
    typo = pipeline(tmp_path / "typo")
    for call in (lambda: typo("a"), lambda: typo.to_disk(tmp_path / "p"), typo.to_bytes):
        with pytest.raises(UsageError, match=r"typo is not there"):
            call()
    (tmp_path / "other").write_text("no model")
    with pytest.raises(ModelFileError, match="other"):
        pipeline(tmp_path / "other")
    with pytest.raises(UsageError, match="threads must be at least 1"):
        pipeline("", threads=0)


def test_a_hashed_vocabulary_needs_its_key(tmp_path: Path) -> None:
    key = tmp_path / "words.key"
    options = SMALL | {"vocabulary.key": str(key)}
    LaDTLTagger("non-transfer", options=options).fit(X, Y).save(tmp_path / "m")
    keyed = pipeline(tmp_path / "m", vocabulary_key=str(key))
    assert entities(keyed("chest pain today")) == [(0, 2, "Sign")]
    keyed.to_disk(tmp_path / "pipeline")
    secret = key.read_bytes().strip()
    stored = [path for path in (tmp_path / "pipeline").rglob("*") if path.is_file()]
    assert not any(secret in path.read_bytes() for path in stored)
    assert entities(spacy.load(tmp_path / "pipeline")("chest pain today")) == [(0, 2, "Sign")]
    copied = pickle.loads(pickle.dumps(keyed.get_pipe("ladtl")))
    assert entities(copied(words(keyed, "chest", "pain"))) == [(0, 2, "Sign")]
    with pytest.raises(UsageError, match="key"):
        pipeline(tmp_path / "m")("chest pain")


def test_words_under_a_model_of_characters_are_warned_of_once(
    model_file: Path, tmp_path: Path
) -> None:
    model = load_model(model_file)
    save_model(tmp_path / "m", replace(model, profile=Profile(tokens="characters")))
    nlp = pipeline(tmp_path / "m")
    assert entities(nlp("a b")) is not None
    with pytest.warns(ModelWarning, match="trained on single characters"):
        nlp("chest pain")
    nlp("chest pain")
    zh = spacy.blank("zh")
    zh.add_pipe("ladtl", config={"model": str(tmp_path / "m")})
    assert [token.text for token in zh("胸痛")] == ["胸", "痛"]


def test_the_entry_point_names_the_factory() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    named = project["entry-points"]["spacy_factories"]
    module, _, attribute = named["ladtl"].partition(":")
    assert getattr(import_module(module), attribute) is spacy_component.make_entity_tagger
    assert any(one.startswith("spacy") for one in project["optional-dependencies"]["spacy"])
    for found in entry_points(group="spacy_factories", name="ladtl"):
        assert found.value == named["ladtl"]
    assert Language.has_factory("ladtl")
