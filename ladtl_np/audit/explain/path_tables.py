"""Tables of paths: scores and probabilities, entities, and scores token by token."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ladtl_np.audit.explain.explained import Explained
from ladtl_np.audit.explain.heads import GOLD, Head, Path
from ladtl_np.corpus.schemes import illegal_positions, spans
from ladtl_np.pages.content import Cell, Table
from ladtl_np.pages.drawing.lattice_layout import LEAST
from ladtl_np.printable import shown

__all__ = [
    "differences_table",
    "entities_table",
    "marginals_table",
    "paths_table",
    "probability",
    "sentence_table",
    "tokens_table",
]


def probability(p: float) -> str:
    """A probability in four digits, however small."""
    return f"{p:.4f}" if p >= 1e-4 or p == 0 else f"{p:.1e}"


def sentence_table(found: Explained, head: Head) -> Table:
    """The sentence with the entities of each path in brackets."""
    scheme = head.tags.scheme
    rows = [
        [Cell(path.name), Cell(_marked(found, head.names(path), scheme))] for path in head.paths
    ]
    caption = "The sentence with the entities of each path"
    return Table("explain-sentence", caption, ["path", "sentence"], rows, names=2)


def _marked(found: Explained, tags: Sequence[str], scheme: str) -> str:
    parts, end = [], 0
    for start, after, kind in spans(tags, scheme):
        parts += [found.text(end, start), f"[{found.text(start, after)} {kind}]"]
        end = after
    return found.gap.join(part for part in (*parts, found.text(end, len(tags))) if part)


def paths_table(head: Head) -> Table:
    """Score, log Z and probability of each path."""
    header = ["path", "emission", "transition", "score", "log p", "p", "illegal"]
    rows = []
    for path in head.paths:
        parts = (path.emission.sum(), path.transition.sum(), path.score, path.log_p)
        illegal = len(illegal_positions(head.names(path), head.tags.scheme))
        told = [*(f"{value:.3f}" for value in parts), probability(math.exp(path.log_p))]
        rows.append([Cell(path.name), *map(Cell, told), Cell(str(illegal))])
    caption = (
        f"Scores and probabilities, Eq. (1) and (3), with log Z = {head.log_z:.3f}, and how many "
        f"tags stand where {head.tags.scheme} does not allow them"
    )
    return Table("explain-paths", caption, header, rows)


def entities_table(found: Explained, head: Head) -> Table:
    """Which entities each path has: a row for each span, a column for each path."""
    columns = {path.name: spans(head.names(path), head.tags.scheme) for path in head.paths}
    places = sorted({(start, end) for kinds in columns.values() for start, end, _ in kinds})
    rows = []
    for start, end in places:
        text = shown(found.text(start, end), 40)
        kinds = [
            next((kind for a, b, kind in entities if (a, b) == (start, end)), "")
            for entities in columns.values()
        ]
        same = len(set(kinds)) == 1
        place = f"{start + 1}" if end == start + 1 else f"{start + 1}-{end}"
        rows.append([Cell(place), Cell(text), *(Cell(kind, best=not same) for kind in kinds)])
    header = ["tokens", "text", *columns]
    caption = "Entities of each path; where paths differ they are marked"
    return Table("explain-entities", caption, header, rows, names=len(header))


def marginals_table(found: Explained, head: Head, *, folded: bool) -> Table:
    """What the lattice shows at each token: its tags by falling marginal."""
    rows = []
    for t, token in enumerate(found.shown_tokens):
        order = np.argsort(-head.unary[t], kind="stable")
        likely = [tag for tag in order.tolist() if head.unary[t, tag] >= LEAST]
        told = (f"{head.tags.tags[tag]} {100 * head.unary[t, tag]:.1f}" for tag in likely)
        rows.append([Cell(str(t + 1)), Cell(token), Cell(", ".join(told))])
    caption = f"{head.domain.capitalize()} head, marginals of {100 * LEAST:g} % and more"
    header = ["n", "token", "tags and their marginals in per cent"]
    return Table(f"lattice-{head.domain}", caption, header, rows, names=3, folded=folded)


def tokens_table(found: Explained, head: Head, path: Path, *, folded: bool) -> Table:
    """Scores of a path by token; tags that gold or the prediction do not have are marked."""
    against = head.predicted if path.name == GOLD else head.gold
    tags, rows = head.names(path), []
    for t, token in enumerate(found.shown_tokens):
        other = against is not None and against.tags[t] != path.tags[t]
        scores = (path.emission[t], path.transition[t])
        numbers = [*(f"{value:.3f}" for value in scores), probability(float(path.marginal[t]))]
        sums = f"{path.sums[t]:.3f}"
        names = [Cell(str(t + 1)), Cell(token), Cell(tags[t], best=other)]
        rows.append([*names, *map(Cell, numbers), Cell(sums)])
    header = ["n", "token", "tag", "emission", "transition", "marginal", "sum"]
    caption = f"{head.domain.capitalize()} head, {path.name} path, token by token"
    if head.gold is not None and np.array_equal(head.gold.tags, head.predicted.tags):
        caption += "; gold is the same"
    name = f"explain-{head.domain}-{path.name}"
    return Table(name, caption, header, rows, names=3, folded=folded)


def differences_table(found: Explained, head: Head, gold: Path) -> Table:
    """Where the prediction gets its higher score from, or the gold path its own."""
    best, rows, total = head.predicted, [], 0.0
    names, gold_names = head.names(best), head.names(gold)
    for t, token in enumerate(found.shown_tokens):
        emission = float(best.emission[t] - gold.emission[t])
        transition = float(best.transition[t] - gold.transition[t])
        total += emission + transition
        if best.tags[t] == gold.tags[t] and (t == 0 or best.tags[t - 1] == gold.tags[t - 1]):
            continue
        numbers = (f"{value:+.3f}" for value in (emission, transition, total))
        cells = (str(t + 1), token, names[t], gold_names[t], *numbers)
        rows.append([Cell(text) for text in cells])
    caption = (
        f"Where predicted and gold part: predicted minus gold, whose sum {total:+.3f} is "
        "log p(predicted) - log p(gold)"
    )
    header = ["n", "token", "predicted", "gold", "emission", "transition", "sum"]
    return Table("explain-difference", caption, header, rows, names=4)
