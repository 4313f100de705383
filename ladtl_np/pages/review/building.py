"""The page as one file: its parts joined, its script and style allowed by their hashes alone."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache
from html import escape
from importlib.resources import files
from typing import Any

from ladtl_np.corpus.view import LEVELS, style_sheet
from ladtl_np.corpus.view.page import HUES, LINES
from ladtl_np.pages.review.sentences import ReviewSentence
from ladtl_np.printable import LONG, escaped_json, shown

__all__ = ["build_page"]

_SCRIPTS = (
    *("text", "state", "store", "exchange", "cards", "list", "desk", "keys", "pointer", "page"),
)
"""Parts of the script, in an order in which each uses those before it."""
_HASHED = 16  # hexadecimal digits by which the browser tells one page's data from another's


def build_page(
    sentences: Iterable[ReviewSentence],
    *,
    title: str,
    first: Sequence[str] = (),
    others: Sequence[str] = (),
    measure: str = "",
    file: str = "reviewed.jsonl",
) -> str:
    """Write the page: one file that asks nothing of anybody.

    Parameters
    ----------
    sentences
        What is to be reviewed, in document order.
    title
        Heading of the page.
    first, others
        Types that come before those of the entities, which stand by how often they are met, and
        after them. The first nine have the keys 1 to 9.
    measure
        What the certainty of a sentence is, in words; "" where none is known, and sentences stay
        in document order.
    file
        Name of the export.

    Returns
    -------
    str
        HTML. Its policy lets its own script and style run, and no other, and allows no request.
    """
    held = [*sentences]
    data = _data(held, first, others) | {"measure": measure, "file": file}
    written = _embedded(data)
    digest = hashlib.sha256(_embedded(_data(held, first, others)).encode()).hexdigest()[:_HASHED]
    script, style = _script(), style_sheet() + _part("page.css")
    policy = (
        f"default-src 'none'; script-src '{_source(script)}'; style-src '{_source(style)}'; "
        "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; "
        "trusted-types 'none'"
    )
    values = {
        "POLICY": policy,
        "TITLE": escape(shown(title, LONG)),
        "STYLE": style,
        "HASH": digest,
        "DATA": written,
        "SCRIPT": script,
    }
    return re.sub(f"@({'|'.join(values)})@", lambda found: values[found[1]], _part("page.html"))


def _data(
    sentences: Sequence[ReviewSentence], first: Sequence[str], others: Sequence[str]
) -> dict[str, Any]:
    """Everything that the script reads, as plain values."""
    kinds = Counter(kind for sentence in sentences for _, _, kind in sentence.entities)
    often = sorted(kinds, key=lambda kind: (-kinds[kind], kind))
    numbers = {kind: n for n, kind in enumerate(dict.fromkeys((*first, *often, *others)))}
    documents = {name: n for n, name in enumerate(dict.fromkeys(s.document for s in sentences))}
    rows = []
    for sentence in sentences:
        probable = sentence.probabilities or (None,) * len(sentence.entities)
        entities = [
            (first, last, numbers[kind], None if p is None else round(p, 6))
            for (first, last, kind), p in zip(sentence.entities, probable, strict=True)
        ]
        bounds = [place for token in sentence.tokens for place in token]
        certainty = None if sentence.certainty is None else round(sentence.certainty, 6)
        document = documents[sentence.document]
        rows.append((document, sentence.id, sentence.text, bounds, entities, certainty))
    return {
        "types": [*numbers],
        "documents": [*documents],
        "levels": LEVELS,
        "hues": len(HUES),
        "lines": len(LINES),
        "sentences": rows,
    }


def _embedded(value: Any) -> str:
    """JSON that no text in it can end, and that holds no character that steers."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return escaped_json(text).replace("<", "\\u003c")


@cache
def _part(name: str) -> str:
    return (files("ladtl_np.pages.review") / "parts" / name).read_text(encoding="utf-8")


@cache
def _script() -> str:
    """All parts as one script, whose names are its own."""
    parts = "\n".join(_part(f"{name}.js") for name in _SCRIPTS)
    return f"(() => {{\n'use strict';\n{parts}}})();\n"


def _source(text: str) -> str:
    """How a policy names a script or style that stands in the page."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
