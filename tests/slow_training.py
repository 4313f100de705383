"""A run of every method as the papers tell it: what the trainer is held to, step by step.

The trainer is watched for three things that are random, the sentences of each mini-batch, which
of their words were made unknown, and the dropout mask; everything else is computed here again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import pytest
from slow_objective import MEANINGS, Array, Loss, Read, Weights, loss_and_gradients, tags_of

import ladtl_np.training.trainer as trainer_module
from ladtl_np.corpus.sentence import Corpus, Sentence
from ladtl_np.corpus.vocabulary import digits_to_zero
from ladtl_np.layers.mmd_variances import REFERENCE_VARIANCES
from ladtl_np.objective.batching import EncodedSentence
from ladtl_np.options.config import Config
from ladtl_np.training.events import Evaluation
from ladtl_np.training.prepared import Prepared
from ladtl_np.training.similarity import cross_entropy_similarity
from ladtl_np.training.trainer import Trainer


class Taken(NamedTuple):
    """A sentence as the trainer took it: its number in its corpus, and its word rows."""

    number: int
    rows: Array


class Batch(NamedTuple):
    """What was random in one step."""

    source: list[Taken]
    target: list[Taken]
    mask: Array | None  # (N, D + 2Hc) in packed order


@dataclass
class Watched:
    """A run of the trainer in float64, each step evaluated."""

    trainer: Trainer
    batches: list[Batch]
    evaluations: list[Evaluation]
    starts: list[Weights]  # of each stage, before anything was carried over


def watch(prepared: Prepared, monkeypatch: pytest.MonkeyPatch) -> Watched:
    """Train in float64 and write down what was random in each step."""
    wide = _in_float64(prepared)
    stages = [wide] if wide.first_stage is None else [wide.first_stage, wide]
    numbers = {
        id(sentence.tags): n
        for stage in stages
        for half in (stage.source, stage.target)
        for n, sentence in enumerate(half)
    }
    batches: list[Batch] = []
    pack, draw = trainer_module.domain_batch, trainer_module.dropout_mask

    def watched_pack(domains: list[list[EncodedSentence]], *rest: Any):
        both = domains if len(domains) > 1 else [[], *domains]
        halves = [[Taken(numbers[id(s.tags)], s.words) for s in half] for half in both]
        batches.append(Batch(*halves, None))
        return pack(domains, *rest)

    def watched_draw(*given: Any):
        mask = draw(*given)
        batches[-1] = batches[-1]._replace(mask=None if mask is None else mask.copy())
        return mask

    monkeypatch.setattr(trainer_module, "domain_batch", watched_pack)
    monkeypatch.setattr(trainer_module, "dropout_mask", watched_draw)
    starts = [_copy(stage.network.named()) for stage in stages]
    trainer = Trainer(wide)
    evaluations = [event for event in trainer.run() if isinstance(event, Evaluation)]
    monkeypatch.undo()
    return Watched(trainer, batches, evaluations, starts)


def _in_float64(prepared: Prepared) -> Prepared:
    first = prepared.first_stage
    return replace(
        prepared,
        network=prepared.network.astype(np.float64),
        first_stage=None if first is None else _in_float64(first),
    )


def _copy(weights: dict[str, Any]) -> Weights:
    return {name: np.array(array, np.float64) for name, array in weights.items()}


class Stepped(NamedTuple):
    """What one step must report and leave behind."""

    terms: dict[str, float]
    norm: float
    next_rate: float


@dataclass
class SlowTrainer:
    """The run again, from the same start values and the same random choices."""

    config: Config
    source: Corpus
    target: Corpus
    types: tuple[list[str], list[str]]  # of the source and of the target
    partner_type: dict[str, str]  # of the source's types, those that match
    spell: Callable[[str], Array] | None  # character rows of a token

    def run(self, watched: Watched) -> tuple[Weights, list[Stepped]]:
        """Weights after the last step, and every step of both stages."""
        meaning = MEANINGS[self.config.method]
        starts = [_copy(start) for start in watched.starts]
        weights, steps = starts[-1], list[Stepped]()
        batches = watched.batches
        if meaning.two_stages or self.config.training.start == "source-model":
            count = self.config.reload.source_steps or self.config.training.steps
            alone = self._loss(("source", "source"))
            trained = starts[0]
            steps += self._train(trained, batches[:count], ("", "source"), alone, {})
            self._carry(weights, trained)
            batches = batches[count:]
        domains = ("source" if meaning.uses_source and not meaning.two_stages else "", "target")
        drawn = _copy(watched.starts[-1])
        steps += self._train(weights, batches, domains, self._loss(domains), drawn)
        return weights, steps

    def _loss(self, domains: tuple[str, str]) -> Loss:
        options, meaning = self.config.objective, MEANINGS[self.config.method]
        joint = self.config.joint.crf == "shared"
        meaning = meaning._replace(shared_crf=meaning.shared_crf or joint)
        source, target = (tags_of(self.types[d == "target"], self.prefixes) for d in domains)
        if domains == ("source", "source"):
            source = target = self._source_tags(meaning.shared_crf)
            meaning = MEANINGS["re-training"]
        partner = self._partners()
        kernel = REFERENCE_VARIANCES if options.kernel == "reference" else options.kernel
        return Loss(
            source_tags=source,
            target_tags=target,
            partner=partner,
            meaning=meaning,
            source_share=options.source_share if domains == ("source", "target") else 0.0,
            w_mmd=options.w_mmd if domains == ("source", "target") else 0.0,
            w_param=options.w_param if domains == ("source", "target") else 0.0,
            w_reg=options.w_reg,
            kernel=kernel,
            excluded=options.exclude_tags,
            floor=options.mmd_floor,
            exact=options.parameter_transfer == "kl",
            moves_source=options.divergence_gradient == "both",
            shared_fraction=self.config.mask.shared_fraction,
            frozen=self.config.projection.frozen,
        )

    def _partners(self) -> dict[str, str]:
        """Source tags and the target tags that mean the same."""
        partner = {"O": "O"}
        for here, there in sorted(self.partner_type.items()):
            partner |= {f"{prefix}-{here}": f"{prefix}-{there}" for prefix in self.prefixes}
        return partner

    def _source_tags(self, shared: bool) -> list[str]:
        """In their own order; with one CRF for both in the order of the target's partners."""
        if not shared:
            return tags_of(self.types[0], self.prefixes)
        tag_of = {same: tag for tag, same in self._partners().items()}
        return [tag_of[tag] for tag in tags_of(self.types[1], self.prefixes)]

    def _train(
        self,
        weights: Weights,
        batches: list[Batch],
        domains: tuple[str, str],
        all_of_it: Loss,
        drawn: Weights,  # before anything was carried over
    ) -> Iterator[Stepped]:
        options = self.config.optimizer
        likeness = self._likeness(drawn) if all_of_it.meaning.weighs_sentences else None
        sums = {name: np.full_like(w, options.initial_accumulator) for name, w in weights.items()}
        for number, batch in enumerate(batches):
            self._require_sizes(batch, domains)
            source, target = self._read(batch, domains)
            if likeness is not None:
                source = [
                    read._replace(weight=likeness[taken.number])
                    for read, taken in zip(source, batch.source, strict=True)
                ]
            loss = scheduled(all_of_it, number / (self.config.training.steps - 1))
            terms, d = loss_and_gradients(weights, source, target, loss)
            g, norm = d, _norm(d)
            if likeness is not None and self.config.cd.mode == "step":
                plain = [read._replace(weight=1.0) for read in source]
                _, g = loss_and_gradients(weights, plain, target, loss)
            longest = options.clip_norm or np.inf
            scale = min(1.0, longest / _norm(g))
            for name, array in weights.items():
                sums[name] += (scale * g[name]) ** 2
                array -= (
                    self._rate(number) * scale * d[name] / (np.sqrt(sums[name]) + options.epsilon)
                )
            yield Stepped(terms, norm, self._rate(number + 1))

    def _require_sizes(self, batch: Batch, domains: tuple[str, str]) -> None:
        options = self.config.training
        sizes = {"": 0, "source": options.source_batch, "target": options.target_batch}
        assert [len(batch.source), len(batch.target)] == [sizes[domain] for domain in domains]

    def _rate(self, steps_done: int) -> float:
        options = self.config.optimizer
        stairs = steps_done // options.decay_steps if options.decay_steps else 0
        return options.learning_rate * options.decay**stairs

    def _read(self, batch: Batch, domains: tuple[str, str]) -> list[list[Read]]:
        halves = []
        for domain, half in zip(domains, (batch.source, batch.target), strict=True):
            corpus = {"source": self.source, "target": self.target, "": Corpus("", ())}[domain]
            halves.append([self._as_written(corpus, taken) for taken in half])
        if batch.mask is None:
            return halves
        masks = iter(_by_sentence(batch.mask, [len(r.rows) for half in halves for r in half]))
        return [[read._replace(mask=next(masks)) for read in half] for half in halves]

    def _as_written(self, corpus: Corpus, taken: Taken) -> Read:
        sentence = corpus.sentences[taken.number]
        spelling = [self.spell(token) for token in sentence.tokens] if self.spell else []
        tags = _bioes(sentence)
        if self.prefixes == "BI":
            tags = [tag.replace("S-", "B-").replace("E-", "I-") for tag in tags]
        return Read(taken.rows, spelling, tags)

    @property
    def prefixes(self) -> str:
        """Those of the scheme inside."""
        return {"bioes": "BIES", "iob2": "BI"}[self.config.model.scheme]

    def _likeness(self, weights: Weights) -> Array:
        """cd-learning's weight of each source sentence; docs/math/similarity.md."""
        options, table = self.config.cd, weights["word_embedding"]
        source, target = ([self.rows(s) for s in c] for c in (self.source, self.target))
        if options.similarity == "cross-entropy":
            return cross_entropy_similarity(source, target, len(table), options.order)
        v = np.array([table[rows].mean(axis=0) for rows in source])
        v_in = table[np.concatenate(target)].mean(axis=0)
        if options.similarity == "polynomial":
            return (v @ v_in) ** 2 / ((v**2).sum(axis=1) * (v_in**2).sum())
        distance = np.sqrt(((v - v_in) ** 2).sum(axis=1))
        return np.exp(-((distance / (options.width or np.median(distance))) ** 2) / 2)

    def rows(self, sentence: Sentence) -> Array:
        """Word rows of a sentence with every training word known."""
        return np.array([self.vocabulary[self.normal(token)] for token in sentence.tokens])

    def normal(self, token: str) -> str:
        """How a token is looked up."""
        options = self.config.vocabulary
        token = token.lower() if options.lower else token
        return digits_to_zero(token) if options.digits_to_zero else token

    @property
    def vocabulary(self) -> dict[str, int]:
        """Row of each training word: by falling count, equal counts by code point."""
        counts = self.counts()
        ordered = sorted(counts, key=lambda word: (-counts[word], word))
        return {word: row for row, word in enumerate(ordered, 1)}

    def counts(self) -> Counter[str]:
        """How often each word stands in the corpora that the method trains on."""
        corpora = [self.target]
        corpora += [self.source] if MEANINGS[self.config.method].uses_source else []
        return Counter(self.normal(t) for corpus in corpora for s in corpus for t in s.tokens)

    def _carry(self, weights: Weights, trained: Weights) -> None:
        """Layer by layer, and of the CRF only what belongs to matched tags."""
        reload = self.config.reload
        layers = {
            "word_embedding": reload.words,
            "forward.": reload.word_lstm,
            "backward.": reload.word_lstm,
            "characters.embedding": reload.characters,
            "characters.forward.": reload.character_lstm,
            "characters.backward.": reload.character_lstm,
        }
        for name in weights:
            if any(on and name.startswith(layer) for layer, on in layers.items()):
                weights[name][:] = trained[name]
        crf = "target_crf" if "target_crf.W" in weights else "shared_crf"
        source, target = (
            self._source_tags(crf == "shared_crf"),
            tags_of(self.types[1], self.prefixes),
        )
        pairs = list(self._partners().items())
        for tag, same in pairs:
            s, t = source.index(tag), target.index(same)
            if reload.emission:
                weights[f"{crf}.W"][:, t] = trained["target_crf.W"][:, s]
                if f"{crf}.b" in weights:
                    weights[f"{crf}.b"][t] = trained["target_crf.b"][s]
            for tag_after, same_after in pairs if reload.transition else []:
                value = trained["target_crf.A"][s, source.index(tag_after)]
                weights[f"{crf}.A"][t, target.index(same_after)] = value
        if "source_crf.W" in weights:
            for kind in "WbA":
                on = reload.transition if kind == "A" else reload.emission
                if on and f"source_crf.{kind}" in weights:
                    weights[f"source_crf.{kind}"][:] = trained[f"target_crf.{kind}"]


def scheduled(loss: Loss, share: float) -> Loss:
    """The loss with the weights of a place in the run."""
    return loss._replace(
        **{name: _now(getattr(loss, name), share) for name in ("source_share", "w_mmd", "w_param")}
    )


def _now(value: float | str, share: float) -> float:
    if not isinstance(value, str):
        return value
    name, _, inside = value.rstrip(")").partition("(")
    first, *rest = inside.split(",")
    now = float(first)
    if name == "steps":
        for part in rest:
            place, number = map(float, part.split(":"))
            now = number if share >= place else now
        return now
    end = float(rest[1]) if len(rest) > 1 else 1.0
    done = min(share / end, 1.0)
    if name == "cosine":
        done = np.sin(np.pi * done / 2) ** 2
    return now + (float(rest[0]) - now) * done if rest else now


def _norm(grads: Weights) -> float:
    return float(np.sqrt(sum((g**2).sum() for g in grads.values())))


def _by_sentence(values: Array, lengths: list[int]) -> list[Array]:
    """Rows of a packed batch by sentence: at each step, those that reach it, longest first."""
    parts: list[list[Array]] = [[] for _ in lengths]
    longest_first = sorted(range(len(lengths)), key=lambda n: -lengths[n])
    rows = iter(values)
    for t in range(max(lengths)):
        for n in longest_first:
            if lengths[n] > t:
                parts[n].append(next(rows))
    return [np.array(part) for part in parts]


def _bioes(sentence: Sentence) -> list[str]:
    """Tags of IOB2 or BIOES as BIOES: a span ends where no I- or E- of its type follows."""
    tags, written = [*(sentence.tags or ()), "O"], []
    for tag, after in pairwise(tags):
        prefix, dash, kind = tag.partition("-")
        last = after not in (f"I-{kind}", f"E-{kind}")
        first = prefix in "BS"
        letter = ("S" if first else "E") if last else ("B" if first else "I")
        written.append(tag if tag == "O" else f"{letter}{dash}{kind}")
    return written
