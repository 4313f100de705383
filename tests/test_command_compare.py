from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Invoke
from scoring_cases import legal_tags, random_pair

from ladtl_np.options.seeds import stream
from ladtl_np.scoring import score
from ladtl_np.scoring.significance import paired_test, sentence_test

CANARY = "Zq7canary"
MakeRun = Callable[..., Path]


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    """Write a run folder: a manifest with the F1 of each corpus, and the predictions given."""

    def make_run(
        place: str, f1: dict[str, float] | None = None, sha256: str = "", **predictions: str
    ) -> Path:
        folder = tmp_path / place
        folder.mkdir(parents=True)
        manifest: dict[str, Any] = {"method": "la-dtl", "data": [{"role": "target", "name": "t"}]}
        if f1 is not None:
            manifest["data"] += [
                {"role": "dev" if name == "dev" else "test", "sha256": sha256, "scheme": "IOB2"}
                for name in f1
            ]
            reports = {
                name: {
                    "conlleval": {"overall": {"f1": value}},
                    "strict": {"overall": {"f1": value / 2}},
                }
                for name, value in f1.items()
            }
            manifest["results"] = reports
        (folder / "manifest.json").write_text(json.dumps(manifest), "utf-8")
        for name, text in predictions.items():
            (folder / f"predictions-{name}").write_text(text, "utf-8")
        return folder

    return make_run


@pytest.fixture
def five_seeds(make_run: MakeRun, tmp_path: Path) -> tuple[Path, Path]:
    for seed in range(5):
        make_run(f"a/{seed}", {"dev": 0.1, "test": 0.8 + seed / 100})
        make_run(f"b/{seed}", {"dev": 0.2, "test": 0.79 - seed / 100})
    return tmp_path / "a", tmp_path / "b"


def columns(*tags: list[list[str]]) -> str:
    """Sentences as columns: a made-up token, then the tags given."""
    blocks = []
    for number, sentences in enumerate(zip(*tags, strict=True)):
        rows = zip(*sentences, strict=True)
        blocks.append("".join(f"{CANARY}{number}\t" + "\t".join(row) + "\n" for row in rows))
    return "\n".join(blocks)


def systems(seed: int = 1, sentences: int = 40) -> tuple[list, list, list]:
    gold, second = random_pair(seed, "IOB2", legal_tags, sentences)
    first = [list(g if n % 4 else s) for n, (g, s) in enumerate(zip(gold, second, strict=True))]
    gold[0] = [*gold[0][:-1], "B-PER"]  # so that the scheme is told by every column
    return gold, first, second


def found_remarks(result: Any) -> list[dict[str, Any]]:
    return list(json.loads(result.stdout)["remarks"])


def found(result: Any, number: int = 0) -> dict[str, Any]:
    assert result.exit_code == 0, result.stderr
    comparison: dict[str, Any] = json.loads(result.stdout)["comparisons"][number]
    return comparison


# --- seeds and tasks


def test_seeds_are_paired_by_their_paths(invoke: Invoke, five_seeds: tuple[Path, Path]) -> None:
    result = invoke("compare", *five_seeds, "--json")
    comparison = found(result)
    wanted = paired_test(
        [0.8 + s / 100 for s in range(5)],
        [0.79 - s / 100 for s in range(5)],
        rng=np.random.default_rng(0),
    )
    assert result.stderr == ""
    assert (comparison["corpus"], comparison["by"], comparison["runs"]) == ("test", "seed", 5)
    assert [pair["name"] for pair in comparison["pairs"]] == list("01234")
    for name in ("n", "p", "least_p", "exact", "patterns"):
        assert comparison[name] == getattr(wanted, name)
    assert comparison["difference"] == pytest.approx(wanted.difference)
    assert comparison["interval"] == pytest.approx(wanted.interval)
    assert comparison["p"] == 1 / 32


def test_the_table_says_everything(invoke: Invoke, five_seeds: tuple[Path, Path]) -> None:
    result = invoke("compare", *five_seeds)
    assert result.exit_code == 0
    for text in ("by seed, conlleval", "5 runs", "82.00 ± 1.58", "77.00 ± 1.58", "+5.00"):
        assert text in result.stdout
    for text in ("+1.07 to +8.93", "0.03125", "all 32", "one-sided p"):
        assert text in result.stdout
    assert "A is 5.00 points better than B; one-sided p = 0.03125, below 0.05.\n" in result.stdout


def test_it_says_when_no_result_could_have_been_below_the_level(
    invoke: Invoke, five_seeds: tuple[Path, Path]
) -> None:
    two_sided = invoke("compare", *five_seeds, "--two-sided")
    limit = "With 5 pairs the least possible two-sided p is 0.0625, so p < 0.05 could never be"
    assert limit in two_sided.stdout
    for folder in five_seeds:
        (folder / "4" / "manifest.json").unlink()
    one_sided = invoke("compare", *five_seeds)
    assert "With 4 pairs the least possible one-sided p is 0.0625" in one_sided.stdout


def test_the_other_order_asks_the_other_question(
    invoke: Invoke, five_seeds: tuple[Path, Path]
) -> None:
    comparison = found(invoke("compare", *reversed(five_seeds), "--json"))
    assert comparison["p"] == 1.0
    assert "A is 5.00 points worse than B" in comparison["conclusion"]


def test_the_strict_reading_and_the_development_set(
    invoke: Invoke, five_seeds: tuple[Path, Path]
) -> None:
    strict = found(invoke("compare", *five_seeds, "--reading", "strict", "--json"))
    assert strict["first"] == pytest.approx(0.41)
    dev = found(invoke("compare", *five_seeds, "--corpus", "dev", "--json"))
    assert (dev["corpus"], dev["difference"]) == ("dev", pytest.approx(-0.1))


def test_every_test_corpus_has_a_column(invoke: Invoke, make_run: MakeRun, tmp_path: Path) -> None:
    for seed in "01":
        make_run(f"a/{seed}", {"one": 0.5, "two": 0.6})
        make_run(f"b/{seed}", {"two": 0.7, "one": 0.8})
    result = invoke("compare", tmp_path / "a", tmp_path / "b", "--json")
    both = [found(result, number) for number in (0, 1)]
    assert [(c["corpus"], round(c["difference"], 6)) for c in both] == [
        ("one", -0.3),
        ("two", -0.1),
    ]
    assert (
        "one: A is 30.00 points worse" in invoke("compare", tmp_path / "a", tmp_path / "b").stdout
    )


def test_runs_without_a_partner_are_named(
    invoke: Invoke, five_seeds: tuple[Path, Path], make_run: MakeRun
) -> None:
    make_run("a/5", {"test": 0.9})
    make_run("b/6", {"test": 0.9})
    make_run("a/7", {"test": 0.9})
    make_run("b/7", None)
    make_run("a/8", {"test": 0.9}, sha256="00")
    make_run("b/8", {"test": 0.9}, sha256="11")
    make_run("a/9", {"other": 0.9})
    make_run("b/9", {"test": 0.9})
    result = invoke("compare", *five_seeds, "--json")
    assert found(result)["n"] == 5
    left_out = json.loads(result.stdout)["left_out"]
    assert result.stderr.splitlines() == [f"warning: left out: {line}" for line in left_out]
    for line in (
        "5: only in A",
        "6: only in B",
        "7: the run of B is not finished",
        "8: test was another file for A than for B",
        "9: no scores on test in A",
    ):
        assert line in left_out


def tasks(make_run: MakeRun) -> None:
    for number, task in enumerate(("cardiology", "neurology", "urology")):
        for seed in range(2):
            make_run(f"{task}/good/seed-{seed}", {"test": 0.8 + number / 100 + seed / 50})
            make_run(f"{task}/poor/seed-{seed}", {"test": 0.7 + seed / 50})


def test_tasks_are_means_over_seeds(invoke: Invoke, make_run: MakeRun, tmp_path: Path) -> None:
    tasks(make_run)
    patterns = tmp_path / "*" / "good", tmp_path / "*" / "poor"
    by_task = found(invoke("compare", *patterns, "--json"))
    assert (by_task["by"], by_task["n"], by_task["runs"]) == ("task", 3, 6)
    assert [pair["name"] for pair in by_task["pairs"]] == ["cardiology", "neurology", "urology"]
    assert by_task["pairs"][1]["a"] == pytest.approx(0.82)
    by_seed = found(invoke("compare", *patterns, "--by", "seed", "--json"))
    assert (by_seed["n"], by_seed["p"]) == (6, 1 / 64)
    assert by_seed["pairs"][0]["name"] == "cardiology/seed-0"


def test_a_pattern_knows_stars_only(invoke: Invoke, make_run: MakeRun, tmp_path: Path) -> None:
    tasks(make_run)
    patterns = tmp_path / "*" / "good" / "seed-[01]", tmp_path / "*" / "poor" / "seed-0"
    result = invoke("compare", *patterns)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "no run in it" in result.stderr
    assert "** is not understood" in invoke("compare", tmp_path / "**" / "good", tmp_path).stderr


def test_test_corpora_of_tasks_may_have_different_names(
    invoke: Invoke, make_run: MakeRun, tmp_path: Path
) -> None:
    for task in ("cardiology", "neurology"):
        make_run(f"a/{task}", {"dev": 0.1, f"{task}.txt": 0.8})
        make_run(f"b/{task}", {"dev": 0.1, f"{task}.txt": 0.7})
    comparison = found(invoke("compare", tmp_path / "a", tmp_path / "b", "--json"))
    assert (comparison["corpus"], comparison["n"]) == ("the test corpus of each", 2)


# --- sentences


def test_two_files_are_compared_by_sentence(invoke: Invoke, tmp_path: Path) -> None:
    gold, first, second = systems()
    paths = [tmp_path / name for name in ("gold", "a", "b")]
    for path, tags in zip(paths, (gold, first, second), strict=True):
        path.write_text(columns(tags), "utf-8")
    arguments = ("compare", paths[1], paths[2], "--gold", paths[0], "--scheme", "IOB2")
    comparison = found(invoke(*arguments, "--json"))
    wanted = sentence_test(gold, first, second, "IOB2", rng=stream(0, "randomisation test"))
    assert comparison["by"] == "sentence"
    assert {name: comparison[name] for name in ("p", "n", "resolvable", "differing")} == {
        name: getattr(wanted, name) for name in ("p", "n", "resolvable", "differing")
    }
    assert comparison["first"] == score(gold, first, "IOB2").conlleval.overall.f1
    table = invoke(*arguments).stdout
    for text in ("40 sentences", "random 9,999", "resolvable difference", "differing sentences"):
        assert text in table
    assert CANARY not in table
    fewer = found(invoke(*arguments, "--resamples", 99, "--seed", 3, "--json"))
    assert (fewer["patterns"], fewer["least_p"]) == (99, 0.01)


def test_predictions_in_another_scheme_are_converted(invoke: Invoke, tmp_path: Path) -> None:
    texts = {
        "gold": [["B-X", "I-X", "O"], ["B-Y", "O"]],
        "a": [["B-X", "E-X", "O"], ["S-Y", "O"]],
        "b": [["B-X", "I-X", "O"], ["O", "O"]],
    }
    for name, tags in texts.items():
        (tmp_path / name).write_text(columns(tags), "utf-8")
    paths = [tmp_path / name for name in "ab"]
    comparison = found(invoke("compare", *paths, "--gold", tmp_path / "gold", "--json"))
    assert (comparison["first"], comparison["second"]) == (1.0, pytest.approx(2 / 3))
    assert comparison["conclusion"].endswith(
        "With 1 differing sentence the least possible one-sided p is 0.5, "
        "so p < 0.05 could never be reached."
    )


def test_two_runs_are_compared_by_sentence(invoke: Invoke, make_run: MakeRun) -> None:
    gold, first, second = systems()
    a = make_run("a", {"test": 0.9}, test=columns(gold, first))
    b = make_run("b", {"test": 0.8}, test=columns(gold, second))
    comparison = found(invoke("compare", a, b, "--json"))
    wanted = sentence_test(gold, first, second, "IOB2", rng=stream(0, "randomisation test"))
    assert (comparison["by"], comparison["p"]) == ("sentence", wanted.p)
    by_seed = found(invoke("compare", a, b, "--by", "seed", "--json"))
    assert (by_seed["n"], by_seed["p"], by_seed["interval"]) == (1, 0.5, None)


def test_a_run_and_a_file(invoke: Invoke, make_run: MakeRun, tmp_path: Path) -> None:
    gold, first, second = systems()
    run = make_run("a", {"test": 0.9}, test=columns(gold, first))
    for name, tags in (("gold", gold), ("b", second)):
        (tmp_path / name).write_text(columns(tags), "utf-8")
    options = ("--gold", tmp_path / "gold", "--scheme", "IOB2", "--json")
    comparison = found(invoke("compare", run, tmp_path / "b", *options))
    wanted = sentence_test(gold, first, second, "IOB2", rng=stream(0, "randomisation test"))
    assert comparison["p"] == wanted.p


def test_seeds_of_a_task_are_added_and_tasks_follow_each_other(
    invoke: Invoke, make_run: MakeRun, tmp_path: Path
) -> None:
    for task in (1, 2):
        gold, first, second = systems(task, 10)
        for seed in (0, 1):
            make_run(f"a/t{task}x/{seed}", {"test": 0.9}, test=columns(gold, first))
            make_run(f"b/t{task}x/{seed}", {"test": 0.8}, test=columns(gold, second))
    folders = tmp_path / "a", tmp_path / "b"
    comparison = found(invoke("compare", *folders, "--by", "sentence", "--json"))
    assert (comparison["n"], comparison["runs"]) == (20, 4)
    for folder in folders:
        for task in (1, 2):
            (folder / f"t{task}x" / "1" / "manifest.json").unlink()
    once = found(invoke("compare", *folders, "--by", "sentence", "--json"))
    assert once["p"] == comparison["p"]


def test_gold_is_asked_for_where_a_run_has_none(
    invoke: Invoke, make_run: MakeRun, tmp_path: Path
) -> None:
    gold, first, second = systems()
    runs = [
        make_run(name, {"test": 0.9}, test=columns(tags))
        for name, tags in (("a", first), ("b", second))
    ]
    (tmp_path / "gold").write_text(columns(gold), "utf-8")
    refused = invoke("compare", *runs)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "holds no gold tags; name their file with --gold" in refused.stderr
    options = ("--gold", tmp_path / "gold", "--scheme", "IOB2", "--json")
    assert found(invoke("compare", *runs, *options))["n"] == 40


def test_gold_of_other_sentences_is_refused_without_their_text(
    invoke: Invoke, make_run: MakeRun, tmp_path: Path
) -> None:
    gold, first, second = systems()
    runs = [
        make_run(name, {"test": 0.9}, test=columns(tags))
        for name, tags in (("a", first), ("b", second))
    ]
    (tmp_path / "gold").write_text(columns(gold[:-1]), "utf-8")
    result = invoke("compare", *runs, "--gold", tmp_path / "gold", "--scheme", "IOB2")
    assert (result.exit_code, result.stdout) == (3, "")
    assert "predictions-test" in result.stderr
    assert "40 sentences where" in result.stderr
    assert CANARY not in result.stderr


def test_different_gold_is_refused_without_its_text(invoke: Invoke, make_run: MakeRun) -> None:
    gold, first, second = systems()
    changed = [*gold[:-1], ["O"] * len(gold[-1])]
    a = make_run("a", {"test": 0.9}, test=columns(gold, first))
    b = make_run("b", {"test": 0.9}, test=columns(changed, second))
    result = invoke("compare", a, b)
    assert (result.exit_code, result.stdout) == (3, "")
    assert "other gold tags than" in result.stderr
    assert CANARY not in result.stderr


def test_other_sentences_are_findings(invoke: Invoke, make_run: MakeRun) -> None:
    gold, first, second = systems()
    a = make_run("a", {"test": 0.9}, test=columns(gold, first))
    b = make_run("b", {"test": 0.9}, test=columns(gold[:-1], second[:-1]))
    result = invoke("compare", a, b)
    assert (result.exit_code, result.stdout) == (3, "")
    assert "39 sentences where" in result.stderr
    assert CANARY not in result.stderr


def test_strict_scores_of_converted_illegal_tags_come_with_a_warning(
    invoke: Invoke, tmp_path: Path
) -> None:
    texts = {
        "gold": [["B-X", "I-X", "O"], ["B-Y", "O"]],
        "a": [["B-X", "I-X", "O"], ["S-Y", "O"]],
        "b": [["B-X", "E-X", "O"], ["S-Y", "O"]],
    }
    for name, tags in texts.items():
        (tmp_path / name).write_text(columns(tags), "utf-8")
    arguments = ("compare", tmp_path / "a", tmp_path / "b", "--gold", tmp_path / "gold")
    result = invoke(*arguments, "--reading", "strict", "--json")
    assert found(result)["first"] == 1.0
    assert "their illegal tags are read as conlleval reads them" in result.stderr
    kinds = [(remark["kind"], remark["count"]) for remark in found_remarks(result)]
    assert kinds == [("illegal-tags", 1), ("converted", 1), ("converted", 2)]
    assert CANARY not in result.stderr


# --- errors


def test_no_common_pair_says_what_was_looked_for(
    invoke: Invoke, make_run: MakeRun, tmp_path: Path
) -> None:
    make_run("a/0", {"test": 0.9})
    make_run("b/1", {"test": 0.9})
    result = invoke("compare", tmp_path / "a", tmp_path / "b")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "paired by their path below the folders given" in result.stderr
    assert "a there are 0; below" in result.stderr


@pytest.mark.parametrize(
    ("f1", "options", "message"),
    [
        ({"dev": 0.9}, (), "scores on a test corpus in both; there are scores on: dev"),
        ({"test": 0.9}, ("--corpus", "other"), "no scores on other in A"),
        (None, (), "the run of A is not finished"),
        ({"dev": 0.9}, ("--corpus", "dev"), "predictions-dev: no such file"),
    ],
)
def test_nothing_in_common_says_what_there_is(
    invoke: Invoke, make_run: MakeRun, f1: Any, options: tuple[str, ...], message: str
) -> None:
    result = invoke("compare", make_run("a", f1), make_run("b", f1), *options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr


@pytest.mark.parametrize("content", ["", "[]", '{"results": {"test": 1}}', "\xff", "{"])
def test_a_damaged_manifest_is_named(invoke: Invoke, make_run: MakeRun, content: str) -> None:
    run = make_run("a", {"test": 0.9})
    (run / "manifest.json").write_text(content, "latin-1")
    result = invoke("compare", run, run)
    assert (result.exit_code, result.stdout) == (3, "")
    assert re.search(r"manifest\.json(: not the manifest of a run|:1: not UTF-8)", result.stderr)
    for pair in ((make_run("b"), run), (run, make_run("c"))):  # also where the other is unfinished
        result = invoke("compare", *pair)
        assert (result.exit_code, result.stdout) == (3, "")
        assert re.search(r"a/manifest\.json(: not the manifest|:1: not UTF-8)", result.stderr)


def test_a_damaged_manifest_is_named_where_its_partner_tells_nothing(
    invoke: Invoke, make_run: MakeRun, tmp_path: Path
) -> None:
    for task in ("cardiology", "neurology"):
        make_run(f"a/{task}", {f"{task}.txt": 0.8})
        make_run(f"b/{task}", {f"{task}.txt": 0.7})
    make_run("a/urology")
    (make_run("b/urology") / "manifest.json").write_text("{", "utf-8")
    result = invoke("compare", tmp_path / "a", tmp_path / "b")
    assert (result.exit_code, result.stdout) == (3, "")
    assert "b/urology/manifest.json: not the manifest of a run" in result.stderr


def test_wrong_usage(invoke: Invoke, make_run: MakeRun, tmp_path: Path) -> None:
    run, empty = make_run("a", {"one": 0.9, "two": 0.9}), tmp_path / "empty"
    empty.mkdir()
    path = tmp_path / "gold"
    path.write_text("a\tO\n", "utf-8")
    for arguments, message in (
        ((run, tmp_path / "nothing"), "no such file or folder"),
        ((run, empty), "no run in it; looked for manifest.json"),
        ((path, path), "name them with --gold"),
        ((path, path, "--by", "seed", "--gold", path), "use --by sentence"),
        (("-", "-", "--gold", path), "standard input holds one file"),
        ((path, run, "--gold", path), "with --corpus: one, two"),
        ((path, empty, "--gold", path), "not a run folder"),
        ((run,), "Missing argument 'B'"),
    ):
        result = invoke("compare", *arguments)
        assert (result.exit_code, result.stdout) == (2, "")
        assert message in result.stderr
