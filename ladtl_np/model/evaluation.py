"""A model's tags against gold, in the gold's own scheme."""

from __future__ import annotations

from ladtl_np.corpus.schemes import decoded_tags
from ladtl_np.corpus.sentence import Corpus
from ladtl_np.errors import DataError
from ladtl_np.model.confidence import Sure
from ladtl_np.model.decoding import Decoder
from ladtl_np.scoring import Scores, score

__all__ = ["evaluate", "predict_sure", "predict_tags"]


def predict_tags(decoder: Decoder, corpus: Corpus) -> list[tuple[str, ...]]:
    """Tags of every sentence, in the corpus's scheme; its own tags are not looked at.

    Tags that unconstrained decoding leaves illegal stay so in BIOES, and become the tags of the
    spans that conlleval reads in any other scheme.
    """
    lines = [sentence.line for sentence in corpus]
    tagged = decoder.tag(
        [sentence.tokens for sentence in corpus], lambda n: f"{corpus.name}:{lines[n]}"
    )
    return [decoded_tags(tags, corpus.scheme) for tags in tagged]


def predict_sure(decoder: Decoder, corpus: Corpus) -> list[Sure]:
    """Tags of every sentence in BIOES, and how sure they are; its own tags are not looked at."""
    lines = [sentence.line for sentence in corpus]
    return decoder.start_sure(
        [sentence.tokens for sentence in corpus], lambda n: f"{corpus.name}:{lines[n]}"
    )()


def evaluate(decoder: Decoder, corpus: Corpus) -> Scores:
    """Tag a corpus and score it against its own tags, which stay as they are in the file.

    Raises
    ------
    DataError
        If a sentence of the corpus has no tags.
    """
    gold = []
    for sentence in corpus:
        if sentence.tags is None:
            raise DataError(f"{corpus.name}:{sentence.line}: no gold tags to compare with")
        gold.append(sentence.tags)
    return score(gold, predict_tags(decoder, corpus), corpus.scheme)
