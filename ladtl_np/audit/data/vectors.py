"""Word vectors: whether the file is the run's, and what it has of the tests alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from ladtl_np.audit.data.evidence import Evidence, Held
from ladtl_np.audit.data.leakage import LONG, used_sentences
from ladtl_np.audit.outcome import Line, Verdict, noted
from ladtl_np.corpus.findings import Findings
from ladtl_np.corpus.lines import display_name, file_sha256, numbered_lines, open_input
from ladtl_np.model.file import Model
from ladtl_np.runs.names import MANIFEST

__all__ = ["vector_lines"]

_CHECK = "word vectors"


def vector_lines(evidence: Evidence, texts: Sequence[str]) -> Iterator[Line]:
    """The file against the manifest, words of the scored corpora alone, and the vectors' text.

    Parameters
    ----------
    evidence
        The run.
    texts
        Plain text that the vectors were trained on, where the user knows it.
    """
    place, told = evidence.config.data.embeddings, evidence.manifest.vectors
    if not place:
        if told is not None:
            yield Line(_CHECK, "none in the options", told.file.name, "failed")
    elif not Path(place).is_file():
        yield Line(_CHECK, "not there", "" if told is None else told.file.sha256, "failed", place)
    else:
        yield _hash_line(place, "" if told is None else told.file.sha256)
    model = evidence.model
    if model is not None and (model.vocabulary.lock is None or model.vocabulary.lock.key):
        yield from _word_lines(evidence, model)
    if place and not texts:
        told_by = "a file of vectors has no record of its text; name it with --vectors-text"
        yield noted("whether the vectors' text holds the tests", "not told", told_by)
    for text in texts:
        yield from _text_lines(evidence, text)


def _hash_line(place: str, told: str) -> Line:
    now = file_sha256(place)
    verdict: Verdict = "passed" if now == told else "failed"
    return Line(_CHECK, now[:12], told[:12] or f"told in {MANIFEST}", verdict, place)


def _word_lines(evidence: Evidence, model: Model) -> Iterator[Line]:
    """Words that no training sentence has and the model knows: only vectors can give them."""
    training = [held for held in evidence.held if held.role in ("source", "target")]
    if any(held.corpus is None for held in training):
        return
    trained = {
        model.vocabulary.normalise(token)
        for held in training
        if held.corpus is not None
        for sentence in used_sentences(evidence.config, held)
        for token in sentence.tokens
    }
    for held in evidence.of("dev", "test"):
        if held.corpus is None:
            continue
        words = {token for sentence in held.corpus for token in sentence.tokens}
        alone = {word for word in words if model.vocabulary.normalise(word) not in trained}
        known = sum(map(model.vocabulary.knows, alone))
        found = f"{known:,} of {len(alone):,} are known to the model"
        check = f"words that {held.role} has and no training sentence"
        if evidence.config.data.embeddings:
            yield noted(check, found, f"{evidence.short(held)}; the vectors know them")
        else:
            verdict: Verdict = "failed" if known else "passed"
            yield Line(check, found, "none, without word vectors", verdict, evidence.short(held))


def _text_lines(evidence: Evidence, text: str) -> Iterator[Line]:
    """Sentences of the scored corpora that stand in a text, spaces aside."""
    name = display_name(text)
    findings = Findings(name)
    with open_input(text) as stream:
        lines = ["".join(line.split()) for _, line in numbered_lines(stream, findings)]
    findings.raise_any()
    whole = "\n".join(lines)
    for held in evidence.of("dev", "test"):
        yield _text_line(held, evidence.short(held), whole, name)


def _text_line(held: Held, short: str, whole: str, name: str) -> Line:
    sentences = [s.tokens for s in held.corpus or () if len(s) >= LONG]
    count = sum("".join("".join(tokens).split()) in whole for tokens in sentences)
    share = 100 * count / max(len(sentences), 1)
    found = f"{count:,} of {len(sentences):,} ({share:.1f} %)"
    check = f"sentences of {held.role} in the vectors' text"
    return noted(check, found, f"{short} in {name}; of {LONG} tokens or more")
