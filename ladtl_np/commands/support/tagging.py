"""How ``ladtl tag`` tags one input, wherever that is done."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import tee
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

import msgspec

from ladtl_np.commands.support.streams import (
    Cut,
    InputFormat,
    Unit,
    conll_lines,
    jsonl_line,
    open_output,
    read,
)
from ladtl_np.corpus.cutting.profile import SentenceMode, TokenMode
from ladtl_np.corpus.formats.reading import ReadOptions
from ladtl_np.corpus.lines import Digest, display_name, open_input
from ladtl_np.corpus.tally import Tally
from ladtl_np.errors import LadtlError, UsageError

if TYPE_CHECKING:
    from ladtl_np.model.file import Model
    from ladtl_np.model.tagging import Tagger

__all__ = [
    "Report",
    "Source",
    "TagOptions",
    "kind_by_suffix",
    "make_tagger",
    "note_on",
    "tag_file",
    "tag_stream",
]

Report = Callable[[float], None]
"""Is told the share of an input that is done, after each chunk; may raise to stop."""
Writer = Callable[[Unit, Sequence[tuple[str, ...]]], str]
_SUFFIXES: dict[str, InputFormat] = {".jsonl": "jsonl", ".conll": "conll", ".bio": "conll"}


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
    domain, constrained, threads
        As for `model.tagging.Tagger`.
    sentences
        What a sentence of text is; None as in the model's training.
    vocabulary_key
        File of the key of a model whose words are hashes.
    embeddings
        File of word vectors for words that the model does not know.
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

    def cut(self, model: Model) -> Cut:
        """How text is cut into tokens and sentences for a model."""
        profile = msgspec.structs.replace(
            model.profile,
            tokens=self.mode or model.profile.tokens,
            sentences=self.sentences or model.profile.sentences,
        )
        return Cut(profile, model.vocabulary.knows)

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
        kind = self.kind or kind_by_suffix(source)
        if kind == "jsonl" and self.reading.encoding != "utf-8":
            raise UsageError("JSONL is always UTF-8; leave out --encoding")
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


def kind_by_suffix(source: str) -> InputFormat:
    """Input format of a file where none is chosen."""
    return _SUFFIXES.get(os.path.splitext(source)[1].lower(), "text")


def make_tagger(model: Model, options: TagOptions, *, live: bool = False) -> Tagger:
    """Make a tagger; `live` answers each line at once, for somebody who types."""
    from ladtl_np.model.tagging import CHUNK_SENTENCES, Tagger

    return Tagger(
        model,
        domain=options.domain,
        constrained=options.constrained,
        threads=options.threads,
        chunk_sentences=1 if live else CHUNK_SENTENCES,
    )


def tag_file(
    source: Source, output: str, tagger: Tagger, options: TagOptions, report: Report
) -> Tally:
    """Tag a file; the output appears when all is written.

    Raises
    ------
    LadtlError
        If the file cannot be read or tagged, or is not what `source` says it is.
    """
    with open_input(source.path) as stream, open_output(output) as put:
        return tag_stream(stream, source, tagger, options, put, report)


def tag_stream(
    stream: BinaryIO,
    source: Source,
    tagger: Tagger,
    options: TagOptions,
    put: Callable[[str], None],
    report: Report | None = None,
    *,
    coloured: bool = False,
) -> Tally:
    """Tag a stream, and write each chunk."""
    tally, digest, name = Tally(), Digest(), display_name(source.name)
    cut = options.cut(tagger.model)
    lines = digest.lines(stream) if source.sha256 else stream
    units = read(lines, options.kind_of(source.path), cut, options.reading, name, tally)
    write, opening = _writer(options, name, tagger, coloured)
    size = max(1, os.fstat(stream.fileno()).st_size) if report else 1
    put(opening)
    for text in _texts(units, tagger, write):
        put(text)
        if report:
            report(min(1.0, stream.tell() / size))
    if source.sha256 and digest.hexdigest() != source.sha256:
        raise LadtlError(f"{name} has changed since the command started; tag it again")
    return tally


def note_on(tally: Tally) -> str:
    """What was met that is no error, in words; "" if nothing."""
    return "; ".join(remark.what for remark in tally.remarks(""))


def _writer(options: TagOptions, name: str, tagger: Tagger, coloured: bool) -> tuple[Writer, str]:
    """Choose the function that writes a unit, and what stands at the start of the output."""
    if options.style == "conll":
        return lambda unit, tags: conll_lines(unit, tags, options.scheme, name), ""
    if options.style == "jsonl":
        return jsonl_line, ""
    from ladtl_np.commands.support.highlight import Highlighter

    view = Highlighter(tagger.decoder.tags.types, coloured=coloured)
    return lambda unit, tags: view.line(unit.raw, unit.entities(tags)), view.legend()


def _texts(units: Iterator[Unit], tagger: Tagger, write: Writer) -> Iterator[str]:
    """Tag all sentences, and give what is to be written after each chunk, in their order.

    A unit is written when all of its sentences are tagged.
    """
    ahead, behind = tee(units)  # `ahead` runs on by two chunks, which `behind` keeps until written
    sentences = (tokens for unit in ahead for tokens in unit.sentences())
    unit, waiting = None, list[tuple[str, ...]]()
    start = True
    for chunk in tagger.tag_chunks(sentences):
        written = []
        for tags in chunk:
            unit = unit or next(behind)
            waiting.append(tags)
            if len(waiting) == len(unit.firsts):
                written.append(write(unit, waiting))
                unit, waiting = None, []
        text = "".join(written)
        # Readers take a byte order mark from the start, so one that is data is written twice.
        yield "\ufeff" + text if start and text.startswith("\ufeff") else text
        start = start and not text
