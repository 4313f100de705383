"""One training run from files to a run folder: what ``ladtl train`` does, without the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from io import StringIO
from typing import Any

import msgspec

from ladtl_np.corpus.demo import generate
from ladtl_np.corpus.formats.conll import write_conll
from ladtl_np.corpus.labels import LabelMap
from ladtl_np.corpus.read import read_corpus
from ladtl_np.corpus.schemes import illegal_positions
from ladtl_np.corpus.sentence import Corpus
from ladtl_np.errors import DivergedError, UsageError
from ladtl_np.model.evaluation import predict_tags
from ladtl_np.model.file import Model
from ladtl_np.model.network import Network
from ladtl_np.options.config import Config, to_toml
from ladtl_np.options.input_file import Role
from ladtl_np.options.method_checks import chosen_method
from ladtl_np.runs.checkpoint import (
    SELDOM,
    Every,
    Timer,
    made_of,
    read_checkpoint,
    resume,
    write_checkpoint,
)
from ladtl_np.runs.folder import RunFolder, unique_names
from ladtl_np.runs.label_mmd import label_mmds
from ladtl_np.runs.manifest import DEV
from ladtl_np.runs.names import BEST, CHECKPOINT, CONFIG, LAST, predictions_of
from ladtl_np.runs.records import metrics_row, numbered, sources_record
from ladtl_np.scoring import Scores
from ladtl_np.training.events import Evaluation, Step
from ladtl_np.training.prepared import Corpora, Prepared
from ladtl_np.training.remarks import closing_remarks
from ladtl_np.training.state import passes_of
from ladtl_np.training.trained_model import build_model, machine, versions
from ladtl_np.training.trainer import Trainer

__all__ = ["DEMO_SOURCE", "DEMO_TARGET", "Run", "demo_corpora", "read_corpora", "read_label_maps"]

DEMO_SOURCE, DEMO_TARGET = "cardiology", "gastroenterology"


def read_corpora(config: Config) -> Corpora:
    """Read every file that the options name.

    Raises
    ------
    UsageError
        If a needed file is not named or cannot be opened.
    DataError
        With all findings in a file, each with its line.
    """
    data = config.data
    if not data.target:
        raise UsageError("give the target's training corpus with --target, or try --demo")
    method = chosen_method(config, has_source=bool(data.source))
    read: dict[Role, list[Corpus]] = {"source": [], "target": [], "dev": [], "test": []}
    for file in data.files():
        if file.role != "source" or method.reads_source:
            corpus = read_corpus(file.path, file.format, require_renames=file.trains)
            read[file.role].append(corpus)
    source, dev = (read[role][0] if read[role] else None for role in ("source", "dev"))
    return Corpora(
        source, read["target"][0], dev, tuple(read["test"]), more_sources=tuple(read["source"][1:])
    )


def demo_corpora(config: Config) -> Corpora:
    """The synthetic corpus: cardiology as the source, gastroenterology as the target."""
    method = chosen_method(config)
    return Corpora(
        generate(DEMO_SOURCE, "train") if method.reads_source else None,
        generate(DEMO_TARGET, "train"),
        generate(DEMO_TARGET, "dev"),
        (generate(DEMO_TARGET, "test"),),
    )


def read_label_maps(config: Config) -> list[LabelMap]:
    """The label map of each source; sources that share one get the same, and none an empty one."""
    data = config.data
    read = {path: LabelMap.read(path) for path in data.label_maps()}
    named = [source.label_map for source in data.sources()] or [data.label_map]
    none = LabelMap()
    return [read.get(path, none) for path in named]


@dataclass(slots=True)
class Run:
    """A prepared training run and its folder.

    ``for event in run.train()`` trains, writing metrics and the best model on the way; then
    `finish` scores the tests and writes everything else.
    """

    prepared: Prepared
    corpora: Corpora
    folder: RunFolder
    command: list[str]
    every: Every = SELDOM
    trainer: Trainer = field(init=False)
    resumed: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        self.folder.protect([], self.predictions())
        self.trainer = Trainer(self.prepared)

    def train(self) -> Iterator[Step | Evaluation]:
        """Train, reporting every step and evaluation.

        Raises
        ------
        DivergedError
            If the loss or the gradient is not finite any more.
        """
        folder, timer = self.folder, Timer(self.every)
        folder.require_space(self.space())
        folder.write_manifest(self.manifest(), self.predictions())
        folder.write_text(CONFIG, to_toml(self.prepared.config))
        if not self.resumed:
            folder.begin_metrics()
        folder.log("start", method=self.prepared.config.method, seed=self.prepared.config.seed)
        try:
            for event in self.trainer.run():
                if isinstance(event, Evaluation):
                    self._record(event)
                elif timer.due():
                    self.save_checkpoint()
                yield event
        except DivergedError as error:
            folder.log("stopped", reason="diverged")
            raise DivergedError(f"{error}. {folder.kept()}") from None

    def _record(self, event: Evaluation) -> None:
        row = metrics_row(event)
        if event.stage == "source":
            self.folder.log("evaluation", stage="source", **row)
            return
        self.folder.metrics(row)
        self.folder.log("evaluation", **row)
        if event.best:
            self.folder.save(BEST, self.model(self.trainer.best, {DEV: event.scores}))

    def save_checkpoint(self) -> None:
        """Write all that the run needs to go on from here, between two events."""
        path, size = self.folder.work / CHECKPOINT, self.folder.metrics_size()
        write_checkpoint(path, self.trainer, self._hashes(), versions(), size)

    def resume(self, *, allow_change: bool = False) -> None:
        """Go on where the checkpoint in the folder says, before `train` is called.

        Raises
        ------
        UsageError
            If options, corpora or versions are others and `allow_change` is off: which.
        ModelFileError
            If the checkpoint is damaged.
        """
        path = self.folder.work / CHECKPOINT
        checkpoint, arrays = read_checkpoint(path)
        told = checkpoint.differences(self.prepared.config, self._hashes(), versions())
        if told and not allow_change:
            raise UsageError(
                f"{self.folder.path} holds another run: {'; '.join(told)}. Give it the same "
                "options and files, or --allow-change to go on with these"
            )
        resume(self.trainer, path, checkpoint.state, arrays)
        self.folder.cut_metrics(checkpoint.metrics)
        self.folder.log("resumed", step=self.trainer.step, changed=told)
        self.resumed = True

    @property
    def steps_done(self) -> int:
        """Mini-batches done, of the stage that the run is in."""
        trainer = self.trainer.first or self.trainer
        return trainer.step

    def interrupted(self, reason: str) -> None:
        """Write the last model and a checkpoint before leaving early, between two events."""
        self.folder.save(LAST, self.model(self.trainer.network, {}))
        self.save_checkpoint()
        self.folder.log("stopped", reason=reason)

    def _hashes(self) -> dict[str, str]:
        """What a run is made of besides its options: files, and what preparation made of them."""
        roles = self.corpora.roles()
        names = unique_names([corpus.name for _, corpus in roles])
        files = {
            f"the file {role} {name}": corpus.sha256
            for (role, corpus), name in zip(roles, names, strict=True)
        }
        return files | made_of(self.prepared)

    def finish(self) -> dict[str, Scores]:
        """Score the best model on every test corpus; write models and predictions."""
        evaluation = self.trainer.best_evaluation
        scores: dict[str, Scores] = {}
        if evaluation is not None and evaluation.scores is not None:
            scores[DEV] = evaluation.scores
        for name, test in zip(self._test_names(), self.corpora.tests, strict=True):
            scores[name] = self.trainer.score(self.trainer.best, test)
            self._write_predictions(name, test)
        self.folder.save(BEST, self.model(self.trainer.best, dict(scores)))
        self.folder.save(LAST, self.model(self.trainer.network, {}))
        results = {name: score.to_json() for name, score in scores.items()}
        step = evaluation.step if evaluation is not None else 0
        apart = label_mmds(self.trainer.best, self.prepared, self.trainer.workers)
        found = {"best_step": step, "results": results}
        remarks = [*self.prepared.remarks, *closing_remarks(self.trainer)]
        found["remarks"] = [remark.to_json() for remark in remarks]
        found["updates"], found["sentences"] = self.prepared.done(self.trainer.step)
        found["label_mmd"] = [msgspec.structs.asdict(label) for label in apart]
        self.folder.log("end", best_step=step)
        self.folder.write_manifest(self.manifest() | found, self.predictions())
        self.folder.remove(CHECKPOINT)
        self.folder.complete()
        return scores

    def _test_names(self) -> list[str]:
        return unique_names([test.name for test in self.corpora.tests])

    def predictions(self) -> list[str]:
        """Names of the files of predictions that the run writes."""
        return [predictions_of(name) for name in self._test_names()]

    def space(self) -> int:
        """Bytes that the run's files need at most: two models, a checkpoint, one of them twice."""
        network, words = self.prepared.network, self.prepared.vocabulary.words
        numbers = network.embedding.nbytes + network.weights.flat.nbytes
        model = numbers + sum(len(word.encode("utf-8", "replace")) + 4 for word in words)
        orders = 8 * sum(len(each.sentences) for each in passes_of(self.trainer).values())
        checkpoint = 3 * numbers + orders  # weights, the best ones, the optimiser's sums
        return 2 * model + checkpoint + max(model, checkpoint)

    def _write_predictions(self, name: str, test: Corpus) -> None:
        predicted = predict_tags(self.trainer.decoder(self.trainer.best), test)
        text = StringIO(newline="\n")
        write_conll(text, test, predicted)
        self.folder.write_text(predictions_of(name), text.getvalue())

    def model(self, network: Network, scores: dict[str, Scores | None]) -> Model:
        """The network with all that tagging needs."""
        hashes: dict[str, str] = {}
        for role, corpus in self.corpora.roles():
            if role != "test":
                hashes[numbered(role, hashes)] = corpus.sha256
        return build_model(self.prepared, network, scores, hashes)

    def manifest(self) -> dict[str, Any]:
        """What was run, on what, with which versions."""
        prepared = self.prepared
        network, chosen = prepared.network, prepared.chosen
        return {
            "command": self.command,
            "method": prepared.config.method,
            "versions": versions(),
            "machine": machine(),
            "data": [describe(role, corpus) for role, corpus in self.corpora.roles()],
            "vectors": msgspec.to_builtins(prepared.vectors),
            "target_sentences_used": len(prepared.target),
            "target_tokens_used": prepared.target_tokens,
            "target_chosen": chosen and {"name": chosen.name, "sha256": chosen.sha256},
            "updates_before": prepared.done(0)[0],
            "matched_tags": len(prepared.objective.matched[0]),
            "sources": sources_record(prepared),
            "parameters": int(network.embedding.size + network.weights.flat.size),
            "scheme": prepared.target_tags.scheme,
            "start": prepared.config.training.start,
            "weights": prepared.objective.written_weights,
            "constrained_decoding": prepared.config.decoding.constrained,
            "remarks": [remark.to_json() for remark in prepared.remarks],
        }


def describe(role: Role, corpus: Corpus) -> dict[str, Any]:
    """Size, scheme and hash of a corpus, and how many of its tags its scheme does not allow."""
    illegal = sum(len(illegal_positions(s.tags, corpus.scheme)) for s in corpus if s.tags)
    return {
        "role": role,
        "name": corpus.name,
        "sha256": corpus.sha256,
        "sentences": len(corpus),
        "tokens": corpus.token_count,
        "scheme": corpus.scheme,
        "illegal_tags": illegal,
    }
