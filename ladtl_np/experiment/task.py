"""What an experiment learns from and for: tasks as its file writes them, and as they are done."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import permutations
from typing import NamedTuple

from ladtl_np.corpus.limits import LISTED, bounded
from ladtl_np.errors import UsageError
from ladtl_np.printable import some_of

__all__ = ["ALL_PAIRS", "Task", "read_tasks"]

ALL_PAIRS = "all-pairs"
OTHERS = "*"
"""All corpora of the file but the target."""
_FOLDER = 200  # bytes of a folder's name, which file systems limit to 255
_WITHOUT = re.compile(r"\s-(?:\s|$)")  # a name may have dashes, but no spaces


class Task(NamedTuple):
    """Corpora of the file: one source or several, and a target."""

    sources: tuple[str, ...]
    target: str

    def __str__(self) -> str:
        return f"{' + '.join(self.sources)} -> {self.target}"

    @property
    def names(self) -> tuple[str, ...]:
        """Every corpus of the task."""
        return (*self.sources, self.target)

    @property
    def folder(self) -> str:
        """What the folder of its runs is called."""
        return f"{'+'.join(self.sources)}-to-{self.target}"


def read_tasks(wanted: Sequence[str] | str, corpora: Sequence[str], place: str) -> list[Task]:
    """The tasks that a file asks for.

    Parameters
    ----------
    wanted
        Texts such as ``A -> C``, ``A + B -> C``, ``* -> C`` (all others) and ``* - A -> C`` (all
        others but A); or ``all-pairs``.
    corpora
        Names of the file's corpora, in its order.
    place
        The file, for messages.

    Raises
    ------
    UsageError
        If a text is no task, names a corpus that is not there, or leaves no source.
    """
    if isinstance(wanted, str) and wanted != ALL_PAIRS:
        raise UsageError(f'{place}: tasks is a list such as ["A -> B"], or "{ALL_PAIRS}"')
    if wanted == ALL_PAIRS:
        tasks = [Task((source,), target) for source, target in permutations(corpora, 2)]
    else:
        tasks = [_task(text, corpora, place) for text in wanted]
    if not tasks:
        raise UsageError(f"{place}: tasks is empty; name at least one pair of corpora")
    for task in tasks:
        if len(task.folder.encode()) > _FOLDER:
            raise UsageError(
                f"{place}: task {task}: the name of its folder would be longer than {_FOLDER} "
                "bytes; give the corpora shorter names"
            )
    return tasks


def _task(text: str, corpora: Sequence[str], place: str) -> Task:
    left, arrow, target = (part.strip() for part in text.partition("->"))
    if not (left and arrow and target):
        raise UsageError(
            f"{place}: task {bounded(repr(text), 200)} is not a pair such as "
            '"A -> B", "A + B -> C" or "* -> C"'
        )
    sources = _sources(text, left, target, corpora, place)
    if target in sources:
        raise UsageError(f"{place}: task {text!r}: source and target are the same corpus")
    for name in (*sources, target):
        _require_there(text, name, corpora, place)
    twice = [name for number, name in enumerate(sources) if name in sources[:number]]
    if twice:
        raise UsageError(f"{place}: task {text!r} names {twice[0]} twice")
    return Task(sources, target)


def _sources(
    text: str, left: str, target: str, corpora: Sequence[str], place: str
) -> tuple[str, ...]:
    """The sources left of the arrow, in their order; of a star in the file's."""
    first, *without = (part.strip() for part in _WITHOUT.split(left))
    if first != OTHERS:
        if without or OTHERS in first:
            raise UsageError(
                f'{place}: task {text!r}: only "*" has sources left out, as in "* - A -> C"'
            )
        return tuple(part.strip() for part in first.split("+"))
    for name in (*without, target):
        _require_there(text, name, corpora, place)
    others = tuple(name for name in corpora if name not in (*without, target))
    if not others:
        raise UsageError(f"{place}: task {text!r} leaves no source")
    return others


def _require_there(text: str, name: str, corpora: Sequence[str], place: str) -> None:
    if name not in corpora:
        raise UsageError(
            f"{place}: task {text}: there is no corpora.{name}; "
            f"there are: {some_of(list(corpora), LISTED)}"
        )
