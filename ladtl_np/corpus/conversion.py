"""Columns as documents, and documents as columns: the same tokens, sentences and entities."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import accumulate, pairwise

from ladtl_np.corpus.document import Bounds, Certainty, Document
from ladtl_np.corpus.formats.conll import format_sentence
from ladtl_np.corpus.formats.conllu import format_conllu
from ladtl_np.corpus.schemes import Span, spans, spans_to_tags
from ladtl_np.corpus.sentence import Corpus, Sentence
from ladtl_np.errors import DataError

__all__ = ["column_lines", "documents_of", "gap_of", "joined", "merged", "sentence_groups"]

_DOCSTART = "-DOCSTART-"


def gap_of(corpus: Iterable[Sentence]) -> str:
    """What stands between tokens in a text: nothing where all are single characters."""
    tokens = (token for sentence in corpus for token in sentence.tokens)
    return "" if all(len(token) == 1 for token in tokens) else " "


def documents_of(corpus: Corpus, group: int = 1) -> Iterator[Document]:
    """Put a corpus of columns together to documents, one sentence a line.

    Entities are those that conlleval reads; tokens and sentences are kept beside the text.

    Parameters
    ----------
    corpus
        The corpus.
    group
        Sentences in a document, where the corpus tells no documents.
    """
    gap, total = gap_of(corpus), len(corpus)
    starts = _told_starts(corpus) or range(0, total, group)
    for start, end in pairwise((*starts, total)):
        yield _document(corpus.sentences[start:end], corpus.scheme, gap)


def _told_starts(corpus: Corpus) -> tuple[int, ...]:
    """First sentences of the documents; none where there is one mark, at the start of the file."""
    starts = tuple(dict.fromkeys((0, *corpus.documents)))
    return starts if len(starts) > 1 else ()


def _document(sentences: Sequence[Sentence], scheme: str, gap: str) -> Document:
    pieces: list[str] = []
    tokens: list[Bounds] = []
    entities: list[Span] = []
    starts: list[int] = []
    length = 0
    for number, sentence in enumerate(sentences):
        if number:
            pieces.append("\n")
            length += 1
        starts.append(length)
        first = len(tokens)
        for place, token in enumerate(sentence.tokens):
            if place and gap:
                pieces.append(gap)
                length += len(gap)
            pieces.append(token)
            tokens.append((length, length + len(token)))
            length += len(token)
        entities += [
            (tokens[first + a][0], tokens[first + b - 1][1], kind)
            for a, b, kind in spans(sentence.tags or (), scheme)
        ]
    tagged = any(sentence.tags is not None for sentence in sentences)
    return Document(
        "".join(pieces),
        tuple(entities) if tagged else None,
        line=sentences[0].line,
        tokens=tuple(tokens),
        sentences=tuple(starts),
    )


def merged(documents: Iterable[Document], file: str = "") -> Document:
    """Put documents below each other as one, each on lines of its own."""
    texts: list[str] = []
    entities: list[Span] = []
    tokens: list[Bounds] = []
    starts: list[int] = []
    probabilities: list[float] = []
    certainties: list[Certainty] = []
    at, whole, sure = 0, True, True
    for document in documents:
        texts.append(document.text)
        entities += [(a + at, b + at, kind) for a, b, kind in document.entities or ()]
        tokens += [(a + at, b + at) for a, b in document.tokens or ()]
        starts += [place + at for place in document.sentences or (0,)]
        whole = whole and document.tokens is not None
        sure = sure and document.probabilities is not None
        probabilities += document.probabilities or ()
        certainties += (_moved(certainty, at) for certainty in document.certainties or ())
        at += len(document.text) + 1
    return Document(
        "\n".join(texts),
        tuple(entities),
        line=1,
        file=file,
        tokens=tuple(tokens) if whole else None,
        sentences=tuple(dict.fromkeys((0, *starts))) if whole else None,
        probabilities=tuple(probabilities) if sure else None,
        certainties=tuple(certainties) or None,
    )


def _moved(certainty: Certainty, by: int) -> Certainty:
    """The same in a text that begins earlier."""
    best = tuple(
        replace(way, entities=tuple((a + by, b + by, kind) for a, b, kind in way.entities))
        for way in certainty.best
    )
    return replace(certainty, start=certainty.start + by, end=certainty.end + by, best=best)


def sentence_groups(corpus: Corpus, *, whole: bool) -> list[tuple[Sentence, ...]]:
    """The sentences of each document; one by one unless documents stay `whole` and are told."""
    starts = _told_starts(corpus)
    if not whole or not starts:
        return [(sentence,) for sentence in corpus]
    return [corpus.sentences[start:end] for start, end in pairwise((*starts, len(corpus)))]


def joined(corpus: Corpus, groups: Sequence[tuple[Sentence, ...]]) -> Corpus:
    """A corpus like another, of other groups of sentences; they are its documents if it had any."""
    starts = accumulate((len(group) for group in groups[:-1]), initial=0)
    sentences = tuple(sentence for group in groups for sentence in group)
    documents = tuple(starts) if _told_starts(corpus) else ()
    return replace(corpus, sentences=sentences, documents=documents)


def column_lines(corpus: Corpus, scheme: str, *, conllu: bool = False) -> Iterator[str]:
    """Write a corpus as columns: token, and the tag where there are tags; or as CoNLL-U.

    Each document begins with a block of one ``-DOCSTART-`` line if any has several sentences. Tags
    stay as they are in the corpus's own scheme; in another, they are those of the entities that
    conlleval reads.

    Raises
    ------
    DataError
        If a token cannot be written in columns.
    """
    marked = len(corpus.documents) < len(corpus)
    starts = frozenset(corpus.documents if marked else ())
    for number, sentence in enumerate(corpus):
        if number in starts and not conllu:
            yield f"{_DOCSTART}\tO\n\n" if sentence.tags is not None else f"{_DOCSTART}\n\n"
        tags = sentence.tags
        if tags is not None and scheme != corpus.scheme:
            tags = spans_to_tags(spans(tags, corpus.scheme), len(tags), scheme)
        try:
            if conllu:
                yield (
                    "# newdoc\n" * (number in starts) + format_conllu(sentence.tokens, tags) + "\n"
                )
                continue
            text = format_sentence(sentence.tokens, *([] if tags is None else [tags])) + "\n"
        except ValueError as error:
            raise DataError(f"{corpus.name}:{sentence.line}: {error}") from None
        # readers take a byte order mark from the start, so one that is data is written twice
        lead = "\ufeff" if not number and text.startswith("\ufeff") else ""
        yield lead + text
