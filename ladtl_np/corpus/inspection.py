"""What the user of a corpus should know of it, found in one place for every command and for Python.

Each thing is a `Remark`: counts, places and types, never text of the data.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ladtl_np.corpus.labels import LabelMap, TagSet, listed
from ladtl_np.corpus.overlap import repeated
from ladtl_np.corpus.schemes import illegal_positions, split_tag
from ladtl_np.corpus.sentence import Corpus
from ladtl_np.corpus.tally import PLACES, Remark
from ladtl_np.printable import counted

__all__ = ["illegal_places", "inspect", "inspect_domains", "inspect_roles", "part", "places"]

_TRAINING = ("source", "target")
LEAST_TOKENS = 20
"""Fewer tokens may well be equal."""


def inspect(corpus: Corpus, *, predicted: bool = False) -> list[Remark]:
    """Say what stands out in one corpus, and what its reader left out or changed.

    Of `predicted` tags only these: the sentences are the gold's.
    """
    return [*corpus.remarks, *_of_tags(corpus), *(() if predicted else _of_sentences(corpus))]


def _of_tags(corpus: Corpus) -> Iterator[Remark]:
    count, places = illegal_places(corpus)
    if count:
        what = f"{count:,} {_tags(count)} illegal in {corpus.scheme}, left as found"
        yield Remark("illegal-tags", corpus.name, count, what, places=tuple(places))
    tags = [sentence.tags for sentence in corpus if sentence.tags is not None]
    if tags and all(tag == "O" for row in tags for tag in row):
        yield Remark(
            "no-entities",
            corpus.name,
            len(corpus),
            f"no entity in {counted(len(corpus), 'sentences')}: every tag is O",
            "is it the right file, and the right tag column?",
        )


def _of_sentences(corpus: Corpus) -> Iterator[Remark]:
    words = {token for sentence in corpus for token in sentence.tokens}
    count = corpus.token_count
    column = "is it the right token column?"
    if count >= LEAST_TOKENS and len(words) == 1:
        yield Remark(
            "one-token", corpus.name, count, f"all of its {count:,} tokens are equal", column
        )
    elif count >= LEAST_TOKENS and all(map(_is_tag, words)):
        yield Remark(
            "tokens-are-tags", corpus.name, count, f"all of its {count:,} tokens are tags", column
        )
    if count := repeated(corpus):
        what = f"{part(count, len(corpus))} repeat an earlier one"
        yield Remark("repeated-sentences", corpus.name, count, what)


def _is_tag(word: str) -> bool:
    try:
        return bool(split_tag(word))
    except ValueError:
        return False


def inspect_roles(roles: Iterable[tuple[str, Corpus]]) -> list[Remark]:
    """Say what stands out in the corpora of a run: in each, and between training and test data.

    Parameters
    ----------
    roles
        Corpora after what they are to the run, see `options.input_file.Role`.
    """
    roles = list(roles)
    once = {id(corpus): corpus for _, corpus in roles}
    found = [remark for corpus in once.values() for remark in inspect(corpus)]
    training = [(role, corpus) for role, corpus in roles if role in _TRAINING]
    found += _twice(training)
    for role, corpus in roles:
        if role not in _TRAINING:
            found += _shared(corpus, [one for _, one in training])
            found += _unseen(corpus, [one for at, one in training if at == "target"])
    return found


def _twice(training: Sequence[tuple[str, Corpus]]) -> Iterator[Remark]:
    """Training corpora that are an earlier one again, of which there is nothing to borrow."""
    contents = [[(s.tokens, s.tags) for s in corpus] for _, corpus in training]
    for number, (role, corpus) in enumerate(training):
        for (earlier, _), other in zip(training[:number], contents, strict=False):
            if contents[number] == other:
                which = "another source" if role == earlier else f"the {earlier}"
                what = f"the same sentences and tags as {which}"
                cure = "name the corpus of each domain once"
                yield Remark("same-corpus", corpus.name, len(corpus), what, cure)
                break


def _shared(corpus: Corpus, training: Sequence[Corpus]) -> Iterator[Remark]:
    """Sentences that stand in a training set."""
    for other in training:
        known = {sentence.tokens for sentence in other}
        count = sum(sentence.tokens in known for sentence in corpus)
        if count:
            yield Remark(
                "shared-sentences",
                corpus.name,
                count,
                f"{part(count, len(corpus))} stand word for word in {other.name}, which is "
                "trained on",
            )


def _unseen(corpus: Corpus, training: Sequence[Corpus]) -> Iterator[Remark]:
    """Types that the target's training corpus does not have."""
    if not training or not any(sentence.tags for sentence in corpus):
        return
    known = set(TagSet.from_corpora(training).types)
    unseen = sorted(set(TagSet.from_corpora([corpus]).types) - known)
    if unseen:
        yield Remark(
            "unseen-types",
            corpus.name,
            len(unseen),
            f"types that {training[0].name} does not have; all missed: {listed(unseen)}",
            "rename them if they mean the same as others",
        )


def inspect_domains(
    source: Corpus, target: Corpus, label_map: LabelMap | None = None
) -> list[Remark]:
    """Say whether no entity type of a source's training data matches one of the target's."""
    types, others = (TagSet.from_corpora([corpus]).types for corpus in (source, target))
    partners = (label_map or LabelMap()).partners(types, others).values()
    if not (types and others) or not set(others).isdisjoint(partners):
        return []
    what = (
        f"none of its types matches one of {target.name}, so that only O is shared; its types: "
        f"{listed(types)}; those of {target.name}: {listed(others)}"
    )
    cure = "pair types that mean the same in a label map, or rename them"
    return [Remark("no-matching-type", source.name, len(types), what, cure)]


def _tags(count: int) -> str:
    return "tag" if count == 1 else "tags"


def illegal_places(corpus: Corpus) -> tuple[int, list[str]]:
    """Count the tags that a corpus's scheme forbids, and list the first as ``file:line``."""
    lines = [
        sentence.line + position
        for sentence in corpus
        for position in illegal_positions(sentence.tags or (), corpus.scheme)
    ]
    return len(lines), [f"{corpus.name}:{line}" for line in lines[:PLACES]]


def places(corpus: Corpus) -> Iterator[tuple[int, str]]:
    """Yield every place that `inspect` counts: its line, and what is there."""
    seen: dict[tuple[str, ...], int] = {}
    for sentence in corpus:
        for position in illegal_positions(sentence.tags or (), corpus.scheme):
            yield sentence.line + position, f"a tag that is illegal in {corpus.scheme} here"
        first = seen.setdefault(sentence.tokens, sentence.line)
        if first != sentence.line:
            yield sentence.line, f"the sentence of line {first} again"


def part(count: int, total: int) -> str:
    """A count of sentences with its share, never 0 % or 100 % unless it is."""
    return f"{count:,} of {total:,} sentences ({100 * count / total:.1f} %)"
