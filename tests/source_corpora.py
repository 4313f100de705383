"""Three sources and a target: other words, one type under another name, one that only one has."""

from __future__ import annotations

from dataclasses import replace

from small_corpora import small_corpora, small_corpus

from ladtl_np.corpus.labels import LabelMap
from ladtl_np.corpus.sentence import Corpus
from ladtl_np.training.prepared import Corpora, Prepared
from ladtl_np.training.trainer import Trainer

MAPS = (LabelMap(), LabelMap({"Medicine": "Drug"}, "second.toml"), LabelMap())


def renamed(corpus: Corpus, old: str, new: str) -> Corpus:
    sentences = (
        replace(s, tags=tuple(tag.replace(old, new) for tag in s.tags or ())) for s in corpus
    )
    return replace(corpus, sentences=tuple(sentences))


def three_sources(*, alike: bool = False) -> Corpora:
    """Sources of 40, 20 and 10 sentences; alike: all have the target's types by name."""
    corpora = small_corpora()
    second = small_corpus("second", 20, drugs="BCD", seed=5)
    third = small_corpus("third", 10, drugs="DEF", seed=6)
    if not alike:
        second = renamed(second, "Drug", "Medicine")
        extra = third.sentences[0]
        odd = replace(extra, tags=tuple(t.replace("Sign", "Place") for t in extra.tags or ()))
        third = replace(third, sentences=(odd, *third.sentences[1:]))
    return replace(corpora, more_sources=(second, third))


def run_through(prepared: Prepared) -> Trainer:
    trainer = Trainer(prepared)
    for _ in trainer.run():
        pass
    return trainer
