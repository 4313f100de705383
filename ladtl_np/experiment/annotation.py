"""Simulated annotation: rounds in which a share of the target is chosen, and trained on.

Every strategy begins with the same random draw, of the run's seed. After each round the rest of the
training file is what is chosen from, with the round's best model, until the next share of the
tokens is reached; then a model is trained from scratch on all that is annotated.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np

from ladtl_np.corpus.chosen import numbers_text, read_chosen
from ladtl_np.corpus.read import read_corpus
from ladtl_np.corpus.sentence import Corpus
from ladtl_np.errors import UsageError
from ladtl_np.experiment.names import require_distinct
from ladtl_np.files import make_private_folder, write_atomically
from ladtl_np.model.file import load_model
from ladtl_np.model.selection.choosing import choose
from ladtl_np.model.selection.uncertainty import STRATEGIES, Strategy
from ladtl_np.model.tagging import Tagger
from ladtl_np.options.config import Config
from ladtl_np.options.seeds import stream
from ladtl_np.runs.names import BEST
from ladtl_np.runs.replacing import current
from ladtl_np.shapes import Integers

__all__ = ["ANNOTATED", "STRATEGY", "Annotation", "Manner", "Round", "annotate"]

ANNOTATED = "annotated"
"""Folder of an experiment with the numbers of the sentences that each round has."""
STRATEGY = "strategy"
"""Key under which a run's strategy stands where others have a grid point."""


class Manner(NamedTuple):
    """A strategy, and whether what it chooses has to differ."""

    by: Strategy
    diverse: bool = False

    @property
    def name(self) -> str:
        """As folders and tables have it."""
        return f"{self.by}-diverse" if self.diverse else self.by

    def asks_a_model(self, number: int, share: float) -> bool:
        """Whether what is trained decides what a round has; no model does in the first."""
        return number > 0 and share < 1.0 and (self.by != "random" or self.diverse)


class Annotation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The table ``[annotation]`` of an experiment file.

    Attributes
    ----------
    shares
        Of the target's training tokens, rising: one round for each.
    by
        Strategies; all of them where none is named.
    diverse
        Whether each is tried without diversity, with it, or both.
    """

    shares: list[float]
    by: list[Strategy] = msgspec.field(default_factory=lambda: list(STRATEGIES))
    diverse: list[bool] = msgspec.field(default_factory=lambda: [False])

    def manners(self) -> list[Manner]:
        """All strategies, in order."""
        return [Manner(by, diverse) for by in self.by for diverse in self.diverse]

    def check(self, place: str) -> None:
        """Refuse shares that do not rise within (0, 1], and lists that name something twice.

        Raises
        ------
        UsageError
            Naming the list.
        """
        for name in ("shares", "by", "diverse"):
            require_distinct(getattr(self, name), f"{place}: annotation.{name}")
        rising = all(a < b for a, b in pairwise(self.shares))
        if not rising or not all(0 < share <= 1 for share in self.shares):
            raise UsageError(f"{place}: annotation.shares must rise within (0, 1]")


class Round(NamedTuple):
    """What a run of such an experiment needs to know before it is trained.

    Attributes
    ----------
    number
        From 0; of one that asks no model 0 as well, as it waits for none.
    share
        Of the target's tokens that are annotated at its end.
    manner
        How they are chosen.
    before
        Folder of the run of the round before, and its list of numbers; None where no model is
        asked.
    """

    number: int
    share: float
    manner: Manner
    before: tuple[Path, str] | None = None


def annotate(of: Round, config: Config) -> None:
    """Choose what a run is trained on, and write it where its options say.

    Raises
    ------
    LadtlError
        If the corpus, the model or the numbers of the round before cannot be read.
    """
    data = config.data
    corpus = read_corpus(data.target, data.target_format, require_renames=True)
    lengths = np.array([len(sentence) for sentence in corpus], np.int64)
    wanted = of.share * int(lengths.sum())
    if of.before is None:
        order = stream(config.seed, "selection").permutation(len(corpus))
        count = int(np.searchsorted(np.cumsum(lengths[order]), wanted)) + 1
        numbers = {int(row) for row in order[:count]}
    else:
        numbers = _next(of, of.before, corpus, lengths, wanted, config)
    path = Path(data.target_chosen)
    make_private_folder(path.parent)
    write_atomically(path, numbers_text(row + 1 for row in sorted(numbers)).encode())


def _next(
    of: Round,
    before: tuple[Path, str],
    corpus: Corpus,
    lengths: Integers,
    wanted: float,
    config: Config,
) -> set[int]:
    """What was annotated before, and what its model would have annotated next."""
    folder, listed = before
    numbers = {number - 1 for number in read_chosen(listed).numbers}
    annotated = {corpus.sentences[row].tokens for row in numbers}
    rest = [row for row in range(len(corpus)) if row not in numbers]
    fresh = [row for row in rest if corpus.sentences[row].tokens not in annotated]
    budget = int(np.ceil(wanted)) - int(lengths[list(numbers)].sum())
    if budget < 1:
        return numbers
    chosen: list[int] = []
    if fresh:
        tagger = Tagger(
            load_model(current(folder, BEST), config.vocabulary.key or None),
            threads=config.threads,
        )
        found = choose(
            tagger,
            [corpus.sentences[row].tokens for row in fresh],
            budget,
            by=of.manner.by,
            diverse=of.manner.diverse,
            unit="tokens",
            annotated=[corpus.sentences[row].tokens for row in sorted(numbers)],
            seed=config.seed,
        )
        chosen = [fresh[n] for n in found.chosen]
    # where nothing else is left, copies of what is annotated
    taken = numbers.union(chosen)
    left = [row for row in rest if row not in taken]
    short = max(0, budget - int(lengths[chosen].sum()))
    more = int(np.searchsorted(np.cumsum(lengths[left]), short)) + 1 if short else 0
    return taken.union(left[:more])
