"""Options that say which files a run reads, and how."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

import msgspec

from ladtl_np.corpus.formats.reading import ReadOptions
from ladtl_np.corpus.typed import typed
from ladtl_np.options.input_file import InputFile

__all__ = ["DataOptions", "MoreSource", "SourceFile"]


class MoreSource(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A source beside the first.

    Attributes
    ----------
    file
        Its training corpus.
    label_map
        TOML file that pairs its types with target types; by default that of the first source.
    format
        How it is read.
    """

    file: str
    label_map: str = ""
    format: ReadOptions = ReadOptions()


class SourceFile(NamedTuple):
    """A source, the first or a further one: its corpus, its label map, how it is read."""

    path: str
    label_map: str
    format: ReadOptions


class DataOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which files a run reads; an empty path is no file.

    Attributes
    ----------
    source
        Training corpus of the source domain.
    more_sources
        Further sources, each with a CRF of its own: tables of ``file``, ``label_map`` and
        ``format``.
    source_model
        File of ``ladtl source export``, in the place of a source's corpus: for method source-free.
    shares
        What each of several sources counts: by ``size`` (its training sentences; the tokens of
        sources in a file without their text), ``equal``, or by ``likeness`` to the target (the
        polynomial similarity of cd-learning, in the mean).
    concatenate
        Whether several sources are joined to one, with one CRF.
    target
        Training corpus of the target domain.
    dev
        Development corpus of the target, which chooses the model.
    test
        Test corpora of the target, scored once with the chosen model.
    target_fraction
        Share of the target's training sentences to use, the first of a shuffle by `sample_seed`.
    target_chosen
        File that lists the target's training sentences to use, one number a line, from 1; in the
        place of `target_fraction`.
    source_fraction
        Share of each source's training sentences to use, drawn in the same way.
    sample_seed
        Seed of these shuffles; -1 takes the run's seed.
    label_map
        TOML file that pairs source types with target types; of all sources that name no other.
    embeddings
        Word vectors in text format to start the embeddings from.
    source_format, target_format
        How the source, and the target's files, are read.
    dev_format, test_format
        What is different in reading the development data, and the tests, such as
        ``{format = "brat"}``.
    """

    source: str = ""
    more_sources: list[MoreSource] = []
    source_model: str = ""
    shares: Literal["size", "equal", "likeness"] = "size"
    concatenate: bool = False
    target: str = ""
    dev: str = ""
    test: list[str] = []
    target_fraction: float = 1.0
    target_chosen: str = ""
    source_fraction: float = 1.0
    sample_seed: int = -1
    label_map: str = ""
    embeddings: str = ""
    source_format: ReadOptions = ReadOptions()
    target_format: ReadOptions = ReadOptions()
    dev_format: dict[str, Any] = {}
    test_format: dict[str, Any] = {}

    def __post_init__(self) -> None:
        for name in ("dev_format", "test_format"):
            try:
                self._changed(getattr(self, name))
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from None
        if self.more_sources and not self.source:
            raise ValueError("more_sources needs source, which is the first of them")
        for name in ("target_fraction", "source_fraction"):
            share = getattr(self, name)
            if not 0.0 < share <= 1.0:
                raise ValueError(f"{name} must lie in (0, 1], got {share}")
        if self.target_chosen and self.target_fraction < 1.0:
            raise ValueError(
                "target_chosen and target_fraction both say which target sentences are used; "
                "leave one of them out"
            )

    def sources(self) -> list[SourceFile]:
        """Every source; a label map that several share is named by each of them."""
        if not self.source:
            return []
        first = SourceFile(self.source, self.label_map, self.source_format)
        more = (
            SourceFile(other.file, other.label_map or self.label_map, other.format)
            for other in self.more_sources
        )
        return [first, *more]

    def label_maps(self) -> list[str]:
        """Every file of pairs of types, once."""
        named = [self.label_map, *(source.label_map for source in self.sources())]
        return [name for name in dict.fromkeys(named) if name]

    def inputs(self) -> list[str]:
        """Every file that is read."""
        corpora = [source.path for source in self.sources()]
        names = [*corpora, self.target, self.target_chosen, self.dev, *self.test]
        names += [*self.label_maps(), self.embeddings, self.source_model]
        return [name for name in names if name]

    def files(self) -> list[InputFile]:
        """List the corpora that have a file: sources, target, dev, tests."""
        tests = self._changed(self.test_format)
        files = [
            *(InputFile("source", source.path, source.format) for source in self.sources()),
            InputFile("target", self.target, self.target_format),
            InputFile("dev", self.dev, self._changed(self.dev_format)),
            *(InputFile("test", path, tests) for path in self.test),
        ]
        return [file for file in files if file.path]

    def _changed(self, changes: Mapping[str, Any]) -> ReadOptions:
        """How the target's files are read, with changes."""
        if not changes:
            return self.target_format
        plain = msgspec.to_builtins(self.target_format) | dict(changes)
        found: ReadOptions = typed(plain, ReadOptions)
        return found
