"""A trained model as a component of a spaCy pipeline.                              docs/spacy.md"""

# spaCy reads the annotations of a factory as they stand, so they may not become strings here.

import os
import warnings
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from spacy.language import Language
from spacy.tokens import Doc, Span

from ladtl_np.arrays.workers import single_threaded_blas
from ladtl_np.errors import ModelWarning, UsageError
from ladtl_np.model.file import Model, load_model, model_bytes, model_from_bytes, save_model
from ladtl_np.model.tagging import Tagger
from ladtl_np.options.config import DEFAULTS

__all__ = ["EntityTagger", "make_entity_tagger"]

_FILE = "model.safetensors"


class EntityTagger:
    """Sets ``doc.ents`` from a trained model; the Doc's own tokens and sentences are read.

    Parameters
    ----------
    name
        What the pipeline calls it.
    model
        File of the model. If there is no such file, the pipeline's folder may still bring one
        (`from_disk`); tagging without is an error.
    threads
        Threads to compute with; the results do not depend on it.
    vocabulary_key
        File of the key of a hashed vocabulary, as for `load_model`; "" is none.

    Raises
    ------
    LadtlError
        If the file is no model, or the key is another's.
    """

    def __init__(
        self,
        name: str,
        model: str,
        *,
        threads: int = DEFAULTS.threads,
        vocabulary_key: str = "",
    ) -> None:
        if threads < 1:
            raise UsageError(f"{name}: threads must be at least 1, got {threads}")
        self.name, self.path, self.threads = name, model, threads
        self.vocabulary_key = vocabulary_key
        self._model: Model | None = None
        self._tagger: Tagger | None = None
        self._process = 0  # whose threads the tagger has; a fork has none of them
        self._warned = False
        if model and Path(model).exists():
            self._model = load_model(model, vocabulary_key or None)

    def __call__(self, doc: Doc) -> Doc:
        """Set the entities of one Doc; those that it had are replaced."""
        self._set_entities([doc])
        return doc

    def pipe(self, stream: Iterable[Doc], *, batch_size: int) -> Iterator[Doc]:
        """Set the entities of many, `batch_size` at a time, which is faster."""
        rest = iter(stream)
        while docs := list(islice(rest, batch_size)):
            self._set_entities(docs)
            yield from docs

    def _set_entities(self, docs: Sequence[Doc]) -> None:
        places = [(doc, rows) for doc in docs for rows in _sentences(doc)]
        tokens = [[doc[row].text for row in rows] for doc, rows in places]
        found: dict[int, list[Span]] = {id(doc): [] for doc in docs}
        with single_threaded_blas():
            tagged = list(self._ready(tokens).spans(tokens))
        for (doc, rows), spans in zip(places, tagged, strict=True):
            found[id(doc)] += [
                Span(doc, rows[start], rows[end - 1] + 1, label=kind) for start, end, kind in spans
            ]
        for doc in docs:
            doc.set_ents(found[id(doc)])

    def _ready(self, sentences: Sequence[Sequence[str]]) -> Tagger:
        model = self._given()
        if model.token_mode == "characters" and not self._warned:
            if any(len(token) > 1 for sentence in sentences for token in sentence):
                self._warned = True
                warnings.warn(
                    f"{self.name}: the model was trained on single characters, and tokens of this "
                    "pipeline are longer, so it knows none of them; use a tokenizer that cuts "
                    "characters, as spacy.blank('zh') has",
                    ModelWarning,
                    stacklevel=2,
                )
        if self._tagger is None or self._process != os.getpid():
            self._tagger, self._process = Tagger(model, threads=self.threads), os.getpid()
        return self._tagger

    def _given(self) -> Model:
        if self._model is None:
            there = f"{self.path} is not there" if self.path else "none is named"
            raise UsageError(
                f"{self.name}: no model to tag with, as {there}; give the path of a model file, "
                'as in nlp.add_pipe("ladtl", config={"model": "run/best.safetensors"})'
            )
        return self._model

    def to_disk(self, path: str | os.PathLike[str], *, exclude: Iterable[str] = ()) -> None:
        """Write the model into a folder, which is made; never the key of its words."""
        folder = Path(path)
        folder.mkdir(parents=True, exist_ok=True)
        save_model(folder / _FILE, self._given())

    def from_disk(
        self, path: str | os.PathLike[str], *, exclude: Iterable[str] = ()
    ) -> "EntityTagger":
        """Take the model of such a folder, instead of the one that there was."""
        self._take(load_model(Path(path) / _FILE, self.vocabulary_key or None))
        return self

    def to_bytes(self, *, exclude: Iterable[str] = ()) -> bytes:
        """The bytes of the model's file."""
        return model_bytes(self._given())

    def from_bytes(self, content: bytes, *, exclude: Iterable[str] = ()) -> "EntityTagger":
        """Take the model of such bytes."""
        self._take(model_from_bytes(self.name, content, self.vocabulary_key or None))
        return self

    def _take(self, model: Model) -> None:
        self._model, self._tagger, self._warned = model, None, False

    def __getstate__(self) -> dict[str, Any]:
        content = None if self._model is None else model_bytes(self._model)
        return self.__dict__ | {"_model": content, "_tagger": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__ |= state | {"_model": None}
        if state["_model"] is not None:
            self.from_bytes(state["_model"])


def _sentences(doc: Doc) -> Iterator[list[int]]:
    """Rows of the tokens of each sentence, or of the whole Doc where it is not cut into any.

    Tokens of white space alone, which spaCy keeps as tokens, are in no training text.
    """
    parts = doc.sents if doc.has_annotation("SENT_START") else [doc[:]]
    for part in parts:
        rows = [token.i for token in part if not token.is_space]
        if rows:
            yield rows


@Language.factory(
    "ladtl",
    assigns=["doc.ents", "token.ent_iob", "token.ent_type"],
    default_config={"model": "", "threads": DEFAULTS.threads, "vocabulary_key": ""},
)
def make_entity_tagger(
    nlp: Language, name: str, model: str, threads: int, vocabulary_key: str
) -> EntityTagger:
    """What ``nlp.add_pipe("ladtl")`` calls."""
    return EntityTagger(name, model, threads=threads, vocabulary_key=vocabulary_key)
