"""Every annotation tool's way, from its download through training and back; and its page."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any, NamedTuple

import click
import pytest
from click.testing import CliRunner
from page_consoles import commands_of, fits, run, sections_of
from tool_downloads import NEW, NEW_CHINESE, SMALL, TOOLS, Text, write_all, write_download

from ladtl_np.commands import ladtl
from ladtl_np.commands.support.held import hold
from ladtl_np.corpus.document import Document
from ladtl_np.corpus.formats.detection import detect
from ladtl_np.corpus.formats.reading import ReadOptions
from ladtl_np.corpus.formats.registry import FORMATS, NEEDS, Format

WRITTEN = [name for name, found in FORMATS.items() if found.writes and found.family != "view"]
LEFT_OUT = {
    "doccano": "1 comment left out",
    "prodigy": "1 rejected document left out",
    "label-studio": "1 cancelled annotation left out",
    "label-studio-conll": "1 -DOCSTART- block left out",
    "brat": "35 relations left out",
    "conllu": "80 comment lines left out",
    "germeval": "80 comment lines left out",
    "iob1": "1 -DOCSTART- block left out",
}
"""What is told of downloads that hold more than texts and entities."""
SCHEMES = {"iob1": "IOB1", "bmes": "BMES"}


class Way(NamedTuple):
    """A download, and what was made of it.

    Attributes
    ----------
    name
        Name of the tool.
    path
        The download.
    parts
        The folder of its parts.
    model
        A model that was trained on them.
    """

    name: str
    path: Path
    parts: Path
    model: Path

    @property
    def options(self) -> tuple[str, ...]:
        """What commands need to read the download."""
        return TOOLS[self.name].options

    @property
    def reading(self) -> ReadOptions:
        """The same from Python."""
        pairs = zip(self.options[::2], self.options[1::2], strict=True)
        return ReadOptions(**{key.removeprefix("--"): value for key, value in pairs})  # type: ignore[arg-type]

    def part(self, name: str) -> Path:
        """One of the parts."""
        (found,) = self.parts.glob(f"{name}*")
        return found

    @property
    def by_characters(self) -> bool:
        """Whether the texts are Chinese."""
        return self.name in ("cluener", "ccks", "bmes")


@pytest.fixture(scope="session", params=TOOLS)
def way(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Way:
    """A tool's download, split in parts, and a model trained on them, all by commands."""
    name = request.param
    if TOOLS[name].format == "spacy":
        pytest.importorskip("spacy")
    folder = tmp_path_factory.mktemp(name)
    found = Way(name, write_download(name, folder), folder / "parts", folder / "run")
    whole = found.path
    if not FORMATS[TOOLS[name].format].writes:
        whole = folder / f"whole.{TOOLS[name].back}"
        succeed("data", "convert", found.path, whole)
    succeed("data", "split", whole, found.parts, *found.options)
    (folder / "tiny.toml").write_text(SMALL, encoding="utf-8")
    dev = ("--dev", found.part("dev"), "--test", found.part("test"))
    how = ("--config", folder / "tiny.toml", "--out", found.model)
    succeed("train", "--target", found.part("train"), *dev, *how)
    return found._replace(model=found.model / "best.safetensors")


def succeed(*arguments: object) -> Any:
    """Run the program, which has to end well."""
    result = CliRunner().invoke(ladtl, [str(a) for a in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.stderr
    return result


def documents(path: Path, options: ReadOptions | None = None) -> list[Document]:
    """The documents of a file or a folder."""
    return hold(str(path), options or ReadOptions()).as_documents(1)


def compact(one: Text | Document) -> tuple[str, list[tuple[str, str]]]:
    """A text without its white space, and its entities in words: what columns keep."""
    text = re.sub(r"\s", "", one.text)
    entities = sorted(one.entities or ())
    return text, [(re.sub(r"\s", "", one.text[a:b]), kind) for a, b, kind in entities]


def test_the_download_is_told_by_its_name_and_start(way: Way) -> None:
    assert detect(way.path) == TOOLS[way.name].format


def test_check_finds_nothing_and_tells_what_is_left_out(way: Way) -> None:
    result = succeed("data", "check", way.path, *way.options)
    assert result.stdout == f"{way.path}: no findings\n"
    assert LEFT_OUT.get(way.name, "") in result.stderr
    assert (way.name in LEFT_OUT) == ("warning:" in result.stderr)


def test_all_texts_and_entities_are_read(way: Way) -> None:
    texts = TOOLS[way.name].texts()
    if way.name == "prodigy":  # rejected, ignored
        texts = [text for number, text in enumerate(texts) if number not in (5, 9)]
    if way.name == "ccks":
        kinds = {"drug": "药物", "sign": "症状"}
        texts = [Text(t, [(a, b, kinds[kind]) for a, b, kind in found]) for t, found in texts]
    found = [compact(one) for one in documents(way.path, way.reading)]
    wanted = [compact(one) for one in texts]
    if is_columns(TOOLS[way.name].format):
        found, wanted = [_in_a_row(found)], [_in_a_row(wanted)]
    assert found == wanted


def test_stats_count_them(way: Way) -> None:
    told = json.loads(succeed("data", "stats", way.path, "--json", *way.options).stdout)
    (file,) = told["files"]
    assert file["scheme"] == SCHEMES.get(way.name, "IOB2" if _is_iob2(way) else "BIOES")
    entities = [e for one in documents(way.path, way.reading) for e in one.entities or ()]
    assert sum(file["entities"].values()) == len(entities) > 50


def _is_iob2(way: Way) -> bool:
    return way.name in ("label-studio-conll", "conllu", "germeval")


def test_split_loses_nothing(way: Way) -> None:
    parts = [one for name in ("train", "dev", "test") for one in documents(way.part(name))]
    whole = documents(way.path, way.reading)
    key = lambda one: (one.text, sorted(one.entities or ()), str(one.id))  # noqa: E731
    assert sorted(map(key, parts)) == sorted(map(key, whole))


def test_a_model_learns_from_it_and_is_evaluated_on_it(way: Way) -> None:
    gold = (way.part("test"), way.path)
    for path, options in ((gold[0], ()), (gold[1], way.options)):
        told = json.loads(
            succeed("evaluate", "--model", way.model, path, "--json", *options).stdout
        )
        (result,) = told["results"]
        assert result["scores"]["conlleval"]["overall"]["f1"] > 0.8


def test_train_reads_the_download_by_the_options_of_its_format(way: Way, tmp_path: Path) -> None:
    settings = [
        f"{o.removeprefix('--')}={v}" for o, v in zip(*[iter(way.options)] * 2, strict=True)
    ]
    formats = [f"--target-format={s}" for s in (TOOLS[way.name].format, *settings)]
    (tmp_path / "tiny.toml").write_text(SMALL.replace("120", "2"), encoding="utf-8")
    how = ("--config", tmp_path / "tiny.toml", "--out", tmp_path / "run")
    succeed("train", "--target", way.path, *formats, *how)


def output_of(tool: str, folder: Path, format_name: str) -> Path:
    """A name for an output in a format, as a user would choose it."""
    found = FORMATS[format_name]
    return folder / (tool if found.folder else tool + found.suffixes[0])


def test_new_text_goes_into_the_tool(way: Way, tmp_path: Path) -> None:
    text = NEW_CHINESE if way.by_characters else NEW.replace("fever. ", "fever.\n\n")
    (tmp_path / "new.txt").write_text(text, encoding="utf-8")
    back = TOOLS[way.name].back
    out = output_of(way.name, tmp_path, back)
    succeed("tag", "--model", way.model, tmp_path / "new.txt", "--to", back, "-o", out)
    found = [compact(one) for one in documents(out)]
    assert "".join(text for text, _ in found) == re.sub(r"\s", "", text)
    assert sum(len(entities) for _, entities in found) == (2 if way.by_characters else 3)


def test_the_download_tagged_goes_back_with_its_texts_and_ids(way: Way, tmp_path: Path) -> None:
    back = TOOLS[way.name].back
    out = output_of(way.name, tmp_path, back)
    tagged = ("tag", "--model", way.model, way.path, "--from", TOOLS[way.name].format)
    succeed(*tagged, "--to", back, "-o", out)
    before, after = documents(way.path, way.reading), documents(out)
    assert sum(len(one.entities or ()) for one in after) > 50
    if is_columns(TOOLS[way.name].format):
        texts = ["".join(compact(one)[0] for one in side) for side in (before, after)]
        assert texts[0] == texts[1]
    else:
        assert told(before, back) == told(after, back)


def is_columns(name: str) -> bool:
    """Whether a format has columns."""
    return FORMATS[name].family == "columns"


def told(found: list[Document], format_name: str) -> list[Any]:
    """Texts and ids, in an order that does not depend on names of files."""
    ids = format_name != "spacy"  # which has none
    return sorted((one.text, str(one.id) if ids else "") for one in found)


def test_suggestions_for_prodigy_have_tokens(way: Way, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    tagged = ("tag", "--model", way.model, way.path, "--from", TOOLS[way.name].format)
    succeed(*tagged, "--to", "prodigy", "-o", out)
    lines = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    tokens = [[one["text"] for one in line["tokens"]] for line in lines]
    spans = [(tokens[n], span) for n, line in enumerate(lines) for span in line["spans"]]
    assert len(spans) > 50
    for words, span in spans:
        assert words[span["token_start"] : span["token_end"] + 1]


def test_tag_tells_the_format_of_the_download_as_check_does(way: Way, tmp_path: Path) -> None:
    if way.path.suffix == ".txt":
        pytest.skip("tag reads it as text")
    out = tmp_path / "out.jsonl"
    tagged = ("tag", "--model", way.model, way.path, "--to", "jsonl", "-o", out)
    succeed(*tagged)
    first = out.read_bytes()
    out.unlink()
    succeed(*tagged, "--from", TOOLS[way.name].format)
    assert out.read_bytes() == first


def test_spacy_reads_its_tags(tmp_path: Path, way: Way) -> None:
    spacy = pytest.importorskip("spacy")
    out = tmp_path / "out.spacy"
    tagged = ("tag", "--model", way.model, way.path, "--from", TOOLS[way.name].format)
    succeed(*tagged, "--to", "spacy", "-o", out)
    docs = spacy.tokens.DocBin().from_bytes(out.read_bytes()).get_docs(spacy.blank("xx").vocab)
    found = [(d.text, [(e.start_char, e.end_char, e.label_) for e in d.ents]) for d in docs]
    assert [(one.text, sorted(one.entities or ())) for one in documents(out)] == found
    assert sum(len(entities) for _, entities in found) > 50


@pytest.mark.parametrize("to", WRITTEN)
def test_every_format_holds_it_and_gives_it_back(way: Way, tmp_path: Path, to: str) -> None:
    if to == "spacy":
        pytest.importorskip("spacy")
    there, back = output_of("there", tmp_path, to), tmp_path / "back.jsonl"
    succeed("data", "convert", way.path, there, "--to", to, *way.options)
    succeed("data", "convert", there, back)
    before, after = documents(way.path, way.reading), documents(back)
    if is_columns(TOOLS[way.name].format) or is_columns(to):
        # white space between tokens is not kept, and not every format has sentences
        wanted, found = ([compact(one) for one in side] for side in (before, after))
        assert _in_a_row(wanted) == _in_a_row(found)
        return
    wanted, found = (
        [(one.text, sorted(one.entities or ())) for one in side] for side in (before, after)
    )
    assert sorted(wanted) == sorted(found)
    if any(one.id is not None for one in before):
        assert told(before, to) == told(after, to)


def _in_a_row(found: list[tuple[str, list[tuple[str, str]]]]) -> tuple[str, list[tuple[str, str]]]:
    return "".join(text for text, _ in found), [one for _, each in found for one in each]


@pytest.mark.parametrize("to", [name for name in WRITTEN if name not in ("conll", "conllu")])
def test_documents_written_twice_are_the_same_bytes(way: Way, tmp_path: Path, to: str) -> None:
    if to == "spacy":
        pytest.importorskip("spacy")
    first, second = (output_of(name, tmp_path, to) for name in ("first", "second"))
    succeed("data", "convert", way.path, first, "--to", to, *way.options)
    succeed("data", "convert", first, second, "--to", to)
    files = [sorted(each.iterdir()) if each.is_dir() else [each] for each in (first, second)]
    assert [one.read_bytes() for one in files[0]] == [one.read_bytes() for one in files[1]]


def test_line_ends_of_windows_change_nothing(way: Way, tmp_path: Path) -> None:
    if not way.path.is_file() or TOOLS[way.name].format == "spacy":
        pytest.skip("a folder, or no text")
    other = tmp_path / way.path.name
    lines = way.path.read_bytes().replace(b"\r\n", b"\n")
    other.write_bytes(lines.replace(b"\n", b"\r\n"))
    assert detect(other) == TOOLS[way.name].format
    wanted = [(one.text, one.entities, one.id) for one in documents(way.path, way.reading)]
    assert [(one.text, one.entities, one.id) for one in documents(other, way.reading)] == wanted
    assert "CRLF" not in succeed("data", "check", other, *way.options).stderr


# ---- the page ------------------------------------------------------------------------------------

PAGE = (Path(__file__).parents[1] / "docs" / "tools.md").read_text("utf-8")
SECTIONS = sections_of(PAGE)
DATA = sections_of((Path(__file__).parents[1] / "docs" / "data.md").read_text("utf-8"))


@pytest.fixture(scope="session")
def downloads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all files that the page starts from."""
    pytest.importorskip("spacy")
    folder = tmp_path_factory.mktemp("downloads")
    write_all(folder)
    return folder


def assert_runs(text: str, downloads: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run all commands of a text and compare what they give."""
    shutil.copytree(downloads, folder, dirs_exist_ok=True)
    monkeypatch.chdir(folder)
    for line, shown in commands_of(text):
        given = run(line)
        assert fits(shown, given), f"$ {line}\n{given}"


@pytest.mark.parametrize("heading", SECTIONS)
def test_commands_of_the_page_give_what_it_shows(
    heading: str, downloads: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert commands_of(SECTIONS[heading])
    assert_runs(SECTIONS[heading], downloads, tmp_path, monkeypatch)


def test_the_page_shows_its_own_files(
    downloads: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opening = PAGE.partition("\n## ")[0]
    assert len(commands_of(opening)) == 2
    assert_runs(opening, downloads, tmp_path, monkeypatch)


def test_the_page_on_data_shows_repairs(
    downloads: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    section = DATA["Entities that do not fit"]
    assert len(commands_of(section)) == 3
    assert_runs(section, downloads, tmp_path, monkeypatch)


def test_the_page_on_data_lists_the_formats() -> None:
    assert format_rows(DATA["Formats"]) == [
        f"| `{one.name}` | {one.what} | {files_told(one)} | {yes(one.reads)} | {yes(one.writes)} |"
        for one in FORMATS.values()
    ]


def format_rows(text: str) -> list[str]:
    """Rows of a table whose last two cells are yes or no."""
    return re.findall(r"(?m)^\| `[\w-]+` \|.*\| (?:yes|no) \| (?:yes|no) \|$", text)


def files_told(one: Format) -> str:
    """What tells a format, in the words of the page."""
    suffixes = " ".join(f"`{suffix}`" for suffix in one.suffixes) or "its start"
    return f"a folder: {suffixes}" if one.folder else suffixes


def yes(value: bool) -> str:
    return "yes" if value else "no"


def test_the_page_on_data_names_what_each_option_needs() -> None:
    rows = dict(re.findall(r"(?m)^\| `(\w+)` \| ([^|]+) \| [^|]+ \|$", DATA["Formats"]))
    columns = {name for name, need in NEEDS.items() if need == "columns"}
    assert rows == {name: need for name, need in NEEDS.items() if name not in columns}
    told = set(re.findall(r"(?m)^\| `(\w+)` \|", DATA["CoNLL columns"]))
    assert columns <= told


@pytest.mark.parametrize("heading", SECTIONS)
def test_every_section_goes_the_whole_way(heading: str) -> None:
    lines = [" ".join(line.split()[:3]) for line, _ in commands_of(SECTIONS[heading])]
    wanted = ("data check", "data split", "train", "evaluate", "tag")
    assert [w for w in wanted if not any(line.startswith(f"ladtl {w}") for line in lines)] == []


def test_the_table_of_the_page_is_that_of_the_tools() -> None:
    rows = re.findall(r"(?m)^\|[^|]*\|[^|]*\| `([\w-]+)` \| `([\w-]+)` \|$", PAGE)
    tools = [(TOOLS[name].format, TOOLS[name].back) for name in TOOLS]
    assert list(dict.fromkeys(rows)) == list(dict.fromkeys(tools))
    headings = {heading.lower().replace(" ", "-").replace(",", "") for heading in SECTIONS}
    assert set(re.findall(r"(?m)^\| \[[^|]*\]\(#([^)]*)\)", PAGE)) == headings


def test_options_that_the_page_names_exist() -> None:
    context = click.Context(ladtl)
    commands = [ladtl.get_command(context, name) for name in ladtl.list_commands(context)]
    commands += [each for one in commands for each in getattr(one, "commands", {}).values()]
    known = {name for one in commands if one for option in one.params for name in option.opts}
    prose = re.sub(r"(?ms)^```console.*?^```$", "", PAGE)
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", prose))
    assert named - {"--label"} <= known  # which is Prodigy's own


def test_a_shown_output_may_leave_lines_out() -> None:
    assert fits("a\n...\nc\n", "a\nb\nb\nc\n")
    assert fits("...\nc\n", "a\nc\n")
    assert not fits("a\n...\nc\n", "a\nb\n")
    assert not fits("a\n", "a\nb\n")
    block = "```console\n$ ladtl a \\\n    b\nx\ny\n$ cat z\n```\n"
    assert commands_of(block) == [("ladtl a \\\n    b", "x\ny\n"), ("cat z", "")]
