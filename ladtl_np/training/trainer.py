"""Mini-batches of all domains, AdaGrad, evaluation on development data, the best model kept."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import TypeVar

import numpy as np

from ladtl_np.arrays.workers import Workers, single_threaded_blas
from ladtl_np.corpus.sentence import Corpus
from ladtl_np.errors import DivergedError, ScoreError
from ladtl_np.layers.embedding import dropout_mask
from ladtl_np.model.decoding import Decoder
from ladtl_np.model.evaluation import evaluate
from ladtl_np.model.network import Network
from ladtl_np.objective import LossTerms, Objective, loss_step
from ladtl_np.objective.batching import Batch, domain_batch
from ladtl_np.options.schedules import share_of_step
from ladtl_np.options.seeds import stream
from ladtl_np.scoring import Scores
from ladtl_np.training.diverged import Taken, Watch, advised
from ladtl_np.training.events import Evaluation, Stage, Step
from ladtl_np.training.optimizer import AdaGrad, global_norm
from ladtl_np.training.passes import Passes, source_passes, with_unknown
from ladtl_np.training.prepared import Prepared
from ladtl_np.training.reloading import carry_layers

__all__ = ["Trainer"]

T = TypeVar("T")


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
    first
        The trainer of the first of two stages, until its layers have been carried over.
    step, since_best
        Mini-batches done; evaluations since the best one.
    recent
        The steps since the evaluation before.
    seconds
        Training time so far, evaluations included, of whoever waits for events not.
    sources, target, dropout, unknown
        Where the random choices come from, the sources' and the target's order among them.
    watch
        Notices that training has failed.
    """

    def __init__(self, prepared: Prepared, stage: Stage = "target") -> None:
        config = prepared.config
        self.stage: Stage = stage
        self.prepared, self.config = prepared, config
        self.network = self.best = prepared.network
        self.best_evaluation: Evaluation | None = None
        self.workers = Workers(config.threads)
        self.optimizer = AdaGrad(self.network, config.optimizer)
        chance = partial(stream, config.seed, first_stage=stage == "source")
        self.sources = [
            source_passes(
                config,
                source.sentences,
                tie,
                chance("source order", number=number),
                chance("label order", number=number),
            )
            for number, (source, tie) in enumerate(prepared.tied_sources())
        ]
        self.target = Passes(prepared.target, chance("target order"))
        self.dropout, self.unknown = chance("dropout"), chance("unknown words")
        first = prepared.first_stage
        self.first = Trainer(first, "source") if first is not None else None
        self.step, self.since_best, self.seconds = 0, 0, 0.0
        self.recent: list[Step] = []
        tags = max(prepared.network.architecture.heads().values())
        self.watch = Watch(prepared.objective.options, tags)
        self._taken: tuple[Taken, ...] = ()
        weighted = prepared.method.source_weights == "similarity"
        self._scales_steps = weighted and config.cd.mode == "step"
        target = len(prepared.target), config.training.target_batch
        batch = config.training.source_batch
        sources = [(len(source.sentences), batch) for source in prepared.sources]
        self._pass = target if config.training.epoch == "target" else max([*sources, target])

    def run(self) -> Iterator[Step | Evaluation]:
        """Train to the end or until patience runs out, yielding every step and evaluation.

        Goes on where `step` says, which is how a run that was stopped between two events is taken
        up again (`training.state`).

        Raises
        ------
        DivergedError
            When training has failed (`training.diverged`); the best model stays in `best`.
        """
        if self.first is not None:
            yield from self.first.run()
            ties, options = self.prepared.objective.ties, self.config.reload
            carry_layers(self.network, self.first.network, ties, options)
            self.first = None
        training = self.config.training
        begin = time.perf_counter() - self.seconds
        while True:
            ends = self.step == training.steps
            if self.recent and (ends or self.step % training.evaluate_every == 0):
                evaluation = self._checked(self._evaluate)
                yield evaluation
            elif ends or (training.patience and self.since_best >= training.patience):
                return
            else:
                # what overflows is found and reported by the checks for finite values
                with single_threaded_blas(), np.errstate(over="ignore", invalid="ignore"):
                    step = self._checked(partial(self._step, self.step + 1))
                self.seconds = time.perf_counter() - begin
                yield step

    def _checked(self, work: Callable[[], T]) -> T:
        """Do some work; where training has failed, say what is kept and what to do."""
        try:
            return work()
        except DivergedError as error:
            best = None if self.best_evaluation is None else self.best_evaluation.step
            raise advised(error, best, self.config.optimizer) from None

    def _batch(self) -> Batch:
        options, prepared = self.config.training, self.prepared
        target = self.target.take(options.target_batch)
        self._taken = (
            *(
                Taken(source.name, passes.take_beside(options.source_batch, target))
                for source, passes in zip(prepared.sources, self.sources, strict=True)
            ),
            Taken(prepared.target_name, target),
        )
        chance = prepared.vocabulary, self.unknown, options.unknown_probability
        domains = [with_unknown(taken.sentences, *chance) for taken in self._taken]
        return domain_batch(domains, prepared.spelled)

    def _objective(self, step: int) -> Objective:
        """The loss of a step, with the weights that its terms have there."""
        return self.prepared.objective.at(share_of_step(step, self.config.training.steps))

    def _step(self, number: int) -> Step:
        begin = time.perf_counter()
        batch = self._batch()
        memory = self.workers.memory
        memory.reuse()
        shape = (batch.words.size, self.network.architecture.word_inputs)
        share, dtype = self.config.model.dropout, self.network.embedding.dtype
        mask = dropout_mask(self.dropout, shape, share, dtype, memory.empty)
        objective = self._objective(number)
        terms, gradients = loss_step(self.network, batch, objective, mask, None, self.workers)
        norm = global_norm(gradients)
        rate = self.optimizer.learning_rate()
        self.watch.step(number, terms, norm, rate, self._taken)
        plain = None
        if self._scales_steps:
            _, plain = loss_step(
                self.network, batch.unweighted(), objective, mask, None, self.workers
            )
        self.optimizer.update(self.network, gradients, norm, plain)
        self.watch.updated(number, self.network, rate)
        seconds = time.perf_counter() - begin
        steps = self.config.training.steps
        step = Step(number, steps, terms, norm, batch.words.size, seconds, self.stage)
        self.step = number
        self.recent.append(step)
        return step

    def _evaluate(self) -> Evaluation:
        recent, begin = self.recent, time.perf_counter()
        self.watch.evaluated(self.step, self.network, last=self.step == self.config.training.steps)
        scores = None
        if self.prepared.dev is not None:
            try:
                scores = self.score(self.network, self.prepared.dev)
            except ScoreError as error:
                raise DivergedError(f"step {self.step} diverged: {error}") from None
        best = self._is_best(scores)
        if best:
            self.best = self.network.copy()
        self.seconds += time.perf_counter() - begin
        evaluation = Evaluation(
            step=self.step,
            epoch=self.step * self._pass[1] / self._pass[0],
            terms=LossTerms(*np.mean([np.array(done.terms) for done in recent], axis=0).tolist()),
            weights=self._objective(self.step).weights,
            gradient_norm=float(np.mean([done.gradient_norm for done in recent])),
            learning_rate=self.optimizer.learning_rate(),
            scores=scores,
            best=best,
            seconds=self.seconds,
            tokens_per_second=sum(s.tokens for s in recent) / sum(s.seconds for s in recent),
            stage=self.stage,
        )
        if best:
            self.best_evaluation = evaluation
        self.since_best = 0 if best else self.since_best + 1
        self.recent = []
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
