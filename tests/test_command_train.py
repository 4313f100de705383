from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from conftest import assert_whole_run, once
from programs import start_program, wait_for
from small_corpora import SMALL, small_corpora

from ladtl_np.commands import ladtl
from ladtl_np.corpus.formats.conll import read_conll, write_conll
from ladtl_np.corpus.sentence import Corpus
from ladtl_np.kernels.instruction_set import INSTRUCTIONS
from ladtl_np.model.file import load_model
from ladtl_np.runs.folder import COLUMNS
from ladtl_np.runs.found import FoundRun

SETTINGS = [
    argument
    for section, values in SMALL.items()
    if isinstance(values, dict)
    for key, value in values.items()
    for argument in ("--set", f"{section}.{key}={value}")
]


SETTINGS_OF_THE_TARGET = [
    part
    for key in SETTINGS[1::2]
    for part in ("--set", key)
    if not key.startswith("training.source_batch")
]


def write(path: Path, corpus: Corpus) -> str:
    with path.open("w", encoding="utf-8", newline="\n") as stream:
        write_conll(stream, corpus)
    return str(path)


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    corpora = small_corpora()
    assert corpora.source is not None
    assert corpora.dev is not None
    arguments = ["train", "--threads", "1", *SETTINGS]
    for option, corpus in (
        ("--source", corpora.source),
        ("--target", corpora.target),
        ("--dev", corpora.dev),
        ("--test", corpora.tests[0]),
    ):
        arguments += [option, write(tmp_path / f"{option.strip('-')}.txt", corpus)]
    return arguments


def run(arguments: list[str]) -> Result:
    return CliRunner().invoke(ladtl, arguments)


def test_a_run_leaves_everything_in_its_folder(files: list[str], tmp_path: Path) -> None:
    out = tmp_path / "run"
    result = run([*files, "--out", str(out), "--json"])
    assert result.exit_code == 0, result.output
    assert_whole_run(out)
    rows = [line.split("\t") for line in (out / "metrics.tsv").read_text().splitlines()]
    assert tuple(rows[0]) == COLUMNS
    assert [row[0] for row in rows[1:]] == ["10", "20", "30", "40"]
    scores = json.loads(result.stdout)
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["results"] == scores
    assert manifest["machine"]["instructions"] == INSTRUCTIONS.name
    model = load_model(out / "best.safetensors")
    assert model.scores.keys() == {"dev", "test.txt"}
    hashes = {entry["role"]: entry["sha256"] for entry in manifest["data"]}
    assert list(hashes) == ["source", "target", "dev", "test"]
    assert model.provenance["data"] == {role: hashes[role] for role in list(hashes)[:3]}


def test_predictions_score_as_reported(files: list[str], tmp_path: Path) -> None:
    out = tmp_path / "run"
    result = run([*files, "--steps", "100", "--out", str(out), "--json"])
    reported = json.loads(result.stdout)["test.txt"]["conlleval"]["overall"]
    scored = run(["score", str(out / "predictions-test.txt"), "--gold-column", "1", "--json"])
    assert scored.exit_code == 0, scored.output
    found = json.loads(scored.stdout)["scores"]
    assert found["sentences"] == len(small_corpora().tests[0])
    assert found["conlleval"]["overall"] == reported


def test_equal_runs_in_other_folders_write_equal_bytes(files: list[str], tmp_path: Path) -> None:
    models, metrics = [], []
    for name, threads in (("one", "1"), ("two/deeper", "2")):
        out = tmp_path / name
        assert run(once(*files, "--threads", threads, "--out", out)).exit_code == 0
        models.append((out / "best.safetensors").read_bytes())
        models.append((out / "last.safetensors").read_bytes())
        lines = (out / "metrics.tsv").read_text().splitlines()
        metrics.append([line.split("\t")[:-2] for line in lines])
    assert models[:2] == models[2:]
    assert metrics[0] == metrics[1]


def test_the_written_options_repeat_the_run(files: list[str], tmp_path: Path) -> None:
    first, second = tmp_path / "one", tmp_path / "two"
    assert run([*files, "--seed", "5", "--out", str(first)]).exit_code == 0
    result = run(["train", "--config", str(first / "config.toml"), "--out", str(second)])
    assert result.exit_code == 0, result.output
    for name in ("best.safetensors", "config.toml"):
        assert (first / name).read_bytes() == (second / name).read_bytes()


def test_a_folder_in_use_or_not_empty_is_left_alone(files: list[str], tmp_path: Path) -> None:
    out = tmp_path / "run"
    assert run([*files, "--out", str(out)]).exit_code == 0
    before = (out / "best.safetensors").read_bytes()
    again = run([*files, "--out", str(out), "--seed", "1"])
    assert again.exit_code == 2
    assert "--overwrite" in again.stderr
    assert (out / "best.safetensors").read_bytes() == before
    assert run([*files, "--out", str(out), "--seed", "1", "--overwrite"]).exit_code == 0
    assert (out / "best.safetensors").read_bytes() != before
    stranger = tmp_path / "stranger"
    stranger.mkdir()
    (stranger / "thesis.txt").write_text("work of years")
    refused = run([*files, "--out", str(stranger), "--overwrite"])
    assert refused.exit_code == 2
    assert "not a run" in refused.stderr
    assert (stranger / "thesis.txt").read_text() == "work of years"


@pytest.mark.parametrize(
    ("change", "code", "says"),
    [
        (["--target", "nowhere.txt"], 2, "nowhere.txt"),
        (
            ["--method", "magic"],
            2,
            "non-transfer, linear-projection, domain-mask",
        ),
        (["--set", "training.stepz=1"], 2, "stepz"),
        (["--set", "training"], 2, "KEY=VALUE"),
        (["--config", "nowhere.toml"], 2, "nowhere.toml"),
        (["--label-map", "nowhere.toml"], 2, "nowhere.toml"),
        (["--embeddings", "nowhere.vec"], 2, "nowhere.vec"),
        (["--target-fraction", "0"], 2, "target_fraction"),
        (["--steps", "0"], 2, "steps"),
        (["--target-format", "tag_column=7"], 3, "target.txt:1"),
        (["--set", "optimizer.learning_rate=1e25"], 4, "diverged"),
    ],
)
def test_a_mistake_gets_a_sentence_and_its_exit_code(
    files: list[str], tmp_path: Path, change: list[str], code: int, says: str
) -> None:
    result = run(once(*files, *change, "--out", tmp_path / "run"))
    assert result.exit_code == code, result.output
    assert says in result.stderr
    assert "Traceback" not in result.output


def test_the_log_tells_why_a_run_has_stopped(files: list[str], tmp_path: Path) -> None:
    out = tmp_path / "run"
    run([*files, "--out", str(out), "--set", "optimizer.learning_rate=1e25"])
    stopped = FoundRun.at(out).events("stopped")
    assert [event["reason"] for event in stopped or []] == ["diverged"]


def test_a_run_without_corpora_points_to_the_demo(tmp_path: Path) -> None:
    result = run(["train", "--out", str(tmp_path / "run")])
    assert result.exit_code == 2
    assert "--demo" in result.stderr


def test_position_digits_and_types_are_read_as_told(tmp_path: Path) -> None:
    rows = ["科0\tB-LOC.NAM", "技1\tI-LOC.NAM", "的0\tO", "人0\tB-PER.NOM", ""]
    path = tmp_path / "weibo.txt"
    path.write_text("\n".join(rows * 8), encoding="utf-8")
    result = run(
        [
            "train",
            "--method",
            "non-transfer",
            "--target",
            str(path),
            *SETTINGS_OF_THE_TARGET,
            "--threads",
            "1",
            "--target-format",
            "position_digits=true",
            "--target-format",
            'rename={"*.NOM" = "", "LOC.NAM" = "LOC"}',
            "--out",
            str(tmp_path / "run"),
        ]
    )
    assert result.exit_code == 0, result.output
    model = load_model(tmp_path / "run" / "best.safetensors")
    assert model.target_tags.types == ("LOC",)
    assert "科" in model.vocabulary.index


def test_no_text_of_the_data_stands_in_logs_or_messages(tmp_path: Path) -> None:
    canary = "Zebrafish"
    corpus = "".join(f"{canary}{n}\tB-X\nplain\tO\n\n" for n in range(30))
    path = tmp_path / "corpus.txt"
    path.write_text(corpus, encoding="utf-8")
    out = tmp_path / "run"
    result = run(
        [
            "train",
            "--source",
            str(path),
            "--target",
            str(path),
            "--dev",
            str(path),
            *SETTINGS,
            "--threads",
            "1",
            "--out",
            str(out),
        ]
    )
    assert result.exit_code == 0, result.output
    assert canary not in result.output
    for name in ("config.toml", "manifest.json", "metrics.tsv", "log.jsonl"):
        assert canary not in (out / name).read_text()


@pytest.mark.parametrize("sent", [signal.SIGINT])
def test_ctrl_c_keeps_the_models_and_says_where(
    files: list[str], tmp_path: Path, sent: signal.Signals
) -> None:
    out = tmp_path / "run"
    process = start_program(*files, "--out", out, "--steps", 100_000)
    wait_for((out / "best.safetensors").exists)
    process.send_signal(sent)
    _, messages = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Interrupted" in messages
    assert str(out) in messages
    assert "Traceback" not in messages
    load_model(out / "best.safetensors")
    load_model(out / "last.safetensors")
    assert read_conll(files[files.index("--dev") + 1]).sentences
    assert not (out / ".lock").exists()
