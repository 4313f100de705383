"""Two-domain mini-batches, AdaGrad, evaluation on development data, the best model kept."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ladtl_np.batching import Batch, EncodedSentence, two_domain_batch
from ladtl_np.corpus.sentence import Corpus
from ladtl_np.corpus.vocabulary import Vocabulary
from ladtl_np.decoding import Decoder
from ladtl_np.errors import DivergedError
from ladtl_np.evaluation import evaluate
from ladtl_np.layers.embedding import dropout_mask
from ladtl_np.network import Network
from ladtl_np.objective import LossTerms, loss_step
from ladtl_np.optimizer import AdaGrad, global_norm
from ladtl_np.preparation import Prepared
from ladtl_np.scoring import Scores
from ladtl_np.workers import Workers, single_threaded_blas

__all__ = ["Evaluation", "Step", "Trainer"]


@dataclass(frozen=True, slots=True)
class Step:
    """One mini-batch done."""

    step: int
    terms: LossTerms
    tokens: int
    seconds: float


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
        A copy of the best so far, by conlleval F1 on the development data; the earliest of equals.
    best_evaluation
        Its evaluation, None before the first.
    """

    def __init__(self, prepared: Prepared) -> None:
        config = prepared.config
        self.prepared, self.config = prepared, config
        self.network: Network = prepared.network
        self.best: Network = prepared.network
        self.best_evaluation: Evaluation | None = None
        self.workers = Workers(config.threads)
        self.optimizer = AdaGrad(self.network, config.optimizer)
        # every kind of random choice has its own generator, so that changing one leaves the others
        kinds = [np.random.default_rng([config.seed, kind]) for kind in range(1, 5)]
        self._source = _Stream(prepared.source, kinds[0])
        self._target = _Stream(prepared.target, kinds[1])
        self._dropout, self._unknown = kinds[2], kinds[3]
        self._larger = max(
            (len(prepared.source), config.training.source_batch),
            (len(prepared.target), config.training.target_batch),
        )

    def run(self) -> Iterator[Step | Evaluation]:
        """Train to the end or until patience runs out, yielding every step and evaluation.

        Raises
        ------
        DivergedError
            When the loss or a gradient is not finite; the best model so far stays in `best`.
        """
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

    def _batch(self) -> Batch:
        options = self.config.training
        return two_domain_batch(
            self._with_unknown(self._source.take(options.source_batch)),
            self._with_unknown(self._target.take(options.target_batch)),
        )

    def _with_unknown(self, sentences: Sequence[EncodedSentence]) -> list[EncodedSentence]:
        vocabulary: Vocabulary = self.prepared.vocabulary
        probability = self.config.training.unknown_probability
        return [
            EncodedSentence(
                vocabulary.replace_singletons(sentence.words, self._unknown, probability),
                sentence.tags,
            )
            for sentence in sentences
        ]

    def _step(self, number: int) -> tuple[Step, float]:
        begin = time.perf_counter()
        batch = self._batch()
        memory = self.workers.memory
        memory.reuse()
        shape = (batch.words.size, self.config.model.embedding)
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
        self.optimizer.update(self.network, gradients, norm)
        return Step(number, terms, batch.words.size, time.perf_counter() - begin), norm

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
            epoch=step * self._larger[1] / self._larger[0],
            terms=LossTerms(*np.mean([np.array(done.terms) for done in recent], axis=0).tolist()),
            gradient_norm=float(np.mean(norms)),
            learning_rate=self.optimizer.learning_rate(),
            scores=scores,
            best=best,
            seconds=time.perf_counter() - start,
            tokens_per_second=sum(s.tokens for s in recent) / sum(s.seconds for s in recent),
        )
        if best:
            self.best_evaluation = evaluation
        return evaluation

    def _is_best(self, scores: Scores | None) -> bool:
        before = self.best_evaluation
        if scores is None or before is None or before.scores is None:
            return True
        return scores.conlleval.overall.f1 > before.scores.conlleval.overall.f1

    def decoder(self, network: Network) -> Decoder:
        """A decoder with the target head of a network."""
        return Decoder(
            network,
            self.prepared.vocabulary,
            self.prepared.target_tags,
            constrained=self.config.decoding.constrained,
            workers=self.workers,
        )

    def score(self, network: Network, corpus: Corpus) -> Scores:
        """Scores of a network's target head on a tagged corpus."""
        with single_threaded_blas():
            return evaluate(self.decoder(network), corpus)
