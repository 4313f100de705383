"""Two-domain mini-batches, AdaGrad, evaluation on development data, the best model kept."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np

from ladtl_np.arrays.workers import Workers, single_threaded_blas
from ladtl_np.corpus.sentence import Corpus
from ladtl_np.corpus.vocabulary import Vocabulary
from ladtl_np.errors import DivergedError
from ladtl_np.layers.embedding import dropout_mask
from ladtl_np.model.decoding import Decoder
from ladtl_np.model.evaluation import evaluate
from ladtl_np.model.network import Network
from ladtl_np.objective import LossTerms, loss_step
from ladtl_np.objective.batching import Batch, EncodedSentence, two_domain_batch
from ladtl_np.options.seeds import stream
from ladtl_np.scoring import Scores
from ladtl_np.training.optimizer import AdaGrad, global_norm
from ladtl_np.training.prepared import Prepared
from ladtl_np.training.reloading import carry_layers

__all__ = ["Evaluation", "Stage", "Step", "Trainer"]

Stage = Literal["source", "target"]


@dataclass(frozen=True, slots=True)
class Step:
    """One mini-batch done.

    Attributes
    ----------
    step, steps
        Number of this mini-batch, and of how many at most.
    terms
        The loss.
    tokens, seconds
        Size of the mini-batch, and time for it.
    stage
        Whose model is trained: ``source`` in the first of two stages, else ``target``.
    """

    step: int
    steps: int
    terms: LossTerms
    tokens: int
    seconds: float
    stage: Stage = "target"


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The model after some steps, against the development data.

    Attributes
    ----------
    step, epoch
        Steps done, and passes over the larger training set.
    terms
        Means over the steps since the evaluation before.
    gradient_norm
        Mean global norm of the gradients over the same steps.
    learning_rate
        Of the next step.
    scores
        On the development data; None where there is none.
    best
        Whether this is the best model so far; it is the last one where there is no such data.
    seconds
        Training time since the start, evaluations included.
    tokens_per_second
        Of the training steps since the evaluation before.
    stage
        As for `Step`; only the target's stage has scores.
    """

    step: int
    epoch: float
    terms: LossTerms
    gradient_norm: float
    learning_rate: float
    scores: Scores | None
    best: bool
    seconds: float
    tokens_per_second: float
    stage: Stage = "target"


class _Stream:
    """Sentences of one domain in endless shuffled passes."""

    def __init__(self, sentences: Sequence[EncodedSentence], rng: np.random.Generator) -> None:
        self.sentences, self.rng = sentences, rng
        self.order = np.zeros(0, dtype=np.int64)

    def take(self, count: int) -> list[EncodedSentence]:
        """The next `count` sentences; a pass that ends is followed by a newly shuffled one."""
        if not self.sentences:
            return []
        while self.order.size < count:
            self.order = np.concatenate([self.order, self.rng.permutation(len(self.sentences))])
        chosen, self.order = self.order[:count], self.order[count:]
        return [self.sentences[n] for n in chosen]


class Trainer:
    """One training run: ``for event in trainer.run()`` does the work and reports it.

    Attributes
    ----------
    network
        The parameters being trained.
    best
        A copy of the best so far, by F1 on the development data; the earliest of equals.
    best_evaluation
        Its evaluation, None before the first.
    """

    def __init__(self, prepared: Prepared, stage: Stage = "target") -> None:
        config = prepared.config
        self.stage: Stage = stage
        self.prepared, self.config = prepared, config
        self.network: Network = prepared.network
        self.best: Network = prepared.network
        self.best_evaluation: Evaluation | None = None
        self.workers = Workers(config.threads)
        self.optimizer = AdaGrad(self.network, config.optimizer)
        chance = partial(stream, config.seed, first_stage=stage == "source")
        self._source = _Stream(prepared.source, chance("source order"))
        self._target = _Stream(prepared.target, chance("target order"))
        self._dropout, self._unknown = chance("dropout"), chance("unknown words")
        weighted = prepared.method.source_weights == "similarity"
        self._scales_steps = weighted and config.cd.mode == "step"
        target = len(prepared.target), config.training.target_batch
        source = len(prepared.source), config.training.source_batch
        self._pass = target if config.training.epoch == "target" else max(source, target)

    def run(self) -> Iterator[Step | Evaluation]:
        """Train to the end or until patience runs out, yielding every step and evaluation.

        Raises
        ------
        DivergedError
            When the loss or a gradient is not finite; the best model so far stays in `best`.
        """
        if self.prepared.first_stage is not None:
            yield from self._first_stage(self.prepared.first_stage)
        options = self.config.training
        start = time.perf_counter()
        since_best = 0
        recent: list[Step] = []
        norms: list[float] = []
        for number in range(1, options.steps + 1):
            # what overflows is found and reported by the checks for finite values
            with single_threaded_blas(), np.errstate(over="ignore", invalid="ignore"):
                step, norm = self._step(number)
            recent.append(step)
            norms.append(norm)
            yield step
            if number % options.evaluate_every and number != options.steps:
                continue
            evaluation = self._evaluate(recent, norms, start)
            since_best = 0 if evaluation.best else since_best + 1
            recent, norms = [], []
            yield evaluation
            if options.patience and since_best >= options.patience:
                return

    def _first_stage(self, prepared: Prepared) -> Iterator[Step | Evaluation]:
        """Train on the source, then carry its layers over into this run's start values."""
        trainer = Trainer(prepared, "source")
        yield from trainer.run()
        matched, options = self.prepared.objective.matched, self.config.reload
        carry_layers(self.network, trainer.network, matched, options)

    def _batch(self) -> Batch:
        options = self.config.training
        return two_domain_batch(
            self._with_unknown(self._source.take(options.source_batch)),
            self._with_unknown(self._target.take(options.target_batch)),
            self.prepared.spelled,
        )

    def _with_unknown(self, sentences: Sequence[EncodedSentence]) -> list[EncodedSentence]:
        vocabulary: Vocabulary = self.prepared.vocabulary
        probability = self.config.training.unknown_probability
        return [
            sentence._replace(
                words=vocabulary.replace_singletons(sentence.words, self._unknown, probability)
            )
            for sentence in sentences
        ]

    def _step(self, number: int) -> tuple[Step, float]:
        begin = time.perf_counter()
        batch = self._batch()
        memory = self.workers.memory
        memory.reuse()
        shape = (batch.words.size, self.network.architecture.word_inputs)
        mask = dropout_mask(
            self._dropout,
            shape,
            self.config.model.dropout,
            self.network.embedding.dtype,
            memory.empty,
        )
        terms, gradients = loss_step(
            self.network, batch, self.prepared.objective, mask, None, self.workers
        )
        norm = global_norm(gradients)
        if not (math.isfinite(terms.total) and math.isfinite(norm)):
            raise DivergedError(
                f"step {number} diverged: loss {terms.total}, gradient norm {norm}, learning rate "
                f"{self.optimizer.learning_rate():g}, {terms}; the best model so far is kept. Try "
                "a smaller optimizer.learning_rate, or optimizer.clip_norm=5"
            )
        plain = None
        if self._scales_steps:
            objective = self.prepared.objective
            _, plain = loss_step(
                self.network, batch.unweighted(), objective, mask, None, self.workers
            )
        self.optimizer.update(self.network, gradients, norm, plain)
        seconds = time.perf_counter() - begin
        steps = self.config.training.steps
        return Step(number, steps, terms, batch.words.size, seconds, self.stage), norm

    def _evaluate(self, recent: list[Step], norms: list[float], start: float) -> Evaluation:
        scores = None
        if self.prepared.dev is not None:
            scores = self.score(self.network, self.prepared.dev)
        best = self._is_best(scores)
        if best:
            self.best = self.network.copy()
        step = recent[-1].step
        evaluation = Evaluation(
            step=step,
            epoch=step * self._pass[1] / self._pass[0],
            terms=LossTerms(*np.mean([np.array(done.terms) for done in recent], axis=0).tolist()),
            gradient_norm=float(np.mean(norms)),
            learning_rate=self.optimizer.learning_rate(),
            scores=scores,
            best=best,
            seconds=time.perf_counter() - start,
            tokens_per_second=sum(s.tokens for s in recent) / sum(s.seconds for s in recent),
            stage=self.stage,
        )
        if best:
            self.best_evaluation = evaluation
        return evaluation

    def _is_best(self, scores: Scores | None) -> bool:
        before = self.best_evaluation
        if scores is None or before is None or before.scores is None:
            return True
        name = self.config.training.select_by
        now, then = (getattr(found, name).overall.f1 for found in (scores, before.scores))
        return bool(now > then)

    def decoder(self, network: Network) -> Decoder:
        """A decoder with the target head of a network."""
        return Decoder(
            network,
            self.prepared.vocabulary,
            self.prepared.target_tags,
            characters=self.prepared.characters,
            constrained=self.config.decoding.constrained,
            emission_bias=self.config.decoding.emission_bias,
            workers=self.workers,
        )

    def score(self, network: Network, corpus: Corpus) -> Scores:
        """Scores of a network's target head on a tagged corpus."""
        with single_threaded_blas():
            return evaluate(self.decoder(network), corpus)
