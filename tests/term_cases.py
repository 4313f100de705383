"""Small tagged corpora, and terms counted in them the slow way."""

from __future__ import annotations

from ladtl_np.corpus.schemes import spans, spans_to_tags
from ladtl_np.corpus.sentence import Corpus, Sentence
from ladtl_np.report.term_counts import of_characters


def corpus_of(*sentences: str, name: str = "c") -> Corpus:
    """Sentences such as ``[ab:Drug]c``, of characters; or of words, parted by spaces outside."""
    found = []
    for text in sentences:
        tokens: list[str] = []
        there = []
        for piece in text.replace("[", "|[").replace("]", "]|").split("|"):
            inner, _, kind = piece.strip("[]").partition(":")
            new = inner.strip(" ").split(" ") if " " in text else list(inner)
            new = [token for token in new if token]
            if kind:
                there.append((len(tokens), len(tokens) + len(new), kind))
            tokens += new
        found.append(Sentence(tuple(tokens), spans_to_tags(there, len(tokens), "BIOES")))
    return Corpus(name, tuple(found))


def by_hand(corpus: Corpus, text: str, kind: str = "") -> tuple[int, int]:
    """The same by looking at every run of tokens of every sentence."""
    one = other = 0
    for sentence in corpus:
        entities = {(start, end): kind for start, end, kind in spans(sentence.tags or (), "BIOES")}
        for start in range(len(sentence)):
            for end in range(start + 1, len(sentence) + 1):
                tokens = list(sentence.tokens[start:end])
                if of_characters(corpus):
                    equal = "".join(tokens) == text.replace(" ", "")
                else:
                    equal = tokens == text.split(" ")
                if equal:
                    found = entities.get((start, end))
                    one += found is not None and kind in ("", found)
                    other += found is None or kind not in ("", found)
    return one, other
