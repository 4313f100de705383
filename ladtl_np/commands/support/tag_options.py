"""What ``ladtl tag`` was asked for, and its inputs."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from ladtl_np.commands.support.units import Cut, InputFormat
from ladtl_np.corpus.cutting.profile import SentenceMode, TokenMode
from ladtl_np.corpus.formats.detection import detect
from ladtl_np.corpus.formats.reading import ReadOptions
from ladtl_np.corpus.formats.registry import FORMATS
from ladtl_np.options.precision import PRECISION, Precision

if TYPE_CHECKING:
    from ladtl_np.model.confidence import Asked
    from ladtl_np.model.file import Model

__all__ = ["Source", "TagOptions", "kind_by_name"]

_TEXT = (".txt", ".text", ".ann")  # of these only .txt is read as text; brat's lie beside it
_SUFFIXES: dict[str, InputFormat] = {
    suffix: found.name
    for found in reversed(FORMATS.values())
    for suffix in found.suffixes
    if found.reads and suffix not in _TEXT
}


@dataclass(frozen=True, slots=True)
class TagOptions:
    """What was asked for; the same for all inputs.

    Attributes
    ----------
    model
        The model's file.
    kind
        Input format; None tells it by the suffix.
    style, scheme
        Output format, and tag scheme of columns.
    mode
        What a token of text is; None as in the model's training.
    reading
        How columns are read.
    domain, constrained, threads, precision
        As for `model.tagging.Tagger`.
    sentences
        What a sentence of text is; None as in the model's training.
    vocabulary_key
        File of the key of a model whose words are hashes.
    embeddings
        File of word vectors for words that the model does not know.
    probabilities
        Whether it is told how probable entities and sentences are.
    nbest
        How many of the best ways to tag a sentence are told; 0 for none.
    """

    model: str
    kind: InputFormat | None
    style: str
    scheme: str
    mode: TokenMode | None
    reading: ReadOptions
    domain: Any
    constrained: bool | None
    threads: int
    sentences: SentenceMode | None = None
    vocabulary_key: str | None = None
    embeddings: str | None = None
    precision: Precision = PRECISION
    probabilities: bool = False
    nbest: int = 0

    def asked(self) -> Asked | None:
        """What the tagger is to tell beside the tags; None for nothing."""
        if not self.probabilities and not self.nbest:
            return None
        from ladtl_np.model.confidence import Asked

        return Asked(paths=self.nbest)

    def cut(self, model: Model) -> Cut:
        """How text is cut into tokens and sentences for a model."""
        profile = msgspec.structs.replace(
            model.profile,
            tokens=self.mode or model.profile.tokens,
            sentences=self.sentences or model.profile.sentences,
        )
        return Cut(profile, model.vocabulary.knows, own=self.mode is not None)

    def files(self) -> list[str]:
        """What is read beside the inputs."""
        return [path for path in self.loading() if path]

    def loading(self) -> tuple[str, str | None, str | None]:
        """What `models.load` wants: model, key, word vectors."""
        return self.model, self.vocabulary_key, self.embeddings

    def kind_of(self, source: str) -> InputFormat:
        """Input format of a file.

        Raises
        ------
        UsageError
            If the options do not fit it.
        """
        kind = self.kind or kind_by_name(source)
        return kind

    def settings(self) -> dict[str, str]:
        """All that an output depends on beside its input and the model's content, in words."""
        reading = msgspec.to_builtins(self.reading)
        told = {key.replace("_", "-"): str(value) for key, value in reading.items()}
        told |= {"from": self.kind or "by suffix", "to": self.style, "scheme": self.scheme}
        trained = "as in training"
        told |= {"tokens": self.mode or trained, "sentences": self.sentences or trained}
        told |= {"domain": self.domain}
        if self.embeddings:
            told["embeddings"] = "those of training"  # the model takes no others
        if self.precision != PRECISION:
            told["precision"] = self.precision
        if self.probabilities or self.nbest:
            told["probabilities"] = "told"
        if self.nbest:
            told["nbest"] = str(self.nbest)
        return told | {"constrained": str(self.constrained)}

    def on_other_machines(self) -> TagOptions:
        """The same, from whatever folder it is looked at."""
        key, vectors = self.vocabulary_key, self.embeddings
        return replace(
            self,
            model=os.path.abspath(self.model),
            vocabulary_key=key and os.path.abspath(key),
            embeddings=vectors and os.path.abspath(vectors),
        )


class Source(NamedTuple):
    """One input: its path, how messages call it, and its SHA-256, "" if it was not taken."""

    path: str
    name: str
    sha256: str = ""


def kind_by_name(source: str) -> InputFormat:
    """Input format where none is chosen: by the suffix, and of JSON and columns by their start."""
    if os.path.isdir(source):
        return detect(source)
    kind = _SUFFIXES.get(os.path.splitext(source)[1].lower(), "text")
    if kind in ("json", "conll") and os.path.isfile(source):
        return detect(source)
    return kind
