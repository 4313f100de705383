"""What the user should know of a training: of its corpora before, of its course behind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ladtl_np.corpus.inspection import inspect_domains, inspect_roles
from ladtl_np.corpus.labels import LabelMap
from ladtl_np.corpus.tally import Remark
from ladtl_np.corpus.unknown import UnknownTokens, count_unknown, remark_on_unknown
from ladtl_np.corpus.vocabulary import Vocabulary
from ladtl_np.options.input_file import Role
from ladtl_np.printable import counted
from ladtl_np.training.prepared import Corpora
from ladtl_np.training.trainer import Trainer

__all__ = ["closing_remarks", "opening_remarks", "unknown_tokens"]

Unknown = Mapping[Role, tuple[UnknownTokens, ...]]


def unknown_tokens(corpora: Corpora, vocabulary: Vocabulary) -> Unknown:
    """Tokens that a model does not know, of the development corpus and of each test by its role."""
    found: dict[Role, tuple[UnknownTokens, ...]] = {}
    for role, corpus in corpora.roles():
        if role in ("dev", "test"):
            found[role] = (*found.get(role, ()), count_unknown(vocabulary, corpus))
    return found


def opening_remarks(
    corpora: Corpora, used: Corpora, label_maps: Sequence[LabelMap], unknown: Unknown
) -> tuple[Remark, ...]:
    """Say what stands out before the first step.

    Parameters
    ----------
    corpora
        As they were read.
    used
        The same with the sentences that are trained on; no source where the method has none.
    label_maps
        Pairs of types of each source.
    unknown
        From `unknown_tokens`.
    """
    found = inspect_roles(corpora.roles())
    for source, label_map in zip(used.sources, label_maps, strict=True):
        found += inspect_domains(source, used.target, label_map)
    (dev,) = unknown.get("dev", (None,))
    if corpora.dev is not None and dev is not None:
        found += remark_on_unknown(corpora.dev.name, dev, None)
    for corpus, count in zip(corpora.tests, unknown.get("test", ()), strict=True):
        found += remark_on_unknown(corpus.name, count, dev)
    return tuple(found)


def closing_remarks(trainer: Trainer) -> tuple[Remark, ...]:
    """Say what the scores on the development data tell of a training that has ended."""
    best, dev, training = trainer.best_evaluation, trainer.prepared.dev, trainer.config.training
    if dev is None or best is None or best.scores is None:
        return ()
    if getattr(best.scores, training.select_by).overall.f1 == 0:
        what = f"F1 was 0.00 at every evaluation of {counted(trainer.step, 'steps')}"
        cure = "train for longer (training.steps), and look at the columns of tokens and tags"
        return (Remark("nothing-found", dev.name, trainer.step, what, cure),)
    # of a single evaluation nobody knows whether F1 was rising
    if best.step == training.steps > training.evaluate_every:
        what = f"F1 was best at the last of {best.step:,} steps, so it may still have been rising"
        return (Remark("still-improving", dev.name, best.step, what, "try more training.steps"),)
    return ()
