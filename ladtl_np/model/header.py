"""What a model file says beside its arrays: a checked header, and the objects it stands for."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any, NamedTuple

import msgspec

from ladtl_np.corpus.characters import Characters
from ladtl_np.corpus.cutting.profile import Profile, TokenMode
from ladtl_np.corpus.labels import LabelMap, TagSet
from ladtl_np.corpus.schemes import SCHEMES
from ladtl_np.corpus.unknown import UnknownTokens
from ladtl_np.corpus.vocabulary import Vocabulary
from ladtl_np.errors import LadtlError, ModelFileError
from ladtl_np.model.container import Container
from ladtl_np.model.formats import converted, misfit, require_format
from ladtl_np.model.hashed import require_one_lock
from ladtl_np.model.network import Architecture
from ladtl_np.model.source_head import SourceHead
from ladtl_np.model.strict_json import decode_strictly
from ladtl_np.options.config import Config
from ladtl_np.printable import shown

__all__ = [
    "FORMAT",
    "WANTED",
    "Header",
    "Parts",
    "most_values",
    "plain_header",
    "read_header",
    "read_parts",
    "require_short",
    "stored_head",
]

FORMAT = 1
"""The newest format, which is written; all before it are read."""
WANTED = "a model file such as RUN/best.safetensors"
_MOST_TAG = 100_000  # characters of a tag
_VALUES = 100_000
MOST_TEMPERATURE = 1_000.0
ROUNDING = 1e-9
"""By how much shares that sum to 1 may miss it."""


class StoredHead(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A source beside the first, as `SourceHead`."""

    tags: list[str]
    label_map: dict[str, str]
    share: Annotated[float, msgspec.Meta(ge=0, le=1)]


class Header(msgspec.Struct, forbid_unknown_fields=True):
    """What the header holds, checked on loading."""

    format: str
    architecture: Architecture
    vocabulary: dict[str, Any]
    source_tags: list[str]
    target_tags: list[str]
    label_map: dict[str, str]
    token_mode: TokenMode
    config: Config
    scores: dict[str, Any]
    provenance: dict[str, Any]
    characters: dict[str, Any] | None = None
    target_scheme: str = "BIOES"
    profile: Profile | None = None
    dev_unknown: UnknownTokens | None = None
    more_sources: list[StoredHead] = []
    temperature: Annotated[float, msgspec.Meta(gt=0, le=MOST_TEMPERATURE)] = 1.0

    def cut(self) -> Profile:
        """How text is to be cut; files without a profile know only what a token is.

        Raises
        ------
        ValueError
            If the two do not agree.
        """
        if self.profile is None:
            return Profile(tokens=self.token_mode)
        if self.profile.tokens != self.token_mode:
            raise ValueError("token_mode and the profile name different kinds of tokens")
        return self.profile


def stored_head(head: SourceHead) -> StoredHead:
    """A further source's head as the header holds it."""
    return StoredHead(list(head.tags.tags), dict(head.label_map.pairs), head.share)


def plain_header(header: Header) -> dict[str, Any]:
    """The header as JSON; it does not name further sources and a temperature if there are none."""
    plain: dict[str, Any] = msgspec.to_builtins(header)
    if not header.more_sources:
        del plain["more_sources"]
    if header.temperature == 1.0:
        del plain["temperature"]
    return plain


def read_header(held: Container) -> Header:
    """Header of a model, its parts not yet compared with each other.

    Raises
    ------
    ModelFileError
        If it is not a model's, a newer version's, or damaged.
    """
    try:
        plain = decode_strictly(held.text, most_values(held.shapes))
    except ValueError as error:
        raise ModelFileError(f"{held.name}: the header is damaged: {error}") from None
    require_format(held.name, plain, "model", FORMAT, WANTED)
    return converted(held.name, plain, Header)


class Parts(NamedTuple):
    """What a header says, as the objects that know its rules."""

    vocabulary: Vocabulary
    source_tags: TagSet | None
    target_tags: TagSet
    characters: Characters | None
    profile: Profile
    more_sources: tuple[SourceHead, ...]


def read_parts(name: str, header: Header) -> Parts:
    """Vocabulary, tags, alphabet and profile of a header, which fit each other and its sizes.

    Raises
    ------
    ModelFileError
        If they do not, or are damaged.
    """
    plain = {"provenance": header.provenance}
    require_short(name, header)
    try:
        vocabulary = Vocabulary.from_state(header.vocabulary)
        scheme = header.config.model.scheme.upper()
        source_tags = TagSet(tuple(header.source_tags), scheme) if header.source_tags else None
        target_tags = TagSet(tuple(header.target_tags), scheme)
        characters = Characters.from_state(header.characters) if header.characters else None
        require_one_lock(vocabulary, characters)
        _require_label_map(header.label_map, source_tags, target_tags)
        more = tuple(_read_head(head, target_tags) for head in header.more_sources)
        if sum(head.share for head in more) > 1.0 + ROUNDING:
            raise ValueError("the shares of the sources are more than 1 together")
        if header.target_scheme not in SCHEMES:
            raise ValueError("the scheme of the target's tags is none")
        profile = header.cut()
    except (ValueError, LadtlError) as error:
        raise misfit(name, plain, str(error)) from None
    for state, part in ((header.vocabulary, vocabulary), (header.characters, characters)):
        unknown = (state or {}).keys() - (part.to_state().keys() if part else ())
        if unknown:
            raise misfit(name, plain, f"unknown field {shown(min(unknown))}")
    of = header.architecture
    sizes = (len(vocabulary), len(source_tags or ()), len(target_tags), len(characters or ()))
    further = tuple(len(head.tags) for head in more)
    given = (of.vocabulary, of.source_tags, of.target_tags, of.characters)
    if (sizes, further) != (given, of.more_source_tags):
        raise ModelFileError(f"{name}: vocabulary, tags or alphabet do not fit the arrays' sizes")
    if min(of.embedding, of.hidden) < 1 or not 0.0 <= of.shared_fraction <= 1.0:
        raise ModelFileError(f"{name}: the architecture has sizes that are none")
    if min(of.character_embedding, of.character_hidden) < bool(characters):
        raise ModelFileError(f"{name}: the architecture has sizes that are none")
    return Parts(vocabulary, source_tags, target_tags, characters, profile, more)


def most_values(shapes: Mapping[str, tuple[int, ...]]) -> int:
    """Values that a header may have beside these arrays: some, and two for each row of numbers."""
    return _VALUES + 2 * sum(shape[0] for shape in shapes.values() if math.prod(shape))


def require_short(name: str, header: Header) -> None:
    """Refuse tags that are so long that nobody means them."""
    more = (tag for head in header.more_sources for tag in head.tags)
    if max(map(len, [*header.source_tags, *header.target_tags, *more]), default=0) > _MOST_TAG:
        raise ModelFileError(
            f"{name}: a tag of more than {_MOST_TAG:,} characters; rename its type"
        )


def _read_head(head: StoredHead, target: TagSet) -> SourceHead:
    """A further source's head, whose pairs of types fit its tags and the target's."""
    tags = TagSet(tuple(head.tags), target.scheme)
    _require_label_map(head.label_map, tags, target)
    return SourceHead(tags, LabelMap(head.label_map), head.share)


def _require_label_map(pairs: dict[str, str], source: TagSet | None, target: TagSet) -> None:
    """Refuse pairs of types that are not there; without a source they mean nothing."""
    if source is not None:
        if len(pairs) > len(source):
            raise ValueError(f"{len(pairs):,} pairs of types, and {len(source):,} source tags")
        LabelMap(pairs).check(source, target)
