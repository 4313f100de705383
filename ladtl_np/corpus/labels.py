"""Tags of a domain, and which tags of two domains are the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ladtl_np.corpus.documents import parse_toml, read_document
from ladtl_np.corpus.dotted import flattened
from ladtl_np.corpus.limits import LISTED, TOML_BYTES
from ladtl_np.corpus.lines import display_name
from ladtl_np.corpus.schemes import INSIDE_SCHEMES, PREFIXES, split_tag, tags_of_types
from ladtl_np.corpus.sentence import Corpus
from ladtl_np.errors import DataError
from ladtl_np.printable import LONG, shown, some_of

__all__ = [
    "LabelMap",
    "TagSet",
    "describe_match",
    "listed",
    "matched_tags",
    "unmatched_types",
]


@dataclass(frozen=True)
class TagSet:
    """The ordered tags of one domain; O is row 0.

    Attributes
    ----------
    tags
        Tag of each row.
    scheme
        What the tags are written in: one of `schemes.INSIDE_SCHEMES`.
    index
        Row of each tag.
    """

    tags: tuple[str, ...]
    scheme: str = "BIOES"
    index: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        index = {tag: row for row, tag in enumerate(self.tags)}
        if self.tags[:1] != ("O",) or len(index) != len(self.tags):
            raise ValueError("a tag set starts with O and holds each tag once")
        if self.scheme not in INSIDE_SCHEMES:
            raise ValueError(f"a tag set is in one of {INSIDE_SCHEMES}, not in {self.scheme!r}")
        for row, tag in enumerate(self.tags):
            if split_tag(tag)[0] not in ("O", *PREFIXES[self.scheme]):
                raise ValueError(f"the tag of row {row} is not one of {self.scheme}")
        object.__setattr__(self, "index", index)

    def __len__(self) -> int:
        return len(self.tags)

    @classmethod
    def of_types(cls, types: Iterable[str], scheme: str = "BIOES") -> TagSet:
        """Build O and all tags of the types in a scheme, sorted by type."""
        return cls(tuple(tags_of_types(types, scheme)), scheme)

    @classmethod
    def from_corpora(cls, corpora: Iterable[Corpus], scheme: str = "BIOES") -> TagSet:
        """Build the tags of all types in a domain's training corpora, in whatever schemes."""
        seen = {
            tag
            for corpus in corpora
            for sentence in corpus
            for tag in dict.fromkeys(sentence.tags or ())
        }
        return cls.of_types({split_tag(tag)[1] for tag in seen} - {""}, scheme)

    @property
    def types(self) -> tuple[str, ...]:
        """Entity types, in the order of their tags."""
        return tuple(dict.fromkeys(split_tag(tag)[1] for tag in self.tags[1:]))

    def encode(self, tags: Sequence[str], *, strict: bool = True) -> NDArray[np.int64]:
        """Return the row of each tag.

        Parameters
        ----------
        tags
            Tags of a sentence, in the set's own scheme.
        strict
            Whether a tag that is not in the set is an error; its row is -1 otherwise, which is how
            gold tags that a model has never seen are counted as missed.

        Raises
        ------
        DataError
            Naming the tags that are not in the set, and the types that are.
        """
        rows = np.fromiter((self.index.get(tag, -1) for tag in tags), np.int64, len(tags))
        if strict and (rows < 0).any():
            unknown = sorted(set(tags) - self.index.keys())
            raise DataError(
                f"tags unknown to this tag set: {listed(unknown)}; its types: "
                f"{listed(self.types)}. Is this another corpus than the one of the training?"
            )
        return rows

    def decode(self, rows: Iterable[int]) -> tuple[str, ...]:
        """Return the tag of each row."""
        return tuple(self.tags[row] for row in rows)


@dataclass(frozen=True)
class LabelMap:
    """Pairs of source and target types that mean the same.

    Types that no pair names match when their strings are equal. A source type paired with ""
    matches nothing.

    Attributes
    ----------
    pairs
        Source type to target type.
    name
        Where the map comes from, for messages.
    """

    pairs: Mapping[str, str] = field(default_factory=dict)
    name: str = "label map"

    def __post_init__(self) -> None:
        counts = Counter(target for target in self.pairs.values() if target)
        twice = sorted(target for target, count in counts.items() if count > 1)
        if twice:
            raise DataError(
                f"{self.name}: two source types are paired with {listed(twice)}; "
                "pair each target type once, and drop or rename the other source type"
            )

    @classmethod
    def read(cls, path: str | PathLike[str]) -> LabelMap:
        """Read a TOML file of ``SOURCE = "target"`` lines, at the top or in a table ``[types]``.

        A dotted key such as ``PER.NAM = "person"`` names the type ``PER.NAM``.

        Raises
        ------
        UsageError
            If the path cannot be opened.
        DataError
            If it is not such a file, or not one-to-one.
        """
        name = shown(display_name(path), LONG)
        table = parse_toml(read_document(path, TOML_BYTES, dash=True), name)
        inner = table.get("types")
        if isinstance(inner, dict):
            if len(table) > 1:
                raise DataError(f"{name}: put every pair into the table [types], or none")
            table = inner
        return cls(_checked(flattened(table), name), name)

    def partners(
        self, source_types: Iterable[str], target_types: Iterable[str]
    ) -> dict[str, str | None]:
        """Target type that each source type matches, None where there is none."""
        free = set(target_types) - set(self.pairs.values())

        def partner(kind: str) -> str | None:
            if kind in self.pairs:
                return self.pairs[kind] or None
            return kind if kind in free else None

        return {kind: partner(kind) for kind in source_types}

    def check(self, source: TagSet, target: TagSet) -> None:
        """Raise `DataError` if a pair names a type that its side does not have."""
        named = {target_type for target_type in self.pairs.values() if target_type}
        sides = (("source", set(self.pairs), source.types), ("target", named, target.types))
        for side, names, types in sides:
            if names - set(types):
                raise DataError(
                    f"{self.name}: {listed(sorted(names - set(types)))} not among the {side}'s "
                    f"types, which are: {listed(types)}"
                )


def _checked(pairs: dict[str, Any], name: str) -> dict[str, str]:
    for key, value in pairs.items():
        if not isinstance(value, str):
            raise DataError(f'{name}: {shown(key)} must be a type in quotes, as LOC = "place"')
    return pairs


def listed(names: Iterable[str]) -> str:
    """Put names into a message, however odd and many they are."""
    return some_of([shown(name) for name in names], LISTED)


def matched_tags(
    source: TagSet, target: TagSet, label_map: LabelMap | None = None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find the tags that both domains share; O matches O.

    Returns
    -------
    source_rows, target_rows
        (M,) rows of the matched tags in either set, in the source's order.

    Raises
    ------
    DataError
        If the map names a type that its side does not have.
    """
    partners = _partners(source, target, label_map)
    pairs = []
    for row, tag in enumerate(source.tags):
        prefix, kind = split_tag(tag)
        partner = partners.get(kind)
        wanted = "O" if not kind else f"{prefix}-{partner}" if partner else ""
        match = target.index.get(wanted)
        if match is not None:
            pairs.append((row, match))
    rows = np.array(pairs, np.int64).reshape(-1, 2)
    return np.ascontiguousarray(rows[:, 0]), np.ascontiguousarray(rows[:, 1])


def _partners(source: TagSet, target: TagSet, label_map: LabelMap | None) -> dict[str, str | None]:
    """Target type of each source type, None where it has none."""
    label_map = LabelMap() if label_map is None else label_map
    label_map.check(source, target)
    return label_map.partners(source.types, target.types)


def unmatched_types(
    source: TagSet, target: TagSet, label_map: LabelMap | None = None
) -> tuple[list[str], list[str]]:
    """Types of the source, and of the target, that match none of the other domain.

    Raises
    ------
    DataError
        If the map names a type that its side does not have.
    """
    partners = _partners(source, target, label_map)
    only_source = [kind for kind, partner in partners.items() if not partner]
    found = set(partners.values())
    only_target = [kind for kind in target.types if kind not in found]
    return only_source, only_target


def describe_match(source: TagSet, target: TagSet, label_map: LabelMap | None = None) -> str:
    """Say which types match and which do not, for the start of a run."""
    source_rows, _ = matched_tags(source, target, label_map)
    partners = _partners(source, target, label_map)
    only_source, only_target = unmatched_types(source, target, label_map)
    matched = [
        shown(kind) if kind == partner else f"{shown(kind)} = {shown(partner)}"
        for kind, partner in partners.items()
        if partner
    ]
    return "\n".join(
        (
            f"Matched tags: {len(source_rows)} (source has {len(source)}, target {len(target)})",
            f"  matched types:  {some_of(['O', *matched], LISTED)}",
            f"  only in source: {listed(only_source)}",
            f"  only in target: {listed(only_target)}",
        )
    )
