"""What a run does, fact by fact, so that what an option changes is seen apart from the rest."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pytest
from law_corpora import PROBES

from ladtl_np import LaDTLTagger
from ladtl_np.corpus.labels import TagSet
from ladtl_np.corpus.sentence import Corpus
from ladtl_np.model.decoding import Decoder
from ladtl_np.model.evaluation import predict_tags
from ladtl_np.model.file import load_model, save_model
from ladtl_np.model.network import Network
from ladtl_np.objective.batching import EncodedSentence
from ladtl_np.options.config import Config
from ladtl_np.runs.run import describe, read_corpora, read_label_maps
from ladtl_np.training import trainer as training
from ladtl_np.training.events import Evaluation, Step
from ladtl_np.training.preparation import Prepared, prepare
from ladtl_np.training.trained_model import build_model
from ladtl_np.training.trainer import Trainer

Facts = dict[str, Any]

WATCHED = 6
"""Steps whose batches, masks and rates are kept; every run has more."""
CONLLEVAL = (0.2, 0.6, 0.5, 0.7, 0.1)
STRICT = (0.1, 0.2, 0.9, 0.3, 0.3)
"""F1 of every evaluation: the choice of a model is watched apart from its weights."""

PARTS = {
    "words": "word_embedding",
    "LSTM": r"(forward|backward)\.W",
    "recurrence": r"(forward|backward)\.U",
    "LSTM biases": r"(forward|backward)\.b",
    "source emissions": r"source_crf\.W",
    "source bias": r"source_crf\.b",
    "source transitions": r"source_crf\.A",
    "target emissions": r"(target|shared)_crf\.W",
    "target bias": r"(target|shared)_crf\.b",
    "target transitions": r"(target|shared)_crf\.A",
    "maps": r".*_projection\.T",
    "characters": r"characters\.embedding",
    "character LSTM": r"characters\.(forward|backward)\.[WU]",
    "character LSTM biases": r"characters\.(forward|backward)\.b",
}
"""Names of parameters, by the part of the network; a shared CRF counts as the target's."""


def frozen(value: Any) -> Any:
    """A copy that can be compared, of arrays byte for byte."""
    if isinstance(value, np.ndarray):
        return (str(value.dtype), value.shape, value.tobytes())
    if isinstance(value, dict):
        return {key: frozen(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return tuple(frozen(item) for item in value)
    return value


def fixed_network(network: Network) -> Network:
    """The same architecture with weights that depend on their names and shapes alone.

    They are large, so that every word, mask, bias and forbidden step shows in the tags.
    """
    fixed = network.copy()
    for name, array in fixed.named().items():
        seed = zlib.crc32(f"{name} {array.shape}".encode())
        size = 6.0 if re.fullmatch(r".*_crf\.W", name) else 2.0
        array[...] = np.random.default_rng(seed).normal(scale=size, size=array.shape)
    return fixed


class Loss(NamedTuple):
    """One call of the loss: what it was given, and what it gave back."""

    network: Network  # a copy
    source: Sequence[EncodedSentence]
    target: Sequence[EncodedSentence]
    mask: Any
    spellings: Any
    terms: dict[str, float]
    gradients: Facts


class _Recorder:
    """Stands in for parts of the training module, and keeps what goes through them."""

    def __init__(self, prepared: Prepared) -> None:
        self.fixed = fixed_network(prepared.network)
        self.halves: tuple[Sequence[EncodedSentence], Sequence[EncodedSentence]] = ((), ())
        self.losses: list[Loss] = []  # of the step that is being done
        self.evaluated: list[Any] = []
        self.real = training.domain_batch, training.loss_step

    def domain_batch(self, domains: Any, spelled: Any) -> Any:
        *source, target = domains
        self.halves = source[0] if source else [], target
        return self.real[0](domains, spelled)

    def loss_step(self, network: Network, batch: Any, objective: Any, mask: Any, *more: Any) -> Any:
        terms, gradients = self.real[1](network, batch, objective, mask, *more)
        found = {"word_embedding": list(gradients.embedding), **gradients.weights}
        spellings = frozen([batch.spellings, batch.place])
        kept = frozen(mask), spellings, terms._asdict(), frozen(found)
        self.losses.append(Loss(network.copy(), *self.halves, *kept))
        return terms, gradients

    def evaluate(self, decoder: Decoder, corpus: Corpus) -> Any:
        number = len(self.evaluated)
        decoder.network = self.fixed
        self.evaluated.append((corpus.sentences, corpus.scheme, frozen(decoder.tag(PROBES))))
        f1 = {"conlleval": CONLLEVAL[number], "strict": STRICT[number]}
        reports = {name: SimpleNamespace(overall=SimpleNamespace(f1=f1[name])) for name in f1}
        return SimpleNamespace(**reports)


def facts_of(config: Config, folder: Path) -> Facts:
    """Everything that a run with these options does; its model is saved in the folder."""
    corpora = read_corpora(config)
    prepared = prepare(config, corpora, *read_label_maps(config))
    facts = prepared_facts(prepared)
    recorder = _Recorder(prepared)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("domain_batch", "loss_step", "evaluate"):
            patch.setattr(training, name, getattr(recorder, name))
        trainer = Trainer(prepared)
        facts |= training_facts(trainer, recorder)
    decoder = trainer.decoder(recorder.fixed)
    facts["predictions"] = [(test.sentences, predict_tags(decoder, test)) for test in corpora.tests]
    path = folder / "fixed.safetensors"
    save_model(path, build_model(prepared, recorder.fixed, {}, {}))
    key = config.vocabulary.key or None
    facts["model's tags"] = LaDTLTagger.load(path, vocabulary_key=key).predict(PROBES)
    facts["model's options"] = load_model(path).config
    files = [describe(role, corpus) for role, corpus in corpora.roles()]
    facts["files"] = [
        {key: value for key, value in file.items() if key != "name"} for file in files
    ]
    return facts


def prepared_facts(prepared: Prepared) -> Facts:
    """What training starts from."""
    source, tags = _source(prepared)
    vocabulary, characters = prepared.vocabulary, prepared.characters
    matched = prepared.objective.matched
    names = () if tags is None else tags.tags
    pairs = zip(*matched, strict=True)
    return {
        "source sentences": _patterns(source, tags),
        "target sentences": _patterns(prepared.target, prepared.target_tags),
        "source weights": [sentence.weight for sentence in source],
        "vocabulary": vocabulary.to_state(),
        "alphabet": frozen([characters and characters.to_state(), prepared.spelled]),
        "tags": (sorted(names), prepared.target_tags.tags),
        "matches": {(names[s], prepared.target_tags.tags[t]) for s, t in pairs},
    }


def _source(prepared: Prepared) -> tuple[Sequence[EncodedSentence], TagSet | None]:
    """The source's sentences and tags, whichever stage trains on them."""
    first = prepared.first_stage
    if first is not None:
        return first.target, first.target_tags
    return prepared.source, prepared.source_tags


def _patterns(sentences: Iterable[EncodedSentence], tags: TagSet | None) -> list[str]:
    """Prefixes of every sentence's tags, by which it can be told from the others."""
    return ["".join(tag[0] for tag in tags.decode(s.tags)) for s in sentences] if tags else []


def training_facts(trainer: Trainer, recorder: _Recorder) -> Facts:
    """What the steps draw, compute and change, and how they are counted."""
    steps: dict[str, list[Step]] = {"source": [], "target": []}
    losses: dict[str, list[Loss]] = {"source": [], "target": []}
    evaluations: list[Evaluation] = []
    rates: list[float] = []
    after: Facts = {}
    for event in trainer.run():
        if isinstance(event, Evaluation):
            evaluations += [event] if event.stage == "target" else []
            continue
        steps[event.stage].append(event)
        losses[event.stage].append(recorder.losses[0])
        recorder.losses = []
        if event.stage == "target":
            rates.append(trainer.optimizer.learning_rate())
            after = after or trainer.network.copy().named()
    first = losses["target"][0]
    before = first.network.named()
    facts: Facts = {
        "first update": frozen({name: after[name] - before[name] for name in after}),
        "learning rates": rates[:WATCHED],
        "steps": [(step.step, step.steps) for step in steps["target"]],
        "evaluations": [evaluation.step for evaluation in evaluations],
        "epochs": {round(evaluation.epoch / evaluation.step, 9) for evaluation in evaluations},
        "best": trainer.best_evaluation and trainer.best_evaluation.step,
        "dropout": [loss.mask for loss in losses["target"][:WATCHED]],
        "spellings": [loss.spellings for loss in losses["target"][:WATCHED]],
        "evaluated": [item[:2] for item in recorder.evaluated[:1]],
        "evaluation's tags": [item[2] for item in recorder.evaluated[:1]],
        "last weights": frozen(trainer.network.named()),
        "source stage": [
            (step.step, step.steps, loss.mask, loss.terms, loss.gradients)
            for step, loss in zip(steps["source"], losses["source"], strict=True)
        ],
    }
    facts |= first.terms | _by_part("start", frozen(before)) | _by_part("d", first.gradients)
    return facts | _draws(trainer.prepared, losses)


def _by_part(lead: str, arrays: Facts) -> Facts:
    return {
        f"{lead} {part}": {n: array for n, array in arrays.items() if re.fullmatch(names, n)}
        for part, names in PARTS.items()
    }


def _draws(prepared: Prepared, losses: dict[str, list[Loss]]) -> Facts:
    """Sentences of each domain in the order in which they are drawn, and their unknown words."""
    drawn = {
        "source": [loss.source for loss in losses["target"]],
        "target": [loss.target for loss in losses["target"]],
    }
    if prepared.first_stage is not None:  # its only domain is the source
        drawn["source"] = [loss.target for loss in losses["source"]]
    encoded = {"source": _source(prepared), "target": (prepared.target, prepared.target_tags)}
    facts: Facts = {}
    for domain, (sentences, tags) in encoded.items():
        known = dict(zip(_patterns(sentences, tags), sentences, strict=True))
        assert len(known) == len(sentences)  # each can be told from the others
        stream = [_patterns(step, tags) for step in drawn[domain][:WATCHED]]
        facts[f"{domain} stream"] = stream
        facts[f"{domain} unknown"] = [
            frozen(sentence.words != known[pattern].words)
            for step, patterns in zip(drawn[domain], stream, strict=False)
            for sentence, pattern in zip(step, patterns, strict=True)
        ]
    return facts
