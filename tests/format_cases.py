"""What the tests of annotated formats share: reading bytes, and documents at random."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any

import pytest
from hypothesis import strategies as st

from ladtl_np.corpus.document import Document
from ladtl_np.corpus.findings import Findings, FindingsError
from ladtl_np.corpus.formats.reading import ReadOptions
from ladtl_np.corpus.tally import Tally

__all__ = ["annotated", "findings_of", "read_bytes"]

Reader = Callable[[Any, ReadOptions, Findings, Tally], Iterator[Document]]


def read_bytes(
    reader: Reader, data: bytes | str, *, tally: Tally | None = None, **options: Any
) -> list[Document]:
    content = data if isinstance(data, bytes) else data.encode()
    findings, tally = Findings("in"), Tally() if tally is None else tally
    return list(reader(BytesIO(content), ReadOptions(**options), findings, tally))


def findings_of(reader: Reader, data: bytes | str, **options: Any) -> str:
    with pytest.raises(FindingsError) as caught:
        read_bytes(reader, data, **options)
    assert caught.value.exit_code == 3
    return str(caught.value)


ODD = 'ab 病😀\u0301\u3000\xa0\n\r\t"\\\x07\x7f\u2028\u202e,|<&'


@st.composite
def annotated(draw: st.DrawFn, *, unannotated: bool = True, odd: str = ODD) -> Document:
    """A document of odd characters whose entities are not empty; they may overlap."""
    text = draw(
        st.text(st.sampled_from(odd) | st.characters(exclude_categories=["Cs"]), max_size=12)
    )
    places = st.tuples(st.integers(0, len(text)), st.integers(0, len(text))).filter(
        lambda pair: pair[0] < pair[1]
    )
    entities = None
    if not unannotated or draw(st.booleans()):
        found = draw(st.lists(places, max_size=3)) if text else []
        entities = tuple((*pair, draw(st.sampled_from(["X", "病-a", "b c"]))) for pair in found)
    identity = draw(st.none() | st.integers(-9, 1 << 60) | st.text("a1\x1b", max_size=3))
    return Document(text, entities, identity)
