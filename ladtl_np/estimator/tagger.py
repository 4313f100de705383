"""The estimator itself: fit, predict, score, save, load."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from os import PathLike
from typing import Any, Self

from ladtl_np.arrays.workers import single_threaded_blas
from ladtl_np.corpus.schemes import decoded_tags
from ladtl_np.corpus.sentence import Corpus
from ladtl_np.corpus.tally import Remark
from ladtl_np.errors import UsageError
from ladtl_np.estimator.interruption import Presses, kept_network, tell_of_interruption
from ladtl_np.estimator.options import (
    checked_label_maps,
    checked_path,
    checked_threads,
    config_of,
    label_maps_of,
    options_of,
    require_source,
)
from ladtl_np.estimator.probabilities import Probabilities
from ladtl_np.estimator.remarks import tell_of_data
from ladtl_np.estimator.sentences import Tagged, corpora_of, corpus_of, tokens_of
from ladtl_np.estimator.stored import store_of
from ladtl_np.model.decoding import Decoder
from ladtl_np.model.evaluation import evaluate
from ladtl_np.model.file import Model, load_model, model_bytes, model_from_bytes, save_model
from ladtl_np.model.tagging import make_decoder
from ladtl_np.options.config import DEFAULTS
from ladtl_np.options.precision import PRECISION, Precision
from ladtl_np.progress.training import TrainingDisplay
from ladtl_np.runs.checkpoint import SELDOM
from ladtl_np.runs.resumable import Interrupted, stoppable
from ladtl_np.scoring import Scores
from ladtl_np.training.events import Evaluation, Step
from ladtl_np.training.preparation import prepare
from ladtl_np.training.remarks import closing_remarks
from ladtl_np.training.trained_model import build_model
from ladtl_np.training.trainer import Trainer

__all__ = ["LaDTLTagger"]

_PRESSES = Presses()
_Show = Callable[[Step | Evaluation], None]
_Tell = Callable[[Iterable[Remark]], None]


class LaDTLTagger(Probabilities):
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
        Source types and the target types that mean the same; equal names match by themselves. Of
        several sources one for all of them, or a list with one for each.
    precision
        How `predict` and the scores compute: ``float32``, or ``bfloat16``, which is faster where
        the processor has it. Training is float32.

    Attributes
    ----------
    model_
        The trained model, after `fit` or `load`.
    history_
        Every evaluation on the way, after `fit`; from where it went on after an interruption.
    remarks_
        What is worth knowing of the corpora and of the training, after `fit`.

    Examples
    --------
    >>> from ladtl_np import LaDTLTagger
    >>> ward = [(["chest", "pain"], ["B-Symptom", "I-Symptom"])] * 8
    >>> X, y = [["no", "pain"]] * 4, [["O", "B-Symptom"]] * 4
    >>> small = {"training.steps": 30, "model.embedding": 8, "model.hidden": 6}
    >>> tagger = LaDTLTagger(seed=1, options=small).fit(X, y, source=ward)
    >>> tagger.predict([["no", "pain"]])
    [('O', 'B-Symptom')]
    """

    _names = ("method", "seed", "threads", "options", "label_map", "precision")
    _fit_metadata = ("source", "dev", "checkpoint", "checkpoint_every", "verbose")

    def __init__(
        self,
        method: str = DEFAULTS.method,
        *,
        seed: int = DEFAULTS.seed,
        threads: int = DEFAULTS.threads,
        options: Mapping[str, Any] | None = None,
        label_map: Mapping[str, str] | Sequence[Mapping[str, str]] | None = None,
        precision: Precision = PRECISION,
    ) -> None:
        self.method = method
        self.seed = seed
        self.threads = threads
        self.options = options
        self.label_map = label_map
        self.precision = precision

    def fit(
        self,
        X: Corpus | Sequence[Sequence[str]],
        y: Sequence[Sequence[str]] | None = None,
        *,
        source: Tagged | Mapping[str, Tagged] | None = None,
        dev: Tagged | None = None,
        checkpoint: str | PathLike[str] | None = None,
        checkpoint_every: float = SELDOM.seconds,
        verbose: int = 0,
    ) -> Self:
        """Train on the target's sentences, and on the source's.

        Ctrl-C stops after the step that is going on and keeps the best model so far, with a
        warning; without development data that is the last one. Corpora that are hardly what was
        meant get a `DataWarning`. A second Ctrl-C within five seconds
        is raised, and so is one before the first step on the target.

        Parameters
        ----------
        X
            Sentences of the target, each a sequence of tokens; or a corpus.
        y
            The tags of each sentence; None with a corpus.
        source
            Sentences of the source: a tuple (X, y), a list of (tokens, tags) pairs, or a corpus.
            Several sources are a dictionary of these by their names. The method ``non-transfer``
            needs none, and leaves one unused.
        dev
            Development sentences of the target, which choose the model, in the same forms; without
            them the model after the last step is kept.
        checkpoint
            File that what was done is written to on the way, for the owner only. Where it is there,
            training goes on from it and ends with the same bytes; then it is removed. Ctrl-C writes
            it, too.
        checkpoint_every
            Seconds of work that may be lost.
        verbose
            0 is silent, 1 prints remarks and a line for each evaluation on standard error, 2 shows
            a bar on a terminal as well.

        Raises
        ------
        LadtlError
            With a sentence that says what to change: sentences, options, tags or sizes that do not
            fit, or a checkpoint of another training.
        """
        corpora = corpora_of(X, y, source, dev)
        config = config_of(self.method, self.seed, self.threads, self.options)
        require_source(config, source)
        prepared = prepare(config, corpora, *checked_label_maps(self.label_map))
        tell_of_data(prepared.remarks)
        store = store_of(checkpoint, checkpoint_every, corpora)
        trainer, history, kept = Trainer(prepared), list[Evaluation](), None
        try:
            with _shown(verbose, config.training.steps) as (show, tell):
                tell(prepared.remarks)
                for event in stoppable(trainer, store):
                    if isinstance(event, Evaluation):
                        history.append(event)
                    show(event)
                tell(closing_remarks(trainer))
        except Interrupted:
            kept = kept_network(trainer)
            if kept is None:
                raise
        best = trainer.best_evaluation
        scores = {"dev": best.scores if best is not None else None}
        network = trainer.best if kept is None else kept[0]
        self.model_ = build_model(prepared, network, scores, {})
        self.history_ = history
        self.remarks_ = (*prepared.remarks, *closing_remarks(trainer))
        if kept is not None:
            tell_of_interruption(trainer, kept[1], store)
            if _PRESSES.again():
                raise KeyboardInterrupt
        return self

    def predict(self, X: Corpus | Sequence[Sequence[str]]) -> list[tuple[str, ...]]:
        """Tags of each sentence, in the scheme of the target's training sentences.

        Raises
        ------
        LadtlError
            If X holds no sentences, or the tagger is not trained.
        """
        scheme = self._fitted().target_scheme
        tokens = tokens_of(X)
        with single_threaded_blas():
            tagged = self._decoder().tag(tokens)
        return [decoded_tags(tags, scheme) for tags in tagged]

    def score(
        self, X: Corpus | Sequence[Sequence[str]], y: Sequence[Sequence[str]] | None = None
    ) -> float:
        """Micro F1 over entities as conlleval reads them, from 0 to 1."""
        return self.scores(X, y).conlleval.overall.f1

    def scores(
        self, X: Corpus | Sequence[Sequence[str]], y: Sequence[Sequence[str]] | None = None
    ) -> Scores:
        """Everything that scoring finds: per type, conlleval and strict.

        Raises
        ------
        LadtlError
            If X and y do not fit, or the tagger is not trained.
        """
        decoder, corpus = self._decoder(), corpus_of(X, y)
        with single_threaded_blas():
            return evaluate(decoder, corpus)

    def save(self, path: str | PathLike[str]) -> None:
        """Write the model as one safetensors file, which ``ladtl tag`` reads as well."""
        save_model(checked_path(path, "path"), self._fitted())

    @classmethod
    def load(
        cls,
        path: str | PathLike[str],
        *,
        threads: int = DEFAULTS.threads,
        vocabulary_key: str | PathLike[str] | None = None,
        precision: Precision = PRECISION,
    ) -> Self:
        """A tagger around a saved model, with the parameters of its training.

        Predictions are in the scheme of its training sentences, BIOES if the model does not tell.
        Among the options are the names of files of vectors and of a vocabulary's key, without their
        folders: models hold none.

        A model with a hashed vocabulary needs the file of its key, as for `load_model`.
        """
        model = load_model(checked_path(path, "path"), vocabulary_key)
        tagger = cls(
            model.config.method,
            seed=model.config.seed,
            threads=threads,
            options=options_of(model, vocabulary_key),
            label_map=label_maps_of(model),
            precision=precision,
        )
        tagger.model_ = model
        return tagger

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "model_")

    def __getstate__(self) -> dict[str, Any]:
        """The model as the bytes of its file: small, checked when read, and without its key."""
        state = dict(self.__dict__)
        if "model_" in state:
            state["model_"] = model_bytes(state["model_"])
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__ |= state
        if "model_" in state:
            self.model_ = replace(model_from_bytes("the copied model", state["model_"]), name="")

    def _fitted(self) -> Model:
        model: Model | None = getattr(self, "model_", None)
        if model is None:
            raise UsageError("this tagger is not trained yet; call fit first, or load a model")
        return model

    def _decoder(self) -> Decoder:
        threads = checked_threads(self.threads)
        return make_decoder(self._fitted(), threads=threads, precision=self.precision)


@contextmanager
def _shown(verbose: int, steps: int) -> Iterator[tuple[_Show, _Tell]]:
    """What is called with every event of a training, and with remarks on it."""
    if verbose not in (0, 1, 2):
        raise UsageError("verbose must be 0 (silent), 1 (lines) or 2 (lines and a bar)")
    if not verbose:
        yield lambda event: None, lambda remarks: None
        return
    with TrainingDisplay(steps, bar=verbose == 2) as display:
        yield display.show, display.tell
