"""A run's scores computed again: from its predictions, and with its model."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from ladtl_np.arrays.workers import single_threaded_blas
from ladtl_np.audit.data.evidence import Evidence, Held
from ladtl_np.audit.data.files import equal
from ladtl_np.audit.outcome import Line, Verdict, noted
from ladtl_np.corpus.sentence import Corpus
from ladtl_np.errors import DataError, LadtlError, UsageError
from ladtl_np.model.decoding import Decoder
from ladtl_np.model.evaluation import predict_tags
from ladtl_np.model.file import Model
from ladtl_np.model.tagging import make_decoder
from ladtl_np.printable import counted
from ladtl_np.runs.manifest import Scores, TypeCounts
from ladtl_np.runs.names import BEST, MANIFEST
from ladtl_np.runs.predictions import read_predictions
from ladtl_np.scoring import SEMANTICS, score

__all__ = ["score_lines"]

Tags = list[tuple[str, ...]]


def score_lines(evidence: Evidence, tell: Callable[[], None]) -> Iterator[Line]:
    """Scores in the model, scores of the predictions files, and scores of the model now.

    Parameters
    ----------
    evidence
        The run.
    tell
        Is called after each corpus that was tagged.
    """
    if evidence.model is not None:
        yield _model_scores(evidence, evidence.model)
    written: dict[str, Tags] = {}
    for name in evidence.manifest.tests():
        yield from _from_predictions(evidence, name, written)
    decoder: Decoder | None = None
    if evidence.model is not None:
        try:
            decoder = make_decoder(evidence.model, threads=evidence.config.threads)
        except UsageError as error:  # the key of a hashed vocabulary
            yield noted("scored again with the model", "not done", str(error))
    for held in evidence.of("dev", "test"):
        if decoder is not None:
            yield from _again(evidence, held, decoder, written)
        tell()


def _model_scores(evidence: Evidence, model: Model) -> Line:
    """What the best model tells of its scores, against the manifest."""
    results, told = evidence.manifest.results or {}, model.scores
    differences = []
    for name in {**results, **told}:
        try:
            mine = {way: msgspec.convert(told[name][way], TypeCounts) for way in SEMANTICS}
        except (KeyError, TypeError, msgspec.ValidationError):
            differences.append(f"{name}: not in the model")
            continue
        if name not in results:
            differences.append(f"{name}: not in {MANIFEST}")
        elif any(mine[way] != getattr(results[name], way).overall for way in SEMANTICS):
            differences.append(name)
    return equal(f"scores in {BEST} and {MANIFEST}", differences, f"{len(results)} corpora")


def _found(gold: Tags, predicted: Tags, scheme: str) -> Scores:
    """Scores as the manifest has them."""
    return msgspec.convert(score(gold, predicted, scheme).to_json(), Scores)


def _compared(check: str, found: Scores, told: Scores, where: str) -> Line:
    """Scores of every type and by both readings; F1 is shown."""
    verdict: Verdict = "passed" if found == told else "failed"
    shown = [f"F1 {100 * scores.f1('conlleval'):.4f}" for scores in (found, told)]
    if verdict == "failed" and shown[0] == shown[1]:
        where = f"{where}; counts of a type or the strict reading differ"
    return Line(check, shown[0], shown[1], verdict, where)


def _from_predictions(evidence: Evidence, name: str, written: dict[str, Tags]) -> Iterator[Line]:
    """Rescore a file of predictions, and hold its gold tags against the test corpus."""
    check, results = "scores of the predictions", evidence.manifest.results or {}
    held = next((h for h in evidence.held if evidence.result_name(h) == name), None)

    def other_gold() -> Corpus:
        if held is None or held.corpus is None:
            raise UsageError(f"{name}: the file of predictions has no gold tags")
        return held.corpus

    try:
        gold, predicted = read_predictions(evidence.run, name, other_gold)
        tags = _tags(gold), _tags(predicted)
        if list(map(len, tags[0])) != list(map(len, tags[1])):
            raise DataError("gold and predicted tags are of other sentences")
    except (DataError, UsageError) as error:
        yield Line(check, str(error), "to be read", "failed", name)
        return
    written[name] = tags[1]
    yield _compared(check, _found(*tags, gold.scheme), results[name], name)
    if held is not None and held.corpus is not None:
        fine = tags[0] == _tags(held.corpus)
        line = [] if fine else ["the gold tags are others than the test corpus's"]
        yield equal("gold tags of the predictions", line, f"{len(gold):,} sentences", name)


def _tags(corpus: Corpus) -> Tags:
    return [sentence.tags or () for sentence in corpus]


def _again(
    evidence: Evidence, held: Held, decoder: Decoder, written: dict[str, Tags]
) -> Iterator[Line]:
    """Tag a corpus with the best model: scores, and tags, must come out again."""
    name, corpus = evidence.result_name(held), held.corpus
    check = "scored again with the model"
    if corpus is None:
        return
    if name is None:
        yield Line(check, "scored", "told", "failed", f"{held.name}: {MANIFEST} has no score of it")
        return
    try:
        with single_threaded_blas():
            predicted = predict_tags(decoder, corpus)
        found = _found(_tags(corpus), predicted, corpus.scheme)
    except LadtlError as error:
        yield Line(check, str(error), "a score", "failed", name)
        return
    yield _compared(check, found, (evidence.manifest.results or {})[name], name)
    if name in written:
        count = sum(one != other for one, other in zip(predicted, written[name], strict=False))
        count += abs(len(predicted) - len(written[name]))
        differences = [f"{counted(count, 'sentences')} with other tags"] if count else []
        yield equal("tags of the model and predictions", differences, "every tag", name)
