"""Tagging with a trained model: sentences in, tags or entities out, in constant memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from os import PathLike
from typing import TypeVar

from ladtl_np.arrays.limits import require_room
from ladtl_np.arrays.workers import Workers
from ladtl_np.corpus.hashing import KEY_WANTED
from ladtl_np.corpus.labels import TagSet
from ladtl_np.corpus.schemes import Span, spans
from ladtl_np.errors import LadtlError, UsageError
from ladtl_np.model.confidence import PLAIN, Asked, Sure
from ladtl_np.model.decoding import Decoder
from ladtl_np.model.file import Model
from ladtl_np.model.network import TARGET, domain_of, source_head
from ladtl_np.model.pieces import LONG_TOKENS
from ladtl_np.model.wider import with_vectors
from ladtl_np.options.best_paths import MOST_PATHS
from ladtl_np.options.config import DEFAULTS
from ladtl_np.options.precision import PRECISION, Precision

__all__ = ["CHUNK_SENTENCES", "CHUNK_TOKENS", "Tagger", "make_decoder"]


# What is read before tagging starts: several packed batches, so that sentences of like length meet.
CHUNK_TOKENS = 8_192
CHUNK_SENTENCES = 4_096
# What a token of a sentence that is tagged in pieces takes: its tag's number, and its tag.
LONG_TOKEN_BYTES = 32
# a probability of it, or its tag in one of the best paths with its name
SURE_BYTES = 16

T = TypeVar("T")
_Start = Callable[[Sequence[Sequence[str]], Callable[[int], str]], Callable[[], list[T]]]


def make_decoder(
    model: Model,
    *,
    domain: str = "target",
    constrained: bool | None = None,
    threads: int = DEFAULTS.threads,
    embeddings: str | PathLike[str] | None = None,
    precision: Precision = PRECISION,
    own_scheme: bool = False,
) -> Decoder:
    """Decoder of one of a model's heads.

    Parameters
    ----------
    model
        From `load_model`, or in memory.
    domain
        Which head: ``target`` or ``source``.
    constrained
        Whether only tag sequences that are legal in the model's scheme may be chosen; None is as in
        training.
    threads
        Threads to compute with; results do not depend on it.
    embeddings
        The file of word vectors that the model was trained with: words that it does not know have
        the vectors of the file, see `wider.with_vectors`.
    precision
        ``float32``, or ``bfloat16`` for the LSTM's products on processors that have it: faster,
        and a little less exact.
    own_scheme
        Whether tags are given in the model's own scheme, ``model.scheme``; else in BIOES.

    Raises
    ------
    UsageError
        If the model has no such head, its vocabulary is hashed and its key is not there,
        `embeddings` is another file, or the processor lacks the precision.
    """
    lock = model.vocabulary.lock
    if lock is not None and lock.key is None:
        raise UsageError(KEY_WANTED)
    (head, tags), decoding = _head(model, domain), model.config.decoding
    if embeddings is not None:
        model = with_vectors(model, embeddings)
    return Decoder(
        model.network,
        model.vocabulary,
        tags,
        head=head,
        characters=model.characters,
        constrained=decoding.constrained if constrained is None else constrained,
        emission_bias=decoding.emission_bias,
        workers=Workers(threads),
        name=model.name,
        precision=precision,
        own_scheme=own_scheme,
        temperature=model.temperature if head == TARGET else 1.0,
    )


def _head(model: Model, domain: str) -> tuple[str, TagSet]:
    heads = {"target": (TARGET, model.target_tags)}
    for number, source in enumerate(model.sources):
        heads[domain_of(source_head(number))] = source_head(number), source.tags
    if domain in heads:
        return heads[domain]
    if domain == "source":
        raise UsageError(
            f"this model (method {model.config.method}) has no tagger of a source domain; "
            "use the target's"
        )
    raise UsageError(f"domain must be one of {', '.join(heads)} for this model, got {domain!r}")


class Tagger:
    """Tags any number of sentences, a bounded chunk at a time.

    Parameters
    ----------
    model, domain, constrained, threads, embeddings, precision
        As for `make_decoder`.
    chunk_tokens, chunk_sentences
        A chunk ends at the sentence with which it reaches one of these; results come after each
        chunk. ``chunk_sentences=1`` answers every sentence at once, and is slower.

    Examples
    --------
    ``for tags in Tagger(load_model("run/best.safetensors")).tag([["chest", "pain"]]): ...``
    """

    def __init__(
        self,
        model: Model,
        *,
        domain: str = "target",
        constrained: bool | None = None,
        threads: int = DEFAULTS.threads,
        embeddings: str | PathLike[str] | None = None,
        precision: Precision = PRECISION,
        chunk_tokens: int = CHUNK_TOKENS,
        chunk_sentences: int = CHUNK_SENTENCES,
    ) -> None:
        if chunk_tokens < 1 or chunk_sentences < 1:
            raise UsageError("a chunk must have room for a token and a sentence")
        self.model = model
        self.decoder = make_decoder(
            model,
            domain=domain,
            constrained=constrained,
            threads=threads,
            embeddings=embeddings,
            precision=precision,
        )
        self.chunk_tokens, self.chunk_sentences = chunk_tokens, chunk_sentences

    def tag(self, sentences: Iterable[Sequence[str]]) -> Iterator[tuple[str, ...]]:
        """Yield the BIOES tags of each sentence, in the order given.

        Parameters
        ----------
        sentences
            Tokens of each sentence; may be endless. An empty sentence has no tags.

        Raises
        ------
        LadtlError
            If the tags of a single sentence would not fit into the memory that is left.
        ScoreError
            If the scores of a sentence are not finite.
        """
        for tagged in self.tag_chunks(sentences):
            yield from tagged

    def tag_chunks(self, sentences: Iterable[Sequence[str]]) -> Iterator[list[tuple[str, ...]]]:
        """As `tag`, a list for each chunk: whoever writes the tags can do so once a chunk.

        The next chunk is read before the tags of one are given, unless a chunk is one sentence.
        """
        return self._in_chunks(sentences, self.decoder.start, LONG_TOKEN_BYTES)

    def sure(
        self, sentences: Iterable[Sequence[str]], *, paths: int = 0, marginals: bool = False
    ) -> Iterator[Sure]:
        """Yield the tags of each sentence as `tag` does, and how probable they are.

        Parameters
        ----------
        sentences
            As for `tag`.
        paths
            How many of the best tag sequences are wanted as well, up to 100.
        marginals
            Whether the probabilities of all tags of each token are.

        Raises
        ------
        UsageError
            If more paths are asked for.
        LadtlError, ScoreError
            As `tag`.
        """
        if not 0 <= paths <= MOST_PATHS:
            raise UsageError(f"paths must lie between 0 and {MOST_PATHS}, got {paths}")
        for chunk in self.sure_chunks(sentences, Asked(paths, marginals)):
            yield from chunk

    def sure_chunks(
        self, sentences: Iterable[Sequence[str]], asked: Asked = PLAIN
    ) -> Iterator[list[Sure]]:
        """As `sure`, a list for each chunk, see `tag_chunks`."""
        values = 1 + asked.paths + asked.marginals * len(self.decoder.tags)
        each = LONG_TOKEN_BYTES + SURE_BYTES * values
        return self._in_chunks(sentences, partial(self.decoder.start_sure, asked=asked), each)

    def _in_chunks(
        self, sentences: Iterable[Sequence[str]], start: _Start[T], long_token_bytes: int
    ) -> Iterator[list[T]]:
        chunks = self._chunks(sentences, long_token_bytes)
        at_once = self.chunk_sentences == 1
        begun: list[Callable[[], list[T]]] = []
        before = 0  # sentences of earlier chunks
        while True:
            error = None
            try:
                chunk = next(chunks, None)
            except LadtlError as problem:  # what was read before it is tagged all the same
                chunk, error = None, problem
            if chunk is not None:
                begun.append(start(chunk, partial(_numbered, before + 1)))
                before += len(chunk)
            # one chunk is read while the one before is computed
            while begun and (chunk is None or at_once or len(begun) > 1):
                yield begun.pop(0)()
            if error is not None:
                raise error
            if chunk is None:
                return

    def spans(self, sentences: Iterable[Sequence[str]]) -> Iterator[list[Span]]:
        """Yield the entities of each sentence as (first token, last token + 1, type)."""
        for tags in self.tag(sentences):
            yield spans(tags, "BIOES")

    def _chunks(
        self, sentences: Iterable[Sequence[str]], long_token_bytes: int = LONG_TOKEN_BYTES
    ) -> Iterator[list[Sequence[str]]]:
        chunk: list[Sequence[str]] = []
        tokens = 0
        for number, sentence in enumerate(sentences, 1):
            if len(sentence) > LONG_TOKENS:
                _require_room(len(sentence), number, long_token_bytes)
            chunk.append(sentence)
            tokens += len(sentence)
            if tokens >= self.chunk_tokens or len(chunk) >= self.chunk_sentences:
                yield chunk
                chunk, tokens = [], 0
        if chunk:
            yield chunk


def _numbered(first: int, n: int) -> str:
    return f"sentence {first + n}"


def _require_room(tokens: int, number: int, each: int) -> None:
    require_room(
        each * tokens,
        f"Tagging sentence {number}, of {tokens:,} tokens,",
        "Cut the text at the ends of sentences, or use a machine with more memory",
    )
