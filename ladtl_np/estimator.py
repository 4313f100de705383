"""``LaDTLTagger``: the whole of training and tagging as one object, in scikit-learn's manner."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from os import PathLike
from pathlib import Path
from typing import Any, Self

from ladtl_np.arrays.workers import single_threaded_blas
from ladtl_np.corpus.labels import LabelMap
from ladtl_np.corpus.schemes import decoded_tags, detect_scheme
from ladtl_np.corpus.sentence import Corpus, Sentence
from ladtl_np.errors import LadtlError
from ladtl_np.model.decoding import Decoder
from ladtl_np.model.evaluation import evaluate
from ladtl_np.model.file import Model, load_model, save_model
from ladtl_np.model.tagging import make_decoder
from ladtl_np.options.config import DEFAULTS, parse_config, set_option
from ladtl_np.runs.checkpoint import SELDOM, Every
from ladtl_np.runs.resumable import resumable
from ladtl_np.scoring import Scores
from ladtl_np.training.preparation import Corpora, prepare
from ladtl_np.training.trained_model import build_model
from ladtl_np.training.trainer import Evaluation, Step, Trainer

__all__ = ["LaDTLTagger"]

Tagged = Corpus | Iterable[tuple[Sequence[str], Sequence[str]]]
"""A corpus, or pairs of tokens and tags."""

_PARAMETERS = ("method", "seed", "threads", "options", "label_map")


class LaDTLTagger:
    """Label-aware double transfer learning for named entity recognition.

    Parameters
    ----------
    method
        A name of ``ladtl_np.options.methods.METHODS``.
    seed
        Seed of all chance; equal seeds give equal models.
    threads
        Threads to compute with; the results do not depend on it.
    options
        Any other option by its key, as in ``{"training.steps": 500, "model.hidden": 50}``.
    label_map
        Source types and the target types that mean the same; equal names match by themselves.

    Attributes
    ----------
    model_
        The trained model, after `fit` or `load`.
    history_
        Every evaluation on the way, after `fit`; from where it went on after an interruption.

    Examples
    --------
    >>> from ladtl_np import LaDTLTagger
    >>> ward = [(["chest", "pain"], ["B-Symptom", "I-Symptom"])] * 8
    >>> clinic = [(["no", "pain"], ["O", "B-Symptom"])] * 4
    >>> small = {"training.steps": 30, "model.embedding": 8, "model.hidden": 6}
    >>> tagger = LaDTLTagger(seed=1, options=small).fit(ward, clinic)
    >>> tagger.predict([["no", "pain"]])
    [('O', 'B-Symptom')]
    """

    def __init__(
        self,
        method: str = DEFAULTS.method,
        *,
        seed: int = DEFAULTS.seed,
        threads: int = DEFAULTS.threads,
        options: Mapping[str, Any] | None = None,
        label_map: Mapping[str, str] | None = None,
    ) -> None:
        self.method = method
        self.seed = seed
        self.threads = threads
        self.options = options
        self.label_map = label_map

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The constructor's parameters, as scikit-learn's tools ask for them."""
        return {name: getattr(self, name) for name in _PARAMETERS}

    def set_params(self, **parameters: Any) -> Self:
        """Change parameters by name."""
        for name, value in parameters.items():
            if name not in _PARAMETERS:
                raise ValueError(f"{name!r} is not one of {', '.join(_PARAMETERS)}")
            setattr(self, name, value)
        return self

    def fit(
        self,
        source: Tagged | None,
        target: Tagged,
        dev: Tagged | None = None,
        *,
        checkpoint: str | PathLike[str] | None = None,
        checkpoint_every: float = SELDOM.seconds,
    ) -> Self:
        """Train on both domains.

        Parameters
        ----------
        source
            Sentences of the source; None for ``non-transfer``.
        target
            Sentences of the target.
        dev
            Development sentences of the target, which choose the model; without them the model
            after the last step is kept.
        checkpoint
            File that what was done is written to on the way, for the owner only. Where it is there,
            training goes on from it and ends with the same bytes; then it is removed. Ctrl-C writes
            it, too.
        checkpoint_every
            Seconds of work that may be lost.

        Raises
        ------
        LadtlError
            With a sentence that says what to change: options, tags or sizes that do not fit, or a
            checkpoint of another training.
        """
        table: dict[str, Any] = {}
        for key, value in (self.options or {}).items():
            set_option(table, key, value)
        table |= {"method": self.method, "seed": self.seed, "threads": self.threads}
        corpora = Corpora(
            _corpus("source", source) if source is not None else None,
            _corpus("target", target),
            _corpus("dev", dev) if dev is not None else None,
        )
        prepared = prepare(parse_config(table), corpora, LabelMap(self.label_map or {}))
        trainer = Trainer(prepared)
        if checkpoint is None:
            events: Iterable[Step | Evaluation] = trainer.run()
        else:
            data = {f"the sentences of {role}": _hash(corpus) for role, corpus in corpora.roles()}
            events = resumable(trainer, Path(checkpoint), data, Every(checkpoint_every))
        self.history_ = [event for event in events if isinstance(event, Evaluation)]
        best = trainer.best_evaluation
        scores = {"dev": best.scores if best is not None else None}
        self.model_ = build_model(prepared, trainer.best, scores, {})
        self._scheme = corpora.target.scheme
        return self

    def predict(self, sentences: Iterable[Sequence[str]]) -> list[tuple[str, ...]]:
        """Tags of each sentence, in the scheme of the target's training sentences."""
        with single_threaded_blas():
            tagged = self._decoder().tag(list(sentences))
        return [decoded_tags(tags, self._scheme) for tags in tagged]

    def score(self, sentences: Tagged) -> float:
        """Micro F1 over entities as conlleval reads them, from 0 to 1."""
        return self.scores(sentences).conlleval.overall.f1

    def scores(self, sentences: Tagged) -> Scores:
        """Everything that scoring finds: per type, conlleval and strict."""
        with single_threaded_blas():
            return evaluate(self._decoder(), _corpus("sentences", sentences))

    def save(self, path: str | PathLike[str]) -> None:
        """Write the model as one safetensors file, which ``ladtl tag`` reads as well."""
        save_model(path, self._fitted())

    @classmethod
    def load(
        cls,
        path: str | PathLike[str],
        *,
        threads: int = DEFAULTS.threads,
        vocabulary_key: str | PathLike[str] | None = None,
    ) -> Self:
        """A tagger around a saved model; its predictions are in BIOES.

        A model with a hashed vocabulary needs the file of its key, as for `load_model`.
        """
        model = load_model(path, vocabulary_key)
        tagger = cls(
            model.config.method,
            seed=model.config.seed,
            threads=threads,
            label_map=model.label_map,
        )
        tagger.model_ = model
        tagger._scheme = "BIOES"
        return tagger

    def _fitted(self) -> Model:
        model: Model | None = getattr(self, "model_", None)
        if model is None:
            raise LadtlError("this tagger is not trained yet; call fit first, or load a model")
        return model

    def _decoder(self) -> Decoder:
        model = self._fitted()
        return make_decoder(model, threads=self.threads)


def _corpus(name: str, tagged: Tagged) -> Corpus:
    """A corpus from pairs of tokens and tags, in the scheme that fits them best."""
    if isinstance(tagged, Corpus):
        return tagged
    sentences = []
    for number, (tokens, tags) in enumerate(tagged, 1):
        if len(tokens) != len(tags) or not tokens:
            raise LadtlError(
                f"sentence {number} of {name} has {len(tokens)} tokens and {len(tags)} tags; "
                "give one tag for each token, and no empty sentence"
            )
        sentences.append(Sentence(tuple(tokens), tuple(tags), number))
    return Corpus(name, tuple(sentences), detect_scheme(s.tags or () for s in sentences))


def _hash(corpus: Corpus) -> str:
    """A hash of a corpus's tokens and tags."""
    content = [(sentence.tokens, sentence.tags) for sentence in corpus]
    return sha256(json.dumps(content).encode("ascii")).hexdigest()
