"""A trained model and the text it was trained on become a file without the text.

The text is read once, on its owner's machine.                           docs/source-free.md
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

import msgspec
import numpy as np

from ladtl_np.arrays.packing import pack
from ladtl_np.arrays.workers import Workers, single_threaded_blas
from ladtl_np.corpus.hashing import KEY_WANTED
from ladtl_np.corpus.sentence import Corpus
from ladtl_np.corpus.vocabulary import Vocabulary
from ladtl_np.errors import DataError, UsageError
from ladtl_np.layers.mmd_variances import (
    REFERENCE_VARIANCES,
    evenly_spaced,
    median_variances,
)
from ladtl_np.layers.random_features import mean_features, random_frequencies, seen_variances
from ladtl_np.model.file import Model
from ladtl_np.model.hashed import hashed
from ladtl_np.model.network import EMBEDDING, TARGET, Network, from_named, source_head
from ladtl_np.model.sketched import Noise, Sketched
from ladtl_np.model.source_file import SourceFile
from ladtl_np.objective.batching import EncodedSentence, domain_batch
from ladtl_np.objective.encoder import encoder_forward
from ladtl_np.options.seeds import stream
from ladtl_np.shapes import Floats, Integers
from ladtl_np.training.encoding import encode_corpus
from ladtl_np.training.export_options import ExportOptions
from ladtl_np.training.trained_model import versions

__all__ = ["BLOCKS", "export_source"]

BLOCKS = 2
"""Blocks of 2H frequencies that a sketch has where no number is given."""
ROWS_A_SENTENCE = 2
"""Rows of a label that a sentence adds to its sketch at most, where there is noise."""
LOUDEST = 0.5
"""Noise beyond this deviation leaves nothing of a mean of cosines: such a label has no sketch."""
_CHUNK = 50  # sentences that are encoded at a time
_SCALE = 500  # sentences that show how far hidden rows lie apart


def export_source(model: Model, corpus: Corpus, options: ExportOptions) -> SourceFile:
    """What a target can be trained with in place of the text.

    Parameters
    ----------
    model
        Whose encoder, and whose CRF of the domain that it tags, are taken.
    corpus
        The text that it was trained on, annotated.
    options
        What else the file is to hold.

    Raises
    ------
    UsageError
        If a map or mask stands before the model's CRF, its words are hashed and the key is
        missing, or it did not learn from the file that is to be passed on.
    DataError
        If the text has no sentence, or a tag that is none of the model's.
    """
    if model.network.architecture.projection != "none":
        raise UsageError(
            f"{model.name or 'the model'}: its CRF reads hidden states through a map or a mask "
            "for each domain; export a model of another method, such as non-transfer"
        )
    if model.vocabulary.lock is not None and model.vocabulary.lock.key is None:
        raise UsageError(KEY_WANTED)
    if not corpus.sentences or any(sentence.tags is None for sentence in corpus):
        raise DataError(f"{corpus.name}: the sketches need annotated sentences")
    before = options.passed_on
    if before is not None:
        _require_learned_from(model, before)
        options = replace(options, features=before.features, seed=before.seed)
    heads = _heads(model.network, passed_on=before is not None)
    network, vocabulary = _pruned(heads, model.vocabulary, corpus, options)
    characters = model.characters
    numbers: dict[str, int] | None = None if characters is None else {}
    encoded = encode_corpus(corpus, vocabulary, model.target_tags, numbers)
    spelled = None if characters is None else list(map(characters.spell, numbers or ()))
    m = len(model.target_tags)
    counts = np.bincount(np.concatenate([each.tags for each in encoded]), minlength=m)
    width = 2 * network.architecture.hidden
    count = options.features or BLOCKS * width
    frequencies = random_frequencies(stream(options.seed, "random features"), count, width)
    rows = _HiddenRows(network, spelled)
    with single_threaded_blas():
        variances = _variances(rows, encoded, options)
        limit = ROWS_A_SENTENCE if options.noise else None
        means, taken = _mean_features(rows, encoded, m, variances, frequencies, limit)
    means, noise = _noisy(means, taken, options)
    if options.key is not None and vocabulary.lock is None:
        network, vocabulary, characters = hashed(network, vocabulary, characters, options.key)
    return SourceFile(
        network=network,
        vocabulary=vocabulary,
        characters=characters,
        own=Sketched(model.target_tags, tuple(counts.tolist()), variances, means, noise),
        features=count,
        seed=options.seed,
        min_count=options.min_count,
        passed_on=() if before is None else before.domains(),
        provenance={"versions": versions()},
    )


def _require_learned_from(model: Model, file: SourceFile) -> None:
    """Refuse to pass on sources that the model does not know: it keeps their CRFs as they were."""
    ours, theirs = model.network.named(), file.network.named()
    tags = [head.tags for head in model.sources]
    same = tags == [domain.tags for domain in file.domains()] and all(
        np.array_equal(
            ours.get(f"{source_head(number)}.{kind}", np.zeros(0)), theirs[f"{head}.{kind}"]
        )
        for number, head in enumerate([TARGET, *map(source_head, range(len(file.passed_on)))])
        for kind in "WA"
    )
    if not same:
        raise UsageError(
            f"{model.name or 'the model'} did not learn from {file.name}: it has other CRFs of "
            "its sources. Name the file that it was trained with by --source-model"
        )


def _heads(network: Network, *, passed_on: bool) -> Network:
    """Encoder and the CRF of the domain that the model tags, with those of its sources or not."""
    sizes = network.architecture
    if passed_on:
        return network.copy()
    alone = msgspec.structs.replace(sizes, source_tags=0, more_source_tags=(), shared_crf=False)
    arrays = network.named()
    for kind in "WAb":
        if f"{sizes.crf_of(TARGET)}.{kind}" in arrays:
            arrays[f"{TARGET}.{kind}"] = arrays[f"{sizes.crf_of(TARGET)}.{kind}"]
    return from_named(alone, arrays)


def _pruned(
    network: Network, vocabulary: Vocabulary, corpus: Corpus, options: ExportOptions
) -> tuple[Network, Vocabulary]:
    """Leave out words that are rare in the text; which words occur once is left out as well.

    Words of a file that is passed on stay.
    """
    rows = np.arange(len(vocabulary))
    if options.min_count > 1:
        found = Counter(
            int(row) for sentence in corpus for row in vocabulary.encode(sentence.tokens)
        )
        known = set(options.passed_on.vocabulary.words if options.passed_on is not None else ())
        rows = np.array(
            [0]
            + [
                row
                for row in rows[1:]
                if found[row] >= options.min_count or vocabulary.words[row] in known
            ]
        )
    words = tuple(vocabulary.words[row] for row in rows)
    kept = replace(vocabulary, words=words, singleton=np.zeros(len(words), np.bool_))
    sizes = msgspec.structs.replace(network.architecture, vocabulary=len(words))
    arrays = network.named()
    return from_named(sizes, {**arrays, EMBEDDING: arrays[EMBEDDING][rows]}), kept


class _HiddenRows:
    """Hidden states of sentences by an encoder."""

    def __init__(self, network: Network, spelled: Sequence[Integers] | None) -> None:
        self.network, self.spelled, self.workers = network, spelled, Workers()

    def of(self, sentences: Sequence[EncodedSentence]) -> Floats:
        """Rows (N, 2H) of some sentences, one sentence after the other."""
        self.workers.memory.reuse()
        batch = domain_batch([sentences], self.spelled)
        hidden, _ = encoder_forward(self.network, batch, None, self.workers)
        lengths = np.array([each.words.size for each in sentences])
        return np.asarray(hidden[pack(lengths).rows], np.float64)

    def chunks(
        self, sentences: Sequence[EncodedSentence]
    ) -> Iterator[tuple[Sequence[EncodedSentence], Floats]]:
        """Some sentences at a time, with their rows."""
        for start in range(0, len(sentences), _CHUNK):
            some = sentences[start : start + _CHUNK]
            yield some, self.of(some)


def _variances(
    rows: _HiddenRows, sentences: Sequence[EncodedSentence], options: ExportOptions
) -> tuple[float, ...]:
    """Variances of all sketches, of which none is blind over all rows together, (23)."""
    places = evenly_spaced(np.arange(len(sentences)), _SCALE).tolist()
    hidden = np.concatenate([own for _, own in rows.chunks([sentences[n] for n in places])])
    if options.kernel == "median":
        return median_variances(hidden[::2], hidden[1::2])
    every = np.arange(len(hidden))
    seen = seen_variances(hidden, every, REFERENCE_VARIANCES)
    return seen or REFERENCE_VARIANCES[-1:]


def _mean_features(
    rows: _HiddenRows,
    sentences: Sequence[EncodedSentence],
    m: int,
    variances: tuple[float, ...],
    frequencies: Floats,
    limit: int | None,
) -> tuple[dict[int, Floats], dict[int, int]]:
    """Mean features of each tag's rows, and of how many; of a sentence at most `limit`."""
    totals: dict[int, Floats] = {}
    taken: Counter[int] = Counter()
    for some, hidden in rows.chunks(sentences):
        tags = np.concatenate([each.tags for each in some])
        sentence = np.repeat(np.arange(len(some)), [each.words.size for each in some])
        for tag in range(m):
            own = np.flatnonzero(tags == tag)
            if limit is not None and own.size:
                parts = np.split(own, np.flatnonzero(np.diff(sentence[own])) + 1)
                own = np.concatenate([evenly_spaced(part, limit) for part in parts])
            if own.size:
                means = mean_features(hidden, own, variances, frequencies)
                totals[tag] = totals.get(tag, 0.0) + own.size * means
                taken[tag] += own.size
    return {tag: totals[tag] / taken[tag] for tag in sorted(totals)}, dict(taken)


def _noisy(
    means: dict[int, Floats], taken: dict[int, int], options: ExportOptions
) -> tuple[dict[int, Floats], Noise | None]:
    """Add noise in proportion to what one sentence can change of each sketch."""
    if not options.noise:
        return means, None
    # a row's cosines and sines have the length sqrt(Q F); a sentence takes some away and adds some
    deviations = {
        tag: options.noise * 2.0 * ROWS_A_SENTENCE * math.sqrt(mean[:, 0].size) / taken[tag]
        for tag, mean in means.items()
    }
    kept = {tag: mean for tag, mean in means.items() if deviations[tag] <= LOUDEST}
    chance = np.random.default_rng()  # of the system: who knows the seed could take it away
    noisy: dict[int, Floats] = {
        tag: mean + chance.normal(0.0, deviations[tag], mean.shape) for tag, mean in kept.items()
    }
    rho = max(len(kept), 1) / (2.0 * options.noise**2)
    epsilon = rho + 2.0 * math.sqrt(rho * math.log(1.0 / options.delta))
    return noisy, Noise(options.noise, ROWS_A_SENTENCE, epsilon, options.delta)
