"""A run's best model and its start on sentences that it was not trained on."""

from __future__ import annotations

from dataclasses import replace
from os import PathLike
from pathlib import Path

from ladtl_np.audit.run_files import Moved
from ladtl_np.audit.subject import Subject, model_subject, run_subject
from ladtl_np.corpus.labels import TagSet
from ladtl_np.corpus.schemes import converted
from ladtl_np.corpus.sentence import Corpus
from ladtl_np.model.file import load_model
from ladtl_np.runs.names import BEST

__all__ = ["run_on"]


def run_on(
    folder: str | PathLike[str], corpus: Corpus | None = None, moved: Moved | None = None
) -> Subject:
    """A run's best model, and the network that it started from, on a corpus of the target.

    Parameters
    ----------
    folder
        The run's.
    corpus
        Annotated in the target's tags. Without it the run's development corpus is used, but for
        sentences with tags that the model does not have, or the training sentences where there is
        none.
    moved
        Where the run's files are now, if they are no more where its options say.

    Raises
    ------
    DataError
        If a tag of `corpus` is none of the model's.
    UsageError, ModelFileError
        As `run_subject`.
    """
    run = run_subject(folder, moved)
    assert run.prepared is not None
    notes = run.notes
    if corpus is None and run.prepared.dev is not None:
        corpus, left_out = _known(run.prepared.dev, run.target_tags)
        notes = (*notes, f"The sentences are those of the development corpus {corpus.name}.")
        if left_out:
            notes = (*notes, f"{left_out:,} of its sentences have tags that the model does not.")
    if corpus is None or not len(corpus):
        return replace(run, notes=(*notes, "The sentences are the target's of the training."))
    model = load_model(Path(folder) / BEST, run.config.vocabulary.key or None)
    on = model_subject(model, corpus)
    whole = run.whole
    if whole is not None and on.whole is not None:
        whole = whole._replace(sources=on.whole.sources)
    return replace(
        run,
        source=on.source,
        target=on.target,
        spelled=on.spelled,
        whole=whole,
        notes=notes,
    )


def _known(corpus: Corpus, tags: TagSet) -> tuple[Corpus, int]:
    """The sentences whose tags a model has, and how many others there are."""
    kept = tuple(
        sentence
        for sentence in corpus
        if set(converted(sentence.tags or (), corpus.scheme, tags.scheme)) <= tags.index.keys()
    )
    return replace(corpus, sentences=kept, documents=()), len(corpus) - len(kept)
