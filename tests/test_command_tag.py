from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from conftest import CLI, Invoke, run_program, write_corpus

from ladtl_np.commands.support.highlight import Highlighter
from ladtl_np.commands.support.streams import open_output
from ladtl_np.corpus.findings import Findings
from ladtl_np.corpus.formats.conll import read_conll
from ladtl_np.corpus.formats.detection import detect
from ladtl_np.corpus.formats.reading import ReadOptions
from ladtl_np.corpus.raw import tokenise
from ladtl_np.corpus.read import read_documents
from ladtl_np.corpus.tally import Tally
from ladtl_np.model.file import load_model, save_model
from ladtl_np.training.preparation import Corpora

TAB = ReadOptions(delimiter="tab")


@pytest.fixture
def tag(invoke: Invoke, tiny_model_file: str) -> Invoke:
    """``ladtl tag`` with the tiny model and one thread."""

    def tag(*arguments: object, input: str | bytes | None = None) -> object:
        options = ("--model", tiny_model_file, "--threads", "1")
        return invoke("tag", *options, *arguments, input=input)

    return tag  # type: ignore[return-value]


def test_text_becomes_columns_with_a_blank_line_for_every_line(tag: Invoke) -> None:
    result = tag(input="Czx\n\nab\n")
    assert result.exit_code == 0
    assert result.stdout == "C\tB-Drug\nz\tE-Drug\nx\tS-Sign\n\n\na\tO\nb\tO\n\n"
    assert result.stderr == ""


def test_how_much_is_unknown_is_told_at_the_end_of_a_text_that_is_not_short(tag: Invoke) -> None:
    assert tag(input="x" * 99).stderr == ""
    dev = "% of its development data"
    (line,) = tag(input="x" * 97 + "\nqqq\n").stderr.splitlines()
    assert line.startswith("3.0 % of 100 tokens are unknown to the model, ")
    assert line.endswith(dev)
    warning, line = tag(input="Ж" * 100).stderr.splitlines()
    assert warning.startswith("warning: standard input: 100.0 % of 100 tokens are unknown to the")
    assert warning.endswith("of the training data")
    assert line.endswith(dev)


@pytest.mark.parametrize("text", ["", "\n", "\n\n \n"])
def test_empty_input_gives_its_blank_lines(tag: Invoke, text: str) -> None:
    result = tag(input=text)
    assert (result.exit_code, result.stdout) == (0, "\n" * text.count("\n"))


def test_a_last_line_without_end_and_crlf_are_lines(tag: Invoke) -> None:
    assert tag(input="x\r\nx").stdout == "x\tS-Sign\n\n" * 2


def test_schemes(tag: Invoke) -> None:
    assert tag("--scheme", "IOB2", input="Czx\n").stdout == "C\tB-Drug\nz\tI-Drug\nx\tB-Sign\n\n"


def test_jsonl_gives_offsets_into_the_text_and_keeps_ids(tag: Invoke, tmp_path: Path) -> None:
    texts = ["Cz  x", "", "a a  Dz \tx", "a"]
    path = tmp_path / "in.jsonl"
    lines = [json.dumps({"text": text, "id": n, "label": []}) for n, text in enumerate(texts)]
    path.write_text("\n".join(lines), "utf-8")
    result = tag(path, "--to", "jsonl")
    documents = [json.loads(line) for line in result.stdout.splitlines()]
    assert [d["text"] for d in documents] == texts
    assert [d["id"] for d in documents] == [0, 1, 2, 3]
    found = [[(d["text"][a:b], kind) for a, b, kind in d["label"]] for d in documents]
    assert found == [[("Cz", "Drug"), ("x", "Sign")], [], [("Dz", "Drug"), ("x", "Sign")], []]


def test_text_to_jsonl_has_one_document_a_line(tag: Invoke) -> None:
    result = tag("--to", "jsonl", input="x\n\na\n")
    assert result.stdout == (
        '{"text":"x","label":[[0,1,"Sign"]]}\n{"text":"","label":[]}\n{"text":"a","label":[]}\n'
    )


def test_columns_of_characters_join_to_text_and_words_with_spaces(tag: Invoke) -> None:
    columns = "C\tNN\tO\nz\tNN\tO\nx\tNN\tO\n"
    result = tag("--from", "conll", "--to", "jsonl", input=columns)
    assert json.loads(result.stdout) == {"text": "Czx", "label": [[0, 2, "Drug"], [2, 3, "Sign"]]}
    result = tag("--from", "conll", "--to", "jsonl", "--tokens", "spaces", input=columns)
    assert json.loads(result.stdout) == {"text": "C z x", "label": [[0, 3, "Drug"], [4, 5, "Sign"]]}


def test_columns_in_and_out_score_as_the_model_does(
    tag: Invoke, invoke: Invoke, tiny_model_file: str, gold_file: str, tmp_path: Path
) -> None:
    output = tmp_path / "tagged.conll"
    assert tag(gold_file, "-o", output).exit_code == 0
    options = ("--model", tiny_model_file, "--threads", "1")
    evaluated = json.loads(invoke("evaluate", *options, gold_file, "--json").stdout)
    scored = json.loads(invoke("score", gold_file, output, "--json").stdout)
    assert scored["scores"] == evaluated["results"][0]["scores"]
    assert scored["scores"]["conlleval"]["overall"]["f1"] > 0.9


def test_text_to_columns_round_trip(tag: Invoke, tiny_corpus: Corpora, tmp_path: Path) -> None:
    assert tiny_corpus.dev is not None
    text, columns = tmp_path / "in.txt", tmp_path / "out.conll"
    text.write_text("".join("".join(s.tokens) + "\n" for s in tiny_corpus.dev), "utf-8")
    assert tag(text, "-o", columns).exit_code == 0
    tokens = [sentence.tokens for sentence in read_conll(columns, TAB)]
    assert tokens == [sentence.tokens for sentence in tiny_corpus.dev]


def sentences(columns: str) -> list[str]:
    """Tokens of each sentence of columns, "" for a blank line more."""
    lines = [line.split("\t")[0] for line in columns.split("\n")]
    return [one.strip() for one in " ".join(line or "|" for line in lines).split("|")][:-2]


def test_words_of_text(tag: Invoke) -> None:
    result = tag("--tokens", "words", input="(x), x's (chest-pain).\n")
    assert sentences(result.stdout) == ["( x ) , x 's ( chest-pain ) ."]
    assert result.stdout.startswith("(\t")
    assert "x\tS-Sign\n" in result.stdout
    result = tag("--tokens", "words", "--to", "jsonl", input="a (x) x.\n")
    found = json.loads(result.stdout)["label"]
    assert [3, 4, "Sign"] in found
    assert [6, 7, "Sign"] in found


def test_sentences_of_a_line_end_by_rules(tag: Invoke) -> None:
    text = "x. Cz\n\na。x\n"
    found = tag("--sentences", "rules", input=text).stdout
    assert sentences(found) == ["x .", "C z", "", "a 。", "x"]
    found = tag("--sentences", "lines", input=text).stdout
    assert sentences(found) == ["x . C z", "", "a 。 x"]


def test_sentences_are_as_in_training_by_default(
    tag: Invoke, invoke: Invoke, tiny_model_file: str, tmp_path: Path
) -> None:
    assert tag(input="x. Cz\n").stdout.count("\n\n") == 2
    model = load_model(tiny_model_file)
    lines = replace(model, profile=msgspec.structs.replace(model.profile, sentences="lines"))
    save_model(tmp_path / "m", lines)
    result = invoke("tag", "--model", tmp_path / "m", "--threads", "1", input="x. Cz\n")
    assert result.stdout.count("\n\n") == 1


def test_sentences_of_a_document_are_one_line_of_output(tag: Invoke, tmp_path: Path) -> None:
    text = "x。\nCz。 x"
    path = tmp_path / "in.jsonl"
    path.write_text(json.dumps({"text": text, "id": 1, "label": [[0, 9, "Odd"]]}) + "\n", "utf-8")
    for mode in ("rules", "lines"):
        found = json.loads(tag(path, "--to", "jsonl", "--sentences", mode).stdout)
        parts = [text[a:b] for a, b, _ in found["label"]]
        assert [part for part in parts if part != "。"] == ["x", "Cz", "x"]
        assert (found["text"], found["id"]) == (text, 1)
    assert tag(path, "--sentences", "lines").stdout.count("\n\n") == 2
    assert tag(path, "--sentences", "rules").stdout.count("\n\n") == 3
    assert "[Cz Drug]" in tag(path, "--to", "terminal").stdout


def test_a_document_of_more_sentences_than_a_chunk_has_room_for(tag: Invoke) -> None:
    text = "x。a。" * 6_000
    lines = json.dumps({"text": text}) + "\n" + json.dumps({"text": "ax"}) + "\n"
    result = tag("--from", "jsonl", "--to", "jsonl", "--sentences", "rules", input=lines)
    first, second = map(json.loads, result.stdout.splitlines())
    found = [start for start, _, _ in first["label"] if text[start] == "x"]
    assert found == list(range(0, len(text), 4))
    assert second["label"] == [[1, 2, "Sign"]]


def test_position_digits_and_spaces_are_read(tag: Invoke) -> None:
    options = ("--from", "conll", "--delimiter", "space", "--position-digits")
    assert tag(*options, input="C0 O\nz1 O\n").stdout == "C\tB-Drug\nz\tE-Drug\n\n"


def test_docstarts_are_left_out_and_counted(tag: Invoke) -> None:
    result = tag("--from", "conll", input="-DOCSTART- O\n\nx O\n")
    assert result.stdout == "x\tS-Sign\n\n"
    assert "1 -DOCSTART- block left out" in result.stderr


def test_characters_that_look_like_space_are_tokens(tag: Invoke) -> None:
    lines = tag(input="\u3000\u00a0\u2028\n").stdout.split("\n")
    assert [line[:2] for line in lines] == ["\u3000\t", "\u00a0\t", "\u2028\t", "", ""]


def test_a_byte_order_mark_that_is_data_survives_reading(tag: Invoke, tmp_path: Path) -> None:
    result = tag(input="\ufeff\ufeffx\n")  # the first is removed, the second is data
    path = tmp_path / "out.conll"
    path.write_bytes(result.stdout_bytes)
    assert read_conll(path, TAB).sentences[0].tokens == ("\ufeff", "x")


def test_one_huge_line(tag: Invoke) -> None:
    result = tag("--to", "jsonl", input="Cz" * 50_000 + "\n")
    assert len(json.loads(result.stdout)["label"]) == 50_000


def test_encodings(tag: Invoke, tmp_path: Path) -> None:
    path = tmp_path / "gb.txt"
    path.write_bytes("x患\n".encode("gb18030"))
    assert "\n患\t" in tag(path, "--encoding", "gb18030").stdout
    assert tag(path, "--encoding", "no-such").exit_code == 2
    path.write_bytes('{"text": "x患"}\n'.encode("gb18030"))
    assert "\n患\t" in tag(path, "--from", "jsonl", "--encoding", "gb18030").stdout


def test_terminal_view_without_colour_names_types(tag: Invoke) -> None:
    result = tag("--to", "terminal", input="Czx a\n\nx\n")
    assert result.stdout == "[Cz Drug][x Sign] a\n\n[x Sign]\n"


@pytest.mark.parametrize("coloured", [True, False])
def test_terminal_view_escapes_what_could_steer_the_terminal(coloured: bool) -> None:
    view = Highlighter(("Drug",), coloured=coloured)
    raw = tokenise("x\x1b]0;\u202e\x9b\u2028[b]\u3000", "characters")
    line = view.line(raw.text, [])
    assert line == "x\\x1b]0;\\u202e\\x9b\\u2028[b]\u3000\n"


def test_terminal_view_in_colour_has_a_legend(tiny_corpus: Corpora) -> None:
    view = Highlighter(("Drug", "Sign"), coloured=True)
    assert "Drug" in view.legend()
    assert "Sign" in view.legend()
    line = view.line("Cza", [(0, 2, "Drug")])
    assert line.startswith("\x1b[1;91m[Cz]\x1b[0m")


def test_output_is_private_whole_and_never_overwritten_unasked(tag: Invoke, tmp_path: Path) -> None:
    source, output = tmp_path / "in.txt", tmp_path / "out.conll"
    source.write_text("x\n")
    assert tag(source, "-o", output).exit_code == 0
    assert stat.S_IMODE(output.stat().st_mode) == 0o600
    before = output.read_bytes()
    source.write_text("a\n")
    refused = tag(source, "-o", output)
    assert refused.exit_code == 2
    assert "--overwrite" in refused.stderr
    assert output.read_bytes() == before
    assert tag(source, "-o", output, "--overwrite").exit_code == 0
    assert output.read_text() == "a\tO\n\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.txt", "out.conll"]


def test_an_output_that_is_an_input_is_refused_even_through_a_link(
    tag: Invoke, tmp_path: Path, tiny_model_file: str
) -> None:
    source, link = tmp_path / "in.txt", tmp_path / "link.txt"
    source.write_text("x\n")
    link.symlink_to(source)
    for output in (source, link, tiny_model_file):
        refused = tag(source, "-o", output, "--overwrite")
        assert (refused.exit_code, "also an input" in refused.stderr) == (2, True)
    assert source.read_text() == "x\n"


def test_folders_and_missing_folders_are_refused_as_output(tag: Invoke, tmp_path: Path) -> None:
    assert "is a folder" in tag("-", "-o", tmp_path, input="x\n").stderr
    missing = tag("-", "-o", tmp_path / "no" / "out", input="x\n")
    assert (missing.exit_code, "does not exist" in missing.stderr) == (2, True)


def test_a_device_is_written_and_not_replaced(tag: Invoke) -> None:
    assert tag("-", "-o", os.devnull, input="x\n").exit_code == 0
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)


def test_findings_leave_the_earlier_output_and_no_temporary_file(
    tag: Invoke, tmp_path: Path
) -> None:
    output = tmp_path / "out.conll"
    output.write_text("earlier")
    result = tag("-", "-o", output, "--overwrite", input=b"x\n\xff\n")
    assert (result.exit_code, output.read_text()) == (3, "earlier")
    assert [path.name for path in tmp_path.iterdir()] == ["out.conll"]


def test_a_failing_disk_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ladtl_np.errors import LadtlError

    def refuse(number: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", refuse)
    with (
        pytest.raises(LadtlError, match="could not be written: No space"),
        open_output(str(tmp_path / "out")) as put,
    ):
        put("x")
    assert list(tmp_path.iterdir()) == []


def test_standard_input_and_output_in_a_process(tiny_model_file: str) -> None:
    done = run_program("tag", "--model", tiny_model_file, "-", "-o", "-", input=b"Cz\n")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"C\tB-Drug\nz\tE-Drug\n\n", b"")
    ascii_locale = {"PYTHONIOENCODING": "ascii", "LC_ALL": "C"}
    done = run_program("tag", "--model", tiny_model_file, input="患\n".encode(), **ascii_locale)
    assert (done.returncode, done.stdout.decode()[:2]) == (0, "患\t")


def test_a_reader_that_stops_early_is_no_error_worth_words(
    tiny_model_file: str, tmp_path: Path
) -> None:
    big = tmp_path / "big.txt"
    big.write_text("CzxabCzxab\n" * 20_000)
    command = [sys.executable, str(CLI), "tag", "--model", tiny_model_file, str(big)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == b"C\tB-Drug\n"
        process.stdout.close()
        assert process.stderr.read() == b""


def test_a_file_of_a_corpus_with_tags_is_read_by_its_suffix(
    tag: Invoke, tiny_corpus: Corpora, tmp_path: Path
) -> None:
    path = write_corpus(tmp_path / "test.bio", tiny_corpus.tests[0])
    assert len(tag(path, "--to", "jsonl").stdout.splitlines()) == len(tiny_corpus.tests[0])


def test_lines_of_a_document_stay_lines_in_the_view(tag: Invoke) -> None:
    record = json.dumps({"text": "x a\nCz\x1b[31m"})
    result = tag("--from", "jsonl", "--to", "terminal", input=record + "\n")
    assert result.stdout == "[x Sign] a\n[Cz Drug]\\x1b[31m\n"


@pytest.mark.parametrize("style", ["jsonl", "conll", "terminal"])
def test_a_pipe_is_answered_line_by_line(tiny_model_file: str, style: str) -> None:
    """The next line is written only when the answer to the one before has been read."""
    command = ("tag", "--model", tiny_model_file, "--threads", "1", "--to", style, "--flush")
    with subprocess.Popen(
        [sys.executable, "-c", "from ladtl_np.commands import main; main()", *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        waiting = threading.Timer(60, process.kill)  # an answer that does not come ends the test
        waiting.start()
        for text in ("Czx", "x"):
            process.stdin.write(text.encode() + b"\n")
            process.stdin.flush()
            answer = process.stdout.readline()
            while style == "conll" and answer.strip():  # a token a line, then a blank one
                last, answer = answer, process.stdout.readline()
                assert last.decode()[0] in text
            assert style == "conll" or text[0] in answer.decode()
        process.stdin.close()
        assert process.wait(60) == 0
        waiting.cancel()


def test_flushing_many_files_has_no_effect_and_is_refused(tag: Invoke, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x\n", encoding="utf-8")
    result = tag(tmp_path / "a.txt", "--out-dir", tmp_path / "out", "--flush")
    assert (result.exit_code, "--flush has no effect" in result.stderr) == (2, True)


@pytest.mark.parametrize("style", ["label-studio", "json", "spacy-jsonl", "prodigy", "html"])
def test_every_form_of_text_is_written_piece_by_piece(
    tag: Invoke, style: str, tmp_path: Path
) -> None:
    path = tmp_path / "in.jsonl"
    path.write_text('{"id": 7, "text": "Czx a"}\n{"id": 8, "text": ""}\n', encoding="utf-8")
    result = tag(path, "--to", style)
    assert result.exit_code == 0
    assert "Drug" in result.stdout
    (tmp_path / "out").write_text(result.stdout, encoding="utf-8")
    if style != "html":
        options = ReadOptions(format=detect(tmp_path / "out"))
        found = read_documents(tmp_path / "out", options, Findings("out"), Tally())
        assert next((d.text, d.entities, d.id) for d in found.items) == (
            "Czx a",
            ((0, 2, "Drug"), (2, 3, "Sign")),
            7,
        )


def test_tokens_of_a_file_are_kept_unless_others_are_asked_for(tag: Invoke) -> None:
    record = {"text": "Cz x", "tokens": [{"start": 0, "end": 2}, {"start": 3, "end": 4}]}
    line = json.dumps(record | {"sents": [{"start": 0, "end": 3}, {"start": 3, "end": 4}]}) + "\n"
    kept = tag("--from", "jsonl", input=line).stdout
    assert kept == "Cz\tO\n\nx\tS-Sign\n\n"
    cut = tag("--from", "jsonl", "--tokens", "characters", input=line).stdout
    assert cut == "C\tB-Drug\nz\tE-Drug\nx\tS-Sign\n\n"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("C\tB-Drug\nz\tI-Drug\n\nx O\n", "columns"),
        ("C NN B-Drug\nz NN I-Drug\nx NN O\n", "columns"),
        ('{"text": "Cz"}\n', "JSON lines"),
        ("C\tB-Drug\n", ""),
        ("Cz x\nx O\nx a\n", ""),
        ("C B-Drug\nz a I-Drug\nx\n", ""),
        ('{"a": "Cz"}\n', ""),
    ],
)
def test_text_that_looks_like_something_else_is_told(
    tag: Invoke, tmp_path: Path, text: str, told: str
) -> None:
    path = tmp_path / "notes.txt"
    path.write_text(text.replace("x O", "x\tO") if "\t" in text else text, encoding="utf-8")
    result = tag(path)
    assert result.exit_code == 0
    assert ("it looks like" in result.stderr) == bool(told)
    assert f"it looks like {told}" in result.stderr or not told
    assert "it looks like" not in tag(path, "--from", "text").stderr
    many = tag(path, "--out-dir", tmp_path / "out")
    assert ("it looks like" in many.stderr) == bool(told)
