"""``ladtl source export``: from a model's file and its text to a file of the source."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal, NamedTuple

from ladtl_np.commands.support.formats import warn
from ladtl_np.corpus.read import read_corpus
from ladtl_np.corpus.sentence import Corpus
from ladtl_np.errors import UsageError
from ladtl_np.files import write_atomically
from ladtl_np.model.file import Model, load_model
from ladtl_np.model.source_file import SourceFile, load_source_file, source_bytes
from ladtl_np.model.vocabulary_key import read_or_make_key
from ladtl_np.options.config import apply_settings, merge_options, parse_config, read_config
from ladtl_np.printable import LONG, counted, shown
from ladtl_np.runs.names import CONFIG
from ladtl_np.training.export_options import DELTA, ExportOptions
from ladtl_np.training.source_export import export_source

__all__ = ["Exported", "exported"]


class Exported(NamedTuple):
    """What was written where."""

    out: Path
    source: SourceFile
    sentences: int

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        source, own, noise = self.source, self.source.own, self.source.own.noise
        return {
            "file": str(self.out),
            "words": len(source.vocabulary),
            "hashed": source.vocabulary.lock is not None,
            "tags": len(own.tags),
            "sketches": len(own.sketches),
            "sentences": self.sentences,
            "variances": list(own.variances),
            "features": source.features,
            "passed_on": len(source.passed_on),
            "noise": None
            if noise is None
            else {name: getattr(noise, name) for name in noise.__struct_fields__},
        }

    def text(self) -> str:
        """Lines for people."""
        source, own, noise = self.source, self.source.own, self.source.own.noise
        out = shown(str(self.out), LONG)
        kind = "hashed" if source.vocabulary.lock is not None else "as they are written"
        lines = [
            f"{out}: {counted(len(source.vocabulary), 'words')}, {kind}; a CRF of "
            f"{counted(len(own.tags), 'tags')}",
            f"Sketches of {counted(len(own.sketches), 'tags')} from "
            f"{counted(self.sentences, 'sentences')}: "
            f"{counted(len(own.variances), 'Gaussians')}, "
            f"{counted(source.features, 'frequencies')}.",
        ]
        if source.passed_on:
            more = counted(len(source.passed_on), "sources")
            lines.append(f"Passed on as they were: CRF and sketches of {more}.")
        if noise is None:
            lines.append("No noise: the sketches are exact means of the text's hidden rows.")
        else:
            lines += [
                f"Noise of {noise.multiplier:g} times the sensitivity: the sketches are "
                f"({noise.epsilon:.3g}, {noise.delta:g})-differentially private",
                "for texts that differ in one sentence and not in the label counts. Encoder, "
                "embeddings, CRF,",
                "words, counts and variances are not covered.",
            ]
        return "\n".join([*lines, f"Next:  ladtl model privacy {out}"])


def exported(
    model: str,
    out: Path,
    *,
    overwrite: bool,
    data: str | None,
    settings: Iterable[str],
    kernel: Literal["reference", "median"],
    features: int,
    seed: int,
    min_count: int,
    vocabulary_key: str | None,
    noise: float,
    delta: float | None,
    pass_on: str | None,
) -> Exported:
    """Read model and text, and write the file.

    Raises
    ------
    UsageError
        If the text is not named, the file is there, or the model cannot be exported.
    ModelFileError, DataError
        If the model or the text cannot be read.
    """
    _require_free(out, [model, *(path for path in (data, pass_on) if path)], overwrite=overwrite)
    held = load_model(model)
    hashed = held.vocabulary.lock is not None
    if hashed:
        held = load_model(model, vocabulary_key)
    corpus = _text(model, data, settings)
    _compare(held, corpus)
    key = read_or_make_key(vocabulary_key) if vocabulary_key and not hashed else None
    chosen = ExportOptions(
        kernel=kernel,
        features=features,
        seed=seed,
        min_count=min_count,
        key=key,
        noise=noise,
        delta=DELTA if delta is None else delta,
        passed_on=load_source_file(pass_on, vocabulary_key) if pass_on else None,
    )
    source = export_source(held, corpus, chosen)
    write_atomically(out, source_bytes(source))
    return Exported(out, source, len(corpus))


def _require_free(out: Path, inputs: list[str], *, overwrite: bool) -> None:
    if any(os.path.exists(path) and out.exists() and out.samefile(path) for path in inputs):
        raise UsageError(f"{out} is read here; name another file with --out")
    if os.path.lexists(out) and not overwrite:
        raise UsageError(f"{out} exists; give --overwrite, or name another file")


def _text(model: str, data: str | None, settings: Iterable[str]) -> Corpus:
    """The text that is named, else that of the run which the model lies in."""
    folder = Path(model).parent
    if data is None and not (folder / CONFIG).is_file():
        raise UsageError(
            f"{folder} has no {CONFIG} that names the model's text; give it with --data"
        )
    table: dict[str, Any] = {} if data is not None else read_config(folder / CONFIG)
    changes = apply_settings({}, [f"data.target_format.{setting}" for setting in settings])
    options = parse_config(merge_options(table, changes), "--data-format").data
    path = data or options.target
    if not path:
        raise UsageError(f"{folder / CONFIG} names no target: the model is the demo's; give --data")
    return read_corpus(path, options.target_format)


def _compare(model: Model, corpus: Corpus) -> None:
    """Say so where a text is not the one that the model was trained on."""
    known = model.provenance.get("data", {}).get("target")
    if known is not None and known != corpus.sha256:
        warn(
            f"{corpus.name}: not the file that {model.name} was trained on, as its SHA-256 shows; "
            "the sketches are those of the text that was given"
        )
