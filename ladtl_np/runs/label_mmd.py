"""How far apart a trained model leaves the two domains, label by label.    docs/math/mmd.md (13)"""

from __future__ import annotations

from collections.abc import Iterator

from ladtl_np.arrays.workers import Workers, single_threaded_blas
from ladtl_np.layers.mmd import mmd_forward
from ladtl_np.layers.mmd_variances import REFERENCE_VARIANCES
from ladtl_np.model.network import Network, domain_of, source_head
from ladtl_np.runs.hidden_rows import hidden_rows
from ladtl_np.runs.manifest import LabelMmd
from ladtl_np.training.prepared import Prepared

__all__ = ["label_mmds"]


def label_mmds(network: Network, prepared: Prepared, workers: Workers) -> list[LabelMmd]:
    """Squared MMD of every matched label over the training sentences, without dropout.

    The variances are always the reference ones, whatever the run was trained with, so that the
    methods can be compared. Where sentences are sampled, they are the same for every method.

    Parameters
    ----------
    network
        Of a method that trains both domains together.
    prepared
        Training sentences of both domains, and which labels match.
    workers
        Threads, and the memory that is used.

    Returns
    -------
    list of LabelMmd
        Source by source, in the order of its tags; a label that either sample lacks is left out,
        and there is none where the method has no source.
    """
    return [
        label
        for number in range(len(prepared.sources))
        for label in _of_source(number, network, prepared, workers)
    ]


def _of_source(
    number: int, network: Network, prepared: Prepared, workers: Workers
) -> Iterator[LabelMmd]:
    source, places = prepared.sources[number], prepared.objective.ties[number].matched
    with single_threaded_blas():
        rows = hidden_rows(network, source.sentences, prepared.target, prepared.spelled, workers)
        pairs = rows.pairs(places)
        workers.memory.reuse()
        variances = [REFERENCE_VARIANCES] * len(pairs)
        values, _ = mmd_forward(rows.hidden, pairs, variances, workers)
    for pair, value in zip(pairs, values, strict=True):
        yield LabelMmd(
            source.head.tags.tags[places[0][pair.label]],
            prepared.target_tags.tags[places[1][pair.label]],
            int(pair.source.size),
            int(pair.target.size),
            float(value),
            domain_of(source_head(number)),
        )
