"""Sources and targets of the tables in docs/results: files, and the options that differ."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

__all__ = ["TASKS", "Task"]

CLINICAL = "ccks2017_clinical/departments_70_15_15"
CLINICAL_TASKS = (
    ("respiratory", "neurology"),
    ("surgery_urology", "orthopaedics_trauma"),
    ("neurology", "orthopaedics_trauma"),
    ("surgery_urology", "respiratory"),
    ("orthopaedics_trauma", "surgery_urology"),
)
NAMED_ONLY = (
    'rename={"PER.NAM" = "PER", "LOC.NAM" = "LOC", "GPE.NAM" = "LOC", "ORG.NAM" = "ORG", '
    '"*.NOM" = ""}'
)
WEIBO_STEPS, TWITTER_STEPS = 3000, 1000
TWITTER_MAP = 'LOC = "geo-loc"\nPER = "person"\nORG = "company"\nMISC = "other"\n'


class Task(NamedTuple):
    """One source and target, with the arguments that name their files and set their options."""

    name: str
    arguments: tuple[str, ...]


def _task(name: str, *arguments: object) -> Task:
    return Task(name, tuple(map(str, arguments)))


def _settings(*settings: str) -> list[str]:
    return [part for setting in settings for part in ("--set", setting)]


def clinical_tasks(corpora: Path, folder: Path) -> list[Task]:
    """Five of the twelve department tasks, with 10 % of the target's sentences."""
    root = corpora / CLINICAL
    tasks = []
    for source, target in CLINICAL_TASKS:
        files = ["--source", root / source / "train.txt", "--target", root / target / "train.txt"]
        files += ["--dev", root / target / "dev.txt", "--test", root / target / "test.txt"]
        files += ["--test", root / target / "test_novel.txt", "--target-fraction", "0.1"]
        tasks.append(_task(f"{source} to {target}", *files))
    return tasks


def weibo_tasks(corpora: Path, folder: Path) -> list[Task]:
    """SIGHAN to WeiboNER from the files as they are: named and nominal merged, and named only."""
    options = _settings(
        "training.source_batch=15",
        "training.target_batch=15",
        f"training.steps={WEIBO_STEPS}",
        "training.evaluate_every=250",
    )
    source = ["--source", corpora / "sighan_msra/paper_split/train.txt", *options]
    merged, original = corpora / "weibo/ladtl_merged", corpora / "weibo/orig"
    first = ["--target", merged / "eval_train", "--dev", merged / "eval_valid"]
    first += ["--test", merged / "eval_test"]
    stem = "weiboNER_2nd_conll"
    second = ["--target", original / f"{stem}.train", "--dev", original / f"{stem}.dev"]
    second += ["--test", original / f"{stem}.test", "--target-format", "position_digits=true"]
    second += ["--target-format", NAMED_ONLY]
    return [
        _task("SIGHAN to WeiboNER, named and nominal merged", *source, *first),
        _task("SIGHAN to WeiboNER, named only", *source, *second),
    ]


def twitter_tasks(corpora: Path, folder: Path) -> list[Task]:
    """CoNLL-2003 to TwitterNER: four of ten types matched, 214 tweets drawn with replacement.

    The sample is that of Yang et al. (2017): from training and development tweets together. The
    development tweets that were not drawn choose the model here.
    """
    folder.mkdir(parents=True, exist_ok=True)
    english, tweets = corpora / "conll2003_en", corpora / "twitter_ner"
    blocks = _blocks(english / "eng.train") + _blocks(english / "eng.testa")
    _write(folder / "conll.txt", blocks)
    train, dev = (_blocks(tweets / "ritter2011" / f"{name}.txt") for name in ("train", "dev"))
    drawn = np.random.RandomState(13).choice(len(train) + len(dev), (len(train) + len(dev)) // 10)
    together = train + dev
    _write(folder / "tweets.txt", [together[n] for n in drawn])
    kept = sorted(set(range(len(train), len(together))) - set(drawn.tolist()))
    _write(folder / "tweets-dev.txt", [together[n] for n in kept])
    (folder / "types.toml").write_text(TWITTER_MAP, encoding="utf-8")
    options = _settings(
        "vocabulary.lower=true",
        "vocabulary.digits_to_zero=true",
        "characters.hidden=25",
        "characters.lower=true",
        f"training.steps={TWITTER_STEPS}",
        "training.evaluate_every=100",
    )
    files = ["--source", folder / "conll.txt", "--target", folder / "tweets.txt"]
    files += ["--dev", folder / "tweets-dev.txt", "--test", tweets / "ritter2011/test.txt"]
    files += ["--test", tweets / "wnut16/test", "--label-map", folder / "types.toml"]
    return [_task("CoNLL-2003 to TwitterNER", *files, *options)]


def _blocks(path: Path) -> list[str]:
    """Sentences of a column file as they stand, without -DOCSTART- blocks."""
    text = path.read_bytes().decode("utf-8").replace("\r\n", "\n")
    blocks = [block.strip("\n") for block in text.split("\n\n")]
    return [block for block in blocks if block and not block.startswith("-DOCSTART-")]


def _write(path: Path, blocks: list[str]) -> None:
    path.write_bytes(("\n\n".join(blocks) + "\n").encode("utf-8"))


TASKS: dict[str, Callable[[Path, Path], list[Task]]] = {
    "clinical": clinical_tasks,
    "weibo": weibo_tasks,
    "twitter": twitter_tasks,
}
