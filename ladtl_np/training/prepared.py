"""What a run starts from: the corpora as read, and what preparation made of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import NamedTuple

from ladtl_np.corpus.characters import Characters
from ladtl_np.corpus.chosen import Chosen
from ladtl_np.corpus.cutting.profile import Profile
from ladtl_np.corpus.hashing import HashKey
from ladtl_np.corpus.labels import LabelMap, TagSet
from ladtl_np.corpus.sentence import Corpus
from ladtl_np.corpus.tally import Remark
from ladtl_np.corpus.unknown import UnknownTokens
from ladtl_np.corpus.vectors.used import UsedVectors
from ladtl_np.corpus.vocabulary import Vocabulary
from ladtl_np.model.network import Network
from ladtl_np.model.source_file import SourceFile
from ladtl_np.model.source_head import SourceHead
from ladtl_np.objective.batching import EncodedSentence
from ladtl_np.objective.terms import Objective, SourceTie
from ladtl_np.options.config import Config
from ladtl_np.options.input_file import Role
from ladtl_np.options.methods import Method
from ladtl_np.shapes import Integers
from ladtl_np.training.estimate import Estimate

__all__ = ["Corpora", "FromFile", "Prepared", "Source"]


@dataclass(frozen=True, slots=True)
class Corpora:
    """The corpora of one run, as read.

    Attributes
    ----------
    source
        Training corpus of the source, of several the first; None for a method without one.
    target
        Training corpus of the target, before sampling.
    dev
        Development corpus of the target, or None.
    tests
        Test corpora of the target by name.
    more_sources
        Training corpora of further sources.
    """

    source: Corpus | None
    target: Corpus
    dev: Corpus | None = None
    tests: tuple[Corpus, ...] = ()
    more_sources: tuple[Corpus, ...] = ()

    @property
    def sources(self) -> tuple[Corpus, ...]:
        """Training corpora of all sources."""
        return () if self.source is None else (self.source, *self.more_sources)

    def roles(self) -> list[tuple[Role, Corpus]]:
        """List the corpora after their roles, in the order of `DataOptions.files`."""
        named: list[tuple[Role, Corpus | None]] = [("source", corpus) for corpus in self.sources]
        named += [("target", self.target), ("dev", self.dev)]
        named += [("test", corpus) for corpus in self.tests]
        return [(role, corpus) for role, corpus in named if corpus is not None]


@dataclass(frozen=True, slots=True)
class Source:
    """One source, ready to be trained on.

    Attributes
    ----------
    name
        Of its corpus.
    sentences
        Encoded, with its own tags' numbers.
    head
        Its tags, their partners, and its share.
    """

    name: str
    sentences: tuple[EncodedSentence, ...]
    head: SourceHead


class FromFile(NamedTuple):
    """What is there of the source as a file without its text, or of several in one file.

    Attributes
    ----------
    file
        What it holds.
    heads
        Of each source its tags, their partners, and its share.
    """

    file: SourceFile
    heads: tuple[SourceHead, ...]

    def names(self) -> list[str]:
        """What the sources are called: the file, and those that it passes on by their number."""
        name = PurePath(self.file.name).name
        return [name, *(f"{name} ({number + 2})" for number in range(len(self.heads) - 1))]


@dataclass(frozen=True, slots=True)
class Prepared:
    """Everything training needs, and nothing that it changes but `network`.

    Attributes
    ----------
    config, method
        The options, and the row of the method that they choose.
    sources
        What mini-batches take from each source; none where the target is trained alone.
    target
        The target's encoded sentences.
    dev
        Development corpus, or None.
    vocabulary, target_tags
        What rows and tag numbers mean.
    characters, spelled
        The alphabet, and the character rows of every training word by its number; None where
        characters are not used.
    objective
        The loss.
    network
        Start values.
    label_map, match
        Pairs of types of the only source, or of the first; which tags match, in words.
    profile
        How raw text has to be cut to look like the training data.
    vectors
        What a file of word vectors gave; None without one.
    key
        Under which the model's words are hashed; None where they stand as they are.
    first_stage
        Training on the source before this one, whose layers are carried over.
    target_name
        Of the corpus that `target` is from.
    chosen
        Which of its sentences were chosen by a file; None where a share of all was drawn.
    target_tokens
        Tokens of the sentences that are used of it.
    memory
        What training is going to take at most.
    target_scheme
        Tag scheme of the target's training corpus.
    unknown
        Tokens that the model does not know, of the development corpus and of each test by its role.
    remarks
        What the user should know of the corpora.
    from_file
        The sources that are a file without their text; None where there is none.
    """

    config: Config
    method: Method
    sources: tuple[Source, ...]
    target: tuple[EncodedSentence, ...]
    dev: Corpus | None
    vocabulary: Vocabulary
    target_tags: TagSet
    objective: Objective
    network: Network
    label_map: LabelMap
    match: str
    profile: Profile
    vectors: UsedVectors | None
    characters: Characters | None = None
    spelled: tuple[Integers, ...] | None = None
    key: HashKey | None = None
    first_stage: Prepared | None = None
    target_name: str = ""
    chosen: Chosen | None = None
    target_tokens: int = 0
    memory: Estimate | None = None
    target_scheme: str = "BIOES"
    unknown: Mapping[Role, tuple[UnknownTokens, ...]] = field(default_factory=dict)
    remarks: tuple[Remark, ...] = ()
    from_file: FromFile | None = None

    def done(self, steps: int) -> tuple[int, int]:
        """Count the updates after some steps, and the sentences in them, of all domains.

        The stage before counts as a whole.
        """
        updates, sentences = 0, 0
        if self.first_stage is not None:
            updates, sentences = self.first_stage.done(self.first_stage.config.training.steps)
        training = self.config.training
        batch = training.target_batch + len(self.sources) * training.source_batch
        return updates + steps, sentences + steps * batch

    @property
    def source(self) -> tuple[EncodedSentence, ...]:
        """Sentences of the only source, or of the first; none without one."""
        return self.sources[0].sentences if self.sources else ()

    @property
    def source_tags(self) -> TagSet | None:
        """Tags of the only source, or of the first; None without one."""
        return self.heads[0].tags if self.heads else None

    @property
    def heads(self) -> tuple[SourceHead, ...]:
        """Tags, partners and share of each source; none where the target is trained alone."""
        if self.from_file is not None:
            return self.from_file.heads
        return tuple(source.head for source in self.sources)

    def tied_sources(self) -> list[tuple[Source, SourceTie]]:
        """Each source with how it is tied to the target."""
        ties = self.objective.ties if self.sources else ()
        return list(zip(self.sources, ties, strict=True))

    def trained_sources(self) -> list[tuple[str, tuple[EncodedSentence, ...]]]:
        """Name and sentences of each source that either stage is trained on."""
        first = self.first_stage
        if first is not None and not self.sources:
            return [(first.target_name, first.target), *first.trained_sources()]
        return [(source.name, source.sentences) for source in self.sources]

    @property
    def dev_unknown(self) -> UnknownTokens | None:
        """Tokens of the development corpus that the model does not know."""
        return next(iter(self.unknown.get("dev", ())), None)
