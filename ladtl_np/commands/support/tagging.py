"""How ``ladtl tag`` tags one input, wherever that is done."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import tee
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

import msgspec

from ladtl_np.commands.support.converting import PAIR, write_documents, write_pair
from ladtl_np.commands.support.streams import open_output
from ladtl_np.commands.support.units import (
    Cut,
    InputFormat,
    Unit,
    conll_lines,
    conllu_lines,
    read,
)
from ladtl_np.corpus.conversion import merged
from ladtl_np.corpus.cutting.profile import SentenceMode, TokenMode
from ladtl_np.corpus.document import Document
from ladtl_np.corpus.formats import jsonl, spacy_jsonl
from ladtl_np.corpus.formats.detection import detect
from ladtl_np.corpus.formats.reading import ReadOptions
from ladtl_np.corpus.formats.registry import FORMATS
from ladtl_np.corpus.lines import Digest, display_name, open_input
from ladtl_np.corpus.tally import Tally
from ladtl_np.errors import LadtlError

if TYPE_CHECKING:
    from ladtl_np.model.file import Model
    from ladtl_np.model.tagging import Tagger

__all__ = [
    "Report",
    "Source",
    "TagOptions",
    "kind_by_name",
    "make_tagger",
    "note_on",
    "tag_file",
]

Report = Callable[[float], None]
"""Is told the share of an input that is done, after each chunk; may raise to stop."""
TaggedUnit = tuple[Unit, list[tuple[str, ...]]]
"""A unit, and the tags of each of its sentences."""
Writer = Callable[[Unit, Sequence[tuple[str, ...]]], str]
_TEXT = (".txt", ".text", ".ann")  # of these only .txt is read as text; brat's lie beside it
_SUFFIXES: dict[str, InputFormat] = {
    suffix: found.name
    for found in reversed(FORMATS.values())
    for suffix in found.suffixes
    if found.reads and suffix not in _TEXT
}
_LINES = {"jsonl": jsonl.write, "spacy-jsonl": spacy_jsonl.write}
_OF_WHOLE_TEXTS = ("brat", "html", "spacy")
"""Styles in which a file of text is one document, not one for each line."""


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
    """Input format where none is chosen: by the suffix, and of JSON by its start."""
    if os.path.isdir(source):
        return detect(source)
    suffix = os.path.splitext(source)[1].lower()
    if suffix == ".json" and os.path.isfile(source):
        return detect(source)
    return _SUFFIXES.get(suffix, "text")


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
    source: Source,
    output: str,
    tagger: Tagger,
    options: TagOptions,
    report: Report | None = None,
    *,
    overwrite: bool = True,
    coloured: bool = False,
) -> Tally:
    """Tag an input; the output appears when all is written.

    Parameters
    ----------
    source
        A file, a stream, or a folder.
    output
        A file, a stream, or a folder; for brat, the file ``.ann`` of a pair, or a folder of pairs.
    tagger, options
        How to tag.
    report
        Is told the share that is done.
    overwrite
        Whether a file that another process has made meanwhile is replaced.
    coloured
        Whether the output is a terminal with colours.

    Raises
    ------
    LadtlError
        If the input cannot be read or tagged, or is not what `source` says it is.
    """
    kind, name = options.kind_of(source.path), display_name(source.name)
    if kind != "text" and FORMATS[kind].folder:
        folder = Path(source.path)
        return _tag(folder, kind, name, output, tagger, options, report, overwrite, coloured)
    digest = Digest()
    with open_input(source.path) as stream:
        hashed = digest.stream(stream) if source.sha256 else stream
        tally = _tag(hashed, kind, name, output, tagger, options, report, overwrite, coloured)
    if source.sha256 and digest.hexdigest() != source.sha256:
        raise LadtlError(f"{name} has changed since the command started; tag it again")
    return tally


def _tag(
    stream: BinaryIO | Path,
    kind: InputFormat,
    name: str,
    output: str,
    tagger: Tagger,
    options: TagOptions,
    report: Report | None,
    overwrite: bool,
    coloured: bool,
) -> Tally:
    tally, cut = Tally(), options.cut(tagger.model)
    units = read(stream, kind, cut, options.reading, name, tally)
    chunks = _reporting(_tagged(units, tagger), stream, report)
    unit_writer = _unit_writer(options, name, tagger, coloured)
    if unit_writer is not None:
        write, opening = unit_writer
        with open_output(output, overwrite=overwrite) as put:
            put(opening)
            for text in _texts(chunks, write):
                put(text)
        return tally
    found = FORMATS[options.style]
    documents: Iterator[Document] = (
        unit.document(tags, tokens=found.tokens) for chunk in chunks for unit, tags in chunk
    )
    if kind == "text" and options.style in _OF_WHOLE_TEXTS:
        documents = iter([merged(documents, os.path.basename(name))])
    if output.endswith(PAIR) and found.folder:
        write_pair(list(documents), found, output, name)
    else:
        write_documents(documents, found, output, name, overwrite=overwrite)
    return tally


def note_on(tally: Tally) -> str:
    """What was met that is no error, in words; "" if nothing."""
    return "; ".join(remark.what for remark in tally.remarks(""))


def _unit_writer(
    options: TagOptions, name: str, tagger: Tagger, coloured: bool
) -> tuple[Writer, str] | None:
    """The function that writes a unit, and the start of the output; None where units do not do."""
    if options.style == "conll":
        return lambda unit, tags: conll_lines(unit, tags, options.scheme, name), ""
    if options.style == "conllu":
        return lambda unit, tags: conllu_lines(unit, tags, options.scheme, name), ""
    if options.style in _LINES:
        lines = _LINES[options.style]
        return lambda unit, tags: "".join(lines([unit.document(tags, tokens=False)])), ""
    if options.style != "terminal":
        return None
    from ladtl_np.commands.support.highlight import Highlighter

    view = Highlighter(tagger.decoder.tags.types, coloured=coloured)
    return lambda unit, tags: view.line(unit.raw, unit.entities(tags)), view.legend()


def _tagged(units: Iterator[Unit], tagger: Tagger) -> Iterator[list[TaggedUnit]]:
    """Tag all sentences; give the units that are done after each chunk, in their order."""
    ahead, behind = tee(units)  # `ahead` runs on by two chunks, which `behind` keeps until written
    sentences = (tokens for unit in ahead for tokens in unit.sentences())
    unit, waiting = None, list[tuple[str, ...]]()
    for chunk in tagger.tag_chunks(sentences):
        done = []
        for tags in chunk:
            unit = unit or next(behind)
            waiting.append(tags)
            if len(waiting) == len(unit.firsts):
                done.append((unit, waiting))
                unit, waiting = None, []
        yield done


def _reporting(
    chunks: Iterator[list[TaggedUnit]], stream: BinaryIO | Path, report: Report | None
) -> Iterator[list[TaggedUnit]]:
    """Pass chunks on, and tell how much of a file is done once they are written."""
    if report is None or isinstance(stream, Path):
        yield from chunks
        return
    size = max(1, os.fstat(stream.fileno()).st_size)
    for chunk in chunks:
        yield chunk
        report(min(1.0, stream.tell() / size))


def _texts(chunks: Iterator[list[TaggedUnit]], write: Writer) -> Iterator[str]:
    """What is to be written after each chunk."""
    start = True
    for chunk in chunks:
        text = "".join([write(unit, tags) for unit, tags in chunk])
        # Readers take a byte order mark from the start, so one that is data is written twice.
        yield "\ufeff" + text if start and text.startswith("\ufeff") else text
        start = start and not text
