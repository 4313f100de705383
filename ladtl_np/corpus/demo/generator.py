"""Sentences of the synthetic demo corpus."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache

from ladtl_np.corpus.demo.annotation import annotated
from ladtl_np.corpus.demo.draws import Draws, ZipfTable
from ladtl_np.corpus.demo.lexicon import SPECIALTIES, Style, Term, entity_type, style_of
from ladtl_np.corpus.demo.markup import chosen, parse, with_numbers
from ladtl_np.corpus.demo.mention import Mention
from ladtl_np.corpus.demo.noise import noisy
from ladtl_np.corpus.schemes import spans_to_tags
from ladtl_np.corpus.sentence import Corpus, Sentence
from ladtl_np.errors import UsageError

__all__ = ["DEFAULT_SEED", "DEMO", "SIZES", "SPLITS", "generate"]

DEMO = "demo:"
"""Start of the names of corpora that were generated and are in no file."""

DEFAULT_SEED = 0
SPLITS = ("train", "dev", "test")

SIZES: dict[str, dict[str, int]] = {
    "cardiology": {"train": 3004, "dev": 601, "test": 601},
    "respiratory": {"train": 3025, "dev": 605, "test": 606},
    "neurology": {"train": 932, "dev": 187, "test": 187},
    "gastroenterology": {"train": 1517, "dev": 303, "test": 304},
}
"""Sentences of each split, Table 1 of the paper."""

# Clauses from another specialty, of 1,000.
_VISITOR_PERMILLE = 70

Terms = Mapping[str, ZipfTable[Term]]


def generate(specialty: str, split: str, seed: int = DEFAULT_SEED) -> Corpus:
    """Generate one split of one specialty of the synthetic demo corpus.

    The same arguments give the same corpus on every machine. No sentence stands in two splits of
    a specialty.

    Parameters
    ----------
    specialty
        One of ``SPECIALTIES``.
    split
        One of ``SPLITS``.
    seed
        Draws another sample from the same four specialties; their lexicons stay.

    Returns
    -------
    Corpus
        Characters as tokens, tags in BIOES, named ``demo:<specialty>/<split>``.

    Raises
    ------
    UsageError
        If there is no such specialty or split.

    Examples
    --------
    >>> len(generate("neurology", "test"))
    187
    """
    _require("specialty", specialty, SPECIALTIES)
    _require("split", split, SPLITS)
    sizes = SIZES[specialty]
    before = sum(sizes[name] for name in SPLITS[: SPLITS.index(split)])
    chosen = _all_sentences(specialty, seed)[before : before + sizes[split]]
    return Corpus(name=f"{DEMO}{specialty}/{split}", sentences=chosen, scheme="BIOES")


def _require(what: str, given: str, known: tuple[str, ...]) -> None:
    if given not in known:
        raise UsageError(f"the demo corpus has no {what} {given!r}; wanted one of {known}")


@lru_cache(maxsize=len(SPECIALTIES))
def _all_sentences(specialty: str, seed: int) -> tuple[Sentence, ...]:
    """Generate the sentences of all splits of a specialty, no two with the same text."""
    draws = Draws(f"demo/{seed}/{specialty}")
    wanted = sum(SIZES[specialty].values())
    sentences: dict[str, Sentence] = {}
    while len(sentences) < wanted:
        clean = annotated(_compose(specialty, draws), specialty, draws)
        mentions = noisy(clean, draws)
        text = "".join(mention.text for mention in mentions)
        if text not in sentences:
            sentences[text] = _sentence(mentions)
    return tuple(sentences.values())


def _compose(specialty: str, draws: Draws) -> list[Mention]:
    """Write one sentence: a section, perhaps its header, some of its clauses."""
    style = style_of(specialty)
    section = draws.choice(style.sections)
    pieces: list[Mention] = []
    if draws.chance(10 * style.header_percent):
        pieces += [Mention(draws.choice(style.headers[section]), entity_type("header"))]
        pieces += [Mention("：", "")]
    used: set[str] = set()
    for number in range(draws.choice(style.clause_counts)):
        clause, terms = _clause(specialty, section, draws)
        if clause in used:
            continue
        used.add(clause)
        if number:
            pieces.append(Mention("。" if draws.chance(style.stop_permille) else "，", ""))
        pieces.extend(_filled(parse(chosen(clause, draws)), terms, draws))
    pieces.append(Mention("。", ""))
    return _in_own_punctuation(pieces, style, draws)


def _clause(specialty: str, section: str, draws: Draws) -> tuple[str, Terms]:
    """Draw a clause of a section, and the terms to fill it with.

    Most clauses are the specialty's own or shared. Now and then a patient has another specialty's
    illness, so the clause and its terms are that one's; but compound terms stay annotated the way
    of the specialty that writes.
    """
    style = style_of(specialty)
    if draws.chance(_VISITOR_PERMILLE):
        visitor = style_of(draws.choice([name for name in SPECIALTIES if name != specialty]))
        compounds = {"compound_disease": style.terms["compound_disease"]}
        return visitor.own_clauses[section].draw(draws), {**visitor.terms, **compounds}
    own = draws.chance(10 * style.own_percent)
    tables = style.own_clauses if own else style.shared_clauses
    return tables[section].draw(draws), style.terms


def _filled(term: Term, terms: Terms, draws: Draws) -> Iterator[Mention]:
    """Yield the mentions of a clause or term, drawing a term for every empty slot."""
    for slot, text in term:
        if text is not None:
            yield Mention(with_numbers(text, draws), entity_type(slot) if slot else "")
            continue
        drawn = terms[slot].draw(draws)
        if any(piece.slot for piece in drawn):
            yield from _filled(drawn, terms, draws)
        else:
            yield Mention(with_numbers(drawn[0].text or "", draws), entity_type(slot))


def _in_own_punctuation(pieces: list[Mention], style: Style, draws: Draws) -> list[Mention]:
    """Replace punctuation outside entities by what this specialty tends to write."""
    if not style.punctuation or not draws.chance(500):
        return pieces
    table = str.maketrans(dict(style.punctuation))
    return [piece if piece.kind else Mention(piece.text.translate(table), "") for piece in pieces]


def _sentence(mentions: list[Mention]) -> Sentence:
    """Turn mentions into characters and BIOES tags."""
    spans, end = [], 0
    for text, kind in mentions:
        start, end = end, end + len(text)
        if kind:
            spans.append((start, end, kind))
    tokens = tuple(character for mention in mentions for character in mention.text)
    return Sentence(tokens=tokens, tags=spans_to_tags(spans, end, "BIOES"))
