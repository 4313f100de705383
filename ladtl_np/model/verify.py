"""Every check of a model file, one at a time, with what it found.          docs/model-file.md"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from os import PathLike
from typing import NamedTuple

from ladtl_np.errors import ModelFileError
from ladtl_np.model.container import Container, open_container, require_arrays
from ladtl_np.model.file import parameter_shapes
from ladtl_np.model.formats import format_name, version_warning, written_by
from ladtl_np.model.header import FORMAT, WANTED, Header, read_header, read_parts
from ladtl_np.model.network import domain_of, source_head
from ladtl_np.model.source_file import load_source_file
from ladtl_np.model.values import require_values
from ladtl_np.printable import counted, shown

__all__ = [
    "CHECKS",
    "Check",
    "checked",
    "checksum_finding",
    "file_finding",
    "is_checkpoint",
    "verify_model",
    "verify_source",
]

CHECKS = ("file", "format", "tags", "sizes", "checksum", "values", "versions")
"""In the order in which they are made; what follows one that fails is not looked at."""


class Check(NamedTuple):
    """One check: whether it held, None if it was not made, and what it found."""

    name: str
    held: bool | None
    found: str


def verify_model(path: str | PathLike[str]) -> list[Check]:
    """Make every check that loading makes, and say what was found; never raises for the file.

    Returns
    -------
    list
        One `Check` for each name in `CHECKS`.
    """
    return checked(CHECKS, lambda: _findings(path))


def verify_source(path: str | PathLike[str]) -> list[Check]:
    """One check of an exported source: all that loading looks at."""
    return checked(("source",), lambda: _of_source(path))


def _of_source(path: str | PathLike[str]) -> Iterator[str]:
    source = load_source_file(path)
    own, passed_on = source.own, len(source.passed_on)
    also = f"; {counted(passed_on, 'more sources')}, passed on" if passed_on else ""
    yield (
        f"{counted(len(source.vocabulary), 'words')}, {counted(len(own.tags), 'tags')}, "
        f"{counted(len(own.sketches), 'sketches')} of {counted(len(own.variances), 'Gaussians')} "
        f"and {counted(source.features, 'frequencies')}{also}; checksum and values as "
        "they were written"
    )


def is_checkpoint(path: str | PathLike[str]) -> bool:
    """Whether a file says that it is a run's checkpoint, sound or not."""
    try:
        with open_container(path, WANTED) as held:
            return b'"format": "ladtl_np checkpoint ' in held.text
    except ModelFileError:
        return False


def checked(names: tuple[str, ...], findings: Callable[[], Iterator[str]]) -> list[Check]:
    """Checks from what each found, up to the first that fails."""
    checks: list[Check] = []
    try:
        for found in findings():
            checks.append(Check(names[len(checks)], True, found))
    except ModelFileError as error:
        checks.append(Check(names[len(checks)], False, str(error)))
    return checks + [Check(name, None, "not looked at") for name in names[len(checks) :]]


def _findings(path: str | PathLike[str]) -> Iterator[str]:
    name = str(path)
    with open_container(path, WANTED) as held:
        yield file_finding(held)
        header = read_header(held)
        yield f"{header.format}; this version writes {format_name('model', FORMAT)!r}"
        read_parts(name, header)
        yield _tags(header)
        require_arrays(name, held.shapes, parameter_shapes(header.architecture))
        sizes = header.architecture
        yield (
            f"{counted(sizes.vocabulary, 'words')} of {counted(sizes.embedding, 'numbers')}, "
            f"{counted(sizes.hidden, 'units')} per direction"
        )
        arrays = held.arrays()
        yield checksum_finding(held)
    require_values(name, arrays)
    count = sum(array.size for array in arrays.values())
    yield f"{count:,} numbers, {next(iter(arrays.values())).dtype}, all finite"
    plain = {"provenance": header.provenance}
    writer = shown(written_by(plain)) or "a version that is not told"
    yield version_warning(name, plain) or f"written by ladtl_np {writer}"


def file_finding(held: Container) -> str:
    """What is known of a file once its header is sound."""
    return f"{held.size:,} bytes, {len(held.shapes):,} arrays, a header of {held.header:,} bytes"


def checksum_finding(held: Container) -> str:
    """What is known once the arrays were read."""
    if held.checksum is None:
        return "none: written before files had one"
    return f"{held.checksum[:24]}..., as it was written"


def _tags(header: Header) -> str:
    sides = [(len(header.source_tags), "source")]
    sides += [
        (len(head.tags), domain_of(source_head(number)))
        for number, head in enumerate(header.more_sources, 1)
    ]
    sides.append((len(header.target_tags), "target"))
    told = " and ".join(counted(size, f"{side} tags") for size, side in sides if size)
    count = len(header.label_map) + sum(len(head.label_map) for head in header.more_sources)
    pairs = f"; pairs of types: {count:,}" if count else ""
    return f"{told}, all of {header.config.model.scheme.upper()}{pairs}"
