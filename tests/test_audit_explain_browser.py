"""The page of an explained sentence in a real browser: all can be read, in light and in dark."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("selenium", reason="selenium is not installed")

from browser import Browser, missing_programs, open_browser
from page_scripts import CONTRAST, HIDDEN, LETTERS, OPEN_ALL, OUTLINE, OVERFLOW
from small_corpora import small_config

from ladtl_np.audit import explain_sentence
from ladtl_np.corpus.sentence import Corpus, Sentence
from ladtl_np.pages import Page, Pen
from ladtl_np.training.preparation import Corpora, prepare
from ladtl_np.training.trained_model import build_model

_MISSING = missing_programs()
pytestmark = pytest.mark.skipif(
    bool(_MISSING), reason=f"{' and '.join(_MISSING)} not found on this machine"
)
NARROW, PAPER, WIDE = 400, 718, 1280
KINDS = ("Drug", "Sign", "NonphysiologicalStructureOfTheHeartAndLungs", "部位")
TOKENS = (
    *("C", "z", "<script>alert(1)</script>", "W" * 300, "肺癌肺癌肺癌肺癌肺癌肺癌肺癌", "，"),
    *(
        "\u202eevil\x1b[31m",
        "שלום",
        "il",
        "mmmmmmmmm",
        "MWMWMWMW",
        "e\u0301e\u0301",
        "hypertension",
    ),
    *("x", "a", "and", "of", "肝", "脾", "%@%@%@"),
)

# Texts of a figure that lie over each other, or stick out of the drawing
CROWDED = """
const bad = [];
for (const drawing of document.querySelectorAll('svg')) {
  const frame = drawing.getBoundingClientRect();
  const boxes = [...drawing.querySelectorAll('text')].map(e => [e, e.getBoundingClientRect()]);
  boxes.forEach(([e, a], n) => {
    if (a.left < frame.left - 1 || a.right > frame.right + 1 || a.top < frame.top - 1
        || a.bottom > frame.bottom + 1) bad.push(`out: ${e.textContent}`);
    for (const [other, b] of boxes.slice(n + 1)) {
      const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      if (wide > 1.5 && high > 4) bad.push(`${e.textContent} over ${other.textContent}`);
    }
  });
}
return bad;
"""

# Per node: how far its text stays inside of it, and the contrast on its shade
NODES = """
const numbers = c => c.match(/[\\d.]+/g).map(Number).slice(0, 3);
const light = c => {
  const linear = v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
  const [r, g, b] = c.map(v => linear(v / 255));
  return .2126 * r + .7152 * g + .0722 * b;
};
const ratio = (a, b) => {
  const [x, y] = [light(a), light(b)].sort((m, n) => n - m);
  return (x + .05) / (y + .05);
};
return [...document.querySelectorAll('svg g > title')].map(tip => {
  const shape = tip.parentElement.querySelector('rect');
  const text = tip.parentElement.querySelector('text');
  const card = numbers(getComputedStyle(shape.closest('figure')).backgroundColor);
  const style = getComputedStyle(shape), a = +style.fillOpacity;
  const paint = numbers(style.fill).map((v, i) => a * v + (1 - a) * card[i]);
  return [shape.getBoundingClientRect().width - text.getBoundingClientRect().width,
    ratio(numbers(getComputedStyle(text).fill), paint)];
});
"""

# Lines that mean something and are too near to what they stand on
FAINT = """
const numbers = c => c.match(/[\\d.]+/g).map(Number).slice(0, 3);
const light = c => {
  const linear = v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
  const [r, g, b] = c.map(v => linear(v / 255));
  return .2126 * r + .7152 * g + .0722 * b;
};
let seen = 0;
const bad = new Set();
for (const line of document.querySelectorAll('svg path')) {
  const style = getComputedStyle(line);
  const card = numbers(getComputedStyle(line.closest('figure')).backgroundColor);
  const [x, y] = [light(numbers(style.stroke)), light(card)].sort((m, n) => n - m);
  seen += 1;
  if ((x + .05) / (y + .05) < 3) bad.add(style.stroke);
}
return [seen, [...bad]];
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as browser:
        yield browser


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory, tiny_corpus: Corpora) -> Path:
    """Hostile tokens under a model at start values: every tag is drawn, and gold differs."""
    extra = Sentence(("q", "q"), tuple(f"S-{kind}" for kind in KINDS[2:]))
    assert tiny_corpus.source is not None
    corpora = replace(
        tiny_corpus,
        source=Corpus("source", (*tiny_corpus.source, extra)),
        target=Corpus("target", (*tiny_corpus.target, extra)),
    )
    prepared = prepare(small_config(), corpora)
    network = prepared.network.copy()
    for name, array in network.weights.items():
        if name.endswith("crf.W"):
            array *= 12
    model = build_model(prepared, network, {}, {})
    gold = [f"S-{KINDS[n % 4]}" for n in range(len(TOKENS))]
    audits = explain_sentence(model, TOKENS, gold)
    assert "unconstrained" in audits[0].numbers["head"]["paths"]
    sections = [audit.section(Pen([])) for audit in audits]
    path = tmp_path_factory.mktemp("browser") / "explain.html"
    path.write_text(Page("Audit", "every check passed", sections, "A note.").html(), "utf-8")
    return path


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_asks_for_nothing_and_everything_can_be_read(
    browser: Browser, page: Path, scheme: Any
) -> None:
    browser.show(page, scheme=scheme)
    browser.run(OPEN_ALL)
    assert browser.messages() == []
    assert [u for u in browser.requests() if not u.startswith("data:")] == [page.as_uri()]
    texts, bad = browser.run(CONTRAST)
    assert texts > 500
    assert bad == []
    lines, faint = browser.run(FAINT)
    assert lines > 100
    assert faint == []
    room, contrast = zip(*browser.run(NODES), strict=True)
    assert min(room) > 0
    assert min(contrast) >= 4.5


@pytest.mark.parametrize("width", [NARROW, WIDE])
def test_labels_neither_overlap_nor_stick_out(browser: Browser, page: Path, width: int) -> None:
    browser.show(page, width=width)
    browser.run(OPEN_ALL)
    assert browser.run(CROWDED) == []
    assert browser.run(OVERFLOW) == [0, []]
    assert browser.run(HIDDEN) == []


def test_text_of_figures_is_large_enough_on_a_telephone(browser: Browser, page: Path) -> None:
    browser.show(page, width=NARROW)
    for section in ("#explain", "#explain-heads", "#explain-gates"):
        assert browser.run(LETTERS, section) > 9


def test_pictures_are_drawn_as_they_are(browser: Browser, page: Path) -> None:
    browser.show(page)
    script = "return [...document.querySelectorAll('svg image')].map(e => e.href.baseVal)"
    addresses = browser.run(script)
    assert len(addresses) == 2 * (7 + 1)
    load = (
        "const done = arguments[1]; const i = new Image();"
        "i.onload = () => done([i.naturalWidth, i.naturalHeight]); i.onerror = () => done(null);"
        "i.src = arguments[0]"
    )
    sizes = [browser.driver.execute_async_script(load, address) for address in addresses]
    assert sizes[:6] == [[len(TOKENS), 6]] * 6
    assert sizes[6] == [len(TOKENS)] * 2


def test_it_prints_in_black_on_white(browser: Browser, page: Path) -> None:
    browser.show(page, scheme="dark", media="print", width=PAPER)
    assert browser.run(CONTRAST)[1] == []
    assert browser.run(OVERFLOW) == [0, []]
    assert len(browser.printed()) > 10_000


def test_a_screen_reader_finds_its_way(browser: Browser, page: Path) -> None:
    browser.show(page)
    outline = browser.run(OUTLINE)
    assert [outline[name] for name in ("unnamed", "bare", "unscoped")] == [0, 0, 0]
    assert len(set(outline["ids"])) == len(outline["ids"])
    assert outline["anchors"] == ["#explain", "#explain-heads", "#explain-gates"]
