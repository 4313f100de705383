"""Renaming and dropping of entity types while a corpus is read."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

from ladtl_np.corpus.labels import listed
from ladtl_np.corpus.limits import LISTED
from ladtl_np.corpus.schemes import split_tag
from ladtl_np.corpus.sentence import Corpus, Sentence
from ladtl_np.errors import DataError
from ladtl_np.printable import shown, some_of

__all__ = ["Renamer", "renamed"]

_MAGIC = re.compile(r"[*?[]")  # a key without any of these fits nothing but itself


class Renamer:
    """Applies old-to-new pairs of types to tag sequences of one corpus.

    A key is a type or a pattern such as ``*.NOM`` (``fnmatch``, case matters). A type that is
    itself a key is renamed by it; otherwise the first pattern that fits decides. The new type
    ``""`` drops the type: its tokens become O. Prefixes stay as they are, with one exception: where
    IOB1 parts two spans only by their types and both become the same type, the second gets the B-
    it needs.

    Attributes
    ----------
    seen
        Types met so far, under their old names.
    """

    def __init__(self, pairs: Mapping[str, str], scheme: str) -> None:
        self._pairs = dict(pairs)
        self._patterns = [key for key in pairs if _MAGIC.search(key)]
        self._scheme = scheme
        self._new: dict[str, str] = {"": ""}
        self._used: set[str] = set()

    @property
    def seen(self) -> tuple[str, ...]:
        """Types met so far, sorted."""
        return tuple(sorted(kind for kind in self._new if kind))

    @property
    def unused(self) -> tuple[str, ...]:
        """Keys that have fitted no type so far."""
        return tuple(key for key in self._pairs if key not in self._used)

    def _rename(self, kind: str) -> str:
        fitting = [key for key in self._patterns if fnmatchcase(kind, key)]
        self._used.update(fitting)
        if kind in self._pairs:
            self._used.add(kind)
            return self._pairs[kind]
        return self._pairs[fitting[0]] if fitting else kind

    def apply(self, tags: Sequence[str]) -> tuple[str, ...]:
        """Rename the types of one sentence's tags."""
        out = []
        old_before = new_before = ""
        for tag in tags:
            prefix, old = split_tag(tag)
            if old not in self._new:
                self._new[old] = self._rename(old)
            new = self._new[old]
            if self._scheme == "IOB1" and prefix == "I" and old != old_before and new == new_before:
                prefix = "B"
            out.append(f"{prefix}-{new}" if new else "O")
            old_before, new_before = old, new
        return tuple(out)


def renamed(corpus: Corpus, pairs: Mapping[str, str], *, require: bool = False) -> Corpus:
    """Rename the types of a corpus.

    Raises
    ------
    DataError
        If `require` is on and a key fits no type of the corpus.
    """
    if not pairs:
        return corpus
    renamer = Renamer(pairs, corpus.scheme)
    sentences = tuple(
        Sentence(s.tokens, None if s.tags is None else renamer.apply(s.tags), s.line)
        for s in corpus
    )
    if require and renamer.unused:
        unused = some_of([f"'{shown(key)}'" for key in renamer.unused], LISTED)
        raise DataError(
            f"{corpus.name}: no entity type fits {unused}, which is to be renamed; "
            f"types in this file: {listed(renamer.seen)}"
        )
    return replace(corpus, sentences=sentences)
