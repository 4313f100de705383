"""Everything an experiment reads, read once before its first run: errors, hashes, remarks."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path

import tomli_w

from ladtl_np.corpus.demo import SPLITS, generate
from ladtl_np.corpus.formats.conll import write_conll
from ladtl_np.corpus.inspection import inspect_domains, inspect_roles
from ladtl_np.corpus.labels import LabelMap
from ladtl_np.corpus.lines import file_sha256
from ladtl_np.corpus.read import read_corpus
from ladtl_np.corpus.sentence import Corpus
from ladtl_np.corpus.tally import Remark
from ladtl_np.experiment.expansion import RunSpec
from ladtl_np.experiment.file import Experiment
from ladtl_np.experiment.run_options import CORPORA
from ladtl_np.options.config import Config
from ladtl_np.options.input_file import InputFile

__all__ = ["Inputs", "OwnFiles", "own_files", "read_inputs"]

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
    pairs
        What it holds.
    """

    contents: dict[str, bytes]
    label_map: str = ""
    pairs: LabelMap = field(default_factory=LabelMap)

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
    remarks
        What stands out in the corpora.
    """

    hashes: dict[str, str]
    remarks: list[Remark]


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
    used = {name for task in experiment.tasks for name in task.names}
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
    checked = LabelMap(pairs, f"{experiment.place}: label_map")  # that it is one-to-one
    content = tomli_w.dumps({"types": pairs}).encode("utf-8")
    name = f"label-map-{hashlib.sha256(content).hexdigest()[:12]}.toml"
    return OwnFiles(contents | {name: content}, name, checked)


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
            corpus = read_corpus(path, wanted.format, require_renames=wanted.trains)
        corpora[_key(wanted)] = corpus
        hashes[path] = corpus.sha256
    data = [spec.config.data for spec in specs]
    for path in {path for each in data for path in (each.embeddings, each.source_model)} - {""}:
        hashes[path] = file_sha256(path)
    return Inputs(hashes, _remarks(specs, corpora, own.pairs))


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


def _remarks(
    specs: Sequence[RunSpec], corpora: Mapping[Key, Corpus], pairs: LabelMap
) -> list[Remark]:
    """What stands out in the corpora of each run, each thing once."""
    combinations = {
        tuple((file.role, _key(file)) for file in spec.config.data.files()): None for spec in specs
    }
    found: dict[Remark, None] = {}
    for roles in combinations:
        found |= dict.fromkeys(inspect_roles((role, corpora[key]) for role, key in roles))
        (target,) = (corpora[key] for role, key in roles if role == "target")
        for role, key in roles:
            if role == "source":
                found |= dict.fromkeys(inspect_domains(corpora[key], target, pairs))
    return list(found)
