"""Everything an experiment reads, read once before its first run: errors, hashes, warnings."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import tomli_w

from ladtl_np.corpus.demo import SPLITS, generate
from ladtl_np.corpus.formats.conll import read_conll, write_conll
from ladtl_np.corpus.labels import LabelMap
from ladtl_np.corpus.lines import open_input
from ladtl_np.corpus.overlap import repeated
from ladtl_np.corpus.sentence import Corpus
from ladtl_np.experiment.expansion import CORPORA, RunSpec
from ladtl_np.experiment.file import Experiment
from ladtl_np.options.config import Config
from ladtl_np.options.input_file import InputFile

__all__ = ["Inputs", "OwnFiles", "own_files", "read_inputs"]

_CHUNK = 1 << 20
Key = tuple[str, str]
"""A path, and how its columns are read, in words."""


@dataclass(frozen=True, slots=True)
class OwnFiles:
    """Inputs of the runs that the experiment writes into its folder.

    Attributes
    ----------
    contents
        By name relative to the folder: synthetic corpora and the label map.
    label_map
        Name of the label map; it tells the content, so that other pairs are other options.
    """

    contents: dict[str, bytes]
    label_map: str = ""

    @property
    def synthetic(self) -> bool:
        """Whether there are synthetic corpora among them."""
        return any(name.startswith(f"{CORPORA}/") for name in self.contents)


@dataclass(frozen=True, slots=True)
class Inputs:
    """What was read.

    Attributes
    ----------
    hashes
        SHA-256 of every file, by the path that the runs' options name.
    warnings
        Sentences that repeat within a training set or stand in training and test data.
    """

    hashes: dict[str, str]
    warnings: list[str]


def own_files(experiment: Experiment) -> OwnFiles:
    """Make what the runs read and the user has no file of.

    Raises
    ------
    UsageError
        If the label map cannot be opened.
    DataError
        If it is no label map.
    """
    contents: dict[str, bytes] = {}
    used = {name for task in experiment.tasks for name in task}
    for name in experiment.corpora:
        specialty = experiment.corpora[name].demo
        if name in used and specialty:
            for split in SPLITS:
                text = StringIO(newline="\n")
                write_conll(text, generate(specialty, split))
                path = f"{CORPORA}/{specialty}/{split}.txt"
                contents[path] = text.getvalue().encode("utf-8")
    pairs = experiment.label_map
    if isinstance(pairs, str) and pairs:
        pairs = dict(LabelMap.read(experiment.base / pairs).pairs)
    if not isinstance(pairs, dict) or not pairs:
        return OwnFiles(contents)
    LabelMap(pairs, f"{experiment.place}: label_map")  # checks that it is one-to-one
    content = tomli_w.dumps({"types": pairs}).encode("utf-8")
    name = f"label-map-{hashlib.sha256(content).hexdigest()[:12]}.toml"
    return OwnFiles(contents | {name: content}, name)


def read_inputs(specs: Sequence[RunSpec], own: OwnFiles, out: Path) -> Inputs:
    """Read every corpus and vector file of the runs once.

    Raises
    ------
    UsageError
        If a file cannot be opened.
    DataError
        With all findings in a file, each with its line.
    """
    corpora: dict[Key, Corpus] = {}
    hashes: dict[str, str] = {}
    contents = {str(out / name): content for name, content in own.contents.items()}
    for wanted in _wanted(spec.config for spec in specs):
        path = wanted.path
        if path in contents:
            specialty, file = Path(path).parts[-2:]
            demo = generate(specialty, file.removesuffix(".txt"))
            sha256 = hashlib.sha256(contents[path]).hexdigest()
            corpus = Corpus(path, demo.sentences, demo.scheme, sha256)
        else:
            corpus = read_conll(path, wanted.format, require_renames=wanted.trains)
        corpora[_key(wanted)] = corpus
        hashes[path] = corpus.sha256
    for path in {spec.config.data.embeddings for spec in specs} - {""}:
        hashes[path] = _sha256(path)
    left_out = {c.name: c.docstart for c in corpora.values() if c.docstart}
    lines = [f"{name}: {count} -DOCSTART- blocks left out" for name, count in left_out.items()]
    return Inputs(hashes, [*lines, *_repeats(specs, corpora), *_shared(specs, corpora)])


def _wanted(configs: Iterable[Config]) -> list[InputFile]:
    """Each corpus file once, in order; as one that trains where it is one for any run."""
    found: dict[Key, InputFile] = {}
    for config in configs:
        for file in config.data.files():
            if file.trains or _key(file) not in found:
                found[_key(file)] = file
    return list(found.values())


def _key(file: InputFile) -> Key:
    return file.path, repr(file.format)


def _trainings(config: Config) -> list[Key]:
    return [_key(file) for file in config.data.files() if file.trains]


def _repeats(specs: Sequence[RunSpec], corpora: Mapping[Key, Corpus]) -> list[str]:
    """Sentences that stand in a training set more than once."""
    lines: dict[str, str] = {}
    for spec in specs:
        for key in _trainings(spec.config):
            corpus = corpora[key]
            if key[0] not in lines:
                count = repeated(corpus)
                told = f"{_part(count, len(corpus))} of this training set repeat an earlier one"
                lines[key[0]] = f"{corpus.name}: {told}" if count else ""
    return [line for line in lines.values() if line]


def _shared(specs: Sequence[RunSpec], corpora: Mapping[Key, Corpus]) -> list[str]:
    """Sentences of test corpora that stand in a training set of the same run."""
    pairs = {
        (_key(file), training): None
        for spec in specs
        for file in spec.config.data.files()
        if file.role == "test"
        for training in _trainings(spec.config)
    }
    known = {key: {sentence.tokens for sentence in corpora[key]} for _, key in pairs}
    found: dict[Key, list[str]] = {}
    for test, training in pairs:
        count = sum(sentence.tokens in known[training] for sentence in corpora[test])
        if count:
            part = f"{_part(count, len(corpora[test]))} in {corpora[training].name}"
            found.setdefault(test, []).append(part)
    return [
        f"{corpora[test].name}: of this test corpus stand in training sets {', '.join(parts)}"
        for test, parts in found.items()
    ]


def _part(count: int, total: int) -> str:
    """A count with its share, never 0 % or 100 % unless it is."""
    return f"{count:,} of {total:,} sentences ({100 * count / total:.1f} %)"


def _sha256(path: str) -> str:
    digest = hashlib.sha256()
    with open_input(path) as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
