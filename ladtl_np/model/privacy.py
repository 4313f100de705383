"""What a model file holds that came from the data it was trained on; docs/privacy.md explains it.

The rules that sort words are simple and stated, so that a count can be checked by hand. They find
what looks like something, not what is: a name of two Chinese characters looks like any word.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from ladtl_np.corpus.characters import Characters
from ladtl_np.corpus.dotted import flattened
from ladtl_np.corpus.vectors.used import read_used
from ladtl_np.corpus.vocabulary import Vocabulary
from ladtl_np.model.file import Model
from ladtl_np.model.network import domain_of, source_head
from ladtl_np.model.sketched import Sketched
from ladtl_np.model.source_file import SourceFile

__all__ = [
    "LEAKS",
    "ONCE",
    "RULES",
    "PrivacyReport",
    "privacy_report",
    "source_privacy_report",
]

LONG_WORD, LONG_NUMBER = 20, 5  # characters; digits

_DATE = re.compile(r"\d{1,4}([-./])\d{1,2}(\1\d{1,4})?|(\d{1,4}[年月日号])+")
_MAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")

_FILES = ("source", "more_sources", "source_model", "target", "dev", "test", "label_map")
_NAMING = {
    *(f"data.{role}" for role in (*_FILES, "embeddings")),
    "objective.exclude_tags",
    "vocabulary.key",
}

ONCE = "once in training"

RULES: dict[str, tuple[str, Callable[[str], bool]]] = {
    "digits": ("a decimal digit in it", lambda word: any(map(str.isdecimal, word))),
    "long": (f"{LONG_WORD} characters or more", lambda word: len(word) >= LONG_WORD),
    "like names": (
        "a capital letter, then small letters only",
        lambda word: word[:1].isupper() and word[1:].isalpha() and word[1:].islower(),
    ),
    "like dates": (
        "two or three numbers parted by one of . - /, or numbers before 年, 月, 日 or 号",
        lambda word: _DATE.fullmatch(word) is not None,
    ),
    "like numbers of persons": (
        f"{LONG_NUMBER} decimal digits or more",
        lambda word: sum(map(str.isdecimal, word)) >= LONG_NUMBER,
    ),
    "like e-mail": ("@, and a dot behind it", lambda word: _MAIL.fullmatch(word) is not None),
    "like web addresses": ("www. or ://", lambda word: "www." in word or "://" in word),
}
"""Name, meaning and test of every rule; a word may fit several."""

LEAKS = (
    "Weights and embeddings can tell whether a sentence was trained on, and how rare words behave.",
    "Hold the file as confidential as the data, unless you have shown otherwise: docs/privacy.md.",
)


@dataclass(frozen=True, slots=True)
class PrivacyReport:
    """Counts of what came from the data.

    Attributes
    ----------
    mode
        ``plain`` or ``hashed``.
    min_count
        Words and characters rarer than this in the training data were left out.
    counts
        Words, or hashes of words; of plain words also those that occur once in training, and those
        that fit each rule.
    alphabet
        Characters or hashes of characters; none in a model that does not read characters.
    types
        Entity types by domain.
    label_map
        Pairs of types.
    options
        Options that name files or types of the data, without folders.
    hashes
        SHA-256 of the training files and of the file of word vectors, by role.
    scores
        Names of the corpora that there are scores of.
    words
        The plain words that fit each rule.
    characters
        The plain characters.
    """

    mode: str
    min_count: int
    counts: dict[str, int]
    alphabet: dict[str, int]
    types: dict[str, list[str]]
    label_map: dict[str, str]
    options: dict[str, Any]
    hashes: dict[str, str]
    scores: list[str]
    words: dict[str, list[str]] = field(repr=False)
    characters: list[str] = field(repr=False)

    def to_json(self, *, show_text: bool) -> dict[str, Any]:
        """Everything as plain values; words and characters themselves with `show_text` alone."""
        names = [name for name in self.__slots__ if name not in ("words", "characters")]
        value = {name: getattr(self, name) for name in names} | {"can_leak": list(LEAKS)}
        if show_text:
            value["text"] = {"words": self.words, "characters": self.characters}
        return value


def privacy_report(model: Model) -> PrivacyReport:
    """Look through everything but the arrays of numbers; no key is needed."""
    return PrivacyReport(
        **_of_words(model.vocabulary, model.characters),
        min_count=model.config.vocabulary.min_count,
        types={name: list(tags.types) for name, tags in model.tag_sets().items()},
        label_map=_pairs(model),
        options=_options(model),
        hashes=_hashes(model),
        scores=list(model.scores),
    )


def source_privacy_report(source: SourceFile) -> PrivacyReport:
    """The same of an exported source; its counts, sketches and noise stand among the options."""
    names = [domain_of(source_head(number)) for number in range(len(source.domains()))]
    told: dict[str, Any] = {}
    for name, domain in zip(names, source.domains(), strict=True):
        lead = "" if name == "source" else f"{name}, passed on: "
        told |= {f"{lead}{key}": value for key, value in _of_sketches(domain).items()}
    return PrivacyReport(
        **_of_words(source.vocabulary, source.characters),
        min_count=source.min_count,
        types={
            name: list(domain.tags.types)
            for name, domain in zip(names, source.domains(), strict=True)
        },
        label_map={},
        options=told,
        hashes={},
        scores=[],
    )


def _of_sketches(source: Sketched) -> dict[str, Any]:
    """What a file tells of one source's text in numbers."""
    tags = source.tags.tags
    noise: Any = "none: the sketches are exact means over the text's hidden rows"
    if source.noise is not None:
        noise = msgspec.to_builtins(source.noise)
    return {
        "tokens of each tag": dict(zip(tags, source.counts, strict=True)),
        "tags with a sketch": [tags[row] for row in sorted(source.sketches)],
        "noise on sketches": noise,
    }


def _of_words(vocabulary: Vocabulary, alphabet: Characters | None) -> dict[str, Any]:
    """What a report says of words and characters."""
    plain = vocabulary.lock is None
    words = vocabulary.words[1:]  # row 0 is no word
    found: dict[str, list[str]] = {}
    if plain:
        found["all"] = list(words)
        found[ONCE] = [
            word for word, once in zip(words, vocabulary.singleton[1:], strict=True) if once
        ]
        found |= {name: list(filter(fits, words)) for name, (_, fits) in RULES.items()}
    characters = () if alphabet is None else alphabet.characters[1:]
    counted = {name: len(some) for name, some in found.items()} if plain else {"hashes": len(words)}
    return {
        "mode": "plain" if plain else "hashed",
        "counts": counted,
        "alphabet": {("all" if plain else "hashes"): len(characters)} if alphabet else {},
        "words": found,
        "characters": list(characters) if plain else [],
    }


def _pairs(model: Model) -> dict[str, str]:
    """Pairs of types; those of a further source after its name."""
    found = dict(model.label_map)
    for number, head in enumerate(model.more_sources, 1):
        name = domain_of(source_head(number))
        found |= {f"{name}: {kind}": partner for kind, partner in head.label_map.pairs.items()}
    return found


def _hashes(model: Model) -> dict[str, str]:
    """SHA-256 of what the model was trained on, by role."""
    found = {role: str(value) for role, value in model.provenance.get("data", {}).items()}
    used = read_used(model.provenance.get("vectors"))
    return found if used is None else found | {"word vectors": used.file.sha256}


def _options(model: Model) -> dict[str, Any]:
    """Options that repeat what the data holds: names of files, renamed types, excluded tags."""
    told = flattened(msgspec.to_builtins(model.config))
    kept = {key: value for key, value in told.items() if key in _NAMING or ".rename." in key}
    return {key: value for key, value in kept.items() if value}
