"""What bfloat16 changes: F1, tags and posteriors beside float32's, on every test set.

    python benchmarks/bfloat16_accuracy.py CORPORA --models FOLDER [--steps 1000] [--only NAME]
    python benchmarks/bfloat16_accuracy.py CORPORA --models FOLDER -o docs/results/bfloat16.md

CORPORA holds the folders ``ccks2017_clinical``, ``sighan_msra``, ``weibo``, ``conll2003_en`` and
``twitter_ner``. Models are trained on the whole training parts and kept in FOLDER, where another
call finds them; each is asked with both of its taggers. Needs a processor with AVX512-BF16.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ladtl_np.arrays.memory import Memory
from ladtl_np.corpus.formats.reading import ReadOptions
from ladtl_np.corpus.labels import LabelMap
from ladtl_np.corpus.read import read_corpus
from ladtl_np.corpus.sentence import Corpus
from ladtl_np.layers.bilstm import DIRECTIONS
from ladtl_np.model.decoding import Decoder
from ladtl_np.model.evaluation import predict_tags
from ladtl_np.model.file import Model, load_model, save_model
from ladtl_np.model.tagging import Domain, make_decoder
from ladtl_np.options.config import parse_config
from ladtl_np.options.precision import PRECISIONS
from ladtl_np.reference.crf import token_marginals
from ladtl_np.scoring import score
from ladtl_np.shapes import Floats
from ladtl_np.training.preparation import Corpora, prepare
from ladtl_np.training.trained_model import build_model
from ladtl_np.training.trainer import Trainer

GOAL = 0.05
POSTERIORS = 300  # sentences of a test set whose posteriors are compared
CLINICAL, SECTIONS = "ccks2017_clinical/departments_70_15_15", "ccks2017_clinical/split_70_15_15"
NEWS, TWEETS = "conll2003_en", "twitter_ner"
SPACES = ReadOptions(delimiter="space")
DIGITS = ReadOptions(position_digits=True)


class Task(NamedTuple):
    """A source and a target: their training files, and the test files of each tagger."""

    source: str
    target: str
    source_tests: tuple[str, ...]
    target_tests: tuple[str, ...]
    read: ReadOptions = ReadOptions()
    source_read: ReadOptions = ReadOptions()
    label_map: Mapping[str, str] = {}


def clinical(folder: str, source: str, target: str) -> Task:
    """One department, or one section, to another."""
    tests = [
        tuple(f"{folder}/{one}/{n}.txt" for n in ("test", "test_novel")) for one in (source, target)
    ]
    trains = [f"{folder}/{one}/train.txt" for one in (source, target)]
    return Task(*trains, *tests)


TASKS = {
    "respiratory to neurology": clinical(CLINICAL, "respiratory", "neurology"),
    "surgery to orthopaedics": clinical(CLINICAL, "surgery_urology", "orthopaedics_trauma"),
    "history to discharge": clinical(SECTIONS, "history", "discharge"),
    "treatment to general": clinical(SECTIONS, "treatment", "general"),
    "SIGHAN to Weibo, merged": Task(
        "sighan_msra/paper_split/train.txt",
        "weibo/ladtl_merged/eval_train",
        ("sighan_msra/paper_split/test.txt",),
        ("weibo/ladtl_merged/eval_valid", "weibo/ladtl_merged/eval_test"),
    ),
    "SIGHAN to Weibo, as released": Task(
        "sighan_msra/paper_split/train.txt",
        "weibo/orig/weiboNER_2nd_conll.train",
        (),
        ("weibo/orig/weiboNER_2nd_conll.dev", "weibo/orig/weiboNER_2nd_conll.test"),
        read=DIGITS,
        label_map={"PER": "PER.NAM", "LOC": "LOC.NAM", "ORG": "ORG.NAM"},
    ),
    "CoNLL-2003 to tweets": Task(
        f"{NEWS}/eng.train",
        f"{TWEETS}/ritter2011/train.txt",
        (f"{NEWS}/eng.testa", f"{NEWS}/eng.testb"),
        (f"{TWEETS}/ritter2011/test.txt", f"{TWEETS}/wnut16/test"),
        source_read=SPACES,
        label_map={"LOC": "geo-loc", "PER": "person", "ORG": "company", "MISC": "other"},
    ),
}


class Row(NamedTuple):
    """One test set under one tagger, in both precisions."""

    task: str
    test: str
    tokens: int
    entities: int
    f1: tuple[float, float]  # per cent
    other_tags: int
    largest: float  # difference of a posterior
    mean: float  # of a token's largest difference


def trained(task: Task, folder: Path, steps: int) -> Model:
    """A model of La-DTL, whose source is the whole of one."""
    config = parse_config(
        {
            "threads": 2,
            "training": {"steps": steps, "evaluate_every": steps},
        }
    )
    source = read_corpus(folder / task.source, task.source_read)
    target = read_corpus(folder / task.target, task.read)
    trainer = Trainer(prepare(config, Corpora(source, target), LabelMap(task.label_map)))
    for _ in trainer.run():
        pass
    return build_model(trainer.prepared, trainer.network, {}, {})


def posteriors(decoder: Decoder, sentence: Sequence[str]) -> Floats:
    """p(tag) of every token (n, m), by the states of the decoder's own precision."""
    network, head = decoder.network, decoder._head()
    H = network.architecture.hidden
    table, words = decoder._inputs(list(sentence))
    rows, place = np.unique(words, return_inverse=True)
    output = np.empty((len(sentence), 2 * H), np.float32)
    for name in DIRECTIONS:
        direction = decoder.products.project(
            Memory(), table=table, rows=rows, weights=network.weights, name=name
        )
        state, reverse = np.zeros((2, H), np.float32), name == "backward"
        decoder.products.encode_piece(output, state, direction, place, reverse=reverse)
    E = (output @ head.W + (head.b if head.b.size else 0)).astype(np.float64)
    A = network.weights[f"{network.architecture.crf_of(decoder.head)}.A"].astype(np.float64)
    return token_marginals(E, A)[0]


def compared(model: Model, domain: Domain, corpus: Corpus, task: str, test: str) -> Row:
    """Tag a test set in both precisions."""
    decoders = [make_decoder(model, domain=domain, precision=one) for one in PRECISIONS]
    tagged = [predict_tags(decoder, corpus) for decoder in decoders]
    gold = [sentence.tags or () for sentence in corpus]
    found = [score(gold, tags, corpus.scheme).conlleval.overall for tags in tagged]
    pairs = [(a, b) for one in zip(*tagged, strict=True) for a, b in zip(*one, strict=True)]
    differences = [
        np.abs(posteriors(decoders[0], s.tokens) - posteriors(decoders[1], s.tokens)).max(axis=1)
        for s in list(corpus)[:POSTERIORS]
    ]
    apart = np.concatenate(differences)
    return Row(
        task,
        test,
        len(pairs),
        found[0].gold,
        (100 * found[0].f1, 100 * found[1].f1),
        sum(a != b for a, b in pairs),
        float(apart.max()),
        float(apart.mean()),
    )


def rows(name: str, task: Task, folder: Path, models: Path, steps: int) -> Iterator[Row]:
    """Train a task's model, unless it is there, and compare all its test sets."""
    path = models / f"{name.replace(' ', '-')}-{steps}.safetensors"
    if not path.exists():
        save_model(path, trained(task, folder, steps))
    model = load_model(path)
    for domain, tests, read in (
        ("source", task.source_tests, task.source_read),
        ("target", task.target_tests, task.read),
    ):
        for test in tests:
            corpus = read_corpus(folder / test, read)
            yield compared(model, domain, corpus, name, test)  # type: ignore[arg-type]


def page(found: Sequence[Row], steps: int) -> str:
    """All as a page."""
    worst = max(abs(row.f1[1] - row.f1[0]) for row in found)
    within = sum(abs(row.f1[1] - row.f1[0]) <= GOAL for row in found)
    gold = [row.entities for row in found]
    mean = float(np.mean([row.f1[1] - row.f1[0] for row in found]))
    tokens, other = sum(row.tokens for row in found), sum(row.other_tags for row in found)
    lines = [
        "# Tagging in bfloat16 beside float32",
        "",
        f"Models of La-DTL after {steps} steps of training in float32, each asked with the taggers",
        "of its source and of its target. D = H = 100. F1 is",
        f"conlleval's, in per cent. Posteriors are those of the first {POSTERIORS} sentences of a",
        "test set: the difference of a tag's probability, the largest, and the mean over tokens of",
        "the token's largest. `benchmarks/bfloat16_accuracy.py` writes this page.",
        "",
        "| task | test set | entities | float32 | bfloat16 | difference | other tags of tokens | "
        "posteriors, largest | mean |",
        "|---|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    lines += [
        f"| {row.task} | {row.test.partition('/')[2]} | {row.entities:,} | {row.f1[0]:.2f} | "
        f"{row.f1[1]:.2f} | {row.f1[1] - row.f1[0]:+.3f} | {row.other_tags} of {row.tokens:,} | "
        f"{row.largest:.3f} | {row.mean:.5f} |"
        for row in found
    ]
    lines += [
        "",
        f"F1 differs by at most {worst:.3f} points, and by {mean:+.4f} in the mean over all rows.",
        f"It is within {GOAL} points in {within} of {len(found)} rows. {other:,} of {tokens:,}",
        f"tags are others. One entity of {min(gold):,} to {max(gold):,} is worth about",
        f"{100 / max(gold):.3f} to {100 / min(gold):.2f} points.",
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("corpora", type=Path)
    parser.add_argument("--models", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--only", choices=TASKS)
    parser.add_argument("-o", "--output", type=Path)
    asked = parser.parse_args()
    asked.models.mkdir(parents=True, exist_ok=True)
    found: list[Row] = []
    for name, task in TASKS.items():
        if asked.only in (None, name):
            for row in rows(name, task, asked.corpora, asked.models, asked.steps):
                print(row, flush=True)
                found.append(row)
    if asked.output:
        asked.output.write_text(page(found, asked.steps), "utf-8")


if __name__ == "__main__":
    main()
