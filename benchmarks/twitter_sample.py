"""Make the corpora of ``ladtl experiment table5`` from CoNLL-2003 and the tweets of Ritter (2011).

    python benchmarks/twitter_sample.py CORPORA OUT
    ladtl experiment table5 --data OUT --out table5

CORPORA holds ``conll2003_en/eng.{train,testa}``, ``twitter_ner/wnut16/test`` and
``twitter_ner/ritter2011/{train,dev,test}.txt``. The target sample is that of Yang et al. (2017):
10 % of training and development tweets together, drawn with replacement by NumPy's seed 13.
Development tweets that were not drawn choose the model.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

SEED, SHARE = 13, 10


def blocks_of(path: Path) -> list[str]:
    """Sentences of a column file as they stand, without -DOCSTART- blocks."""
    text = path.read_bytes().decode("utf-8").replace("\r\n", "\n")
    blocks = [block.strip("\n") for block in text.split("\n\n")]
    return [block for block in blocks if block and not block.startswith("-DOCSTART-")]


def corpora_of(folder: Path) -> dict[str, list[str]]:
    """Sentences of each file to write."""
    english, tweets = folder / "conll2003_en", folder / "twitter_ner"
    train, dev = (blocks_of(tweets / "ritter2011" / f"{name}.txt") for name in ("train", "dev"))
    together = [*train, *dev]
    drawn = np.random.RandomState(SEED).choice(len(together), len(together) // SHARE)
    kept = sorted(set(range(len(train), len(together))) - set(drawn.tolist()))
    return {
        "conll2003.txt": blocks_of(english / "eng.train") + blocks_of(english / "eng.testa"),
        "tweets.txt": [together[n] for n in drawn],
        "tweets-dev.txt": [together[n] for n in kept],
        "test.txt": blocks_of(tweets / "ritter2011/test.txt"),
        "wnut16-test.txt": blocks_of(tweets / "wnut16/test"),
    }


def main() -> None:
    """Write the files and say what they hold."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpora", type=Path)
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    for name, blocks in corpora_of(options.corpora).items():
        (options.out / name).write_bytes(("\n\n".join(blocks) + "\n").encode("utf-8"))
        print(f"{options.out / name}: {len(blocks):,} sentences")


if __name__ == "__main__":
    main()
