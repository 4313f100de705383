"""How long a key press takes on a review page of many sentences, in a headless Chromium.

``python benchmarks/review_keys.py [SENTENCES]``. For each key: the time of the script, of style and
of layout, without painting; median and most of 30 presses in milliseconds.
"""

from __future__ import annotations

import random
import statistics
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "tests"))
from browser import open_browser

from ladtl_np.corpus.conversion import documents_of
from ladtl_np.corpus.demo import SPECIALTIES, generate
from ladtl_np.pages.review import ReviewSentence, build_page, sentences_of

PRESSES = 30
KEYS = {
    "next sentence": ("", "j"),
    "next token": ("", "l"),
    "next span": ("", "n"),
    "accept": ("n", "a"),
    "end one token earlier": ("n", "E"),
    "another type": ("n", "2"),
    "delete": ("n", "d"),
    "undo": ("", "u"),
    "reviewed, and on": ("", "Enter"),
    "another order of all": ("", "o"),
}
"""Keys by what they do: one that is pressed before and not measured, and one that is."""
PRESS = """
const [before, key, times] = arguments, found = [];
const press = (one) => document.activeElement.dispatchEvent(
  new KeyboardEvent('keydown', {key: one, bubbles: true}));
for (let n = 0; n < times; n += 1) {
  if (before) press(before);
  document.querySelector('article.active').getBoundingClientRect();
  const start = performance.now();
  press(key);
  document.querySelector('article.active').getBoundingClientRect();
  found.push(performance.now() - start);
}
return found;
"""


def sentences(wanted: int) -> list[ReviewSentence]:
    """Sentences of the demo corpus with probabilities at random."""
    rng = random.Random(1)
    documents = [
        document
        for specialty in SPECIALTIES
        for document in documents_of(generate(specialty, "train"))
    ]
    found = []
    for n in range(wanted):
        document = documents[n % len(documents)]
        probable = tuple(rng.random() for _ in document.entities or ())
        found += sentences_of(replace(document, probabilities=probable), f"note {n}")
    return found


def main(wanted: int) -> None:
    """Print a line for each key."""
    held = sentences(wanted)
    with tempfile.TemporaryDirectory() as folder, open_browser() as browser:
        path = Path(folder) / "page.html"
        path.write_text(build_page(held, title="Keys", measure="random"), "utf-8")
        browser.show(path)
        loaded = browser.run("return performance.getEntriesByType('navigation')[0].loadEventEnd")
        tokens = sum(len(one.tokens) for one in held)
        print(f"{len(held):,} sentences, {tokens:,} tokens, {path.stat().st_size / 2**20:.1f} MiB")
        print(f"open after {loaded:.0f} ms")
        browser.run("document.querySelector('article.active').focus()")
        for name, (before, key) in KEYS.items():
            times = browser.run(PRESS, before, key, PRESSES)
            print(f"{name:22} {statistics.median(times):6.1f} {max(times):6.1f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2_000)
