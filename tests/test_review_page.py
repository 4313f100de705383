"""The review page as a file: its policy, its data, and documents as sentences with tokens."""

from __future__ import annotations

import base64
import hashlib
import json
import math
from dataclasses import replace
from html.parser import HTMLParser
from importlib.resources import files

import pytest
from format_cases import annotated
from hypothesis import example, given
from hypothesis import strategies as st

from ladtl_np.corpus.document import Certainty, Document
from ladtl_np.pages.review import Measure, ReviewSentence, build_page, sentences_of

NOTE = ReviewSentence("a.txt", 1, "x yy", ((0, 1), (2, 4)), ((1, 2, "Drug"),), (0.25,), 0.25)


class Page(HTMLParser):
    """Texts of the page's scripts and styles, its policy and the hash of its data."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.policy, self.hash, self.inside = "", "", ""
        self.raw: dict[str, list[str]] = {"script": [], "style": []}
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        if told.get("http-equiv") == "Content-Security-Policy":
            self.policy = told["content"] or ""
        self.hash = told.get("data-hash") or self.hash
        self.inside = tag if tag in self.raw else ""

    def handle_endtag(self, tag: str) -> None:
        self.inside = ""

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.raw[self.inside].append(data)

    @property
    def data(self) -> dict[str, object]:
        return json.loads(self.raw["script"][0])


def built(*sentences: ReviewSentence, **options: object) -> Page:
    return Page(build_page(sentences, **{"title": "t"} | options))  # type: ignore[arg-type]


def test_the_policy_names_the_one_script_and_the_one_style() -> None:
    page = built(NOTE)
    (_, script), (style,) = page.raw["script"], page.raw["style"]
    for text, directive in ((script, "script-src"), (style, "style-src")):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}';" in page.policy
    assert page.policy.startswith("default-src 'none'; ")
    assert "unsafe" not in page.policy
    assert "http" not in page.policy


def test_the_script_holds_nothing_that_could_end_it_or_make_markup_or_ask_anybody() -> None:
    script = built(NOTE).raw["script"][1]
    assert "</" not in script
    assert "<!--" not in script
    for danger in ("innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval(", "fetch(",
                   "XMLHttp", "WebSocket", "sendBeacon", "import(", "http:", "https:"):  # fmt: skip
        assert danger not in script


def test_parts_of_the_script_stay_small_and_all_are_joined() -> None:
    parts = [
        p for p in (files("ladtl_np.pages.review") / "parts").iterdir() if p.name[-3:] == ".js"
    ]
    script = built(NOTE).raw["script"][1]
    for part in parts:
        text = part.read_text("utf-8")
        assert len(text.splitlines()) < 300
        assert text in script


def test_data_hold_types_by_how_often_they_are_met_and_offsets_as_they_are() -> None:
    two = replace(NOTE, number=2, entities=((0, 1, "Sign"), (1, 2, "Sign")), probabilities=None)
    page = built(NOTE, two, first=["Test"], others=["Drug", "Ward"], measure="m")
    assert page.data["types"] == ["Test", "Sign", "Drug", "Ward"]
    assert page.data["sentences"] == [
        [0, "a.txt#1", "x yy", [0, 1, 2, 4], [[1, 2, 2, 0.25]], 0.25],
        [0, "a.txt#2", "x yy", [0, 1, 2, 4], [[0, 1, 1, None], [1, 2, 1, None]], 0.25],
    ]


def test_the_hash_tells_data_and_nothing_else() -> None:
    assert built(NOTE).hash == built(NOTE, title="other", measure="m", file="f").hash
    others = [replace(NOTE, text="x yz"), replace(NOTE, certainty=0.5), replace(NOTE, number=2)]
    assert len({built(one).hash for one in (NOTE, *others)}) == 4


@given(st.text(st.sampled_from("</scriptSCRIPT@DATA!->&\u2028\u202e\0\ud800😀\n\r"), max_size=30))
@example("a</script><!--<script>")
def test_texts_arrive_as_they_are_and_end_nothing(text: str) -> None:
    sentence = ReviewSentence(text, 1, text, ((0, len(text)),), ((0, 1, text or "X"),))
    written = build_page([sentence], title=text)
    assert not set(written) & set("\u2028\u202e\0\ud800\r")
    page = Page(written)
    assert len(page.raw["script"]) == 2
    assert page.data["sentences"][0][2] == text  # type: ignore[index]
    assert page.data["documents"] == [text]
    assert page.hash == Page(build_page([sentence], title="")).hash


# ---- documents as sentences ----------------------------------------------------------------------


def test_sentences_are_cut_with_their_entities_and_probabilities() -> None:
    document = Document(
        " ab c.  de",
        ((8, 10, "Y"), (1, 3, "X")),
        tokens=((1, 3), (4, 5), (5, 6), (8, 10)),
        sentences=(0, 8),
        probabilities=(0.5, 0.75),
    )
    assert [*sentences_of(document, "n")] == [
        ReviewSentence("n", 1, "ab c.", ((0, 2), (3, 4), (4, 5)), ((0, 1, "X"),), (0.75,), 0.75),
        ReviewSentence("n", 2, "de", ((0, 2),), ((0, 1, "Y"),), (0.5,), 0.5),
    ]


def test_a_sentence_without_entities_is_not_known_to_be_certain_unless_it_is_told() -> None:
    document = Document("a b", (), tokens=((0, 1), (2, 3)), probabilities=())
    (found,) = sentences_of(document, "n")
    assert (found.certainty, found.probabilities, found.id) == (None, (), "n#1")
    (found,) = sentences_of(replace(document, certainties=(Certainty(0, 3, 0.25, 0.0),)), "n")
    assert found.certainty == 0.25
    assert [*sentences_of(Document(" ", (), tokens=()), "n")] == []


@pytest.mark.parametrize(
    ("by", "wanted"),
    [("span", (0.75, 0.5)), ("sentence", (0.5, 0.125)), ("entropy", (1.0, 0.5))],
)
def test_certainty_is_of_spans_of_all_tags_or_of_entropy(
    by: Measure, wanted: tuple[float, float]
) -> None:
    document = Document(
        "a b. c",
        ((5, 6, "X"), (0, 1, "X")),
        tokens=((0, 1), (2, 3), (3, 4), (5, 6)),
        sentences=(0, 5),
        probabilities=(0.5, 0.75),
        certainties=(Certainty(0, 5, 0.5, 0.0), Certainty(5, 6, 0.125, math.log(2))),
    )
    assert tuple(one.certainty for one in sentences_of(document, "n", by)) == pytest.approx(wanted)


@pytest.mark.parametrize(
    ("entities", "problem"),
    [
        ([(0, 1, "X")], "ends within a token"),
        ([(1, 2, "X")], "ends within a token"),
        ([(0, 5, "X"), (3, 5, "Y")], "overlap"),
        ([(3, 8, "X")], "ends within a token"),
    ],
)
def test_what_cannot_be_reviewed_is_refused(
    entities: list[tuple[int, int, str]], problem: str
) -> None:
    tokens = ((0, 2), (3, 5), (6, 8))
    document = Document("ab cd ef", tuple(entities), tokens=tokens, sentences=(0, 6))
    with pytest.raises(ValueError, match=problem):
        list(sentences_of(document, "n"))
    with pytest.raises(ValueError, match="wants tokens"):
        list(sentences_of(replace(document, tokens=None), "n"))


@given(annotated(unannotated=False))
def test_every_token_of_a_document_is_in_one_sentence(document: Document) -> None:
    text = document.text
    tokens = tuple((n, n + 1) for n in range(len(text)))
    places = tuple(range(0, len(text), 3))
    found = [*sentences_of(replace(document, entities=(), tokens=tokens, sentences=places), "n")]
    assert "".join(one.text for one in found) == text
    assert [one.number for one in found] == [*range(1, len(found) + 1)]
    assert all(one.text[a:b] for one in found for a, b in one.tokens)
