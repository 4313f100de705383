"""Options that say which files a run reads, and how."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from ladtl_np.corpus.formats.reading import ReadOptions
from ladtl_np.options.input_file import InputFile

__all__ = ["DataOptions"]


class DataOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which files a run reads; an empty path is no file.

    Attributes
    ----------
    source
        Training corpus of the source domain.
    target
        Training corpus of the target domain.
    dev
        Development corpus of the target, which chooses the model.
    test
        Test corpora of the target, scored once with the chosen model.
    target_fraction
        Share of the target's training sentences to use, the first of a shuffle by `sample_seed`.
    source_fraction
        The same of the source's.
    sample_seed
        Seed of these shuffles; -1 takes the run's seed.
    label_map
        TOML file that pairs source types with target types.
    embeddings
        Word vectors in text format to start the embeddings from.
    source_format, target_format
        How the source, and the target's files, are read.
    dev_format, test_format
        What is different in reading the development data, and the tests, such as
        ``{format = "brat"}``.
    """

    source: str = ""
    target: str = ""
    dev: str = ""
    test: list[str] = []
    target_fraction: float = 1.0
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
            except (msgspec.ValidationError, ValueError) as error:
                raise ValueError(f"{name}: {error}") from None
        for name in ("target_fraction", "source_fraction"):
            share = getattr(self, name)
            if not 0.0 < share <= 1.0:
                raise ValueError(f"{name} must lie in (0, 1], got {share}")

    def inputs(self) -> list[str]:
        """Every file that is read."""
        names = [self.source, self.target, self.dev, *self.test, self.label_map, self.embeddings]
        return [name for name in names if name]

    def files(self) -> list[InputFile]:
        """List the corpora that have a file: source, target, dev, tests."""
        tests = self._changed(self.test_format)
        files = [
            InputFile("source", self.source, self.source_format),
            InputFile("target", self.target, self.target_format),
            InputFile("dev", self.dev, self._changed(self.dev_format)),
            *(InputFile("test", path, tests) for path in self.test),
        ]
        return [file for file in files if file.path]

    def _changed(self, changes: Mapping[str, Any]) -> ReadOptions:
        """How the target's files are read, with changes."""
        if not changes:
            return self.target_format
        return msgspec.convert(msgspec.to_builtins(self.target_format) | dict(changes), ReadOptions)
