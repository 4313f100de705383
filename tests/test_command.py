"""What holds for every command: an option of one value is given once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from conftest import Invoke

from ladtl_np.commands import SUMMARIES, ladtl
from ladtl_np.commands.support.command import Command, Group


def every_command() -> Iterator[tuple[tuple[str, ...], click.Command]]:
    with click.Context(ladtl) as context:
        for name in SUMMARIES:
            command = ladtl.get_command(context, name)
            assert command is not None
            if isinstance(command, click.Group):
                assert isinstance(command, Group)
                for inner, one in command.commands.items():
                    yield (name, inner), one
            else:
                yield (name,), command


def options() -> Iterator[tuple[tuple[str, ...], click.Option]]:
    for names, command in every_command():
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                yield names, parameter


def problem(command: click.Command, arguments: list[str]) -> str:
    """What a command has against its arguments, which are read and not followed."""
    try:
        command.parse_args(click.Context(command), arguments)
    except click.UsageError as error:
        return error.format_message()
    return ""


def test_every_command_is_one_of_ours() -> None:
    assert all(isinstance(command, Command) for _, command in every_command())


@pytest.mark.parametrize(("names", "option"), [*options()], ids=str)
def test_an_option_of_one_value_is_refused_when_it_is_given_again(
    names: tuple[str, ...], option: click.Option
) -> None:
    command = dict(every_command())[names]
    one = [option.opts[-1], *["1"] * (0 if option.is_flag else option.nargs)]
    told = "takes one value and is given 2 times; leave all but one out"
    said = problem(command, [*one, *one])
    refused = told in said
    assert refused == (not option.multiple and (not option.is_flag or bool(option.secondary_opts)))
    assert option.opts[-1] in said or not refused
    assert told not in problem(command, one)


def test_a_switch_is_not_turned_both_ways(invoke: Invoke) -> None:
    result = invoke("tag", "--model", "m", "--constrained", "--unconstrained")
    assert result.exit_code == 2
    assert "--constrained/--unconstrained takes one value" in result.stderr


def test_short_and_long_names_are_one_option(invoke: Invoke) -> None:
    result = invoke("tag", "--model", "m", "-o", "a", "--output", "b")
    assert result.exit_code == 2
    assert "--output takes one value and is given 2 times" in result.stderr


def test_a_type_is_read_as_one_other(invoke: Invoke, gold_file: str) -> None:
    result = invoke("data", "stats", "--rename", "Drug=A", "--rename", "Drug=B", gold_file)
    assert result.exit_code == 2
    assert "--rename reads Drug as two types, A and B" in result.stderr
    twice = invoke("data", "stats", "--rename", "Drug=A", "--rename", "Drug=A", gold_file)
    assert twice.exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("tag --model m --to jsonl --scheme IOB2 a.txt", "--scheme has no effect with --to jsonl"),
        ("tag --model m --to terminal --scheme BIOES a.txt", "--scheme has no effect"),
        ("tag --model m --delimiter tab a.txt", "--delimiter has no effect without columns"),
        ("tag --model m --token-column 1", "--token-column has no effect without columns"),
        ("tag --model m --from text --position-digits", "--position-digits has no"),
        ("tag --model m --tokens spaces a.conll", "--tokens has no effect from columns to columns"),
        ("tag --model m --sentences rules a.conll", "--sentences has no effect with columns"),
        ("tag --model m --dask-wait 3 a.txt", "--dask-wait has no effect without --dask"),
        ("tag --model m --dask-wait 3 a.txt --out-dir o", "--dask-wait has no effect"),
        ("experiment demo --out o --dask-wait 3", "--dask-wait has no effect without --dask"),
        ("compare {run} {run} --delimiter tab", "--delimiter has no effect without files"),
        ("compare {run} {run} --rename A=B", "--rename has no effect without files"),
        ("compare {gold} {gold} --gold {gold} --corpus dev", "--corpus has no effect between"),
        ("data stats --tag-column none --scheme IOB2 {gold}", "--scheme has no effect without a"),
        ("data stats --tag-column none --rename A=B {gold}", "--rename has no effect without a"),
        ("vectors train --conll {gold} --encoding utf-8 --out v", "--encoding has no effect"),
        ("data check {gold} --repair", "--repair has no effect without documents to read"),
        ("data check {docs} --repair --scheme IOB2", "--scheme has no effect without columns"),
        ("data check {docs} --fragments join", "--fragments has no effect without a folder of"),
        ("data check {docs} --tag-column 1", "--tag-column has no effect without columns"),
        ("data stats {gold} {gold} --ends exclusive", "--ends has no effect without JSON"),
        ("data split {gold} d --overlaps first", "--overlaps has no effect without documents"),
        ("data split {docs} d --tokens words", "--tokens has no effect from documents to jsonl"),
        ("data split {docs} d --sentences rules", "--sentences has no effect from documents to"),
        ("data convert {gold} d.jsonl --sentences rules", "--sentences has no effect without"),
        (
            "data convert {docs} d.json --sentences rules",
            "--sentences has no effect from documents",
        ),
        (
            "data convert {docs} d.json --tokens words",
            "--tokens has no effect from documents to json",
        ),
        ("data convert {docs} d.json --group 3", "--group has no effect but from columns to"),
        ("data convert {gold} d.conll --group 3", "--group has no effect but from columns to"),
        ("data convert {gold} d.json --to-scheme BMES", "--to-scheme has no effect with --to json"),
        ("evaluate --model m {gold} --tokens words", "--tokens has no effect without documents"),
        ("evaluate --model m {docs} --delimiter tab", "--delimiter has no effect without columns"),
        ("score {gold} {gold} --repair", "--repair has no effect without documents"),
        ("score {docs} {docs} --token-column 1", "--token-column has no effect without columns"),
        ("score {docs} {docs} --gold-column 1", "--gold-column has no effect without columns"),
        (
            "compare {gold} {gold} --gold {gold} --repair",
            "--repair has no effect without documents",
        ),
        ("bench --overwrite", "--overwrite has no effect without --markdown"),
    ],
)
def test_an_option_that_would_change_nothing_is_refused(
    arguments: str,
    said: str,
    invoke: Invoke,
    gold_file: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    documents = tmp_path / "docs.jsonl"
    documents.write_text('{"text": "x", "label": []}\n', encoding="utf-8")
    places = {"gold": gold_file, "run": tmp_path, "docs": documents}
    (here := tmp_path / "here").mkdir()
    monkeypatch.chdir(here)
    result = invoke(*(part.format(**places) for part in arguments.split()))
    assert result.exit_code == 2
    assert said in result.stderr
    assert "; leave it out, or " in result.stderr
    assert list(here.iterdir()) == []
    assert result.stdout == ""


@pytest.mark.parametrize(
    "arguments",
    [
        "tag --model m --delimiter tab a.conll",
        "tag --model m --delimiter tab a.jsonl b.bio --out-dir o",
        "tag --model m --token-column 1 folder --out-dir o",
        "tag --model m --tokens spaces --to jsonl a.conll",
        "tag --model m --tokens spaces a.txt b.conll --out-dir o",
        "tag --model m --scheme IOB2 a.txt",
        "data check no-such-file --repair --scheme IOB2",
        "data check {docs} {gold} --repair --scheme IOB2",
        "data stats {docs} --tag-column none",
        "data convert {docs} {out}.conll --tokens words --sentences whole --to-scheme BMES",
        "data convert {docs} {out}.json --tokens words --repair",
        "data convert {gold} {out}.json --group 2",
        "data split {docs} {out} --by sentence --tokens words --sentences whole",
        "score {docs} {docs} --repair",
        "score {gold} {docs} --repair --scheme BIOES",
    ],
)
def test_an_option_that_one_of_the_inputs_may_need_is_not_refused(
    arguments: str, invoke: Invoke, gold_file: str, tmp_path: Path
) -> None:
    documents = tmp_path / "docs.jsonl"
    documents.write_text('{"text": "x", "label": []}\n', encoding="utf-8")
    places = {"gold": gold_file, "docs": documents, "out": tmp_path / "out"}
    result = invoke(*(part.format(**places) for part in arguments.split()))
    assert "no effect" not in result.stderr
