"""``ladtl audit explain``: which sentence, what is printed, the page, and what is refused."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from conftest import Invoke, write_corpus

from ladtl_np.audit.explain import heads
from ladtl_np.corpus.sentence import Corpus, Sentence
from ladtl_np.model.file import Model
from ladtl_np.model.tagging import make_decoder

HOSTILE = "<script>alert(1)</script>"
CORPUS = Corpus(
    "gold",
    (
        Sentence(("C", "z"), ("B-Drug", "E-Drug")),
        Sentence(("x", HOSTILE), ("S-Sign", "O")),
        Sentence(("a", "b", "C", "z"), ("O", "O", "S-Sign", "O")),
    ),
)


@pytest.fixture
def corpus(tmp_path: Path) -> str:
    return write_corpus(tmp_path / "gold.txt", CORPUS)


def explained(invoke: Invoke, *arguments: object, input: str | None = None) -> dict[str, Any]:
    """What ``--json`` says."""
    result = invoke("audit", "explain", *arguments, "--json", input=input)
    assert result.exit_code == 0, result.stderr
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def tokens_of(found: dict[str, Any]) -> list[str]:
    tokens: list[str] = found["audits"][0]["numbers"]["tokens"]
    return tokens


def test_a_text_is_tagged_as_tag_does_and_explained(
    invoke: Invoke, tiny_model_file: str, tiny_model: Model
) -> None:
    result = invoke("audit", "explain", tiny_model_file, "--text", "Czx")
    assert result.exit_code == 0, result.stderr
    for told in ("Paths of the target head", "B-Drug", "E-Drug", "S-Sign", "marginal", "log Z"):
        assert told in result.stdout, told
    assert "failed" not in result.stdout.replace("0 failed", "")
    assert "[Cz Drug][x Sign]" in result.stdout
    assert "without gold" in result.stderr
    found = explained(invoke, tiny_model_file, "--text", "Czx")
    assert tokens_of(found) == ["C", "z", "x"]
    tags = make_decoder(tiny_model).tag([("C", "z", "x")])[0]
    assert found["audits"][0]["numbers"]["decoded"] == list(tags)
    assert found["subject"].endswith("sentence 1 of --text")


def test_a_text_of_several_sentences_tells_that_one_is_chosen(
    invoke: Invoke, tiny_model_file: str
) -> None:
    first = invoke("audit", "explain", tiny_model_file, "--text", "Cz\n\nxa", "--json")
    assert "--text has 2 sentences; this is the first, --sentence chooses another" in first.stderr
    assert tokens_of(json.loads(first.stdout)) == ["C", "z"]
    second = invoke(
        "audit", "explain", tiny_model_file, "--text", "Cz\n\nxa", "--sentence", 2, "--json"
    )
    assert "--sentence" not in second.stderr
    assert tokens_of(json.loads(second.stdout)) == ["x", "a"]
    found = explained(invoke, tiny_model_file, "--text", "-", "--sentence", 2, input="Cz\nxa\n")
    assert tokens_of(found) == ["x", "a"]


@pytest.mark.parametrize(
    ("chosen", "number"),
    [
        ((), 0),
        (("--sentence", 3), 2),
        (("--line", 1), 0),
        (("--line", 5), 1),  # the second token of the second sentence
        (("--line", 7), 2),
        (("--line", 10), 2),
    ],
)
def test_a_sentence_of_a_corpus_is_chosen_by_number_or_line(
    chosen: tuple[Any, ...], number: int, corpus: str, invoke: Invoke, tiny_model_file: str
) -> None:
    found = explained(invoke, tiny_model_file, corpus, *chosen)
    wanted = CORPUS.sentences[number]
    assert tokens_of(found) == list(wanted.tokens)
    gold = found["audits"][0]["numbers"]["head"]["paths"]["gold"]
    assert gold["tags"] == list(wanted.tags or ())


def test_sentences_of_one_document_share_its_line(
    invoke: Invoke, tiny_model_file: str, tmp_path: Path
) -> None:
    path = tmp_path / "documents.jsonl"
    texts = ({"text": "a", "label": []}, {"text": "C z\nx", "label": [[0, 3, "Drug"]]})
    path.write_text("".join(json.dumps(text) + "\n" for text in texts), "utf-8")
    cut = ("--sentences", "lines")
    for number, tokens in ((1, ["C", "z"]), (2, ["x"])):
        line = ("--line", 2, "--sentence", number)
        assert tokens_of(explained(invoke, tiny_model_file, path, *cut, *line)) == tokens
    path.write_text('{"text": "a b C", "label": []}\n{"text": "", "label": []}\n', "utf-8")
    result = invoke("audit", "explain", tiny_model_file, path, "--line", 2)
    assert (result.exit_code, "line 2 of" in result.stderr) == (3, True)


def test_gold_is_read_in_its_own_scheme_and_untagged_columns_have_none(
    invoke: Invoke, tiny_model_file: str, tmp_path: Path
) -> None:
    path = tmp_path / "iob.txt"
    path.write_text("C\tB-Drug\nz\tI-Drug\n", "utf-8")
    found = explained(invoke, tiny_model_file, path, "--scheme", "IOB2")
    assert found["audits"][0]["numbers"]["head"]["paths"]["gold"]["tags"] == ["B-Drug", "E-Drug"]
    found = explained(invoke, tiny_model_file, path, "--tag-column", "none")
    assert "gold" not in found["audits"][0]["numbers"]["head"]["paths"]


def test_head_and_decoding_are_chosen(
    invoke: Invoke, tiny_model_file: str, corpus: str, tiny_model: Model
) -> None:
    found = explained(invoke, tiny_model_file, corpus, "--domain", "source", "--unconstrained")
    numbers = found["audits"][0]["numbers"]
    assert (numbers["head"]["domain"], numbers["constrained"]) == ("source", False)
    assert found["audits"][1]["numbers"]["head"]["domain"] == "target"
    tags = make_decoder(tiny_model, domain="source", constrained=False).tag([("C", "z")])[0]
    assert numbers["decoded"] == list(tags)


def test_tables_of_numbers_are_not_turned_on_a_terminal_of_80_columns(
    invoke: Invoke, tiny_model_file: str, corpus: str
) -> None:
    result = invoke("audit", "explain", tiny_model_file, corpus, "--sentence", 3)
    head, *tables = re.split(r"\n(?=\S)", result.stdout)
    folding = ("verdict", "marginals in per cent")  # tables of few columns, which fold
    numbers = [table for table in tables if not any(word in table for word in folding)]
    assert "verdict" in head
    assert len(numbers) >= 7
    assert max(len(line.rstrip()) for table in numbers for line in table.splitlines()) <= 80


def test_the_page_holds_everything_and_runs_nothing(
    invoke: Invoke, tiny_model_file: str, corpus: str, tmp_path: Path
) -> None:
    out = tmp_path / "page.html"
    result = invoke("audit", "explain", tiny_model_file, corpus, "--sentence", 2, "--out", out)
    assert result.exit_code == 0, result.stderr
    page = out.read_text("utf-8")
    assert page.count("<svg") == 4  # two lattices, two directions
    for name in ("Lattice of the target head", "Lattice of the source head", "forget gate f"):
        assert name in page, name
    assert "holds text of the data" in page
    assert HOSTILE not in page
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert not re.search(r"""(src|href)=["'](?!#|data:image/png;base64,)""", page)
    assert "every check passed" in page
    again = invoke("audit", "explain", tiny_model_file, corpus, "--out", out)
    assert (again.exit_code, "--overwrite" in again.stderr) == (2, True)
    again = invoke("audit", "explain", tiny_model_file, corpus, "--out", out, "--overwrite")
    assert again.exit_code == 0


def test_a_check_that_fails_ends_with_1_and_stands_first(
    invoke: Invoke, tiny_model_file: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    whole = heads.log_partition
    monkeypatch.setattr(heads, "log_partition", lambda *given: whole(*given) + 1e-3)
    out = tmp_path / "page.html"
    result = invoke("audit", "explain", tiny_model_file, "--text", "Czx", "--out", out)
    assert result.exit_code == 1
    table = result.stdout.partition("verdict")[2].splitlines()
    assert "score - log Z is log p" in table[2]
    assert "failed" in table[2]
    assert "2 of 3 audits failed" in out.read_text("utf-8")


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        ((), 2, "give CORPUS, an annotated file, or --text"),
        (("{corpus}", "--text", "x"), 2, "and not both"),
        (("--text", "x", "--line", 1), 2, "--line has no effect with --text"),
        (("--text", "x", "--token-column", 0), 2, "--token-column has no effect with --text"),
        (("--text", "x", "--sentence", 2), 2, "--text has 1; give one of 1 to 1"),
        (("--text", " "), 3, "there is no sentence there"),
        (("--text", "a\0b"), 3, "--text:1"),
        (("--text", "a\udcff"), 3, "--text:1: not UTF-8"),
        (("{corpus}", "--line", 3), 3, "line 3 of"),
        (("{corpus}", "--line", 99), 3, "line 99 of"),
        (("{corpus}", "--rename", "Drug=Planet"), 3, "B-Planet"),
        (("{corpus}", "--out", "{corpus}"), 2, "gold.txt"),
    ],
)
def test_what_is_wrong_is_told(
    arguments: tuple[Any, ...],
    code: int,
    told: str,
    corpus: str,
    invoke: Invoke,
    tiny_model_file: str,
) -> None:
    given = [str(word).replace("{corpus}", corpus) for word in arguments]
    result = invoke("audit", "explain", tiny_model_file, *given)
    assert (result.exit_code, result.stdout) == (code, "")
    assert told in result.stderr


def test_characters_that_steer_a_terminal_are_escaped(
    invoke: Invoke, tiny_model_file: str, tmp_path: Path
) -> None:
    page = tmp_path / "page.html"
    result = invoke(
        "audit", "explain", tiny_model_file, "--text", "C\x1b[31m\u202ez", "--out", page
    )
    assert result.exit_code == 0, result.stderr
    for text in (result.stdout, result.stderr, page.read_text("utf-8")):
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202e]", text)
    assert "\\x1b" in result.stdout
    assert "\\u202e" in page.read_text("utf-8")


def test_a_type_that_the_model_lacks_is_told_with_its_place(
    corpus: str, invoke: Invoke, tiny_model_file: str
) -> None:
    result = invoke("audit", "explain", tiny_model_file, corpus, "--rename", "Drug=Planet")
    assert f"sentence 1 of {corpus}: tags unknown" in result.stderr
