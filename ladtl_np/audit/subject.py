"""What an audit looks at: a network in float64, its objective, and sentences of both domains."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from os import PathLike
from pathlib import Path

import numpy as np

from ladtl_np.audit.annotated import require_tags
from ladtl_np.audit.chosen import batch_of, some
from ladtl_np.audit.invented import invented_corpora
from ladtl_np.audit.run_files import Moved, prepared_run
from ladtl_np.audit.subject_notes import DEMO, OTHERS_STANDING_IN, STANDING_IN, notes_of
from ladtl_np.audit.whole import Whole, standing_in, whole_of
from ladtl_np.corpus.hashing import HashKey
from ladtl_np.corpus.labels import LabelMap, TagSet
from ladtl_np.corpus.sentence import Corpus
from ladtl_np.errors import UsageError
from ladtl_np.model.file import Model, load_model
from ladtl_np.model.hashed import hashed
from ladtl_np.model.network import Network
from ladtl_np.objective.batching import Batch, EncodedSentence
from ladtl_np.objective.terms import Objective
from ladtl_np.options.config import Config, parse_config
from ladtl_np.options.method_checks import chosen_method, shares_crf
from ladtl_np.runs.names import BEST
from ladtl_np.shapes import Integers
from ladtl_np.training.encoding import encode_corpus
from ladtl_np.training.method_objective import objective_of
from ladtl_np.training.preparation import prepare
from ladtl_np.training.prepared import Prepared

__all__ = ["Subject", "demo_subject", "model_subject", "run_subject"]

_SMALL = {
    "model": {"embedding": 6, "hidden": 5, "emission_bias": True},
    "characters": {"embedding": 3, "hidden": 2},
    "objective": {"kernel": (0.5, 2.0), "w_reg": 0.01},
}


@dataclass(frozen=True, slots=True)
class Subject:
    """A network and annotated sentences, ready for the mathematics.

    Attributes
    ----------
    name
        Of the model, the run or the demo.
    network
        Parameters in float64.
    config, objective
        The options, and the loss that they ask for.
    source, target
        Encoded sentences of either domain; the source's are none where the model has one domain.
    source_tags, target_tags
        Tags of each head; None for a head that is not there.
    spelled
        Character rows of each distinct word; None where characters are not read.
    label_map
        Pairs of types that mean the same under other names.
    initial
        The network before training, where it is known.
    prepared
        The run's preparation, where the subject is a run.
    whole
        All sources where there are several; the rest is then of one of them and the target.
    number
        Which one, from 0.
    notes
        What to know about where the sentences come from.
    """

    name: str
    network: Network
    config: Config
    objective: Objective
    source: tuple[EncodedSentence, ...]
    target: tuple[EncodedSentence, ...]
    source_tags: TagSet | None
    target_tags: TagSet
    spelled: tuple[Integers, ...] | None = None
    label_map: LabelMap = field(default_factory=LabelMap)
    initial: Network | None = None
    prepared: Prepared | None = None
    whole: Whole | None = None
    number: int = 0
    notes: tuple[str, ...] = ()

    @property
    def source_count(self) -> int:
        """How many subjects `each_source` yields."""
        return 1 if self.whole is None else len(self.whole.sources)

    def each_source(self) -> Iterator[Subject]:
        """Yield the same of each source and the target; itself where there is one at most."""
        if self.whole is None:
            yield self
            return
        network, initial, objective, heads, sources = self.whole
        for number, (head, sentences) in enumerate(zip(heads, sources, strict=True)):
            # a pair is a copy of its network, so only one of them is held at a time
            yield replace(
                self,
                network=network.pair(number),
                initial=None if initial is None else initial.pair(number),
                objective=objective.alone(number),
                source=sentences,
                source_tags=head.tags,
                label_map=head.label_map,
                number=number,
            )

    def batch(self, count: int, *, longest: int | None = None) -> Batch:
        """A mini-batch of so many sentences a domain, evenly spaced over each.

        Parameters
        ----------
        count
            Sentences of either domain, or all where there are fewer.
        longest
            Longer sentences are left out; where there is none as short, the shortest ones are used.
        """
        source, target = (some(half, count, longest) for half in (self.source, self.target))
        return batch_of(source, target, self.spelled)


def demo_subject(seed: int = 0) -> Subject:
    """A small network at start values on invented sentences, with every kind of parameter."""
    config = parse_config({**_SMALL, "seed": seed, "method": "la-dtl"})
    prepared = prepare(config, *invented_corpora(seed))
    return _of_prepared("demo", prepared, prepared.network, initial=None, notes=(DEMO,))


def model_subject(
    model: Model | str | PathLike[str],
    target: Corpus,
    source: Corpus | None = None,
) -> Subject:
    """A model file on annotated sentences.

    Parameters
    ----------
    model
        A model, or the file of one.
    target
        Annotated in the target's tags.
    source
        Annotated in the source's tags. Without it the target's sentences stand in.

    Raises
    ------
    DataError
        If a corpus has no sentence, a sentence has no tags, or a tag is none of the model's.
    ModelFileError
        If the file is no sound model.
    UsageError
        If a source is given and the model has no source head, or its vocabulary's key is missing.
    """
    held = model if isinstance(model, Model) else load_model(model)
    if source is not None and held.source_tags is None:
        raise UsageError(f"{held.name or 'the model'} has no source head; leave the source out")
    method = chosen_method(held.config, has_source=held.source_tags is not None)
    label_map = LabelMap(dict(held.label_map))
    shared = shares_crf(method, held.config.joint)
    every = objective_of(held.config, method, shared, held.sources, held.target_tags)
    for corpus in (target, source):
        if corpus is not None:
            require_tags(corpus)
    numbers: dict[str, int] | None = None if held.characters is None else {}
    encoded = encode_corpus(target, held.vocabulary, held.target_tags, numbers)
    notes = notes_of(len(held.sources), every, held.network.architecture.projection)
    if held.source_tags is None:
        sources: tuple[EncodedSentence, ...] = ()
    elif source is None:
        sources = standing_in(encoded, every.ties[0])
        notes = (*notes, STANDING_IN)
    else:
        sources = encode_corpus(source, held.vocabulary, held.source_tags, numbers)
        notes = (*notes, *[OTHERS_STANDING_IN][: len(held.more_sources)])
    spelled = None
    if held.characters is not None and numbers is not None:
        spelled = tuple(map(held.characters.spell, numbers))
    return Subject(
        name=held.name or "model",
        network=held.network.pair(0).astype(np.float64),
        config=held.config,
        objective=every.exact().alone(0),
        source=sources,
        target=encoded,
        source_tags=held.source_tags,
        target_tags=held.target_tags,
        spelled=spelled,
        label_map=label_map,
        whole=whole_of(
            held.network,
            None,
            every,
            held.sources,
            [sources, *(standing_in(encoded, tie) for tie in every.ties[1:])],
        ),
        notes=notes,
    )


def run_subject(folder: str | PathLike[str], moved: Moved | None = None) -> Subject:
    """A run's best model on the run's own training sentences, and the network that it started from.

    Parameters
    ----------
    folder
        Of the run.
    moved
        Where its files are now, if they are no more where its options say.

    Raises
    ------
    UsageError
        If it is no run folder, a file that it names is not there, or a training corpus is another
        file than the run was trained on.
    DataError
        If a corpus cannot be read.
    ModelFileError
        If its best model is not there or damaged.
    """
    prepared = prepared_run(folder, moved)
    model = load_model(Path(folder) / BEST)
    words = prepared.vocabulary.words
    if prepared.key is not None:  # the file has its words in the order of their hashes
        words = prepared.vocabulary.hashed(prepared.key)[0].words
        prepared = _in_order_of_hashes(prepared, prepared.key)
    if words != model.vocabulary.words:
        raise UsageError(
            f"{model.name}: the run's files do not give its words; was it trained on others, or "
            "with other word vectors? ladtl audit data tells"
        )
    started = prepared.network
    return _of_prepared(str(folder), prepared, model.network, initial=started, notes=())


def _in_order_of_hashes(prepared: Prepared, key: HashKey) -> Prepared:
    """The same preparation with rows of words and characters as a hashed model has them."""
    network, _, _ = hashed(prepared.network, prepared.vocabulary, prepared.characters, key)
    _, rows = prepared.vocabulary.hashed(key)
    place = np.argsort(rows)  # new row of each old one

    def moved(half: Sequence[EncodedSentence]) -> tuple[EncodedSentence, ...]:
        return tuple(s._replace(words=place[s.words]) for s in half)

    sources = tuple(replace(s, sentences=moved(s.sentences)) for s in prepared.sources)
    target, spelled = moved(prepared.target), prepared.spelled
    if prepared.characters is not None and spelled is not None:
        _, letters = prepared.characters.hashed(key)
        where = np.argsort(letters)
        spelled = tuple(where[word] for word in spelled)
    return replace(prepared, network=network, sources=sources, target=target, spelled=spelled)


def _of_prepared(
    name: str,
    prepared: Prepared,
    network: Network,
    *,
    initial: Network | None,
    notes: tuple[str, ...],
) -> Subject:
    source, objective = prepared.source, prepared.objective
    sources = [each.sentences for each in prepared.sources]
    if prepared.from_file is not None:
        sources = [standing_in(prepared.target, tie) for tie in objective.ties]
        source, notes = sources[0], (*notes, STANDING_IN)
    return Subject(
        name=name,
        network=network.pair(0).astype(np.float64),
        config=prepared.config,
        objective=objective.exact().alone(0),
        source=source,
        target=prepared.target,
        source_tags=prepared.source_tags,
        target_tags=prepared.target_tags,
        spelled=prepared.spelled,
        label_map=prepared.label_map,
        initial=None if initial is None else initial.pair(0).astype(np.float64),
        prepared=prepared,
        whole=whole_of(network, initial, objective, prepared.heads, sources),
        notes=(
            *notes_of(len(prepared.heads), objective, network.architecture.projection),
            *notes,
        ),
    )
