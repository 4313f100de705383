"""The same model with the source's tags in another order, which may change nothing.

Where both domains list their tags alike, numbers that are taken for names do no harm, and no one
would see them.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ladtl_np.audit.subject import Subject
from ladtl_np.corpus.labels import TagSet, matched_tags
from ladtl_np.model.network import SOURCE
from ladtl_np.objective.batching import EncodedSentence

__all__ = ["RENUMBERED", "renumbered"]

RENUMBERED = ", source tags renumbered"
"""Added to the name of what is compared on such a model."""


def renumbered(subject: Subject) -> Subject:
    """The subject with the source's tags but O in the opposite order, and matched anew.

    Parameters
    ----------
    subject
        Of a model with two CRFs.
    """
    tags = subject.source_tags
    assert tags is not None
    order = np.array([0, *range(len(tags) - 1, 0, -1)])  # old number of each new one, and back
    network = subject.network.copy()
    weights = network.weights
    weights[f"{SOURCE}.W"][...] = weights[f"{SOURCE}.W"][:, order].copy()
    weights[f"{SOURCE}.A"][...] = weights[f"{SOURCE}.A"][np.ix_(order, order)]
    if f"{SOURCE}.b" in weights:
        weights[f"{SOURCE}.b"][...] = weights[f"{SOURCE}.b"][order]
    other = TagSet(tuple(tags.tags[row] for row in order.tolist()), tags.scheme)
    matched = matched_tags(other, subject.target_tags, subject.label_map)
    kept = [other.tags[row] not in subject.objective.options.exclude_tags for row in matched[0]]
    mu = None if subject.objective.label_weights is None else np.array(kept, np.float64)

    def moved(sentence: EncodedSentence) -> EncodedSentence:
        return sentence._replace(tags=order[sentence.tags])

    return replace(
        subject,
        network=network,
        source_tags=other,
        source=tuple(map(moved, subject.source)),
        objective=subject.objective.tied(matched=matched, label_weights=mu),
    )
