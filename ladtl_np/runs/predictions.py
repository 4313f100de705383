"""What a run predicted on a test corpus, beside the gold tags."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from ladtl_np.corpus.formats.conll import read_conll
from ladtl_np.corpus.formats.reading import ReadOptions
from ladtl_np.corpus.limits import LINE_BYTES
from ladtl_np.corpus.lines import open_input
from ladtl_np.corpus.sentence import Corpus
from ladtl_np.errors import DataError, UsageError
from ladtl_np.printable import shown
from ladtl_np.runs.found import FoundRun
from ladtl_np.runs.names import MANIFEST

__all__ = ["read_predictions"]


def read_predictions(
    run: FoundRun, corpus: str, other_gold: Callable[[], Corpus]
) -> tuple[Corpus, Corpus]:
    """Read gold and predicted tags of a test corpus, in one scheme.

    Parameters
    ----------
    run
        The run.
    corpus
        Name of the corpus in its results.
    other_gold
        Gives the gold tags where the predictions are without: they have them in their middle
        column if the corpus had.

    Returns
    -------
    gold, predicted
        Those of `other_gold` may be of other sentences.

    Raises
    ------
    UsageError
        If the run kept no predictions.
    DataError
        If they cannot be read.
    """
    path = run.predictions(corpus)
    if not path.is_file():
        raise UsageError(f"{path}: no such file; only predictions of a test corpus are kept")
    with open_input(path) as stream:
        columns = stream.readline(LINE_BYTES).count(b"\t") + 1
    entry = run.data_of(corpus)
    scheme = entry.scheme if entry is not None else "detect"
    try:
        options = msgspec.convert(
            {"scheme": scheme, "delimiter": "tab", "keep_docstart": True}, ReadOptions
        )
    except msgspec.ValidationError as error:
        raise DataError(f"{run.folder / MANIFEST}: {shown(str(error), 200)}") from None
    if columns >= 3:
        gold = read_conll(path, msgspec.structs.replace(options, tag_column=-2))
    else:
        gold = other_gold()
    if options.scheme == "detect":
        options = msgspec.structs.replace(options, scheme=gold.scheme)
    return gold, read_conll(path, options)
