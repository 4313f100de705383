"""Lexicons and clauses of each specialty, read from the data files and ranked by frequency.

A specialty's lexicon holds its own terms, the shared ones, and those of the other specialties. Own
terms tend to the frequent ranks and foreign ones to the rare ranks, so what is rare in one
specialty is common in another: this is what a transfer between them can use.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from ladtl_np.corpus.demo.draws import Draws, ZipfTable
from ladtl_np.corpus.demo.markup import Piece, expand, parse

__all__ = ["ENTITY_TYPES", "SPECIALTIES", "Style", "entity_type", "read_data", "style_of"]

SPECIALTIES = ("cardiology", "respiratory", "neurology", "gastroenterology")

Term = tuple[Piece, ...]

# Rank of a term: a uniform draw in [0, 1000) plus this; the least comes first.
_OWN, _SHARED, _FOREIGN = 0, 350, 700
# Of 1,000 terms that travel, how many are known in another specialty.
_FOREIGN_PERMILLE = 400
_CLAUSE_SHIFT = 8
_LARGEST_SHIFT = 25


@cache
def read_data(name: str) -> dict[str, Any]:
    """Read one TOML file of the data folder."""
    source = files("ladtl_np.corpus.demo") / "data" / f"{name}.toml"
    return tomllib.loads(source.read_text(encoding="utf-8"))


_TYPES: dict[str, str] = read_data("types")["types"]
ENTITY_TYPES: tuple[str, ...] = tuple(_TYPES.values())


def entity_type(slot: str) -> str:
    """Name the entity type of a slot; ``both_lab`` is a slot of the type of ``lab``."""
    return _TYPES[slot.rpartition("_")[2]]


@dataclass(frozen=True)
class Style:
    """How one specialty writes: everything that the generator draws from.

    Attributes
    ----------
    terms
        Terms by slot.
    own_clauses, shared_clauses
        Clauses by section of the note.
    headers
        Headers by section.
    sections
        Section names, repeated by their weight.
    clause_counts
        Numbers of clauses in a sentence, all equally likely.
    header_percent, own_percent
        How often a sentence has a header, a clause is the specialty's own.
    stop_permille
        How often a full stop rather than a comma parts two clauses.
    punctuation
        Replacements of punctuation that this specialty tends to make.
    merge
        Pairs of types that this specialty annotates as one entity of the second type.
    """

    terms: Mapping[str, ZipfTable[Term]]
    own_clauses: Mapping[str, ZipfTable[str]]
    shared_clauses: Mapping[str, ZipfTable[str]]
    headers: Mapping[str, Sequence[str]]
    sections: Sequence[str]
    clause_counts: Sequence[int]
    header_percent: int
    own_percent: int
    stop_permille: int
    punctuation: Mapping[str, str]
    merge: frozenset[tuple[str, str]]


@cache
def style_of(specialty: str) -> Style:
    """Read and rank everything that one specialty draws from."""
    own, shared = read_data(specialty), read_data("shared_clauses")
    style = own["style"]
    merges = (pair.split(" ") for pair in style["merge"])
    return Style(
        terms=_term_tables(specialty),
        own_clauses=_clause_tables(own["clauses"], specialty),
        shared_clauses=_clause_tables(shared["clauses"], specialty),
        headers={section: words.split() for section, words in shared["headers"].items()},
        sections=[name for name, weight in style["sections"].items() for _ in range(weight)],
        clause_counts=style["clauses"],
        header_percent=style["header_percent"],
        own_percent=style["own_percent"],
        stop_permille=style["stop_permille"],
        punctuation=dict(pair.split(">") for pair in style.get("punctuation", "").split()),
        merge=frozenset((entity_type(first), entity_type(second)) for first, second in merges),
    )


def _clause_tables(sections: Mapping[str, str], specialty: str) -> dict[str, ZipfTable[str]]:
    """Rank the clauses of each section, in an order of the specialty's own."""
    tables = {}
    for section, lines in sections.items():
        draws = Draws(f"clauses/{specialty}/{section}")
        clauses = sorted((draws.below(1000), line) for line in lines.split("\n") if line)
        tables[section] = ZipfTable([line for _, line in clauses], _CLAUSE_SHIFT)
    return tables


def _term_tables(specialty: str) -> dict[str, ZipfTable[Term]]:
    """Rank the terms of every slot for one specialty."""
    scored: dict[str, dict[str, int]] = {}
    travelling = read_data("shared_terms")["travels"]
    for origin in (specialty, "shared", *SPECIALTIES):
        bonus = _OWN if origin == specialty else _SHARED if origin == "shared" else _FOREIGN
        for slot, terms in _expanded_terms(origin).items():
            if bonus == _FOREIGN and slot not in travelling:
                continue
            draws = Draws(f"terms/{specialty}/{origin}/{slot}")
            known = scored.setdefault(slot, {})
            for term in terms:
                score, knows = draws.below(1000) + bonus, draws.chance(_FOREIGN_PERMILLE)
                if bonus < _FOREIGN or knows:
                    known.setdefault(term, score)
    scored["compound_disease"] = _compounds(specialty)
    return {
        slot: ZipfTable(list(map(parse, sorted(ranks, key=ranks.__getitem__))), _shift(len(ranks)))
        for slot, ranks in scored.items()
    }


def _shift(count: int) -> int:
    """Flatten the head of a list of that many terms, the more the longer it is."""
    return min(_LARGEST_SHIFT, count // 6)


@cache
def _expanded_terms(origin: str) -> dict[str, list[str]]:
    """Expand the terms of one data file, without duplicates, in file order."""
    shared = read_data("shared_terms")
    data = shared if origin == "shared" else read_data(origin)
    parts = {name: words.split() for name, words in {**shared["parts"], **data["parts"]}.items()}
    return {
        slot: list(dict.fromkeys(term for word in text.split() for term in expand(word, parts)))
        for slot, text in data["terms"].items()
    }


def _compounds(specialty: str) -> dict[str, int]:
    """Score the compound terms, as one entity or as several, the way this specialty sees them."""
    draws = Draws(f"terms/{specialty}/compound")
    scored = {}
    for compound in read_data("compounds")["compound"]:
        text = "".join(piece.text or "" for piece in parse(compound["parts"]))
        whole = specialty in compound["whole"]
        bonus = _OWN if specialty in compound["home"] else _FOREIGN
        term = f"{{disease:{text}}}" if whole else compound["parts"]
        scored[term] = draws.below(1000) + bonus
    return scored
