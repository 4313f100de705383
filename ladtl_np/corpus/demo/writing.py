"""The synthetic demo corpus as files."""

from __future__ import annotations

from collections.abc import Iterator

from ladtl_np.corpus.demo.generator import DEFAULT_SEED, SIZES, SPLITS, generate
from ladtl_np.corpus.demo.lexicon import ENTITY_TYPES, SPECIALTIES
from ladtl_np.corpus.sentence import Corpus

__all__ = ["demo_files"]

_README = """\
SYNTHETIC demo corpus of ladtl_np
=================================

Every sentence was made up by a program (`ladtl_np.corpus.demo`, seed {seed}). Nothing here comes
from a medical record, no person is meant, and nothing here is medical knowledge or advice.

Four specialties; characters as tokens, `character<TAB>tag`, a blank line between sentences, BIOES
tags, UTF-8, LF.

{sizes}

{count} entity types:
{types}
"""


def demo_files(seed: int = DEFAULT_SEED) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of each file: ``<specialty>/{train,dev,test}.txt``, ``README.txt``.

    UTF-8 with LF on every system.

    Parameters
    ----------
    seed
        Passed to `generate`.
    """
    for specialty in SPECIALTIES:
        for split in SPLITS:
            corpus = generate(specialty, split, seed)
            yield f"{specialty}/{split}.txt", _as_conll(corpus).encode("utf-8")
    yield "README.txt", _readme(seed).encode("utf-8")


def _as_conll(corpus: Corpus) -> str:
    """One token and its tag a line, a blank line after each sentence."""
    blocks = (
        "".join(
            f"{token}\t{tag}\n"
            for token, tag in zip(sentence.tokens, sentence.tags or (), strict=True)
        )
        for sentence in corpus
    )
    return "".join(block + "\n" for block in blocks)


def _readme(seed: int) -> str:
    rows: list[tuple[str, ...]] = [("specialty", *SPLITS)]
    rows += [(name, *(str(SIZES[name][split]) for split in SPLITS)) for name in SPECIALTIES]
    sizes = "\n".join(f"  {row[0]:<18}" + "".join(f"{cell:>7}" for cell in row[1:]) for row in rows)
    types = "\n".join(f"  {name}" for name in ENTITY_TYPES)
    return _README.format(seed=seed, sizes=sizes, count=len(ENTITY_TYPES), types=types)
