"""The synthetic demo corpus as files."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

from ladtl_np.corpus.demo.generator import DEFAULT_SEED, SIZES, SPLITS, generate
from ladtl_np.corpus.demo.lexicon import ENTITY_TYPES, SPECIALTIES
from ladtl_np.corpus.sentence import Corpus

__all__ = ["write_demo"]

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


def write_demo(directory: str | PathLike[str], seed: int = DEFAULT_SEED) -> None:
    """Write the synthetic demo corpus in CoNLL format.

    Parameters
    ----------
    directory
        Gets ``<specialty>/{train,dev,test}.txt`` and ``README.txt``; made if absent.
    seed
        Passed to `generate`.
    """
    folder = Path(directory)
    for specialty in SPECIALTIES:
        (folder / specialty).mkdir(parents=True, exist_ok=True)
        for split in SPLITS:
            _write(folder / specialty / f"{split}.txt", _as_conll(generate(specialty, split, seed)))
    _write(folder / "README.txt", _readme(seed))


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


def _write(path: Path, text: str) -> None:
    """Write UTF-8 with LF on every system."""
    path.write_bytes(text.encode("utf-8"))
