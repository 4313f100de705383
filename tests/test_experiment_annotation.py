"""Simulated annotation: what each round has, which runs are one, and what is told of them."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

import pytest
from conftest import Invoke, write_corpus
from small_corpora import small_corpus
from test_experiment import folders, small, specs_of

from ladtl_np.corpus.chosen import read_chosen
from ladtl_np.corpus.read import read_corpus
from ladtl_np.errors import UsageError
from ladtl_np.experiment import (
    parse_experiment,
    plan_experiment,
    run_missing,
    states,
    write_results,
)
from ladtl_np.experiment.job import Event, Job, perform
from ladtl_np.experiment.runner import Plan, Share

ROUNDS = {"shares": [0.2, 0.5, 1.0], "by": ["random", "entropy"], "diverse": [False, True]}


def test_every_strategy_has_a_run_for_each_share_and_all_begin_with_one_draw() -> None:
    specs = specs_of(annotation=ROUNDS, methods=["la-dtl"], seeds=[3])
    assert [spec.folder for spec in specs[:2]] == [
        "a-to-b/la-dtl/fraction-0.2/strategy=random/seed-3",
        "a-to-b/la-dtl/fraction-0.5/strategy=random/seed-3",
    ]
    manners = [spec.grid["strategy"] for spec in specs[::3]]
    assert manners == ["random", "random-diverse", "entropy", "entropy-diverse"]
    lists = [Path(spec.config.data.target_chosen).relative_to("out/annotated") for spec in specs]
    assert {str(path) for path in lists[::3]} == {"b/drawn/seed-3/share-0.2.txt"}
    assert len({str(path) for path in lists[2::3]}) == 1  # all of the target
    assert str(lists[7]) == "a-to-b/la-dtl/entropy/seed-3/share-0.5.txt"
    waits = [spec.annotation.before for spec in specs if spec.annotation]
    assert waits[1] is None
    assert waits[7] == (Path("out") / specs[6].folder, specs[6].config.data.target_chosen)
    assert {spec.config.data.target_fraction for spec in specs} == {1.0}


def test_the_target_alone_has_one_list_for_every_source() -> None:
    corpora = small()["corpora"] | {"c": {"train": "c/train.txt"}}
    specs = specs_of(annotation=ROUNDS, tasks=["a -> b", "c -> b"], corpora=corpora)
    of = {(str(s.task), s.method): s.config.data.target_chosen for s in specs if s.fraction == 0.5}
    assert of["a -> b", "non-transfer"] == of["c -> b", "non-transfer"]
    assert of["a -> b", "la-dtl"] != of["c -> b", "la-dtl"]


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"annotation": {"shares": []}}, "annotation.shares is empty"),
        ({"annotation": {"shares": [0.5, 0.2]}}, "must rise within"),
        ({"annotation": {"shares": [0.5, 1.2]}}, "must rise within"),
        ({"annotation": {"shares": [0.5], "by": ["luck"]}}, "annotation.by"),
        ({"annotation": {"shares": [0.5], "by": ["span", "span"]}}, "names 'span' twice"),
        ({"annotation": {"shares": [0.5], "diverse": []}}, "annotation.diverse is empty"),
        ({"annotation": {"by": ["span"]}}, "shares"),
        ({"annotation": {"shares": [0.5]}, "fractions": [0.1]}, "fractions has no effect"),
        ({"annotation": {"shares": [0.5]}, "grid": {"seed": [1]}}, "do not go together"),
        ({"settings": {"data": {"target_chosen": "x"}}}, "annotation says it"),
    ],
)
def test_what_is_wrong_in_the_table_is_told(changes: dict[str, Any], named: str) -> None:
    with pytest.raises(UsageError, match=named):
        folders(**changes)


def here(jobs: Sequence[Job]) -> Generator[Event, None, None]:
    """Do jobs in this process."""
    for number, job in enumerate(jobs):
        yield Event(number, "started")
        if job.config.seed == 9:
            yield Event(number, "failed", error="it broke")
            continue
        perform(job, lambda share: None)
        yield Event(number, "done", 1.0)


def plan_in(folder: Path, **changes: Any) -> Plan:
    """A plan with three rounds on small corpora, of which the target repeats some sentences."""
    if not folder.exists():
        folder.mkdir()
        write_corpus(folder / "a.txt", small_corpus("a", 12, drugs="ABC", seed=1))
        write_corpus(folder / "b.txt", small_corpus("b", 40, drugs="CDE", seed=2))
        write_corpus(folder / "dev.txt", small_corpus("dev", 8, drugs="CDE", seed=3))
    table = {
        "tasks": ["a -> b"],
        "methods": ["non-transfer"],
        "corpora": {"a": {"train": "a.txt"}, "b": {"train": "b.txt", "dev": "dev.txt"}},
        "annotation": {"shares": [0.2, 0.5, 1.0], "by": ["random", "span"], "diverse": [True]},
        "settings": {
            "model": {"embedding": 4, "hidden": 3},
            "training": {"steps": 4, "evaluate_every": 2},
        },
    }
    experiment = parse_experiment(table | changes, "my.toml", folder, "my")
    return plan_experiment(experiment, folder / "out")


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Plan, list[Event]]:
    plan = plan_in(tmp_path_factory.mktemp("rounds") / "e")
    return plan, list(run_missing(plan, Share(1, 1), execute=here))


def test_each_round_adds_to_the_one_before_until_its_share_is_reached(done) -> None:
    plan, events = done
    ends = {event.job: event.kind for event in events if event.kind != "started"}
    assert ends == {0: "done", 1: "done", 2: "done", 3: "equal", 4: "done", 5: "equal"}
    corpus = read_corpus(plan.specs[0].config.data.target)
    total = corpus.token_count
    lists = [read_chosen(spec.config.data.target_chosen).numbers for spec in plan.specs]
    for first, second, third in (lists[:3], lists[3:]):
        assert set(first) < set(second) < set(third) == set(range(1, len(corpus) + 1))
        for numbers, share in ((first, 0.2), (second, 0.5)):
            tokens = sorted(len(corpus.sentences[n - 1]) for n in numbers)
            assert sum(tokens) >= share * total > sum(tokens) - tokens[-1]
    assert lists[0] == lists[3]
    assert lists[1] != lists[4]


def test_copies_of_what_is_annotated_come_last(done) -> None:
    plan, _ = done
    corpus = read_corpus(plan.specs[0].config.data.target)
    first, second = (read_chosen(plan.specs[n].config.data.target_chosen).numbers for n in (3, 4))
    known = {corpus.sentences[n - 1].tokens for n in first}
    new = [corpus.sentences[n - 1].tokens for n in second if n not in first]
    distinct = {sentence.tokens for sentence in corpus} - known
    assert set(new) <= distinct or distinct <= set(new)


def test_what_is_finished_stays_and_another_list_is_another_run(done) -> None:
    plan, _ = done
    assert {state.kind for state in states(plan)} == {"finished"}
    again = list(run_missing(plan, Share(1, 1), execute=here))
    assert {event.kind for event in again} == {"present"}
    listed = Path(plan.specs[4].config.data.target_chosen)
    before = listed.read_bytes()
    try:
        listed.write_text("1\n")
        assert states(plan)[4].differences == "other sentences of the target were chosen"
        listed.unlink()
        assert states(plan)[4].kind == "different"
    finally:
        listed.write_bytes(before)
    assert states(plan)[4].kind == "finished"


def test_the_results_tell_strategy_share_and_annotated_tokens(done) -> None:
    plan, _ = done
    rows = write_results(plan.specs, plan.out).read_text("utf-8").splitlines()
    table = [dict(zip(rows[0].split("\t"), row.split("\t"), strict=True)) for row in rows[1:]]
    assert [row["strategy"] for row in table] == ["random-diverse"] * 3 + ["span-diverse"] * 3
    assert [row["fraction"] for row in table[:3]] == ["0.2", "0.5", "1.0"]
    tokens = [int(row["annotated_tokens"]) for row in table]
    corpus = read_corpus(plan.specs[0].config.data.target)
    assert tokens[0] < tokens[1] < tokens[2] == corpus.token_count


def test_a_round_whose_round_before_failed_is_not_begun(tmp_path: Path) -> None:
    plan = plan_in(tmp_path / "e", seeds=[9])
    events = list(run_missing(plan, Share(1, 1), execute=here))
    failed = {event.job: event.error for event in events if event.kind == "failed"}
    assert failed[1] == failed[4] == "the round of annotation before it failed"
    assert failed[0] == failed[2] == failed[3] == failed[5] == "it broke"


def test_a_cluster_is_refused(invoke: Invoke, tmp_path: Path, monkeypatch) -> None:
    from contextlib import nullcontext

    from ladtl_np.commands import experiment

    monkeypatch.setattr(experiment, "connect", lambda *_: nullcontext("cluster"))
    (tmp_path / "my.toml").write_text(
        'tasks = ["a -> b"]\nmethods = ["non-transfer"]\n[annotation]\nshares = [0.5]\n'
        '[corpora]\na.demo = "cardiology"\nb.demo = "neurology"\n'
    )
    out = tmp_path / "out"
    result = invoke("experiment", tmp_path / "my.toml", "--out", out, "--dask", "tcp://x:1")
    assert result.exit_code == 2
    assert "run it without --dask" in result.output
    listed = invoke("experiment", tmp_path / "my.toml", "--out", out, "--dry-run")
    assert "fraction-0.5/strategy=entropy/seed-0" in listed.output


@pytest.mark.slow
def test_a_study_is_run_continued_and_reported_from_the_command_line(
    invoke: Invoke, tmp_path: Path
) -> None:
    (tmp_path / "my.toml").write_text(
        'tasks = ["a -> b"]\nmethods = ["la-dtl"]\nsettings.training.steps = 4\n'
        "settings.model = { embedding = 4, hidden = 3 }\n"
        '[annotation]\nshares = [0.02, 0.05]\nby = ["random", "margin"]\n'
        '[corpora]\na.demo = "cardiology"\nb.demo = "neurology"\n'
    )
    given = ("experiment", tmp_path / "my.toml", "--out", tmp_path / "out")
    first = invoke(*given)
    assert first.exit_code == 0, first.output
    results = (tmp_path / "out" / "results.tsv").read_bytes()
    again = invoke(*given)
    assert again.exit_code == 0
    assert (tmp_path / "out" / "results.tsv").read_bytes() == results
    run = tmp_path / "out" / "a-to-b/la-dtl/fraction-0.05/strategy=margin/seed-0"
    repeated = invoke("train", "--config", run / "config.toml", "--out", tmp_path / "again")
    assert repeated.exit_code == 0, repeated.output
    model = "best.safetensors"
    assert (tmp_path / "again" / model).read_bytes() == (run / model).read_bytes()
    page = invoke("report", tmp_path / "out", "--out", tmp_path / "page.html")
    assert page.exit_code == 0, page.output
    assert "Which sentences to annotate" in (tmp_path / "page.html").read_text("utf-8")
