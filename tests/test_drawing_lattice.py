"""Lattices and heat maps as SVG: everything is drawn once, fits, and is safe to show."""

from __future__ import annotations

import base64
import io
import re
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from ladtl_np.pages.content import Figure
from ladtl_np.pages.drawing.heat import HeatMap, averaged, draw_heat_maps
from ladtl_np.pages.drawing.lattice import Lattice, Way, draw_lattice
from ladtl_np.pages.drawing.lattice_layout import columns_of, lines_of, tags_that_matter
from ladtl_np.pages.drawing.raster import SIGNED, png
from ladtl_np.pages.drawing.svg import fitting, text_width
from ladtl_np.reference.crf import token_marginals, viterbi

TAGS = ("O", "B-Sign", "I-Sign", "E-Sign", "S-Sign", "S-Drug")
SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = ("<script>alert(1)</script>", "a\x00b\x1b[31m", "\u202eevil", "x" * 300, "]]>&", "שלום")


def lattice_of(tokens: tuple[str, ...], seed: int = 0, **more: Any) -> Lattice:
    """Random scores, their marginals and their best path; and a path of one tag."""
    rng = np.random.default_rng(seed)
    E, A = 3 * rng.normal(size=(len(tokens), len(TAGS))), rng.normal(size=(len(TAGS),) * 2)
    best, _ = viterbi(E, A)
    ways = [Way("predicted", best), Way("gold", np.full(len(tokens), 5))]
    return Lattice(tokens, TAGS, *token_marginals(E, A), ways, **more)


def texts(figure: Figure) -> list[str]:
    root = ElementTree.fromstring(figure.svg)
    return [element.text or "" for element in root.iter(f"{SVG}text")]


def size(figure: Figure) -> tuple[float, float]:
    root = ElementTree.fromstring(figure.svg)
    return tuple(float(part) for part in root.attrib["viewBox"].split()[2:])  # type: ignore[return-value]


def test_nodes_have_their_marginals_and_tips_all_digits() -> None:
    lattice = lattice_of(("no", "chest", "pain"))
    figure = draw_lattice("one", "One.", lattice)
    tips = [e.text or "" for e in ElementTree.fromstring(figure.svg).iter(f"{SVG}title")][1:]
    drawn = {tuple(tip.split("  ")[:2]): float(tip.split("  ")[2]) for tip in tips}
    assert len(drawn) == len(tips)
    for t, token in enumerate(lattice.tokens):
        for tag, name in enumerate(TAGS):
            p = lattice.unary[t, tag]
            shown = p >= 0.01 or any(way.tags[t] == tag for way in lattice.ways)
            assert ((token, name) in drawn) == shown
            assert not shown or drawn[token, name] == pytest.approx(p, abs=5e-7)


@pytest.mark.parametrize(
    ("p", "told"), [(0.0, "0"), (0.001, "<1"), (0.42, "42"), (0.997, ">99"), (1.0, "100")]
)
def test_a_node_says_certain_only_where_it_is(p: float, told: str) -> None:
    unary = np.array([[p, 1 - p]])
    lattice = Lattice(
        ("a",), ("O", "S-X"), unary, np.zeros((0, 2, 2)), [Way("x", np.zeros(1, int))]
    )
    assert told in texts(draw_lattice("one", "One.", lattice))


def test_edges_are_as_thick_as_their_transitions_and_faint_ones_are_left_out() -> None:
    pair = np.array([[[0.6, 0.4 - 0.009], [0.009, 0.0]]])
    unary = np.array([[0.991, 0.009], [0.609, 0.391]])
    lattice = Lattice(("a", "b"), ("O", "S-X"), unary, pair, [])
    root = ElementTree.fromstring(draw_lattice("one", "One.", lattice).svg)
    # the last three are those of the legend
    widths = [float(path.attrib["stroke-width"]) for path in root.iter(f"{SVG}path")][:-3]
    assert widths == pytest.approx([0.8 + 4 * 0.6, 0.8 + 4 * 0.391], abs=0.006)


def test_tags_matter_where_they_are_likely_or_on_a_path() -> None:
    unary = np.array([[0.98, 0.01, 0.0099, 0.0], [1.0, 0.0, 0.0, 0.0]])
    lattice = Lattice(
        ("a", "b"), TAGS[:4], unary, np.zeros((1, 4, 4)), [Way("gold", np.array([0, 3]))]
    )
    assert tags_that_matter(lattice, 0, 1) == [0, 1, 3]
    assert tags_that_matter(lattice, 1, 1) == [0, 3]
    assert "1 of 4 tags stay below 1 %" in texts(draw_lattice("one", "One.", lattice))


@pytest.mark.parametrize("count", [1, 2, 3, 17, 60])
@pytest.mark.parametrize("width", [400.0, 1060.0])
def test_long_sentences_take_lines_that_fit_and_hang_together(count: int, width: float) -> None:
    words = ("in", "hypertension", "肺癌", ",", "W" * 40)
    lattice = lattice_of(tuple(words[n % 5] for n in range(count)))
    columns = columns_of(lattice.tokens)
    lines = lines_of(lattice, columns, width - 200)
    assert (lines[0].first, lines[-1].last) == (0, count - 1)
    assert all(two.first == one.last for one, two in pairwise(lines))
    assert all(line.last > line.first for line in lines) or count == 1
    figure = draw_lattice("one", "One.", lattice, width=width)
    assert size(figure)[0] <= max(width, 640)
    numbers = [int(text) for text in texts(figure) if text.isdigit() and int(text) <= count]
    assert set(range(1, count + 1)) <= set(numbers)


def test_lines_are_of_like_width() -> None:
    lattice = lattice_of(("word",) * 16)
    lines = lines_of(lattice, columns_of(lattice.tokens), 64.0 * 15)
    assert [line.last - line.first + 1 for line in lines] == [9, 8]


def test_paths_are_told_apart_without_colour() -> None:
    lattice = lattice_of(("no", "chest", "pain"))
    root = ElementTree.fromstring(draw_lattice("one", "One.", lattice).svg)
    ways = [e.attrib for e in root.iter(f"{SVG}path") if "stroke-dasharray" in e.attrib]
    looks = {way["stroke"]: way["stroke-dasharray"] for way in ways}
    assert len(looks) == 2
    assert len(set(looks.values())) == 2
    starts = [re.findall(r"M([\d.]+ [\d.]+)", way["d"])[0] for way in ways[:2]]
    assert starts[0] != starts[1]  # side by side even where they go the same way


def test_unknown_tokens_are_underlined_and_that_is_explained() -> None:
    plain = draw_lattice("one", "One.", lattice_of(("no", "chest")))
    marked = draw_lattice("one", "One.", lattice_of(("no", "chest"), unknown={1}))
    root = ElementTree.fromstring(marked.svg)
    found = [e.text for e in root.iter(f"{SVG}text") if "text-decoration" in e.attrib]
    assert found == ["chest"]
    assert any("not known" in text for text in texts(marked))
    assert not any("not known" in text for text in texts(plain))


def test_hostile_tokens_are_escaped_and_shortened() -> None:
    for figure in (
        draw_lattice("one", "One <b>.", lattice_of(HOSTILE)),
        draw_heat_maps("two", "Two.", HOSTILE, [HeatMap("<i>", np.zeros((4, 6)), "units")]),
    ):
        root = ElementTree.fromstring(figure.svg)  # it is well-formed
        kinds = {element.tag.removeprefix(SVG) for element in root.iter()}
        assert kinds <= {"svg", "title", "g", "text", "rect", "path", "line", "image"}
        assert not re.search("[\x00-\x1f\u202e]", figure.svg)
        assert max(map(len, texts(figure))) < 60
        assert "שלום" in texts(figure)


def test_texts_are_cut_where_they_are_too_wide() -> None:
    assert fitting("chest", 12, 100) == "chest"
    cut = fitting("W" * 300, 12, 100)
    assert cut.endswith("…")
    assert 60 < text_width(cut, 12) <= 100
    assert text_width("肺癌", 10) > text_width("in", 10) > text_width("in\u0301", 10) - 1e-9
    assert text_width("e\u0301", 10) == text_width("e", 10)


# --- heat maps


def pixels(content: bytes) -> Any:
    image = pytest.importorskip("matplotlib.image")
    return np.rint(255 * image.imread(io.BytesIO(content))).astype(int)


def test_a_picture_has_the_sign_as_colour_and_the_size_as_opacity() -> None:
    found = pixels(png(np.array([[0.0, 1.0, -1.0], [0.5, -0.25, 7.0], [np.nan, -9.0, 1e-9]])))
    blue, orange = (list(colour) for colour in SIGNED)
    assert found.shape == (3, 3, 4)
    assert found[..., 3].tolist() == [[0, 255, 255], [130, 65, 255], [0, 255, 0]]
    for row, column, colour in ((0, 1, blue), (0, 2, orange), (1, 0, blue), (1, 1, orange)):
        assert found[row, column, :3].tolist() == colour


def test_rows_beyond_the_pixels_become_means() -> None:
    values = np.arange(14.0).reshape(7, 2)
    few = averaged(values, 3)
    assert few.tolist() == [[1.0, 2.0], [5.0, 6.0], [10.0, 11.0]]
    assert averaged(values, 7) is values


@pytest.mark.parametrize("count", [1, 5, 30, 200])
def test_heat_maps_stand_side_by_side_where_they_fit(count: int) -> None:
    maps = [HeatMap(f"map {n}", np.full((200, count), n / 8), "units") for n in range(7)]
    figure = draw_heat_maps("gates", "Gates.", ["word"] * count, maps)
    root = ElementTree.fromstring(figure.svg)
    images = [{k: v for k, v in e.attrib.items()} for e in root.iter(f"{SVG}image")][:-1]
    assert len(images) == 7
    right = max(float(i["x"]) + float(i["width"]) for i in images)
    assert right <= size(figure)[0] + 1e-6
    assert len({i["y"] for i in images}) == {1: 2, 5: 2, 30: 4, 200: 7}[count]
    assert size(figure)[0] <= 1060 or count == 200
    first = base64.b64decode(images[3]["href"].partition("base64,")[2])
    assert pixels(first)[..., 3].max() == round(255 * round(63 * 3 / 8) / 63)
