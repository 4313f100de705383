"""The review page in a real browser: by keyboard and by mouse, and it asks nothing of anybody."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("selenium", reason="selenium is not installed")

from browser import Browser, missing_programs, open_browser
from page_scripts import CONTRAST, INJECT, OVERFLOW
from page_server import noting_server
from review_pages import Reader, sentence, write_page
from selenium.webdriver import ActionChains, Keys

from ladtl_np.corpus.read import read_corpus
from ladtl_np.corpus.schemes import spans

_MISSING = missing_programs()
pytestmark = pytest.mark.skipif(
    bool(_MISSING), reason=f"{' and '.join(_MISSING)} not found on this machine"
)

NOTES = (
    sentence("chest pain since two days", ("chest pain", "Sign", 0.9)),
    sentence("no fever after aspirin 100 mg", ("fever", "Sign", 0.6), ("aspirin", "Drug", 0.95),
             number=2),
    sentence("she feels well", number=3),
    sentence("took aspirin", ("took aspirin", "Drug", 0.4), document="b.txt"),
)  # fmt: skip
HOSTILE = (
    "</script><script>window.ran=1</script> <!-- \u202eevil\u202c 𝒳😀 nul\0 \u200d 病痛 "
    "<img/src=x/onerror=window.ran=1> @SCRIPT@ end"
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as browser:
        yield browser


@pytest.fixture
def reader(browser: Browser, tmp_path: Path) -> Reader:
    """Somebody who opens the notes for the first time."""
    reader = Reader(browser, tmp_path / "saved")
    reader.open(write_page(tmp_path / "page.html", NOTES))
    return reader


# --- nothing leaves, and nothing of the text runs


def test_the_page_is_the_only_request_and_nothing_that_is_put_into_it_runs(
    reader: Reader, tmp_path: Path
) -> None:
    browser = reader.browser
    browser.show(tmp_path / "page.html")
    assert browser.messages() == []
    assert browser.requests() == [(tmp_path / "page.html").as_uri()]
    browser.driver.set_script_timeout(10)
    with noting_server() as (address, asked):
        assert browser.driver.execute_async_script(INJECT, address) is False
        assert asked == []
    refused = "\n".join(browser.messages())
    for directive in ("default-src", "TrustedScript", "img-src", "form-action"):
        assert directive in refused
    assert browser.driver.current_url == (tmp_path / "page.html").as_uri()


def test_hostile_text_is_shown_as_it_is_and_offsets_count_code_points(
    browser: Browser, tmp_path: Path
) -> None:
    reader = Reader(browser, tmp_path / "saved")
    note = sentence(HOSTILE, ("𝒳😀", "<b>&\u202e", 0.7), document="<i>\u202e")
    reader.open(write_page(tmp_path / "page.html", [note], title="</title><b>"))
    assert browser.messages() == []
    assert browser.run("return window.ran ?? null") is None
    shown = HOSTILE.replace("\u202e", "\\u202e").replace("\u202c", "\\u202c").replace("\0", "\\x00")
    shown = shown.replace("\u200d", "\\u200d").replace("𝒳😀", "[𝒳😀|<b>&\\u202e 70 %]")
    assert reader.active() == shown
    assert reader.text("h1") == "</title><b>"
    assert reader.text(".name") == "<i>\\u202e"
    reader.keys(Keys.END, "1", Keys.ENTER)
    (line,) = reader.export()
    start = HOSTILE.index("𝒳😀")
    assert line["text"] == HOSTILE
    assert line["label"] == [
        [start, start + 2, "<b>&\u202e"],
        [len(HOSTILE) - 3, len(HOSTILE), "<b>&\u202e"],
    ]
    raw = (tmp_path / "saved" / "last.jsonl").read_text("utf-8")
    assert raw.rstrip("\n").isprintable()


# --- by keyboard alone


def test_tab_leads_to_the_sentence_and_on_to_what_can_be_done(reader: Reader) -> None:
    browser = reader.browser
    browser.run("document.activeElement.blur(); document.getElementById('search').focus()")
    reader.keys(Keys.TAB)
    assert browser.run("return document.activeElement.className") == "active"
    assert browser.run("return getComputedStyle(document.activeElement).outlineStyle") == "solid"
    reader.keys(Keys.TAB)
    assert browser.run("return document.activeElement.id") == "accept"


def test_the_least_certain_comes_first_and_its_doubtful_span_is_under_the_cursor(
    reader: Reader,
) -> None:
    assert reader.shown() == ["3", "1", "0", "2"]
    assert reader.active() == "[took aspirin|Drug 40 %]"
    reader.keys("j")
    assert (reader.active(), reader.under()) == (
        "no [fever|Sign 60 %] after [aspirin|Drug 95 %] 100 mg", "fever",
    )  # fmt: skip
    assert "Sentence 2, not reviewed, 2 spans, certain to 60 %" in reader.told()
    reader.keys("o")
    assert reader.shown() == ["0", "1", "2", "3"]
    assert reader.under() == "fever"


def test_accept_delete_retype_widen_narrow_and_add(reader: Reader) -> None:
    reader.keys("S")
    assert reader.active() == "took [aspirin|Drug ✎]"
    reader.keys("S")
    assert reader.told() == "It cannot be moved further"
    reader.keys("s")
    assert reader.active() == "[took aspirin|Drug ✎]"
    reader.keys("j", "a")
    assert reader.active() == "no [fever|Sign ✓] after [aspirin|Drug 95 %] 100 mg"
    assert (reader.told(), reader.under()) == ("Accepted Sign “fever”", "aspirin")
    reader.keys("e", "e", "e", "e", "E")
    assert reader.active() == "no [fever|Sign ✓] after [aspirin 100|Drug ✎] mg"
    reader.keys("p", "e", "e")
    assert reader.active() == "no [fever after|Sign ✎] [aspirin 100|Drug ✎] mg"
    reader.keys("E", "s", "s")
    assert reader.active() == "[no fever|Sign ✎] after [aspirin 100|Drug ✎] mg"
    reader.keys("2")
    assert reader.active() == "[no fever|Sign ✎] after [aspirin 100|Drug ✎] mg"
    reader.keys("1")
    assert reader.active() == "[no fever|Drug ✎] after [aspirin 100|Drug ✎] mg"
    reader.keys("d")
    assert reader.active() == "no fever after [aspirin 100|Drug ✎] mg"
    reader.keys(Keys.END, Keys.ARROW_LEFT)
    reader.shifted(Keys.ARROW_RIGHT)
    assert reader.told() == "Chosen: 100 mg"
    reader.keys("2")
    assert reader.active() == "no fever after aspirin [100 mg|Sign ✎]"
    assert reader.told() == "Added Sign “100 mg”, in the place of 1 span"


def test_types_come_by_how_often_they_are_met_and_from_a_list(reader: Reader) -> None:
    assert reader.text("#types button:first-child") == "1Drug"
    reader.keys("t", "i", "g", Keys.ENTER)
    assert reader.active() == "[took aspirin|Sign ✎]"
    reader.keys("t", Keys.ESCAPE)
    assert reader.active() == "[took aspirin|Sign ✎]"
    assert reader.browser.run("return document.activeElement.className") == "active"


def test_the_type_under_the_cursor_is_pressed_and_those_without_a_key_press_nothing(
    browser: Browser, tmp_path: Path
) -> None:
    reader = Reader(browser, tmp_path / "saved")
    kinds = [*"abcdefghij"]
    note = sentence("x y", ("x", "j", 0.5), ("y", "b", 0.9))
    reader.open(write_page(tmp_path / "page.html", [note], first=kinds))
    pressed = "return [...document.querySelectorAll('[aria-pressed=true]')].map(e => e.textContent)"
    assert browser.run(pressed) == []
    reader.keys("n")
    assert browser.run(pressed) == ["2b"]
    reader.keys("9")
    assert browser.run(pressed) == ["9i"]


def test_undo_and_redo_every_change_in_their_order(reader: Reader) -> None:
    states = [reader.active()]
    for key in ("2", "S", "d"):
        reader.keys(key)
        states.append(reader.active())
    reader.keys(Keys.ENTER)
    assert reader.text("#count") == "1 of 4 sentences reviewed"
    reader.keys("u")
    assert reader.text("#count") == "0 of 4 sentences reviewed"
    for wanted in (states[2], states[1], states[0]):
        reader.keys("u")
        assert reader.active() == wanted
    reader.keys("u")
    assert reader.told() == "Nothing to undo"
    ActionChains(reader.browser.driver).key_down(Keys.CONTROL).send_keys("y").send_keys("y").key_up(
        Keys.CONTROL
    ).perform()
    assert reader.active() == states[2]
    reader.keys("U")
    assert reader.active() == states[3]
    ActionChains(reader.browser.driver).key_down(Keys.CONTROL).send_keys("z").key_up(
        Keys.CONTROL
    ).perform()
    assert reader.active() == states[2]
    reader.keys("1", "U")
    assert reader.told() == "Nothing to do again"


def test_enter_goes_on_to_what_is_not_reviewed_and_tells_how_much_is_left(reader: Reader) -> None:
    reader.keys(Keys.ENTER, Keys.ENTER)
    assert reader.active() == "[chest pain|Sign] since two days".replace("Sign", "Sign 90 %")
    assert reader.told() == "Reviewed. 2 left."
    reader.keys("k", "r")
    assert reader.text("#count") == "1 of 4 sentences reviewed"
    reader.keys("r", "j", Keys.ENTER, Keys.ENTER)
    assert reader.told() == "Reviewed. None is left here."
    assert reader.browser.run("return document.querySelectorAll('article.done').length") == 4


def test_spans_are_walked_through_sentences(reader: Reader) -> None:
    seen = []
    for _ in range(4):
        seen.append(reader.under())
        reader.keys("n")
    assert seen == ["took", "fever", "aspirin", "chest"]
    assert reader.told() == "No span after this"
    reader.keys("p")
    assert reader.under() == "aspirin"


def test_the_sentences_beside_it_in_its_document_are_shown(reader: Reader) -> None:
    around = "return [...document.querySelectorAll('.around')].map(e => e.textContent).join('|')"
    reader.keys("c")
    assert reader.told() == "No sentence beside it"
    reader.keys("j")
    assert reader.browser.run(around).strip("|") == "chest pain since two days|she feels well"
    reader.click("article[data-number='2'] .text")
    assert reader.browser.run(around).strip("|") == "no fever after aspirin 100 mg"
    reader.keys("c")
    assert reader.browser.run(around).strip("|") == ""


def test_the_overlay_shows_all_keys_and_gives_the_focus_back(reader: Reader) -> None:
    reader.keys("?")
    assert reader.browser.run("return document.getElementById('help').open")
    assert len(reader.browser.run("return [...document.querySelectorAll('#help dt')]")) >= 20
    reader.keys(Keys.ESCAPE, "d")
    assert reader.active() == "took aspirin"


def test_text_from_right_to_left_is_walked_as_it_is_read(browser: Browser, tmp_path: Path) -> None:
    reader = Reader(browser, tmp_path / "saved")
    reader.open(write_page(tmp_path / "page.html", [sentence("כאב ראש חזק", ("כאב", "Sign", 0.5))]))
    reader.keys(Keys.ARROW_LEFT)
    assert reader.under() == "ראש"
    reader.keys(Keys.ARROW_RIGHT)
    assert reader.under() == "כאב"
    left = browser.run(
        "return [...document.querySelectorAll('.token')].map(e => e.getBoundingClientRect().left)"
    )
    assert left == sorted(left, reverse=True)


# --- by mouse


def test_clicks_and_a_drawn_choice(reader: Reader) -> None:
    browser = reader.browser
    card = browser.driver.find_element("css selector", "article[data-number='1'] .text")
    ActionChains(browser.driver).move_to_element(card).click().perform()
    tokens = browser.driver.find_elements("css selector", "article.active .token")
    assert [token.text for token in tokens] == ["no", "fever", "after", "aspirin", "100", "mg"]
    tokens[3].click()
    reader.click("#wider-end")
    assert reader.active() == "no [fever|Sign 60 %] after [aspirin 100|Drug ✎] mg"
    reader.draw("article.active .token", 0, 2)
    assert reader.told() == "Chosen: no fever after"
    reader.click("#types button:first-child")
    assert reader.active() == "[no fever after|Drug ✎] [aspirin 100|Drug ✎] mg"
    reader.click("#undo")
    reader.click("#right")
    assert reader.text("#count") == "1 of 4 sentences reviewed"
    browser.driver.find_element("css selector", "article.active .token").click()
    reader.click("#delete")
    assert "[" not in reader.active()


# --- what is shown


def test_filters_and_search(reader: Reader) -> None:
    select = """
    const element = document.getElementById(arguments[0]);
    element.value = arguments[1];
    element.dispatchEvent(new Event('change'));
    """
    reader.browser.run(select, "type", "Sign")
    assert reader.shown() == ["1", "0"]
    assert reader.text("#shown") == "2 shown"
    reader.browser.run(select, "certainty", "0.8")
    assert reader.shown() == ["1"]
    assert reader.active().startswith("no [fever")
    reader.browser.run(select, "type", "")
    assert reader.shown() == ["3", "1"]
    reader.browser.run(select, "certainty", "")
    reader.keys("/", *"WELL", Keys.ENTER)
    assert reader.shown() == ["2"]
    assert reader.browser.run("return document.activeElement.dataset.number") == "2"
    reader.keys("/", *"zzz")
    assert reader.shown() == []
    assert reader.browser.run("return document.getElementById('none').checkVisibility()")
    enabled = "return document.querySelectorAll('footer button:enabled:not([aria-pressed])').length"
    assert reader.browser.run(enabled) == 1  # all types
    reader.click("#types button:first-child")
    assert reader.text("#count") == "0 of 4 sentences reviewed"
    assert reader.browser.run("return localStorage.length") == 1  # the choices, and no sentence
    reader.browser.run("document.getElementById('search').focus()")
    reader.keys(*(Keys.BACKSPACE,) * 3, Keys.ENTER, Keys.ENTER, "f")
    assert len(reader.shown()) == 3
    reader.browser.run(select, "show", "done")
    assert len(reader.shown()) == 1
    reader.browser.run(select, "show", "changed")
    assert reader.shown() == []


# --- state and files


def test_the_state_outlives_the_page_and_belongs_to_its_data(
    reader: Reader, tmp_path: Path
) -> None:
    reader.keys("d", Keys.ENTER, "a")
    reader.open(tmp_path / "page.html", fresh=False)
    assert reader.text("#count") == "1 of 4 sentences reviewed"
    assert reader.active() == "no [fever|Sign ✓] after [aspirin|Drug 95 %] 100 mg"
    assert reader.marked("article[data-number='3']") == "took aspirin"
    kept = reader.browser.run("return JSON.stringify(localStorage)")
    assert not any(word in kept for word in ("aspirin", "fever", "took"))
    reader.open(write_page(tmp_path / "other.html", NOTES[:3]), fresh=False)
    assert reader.text("#count") == "0 of 3 sentences reviewed"


def test_without_storage_the_page_says_so_and_works(browser: Browser, tmp_path: Path) -> None:
    script = "Object.defineProperty(window, 'localStorage', {get() { throw new Error('no') }})"
    page = write_page(tmp_path / "page.html", NOTES)
    added = browser.command("Page.addScriptToEvaluateOnNewDocument", source=script)
    try:
        reader = Reader(browser, tmp_path / "saved")
        reader.open(page, fresh=False)
        shown = "return document.getElementById('unsafe').checkVisibility()"
        assert browser.run(shown)
        reader.keys("d", Keys.ENTER)
        assert reader.export()[0]["label"] == []
    finally:
        browser.command("Page.removeScriptToEvaluateOnNewDocument", **added)
    reader.open(page)
    assert not browser.run(shown)


def test_an_export_is_a_corpus_and_goes_on_elsewhere(reader: Reader, tmp_path: Path) -> None:
    reader.keys("S", Keys.ENTER)
    reader.shifted(Keys.ARROW_RIGHT)
    reader.keys("1", Keys.ENTER)
    lines = reader.export()
    assert [line["id"] for line in lines] == ["a.txt#2", "b.txt#1"]
    assert all(line["reviewed"] for line in lines)
    everything = reader.export(everything=True)
    assert [line["reviewed"] for line in everything] == [False, True, False, True]
    path = tmp_path / "saved" / "last.jsonl"
    corpus = read_corpus(path)
    assert [one.tokens for one in corpus] == [tuple(note.text.split(" ")) for note in NOTES]
    assert [spans(one.tags or (), "BIOES") for one in corpus] == [
        [(0, 2, "Sign")], [(1, 3, "Drug"), (3, 4, "Drug")], [], [(1, 2, "Drug")],
    ]  # fmt: skip
    # the same texts, as another model sees them
    others = [sentence(note.text, number=note.number, document=note.document) for note in NOTES[1:]]
    reader.open(write_page(tmp_path / "other.html", others, first=["Test"], measure=""))
    assert reader.shown() == ["0", "1", "2"]
    reader.browser.driver.find_element("css selector", "#file").send_keys(str(path))
    reader.hears("Imported 2 reviewed sentences")
    assert reader.text("#count") == "2 of 3 sentences reviewed"
    assert reader.marked("article[data-number='0']") == (
        "no [fever after|Drug ✎] [aspirin|Drug ✎] 100 mg"
    )
    reader.browser.run("document.querySelector('article.active').focus()")
    reader.keys("u")
    assert reader.text("#count") == "0 of 3 sentences reviewed"


@pytest.mark.parametrize("content", ["no json\n", '{"text": 1, "label": []}\n', "7\n"])
def test_a_file_that_is_no_export_is_refused(reader: Reader, tmp_path: Path, content: str) -> None:
    path = tmp_path / "wrong.jsonl"
    path.write_text("\n" + content, "utf-8")
    reader.browser.driver.find_element("css selector", "#file").send_keys(str(path))
    reader.hears("Not imported. Line 2 is no sentence that this page has exported.")


# --- it can be read


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 400)])
def test_text_has_contrast_and_nothing_sticks_out(reader: Reader, scheme: Any, width: int) -> None:
    page = reader.folder.parent / "page.html"
    reader.open(page, scheme=scheme, width=width)
    reader.keys("a", "j", "2", Keys.ENTER)
    for dialog in ("", "?", "t", "x"):
        if dialog:
            reader.keys(dialog)
        texts, bad = reader.browser.run(CONTRAST)
        assert (texts > 30, bad) == (True, []), dialog
        if not dialog:
            assert reader.browser.run(OVERFLOW) == [0, []]
        if dialog:
            reader.keys(Keys.ESCAPE)


def test_everything_that_can_be_pressed_has_a_name(reader: Reader) -> None:
    unnamed = """
    const named = e => e.textContent.trim() || e.getAttribute('aria-label') || e.labels?.length;
    return [...document.querySelectorAll('button, select, input, dialog, [role=application]')]
      .filter(e => !named(e)).map(e => e.outerHTML);
    """
    assert reader.browser.run(unnamed) == []
    assert reader.browser.run("return document.querySelectorAll('h1').length") == 1
    reader.keys("j")
    heard = reader.browser.heard()
    assert ("application", "Sentences. Press question mark for the keys.") in heard
    assert ("article", "Sentence 2, not reviewed, 2 spans, certain to 60 %") in heard
    assert ("button", "Start one token earlier") in heard
    assert ("progressbar", "0 of 4 sentences reviewed") in heard
    told = "Sentence 2, not reviewed, 2 spans, certain to 60 %. no fever"
    status = next(name for _, name in heard if name.startswith(told))
    assert "Sign “fever”" in status


@pytest.mark.slow
def test_two_thousand_sentences_have_tokens_on_one_card_only(
    browser: Browser, tmp_path: Path
) -> None:
    notes = [
        sentence(f"chest pain number {n} " + "word " * 40 + "end", ("chest pain", "Sign", n / 2000),
                 number=n) for n in range(2000)
    ]  # fmt: skip
    reader = Reader(browser, tmp_path / "saved")
    reader.open(write_page(tmp_path / "page.html", notes))
    assert len(reader.shown()) == 2000
    for _ in range(3):
        reader.keys("j", "a", "e", Keys.ENTER)
    assert reader.text("#count") == "3 of 2,000 sentences reviewed"
    assert browser.run("return document.querySelectorAll('.token').length") == 45
    reader.keys("u", *"u" * 8)
    assert reader.text("#count") == "0 of 2,000 sentences reviewed"
    assert len(reader.export(everything=True)) == 2000
