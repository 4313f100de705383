"""Which files this version reads, and what it says of those of others.        docs/model-file.md"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

import ladtl_np
from ladtl_np.errors import ModelFileError
from ladtl_np.printable import shown

__all__ = [
    "NUMERIC_CHANGES",
    "converted",
    "format_name",
    "misfit",
    "require_format",
    "version_warning",
    "written_by",
]

NUMERIC_CHANGES: tuple[str, ...] = ()
"""Versions from which on the same weights may give other tags; each is a heading in the changelog.

It stays empty as long as that has not happened.
"""

_FORMAT = re.compile(r"ladtl_np (model|checkpoint|source) ([1-9][0-9]{0,8})")
_VERSION = re.compile(r"(\d{1,9})\.(\d{1,9})(?:\.(\d{1,9}))?(?![\d])")
_NEWER = "written by a newer version of ladtl_np"

Header = TypeVar("Header")


def format_name(kind: str, number: int) -> str:
    """What a file's text says that it is."""
    return f"ladtl_np {kind} {number}"


def require_format(name: str, plain: Any, kind: str, newest: int, wanted: str) -> None:
    """Refuse a text that is not of this kind, or of a format that is not known yet.

    Raises
    ------
    ModelFileError
        Saying whether a newer version of ladtl_np would read it.
    """
    told = plain.get("format") if isinstance(plain, dict) else None
    found = _FORMAT.fullmatch(told) if isinstance(told, str) else None
    if found is None or found[1] != kind:
        what = f"a {found[1]}, not a {kind}" if found else f"not a {kind} written by ladtl_np"
        raise ModelFileError(f"{name}: {what}; give {wanted}")
    if int(found[2]) > newest:
        raise ModelFileError(
            f"{name}: {_NEWER} (format {found[2]}; this version reads up to {newest}); update "
            "ladtl_np"
        )


def converted(name: str, plain: dict[str, Any], kind: type[Header]) -> Header:
    """Plain values as a checked header.

    Raises
    ------
    ModelFileError
        If they are not: a newer version wrote them, or they are damaged.
    """
    try:
        return msgspec.convert(plain, kind)
    except (msgspec.ValidationError, RecursionError) as error:
        raise misfit(name, plain, str(error)) from None


def misfit(name: str, plain: Mapping[str, Any], problem: str) -> ModelFileError:
    """Error for a header that this version cannot use: is that the file's fault, or its own?"""
    written, here, problem = written_by(plain), ladtl_np.__version__, shown(problem, 200)
    newer = _parts(written) > _parts(here)
    if newer or "unknown field" in problem:
        by = f" ({shown(written)}; this is {here})" if newer else ""
        return ModelFileError(f"{name}: {_NEWER}{by}; update ladtl_np. Here it fails: {problem}")
    return ModelFileError(f"{name}: the header is damaged: {problem}")


def version_warning(name: str, plain: Mapping[str, Any]) -> str | None:
    """What to say of a model that may tag otherwise than when it was written; None is nothing.

    Only ladtl_np's own version matters: Python's, NumPy's and Numba's may change the last digits of
    a score, and are stored to compare runs with.
    """
    written, here = written_by(plain), ladtl_np.__version__
    if not _parts(written):
        return None
    since = [one for one in NUMERIC_CHANGES if _parts(written) < _parts(one) <= _parts(here)]
    if since:
        return (
            f"{name}: written by ladtl_np {shown(written)}; since {since[-1]} the same weights may "
            "give other tags, so its stored scores may not be met (CHANGELOG.md)"
        )
    if _parts(written) > _parts(here):
        return (
            f"{name}: written by ladtl_np {shown(written)}, which is newer than this one, {here}; "
            "its stored scores may not be met"
        )
    return None


def written_by(plain: Mapping[str, Any]) -> str:
    """Version of ladtl_np that wrote a header, "" if it does not tell."""
    found: Any = plain.get("provenance", plain)  # a checkpoint has them at the top
    for key in ("versions", "ladtl_np"):
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, str) else ""


def _parts(version: str) -> tuple[int, ...]:
    found = _VERSION.match(version)
    return tuple(int(part or 0) for part in found.groups()) if found else ()
