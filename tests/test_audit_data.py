"""The audit of a run's data: every verdict is seen both ways, by tampering with one thing."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from audited_runs import write_tiny_run
from conftest import write_corpus
from small_corpora import small_config, small_corpora

from ladtl_np.audit import Audit, check_data
from ladtl_np.audit.run_files import Moved
from ladtl_np.corpus.unknown import UnknownTokens
from ladtl_np.errors import UsageError
from ladtl_np.model.file import Model, load_model, save_model
from ladtl_np.runs.folder import RunFolder
from ladtl_np.runs.marker import RUN, signed
from ladtl_np.runs.run import Run
from ladtl_np.training.preparation import prepare

VECTORS = "".join(f"{word} {' '.join(['0.5'] * 8)}\n" for word in ("x", "D", "never"))


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run that nobody changes."""
    return write_tiny_run(tmp_path_factory.mktemp("sound"), data={"target_fraction": 0.5})


@pytest.fixture
def folder(sound: Path, tmp_path: Path) -> Path:
    """A copy of its folder, for changes; the corpora stay where they are."""
    return Path(shutil.copytree(sound, tmp_path / "copy"))


def failed(audit: Audit) -> set[str]:
    return {line.check for line in audit.lines if line.verdict == "failed"}


def found(audit: Audit, check: str, verdict: str) -> list[str]:
    """What lines of a check and a verdict have found, with where."""
    lines = [line for line in audit.lines if (line.check, line.verdict) == (check, verdict)]
    return [f"{line.found} ({line.detail})" for line in lines]


def edit_manifest(folder: Path, change: Callable[[dict[str, Any]], None], *, sign: bool) -> None:
    path = folder / "manifest.json"
    content = json.loads(path.read_text("utf-8"))
    change(content)
    if sign:
        rest = {key: value for key, value in content.items() if key not in ("format", "sha256")}
        content = signed(rest, RUN)
    path.write_text(json.dumps(content), "utf-8")


def edit_model(folder: Path, change: Callable[[Model], Model]) -> None:
    path = folder / "best.safetensors"
    save_model(path, change(load_model(path)))


def test_a_sound_run_passes_every_line(sound: Path) -> None:
    told: list[tuple[int, int]] = []
    audit = check_data(sound, tell=lambda *done: told.append(done))
    assert failed(audit) == set()
    assert told[0][0] < told[-1][0] == told[-1][1]
    passed = [line.check for line in audit.lines if line.verdict == "passed"]
    assert {check: passed.count(check) for check in dict.fromkeys(passed)} == {
        "manifest.json": 1,
        **{f"{role} corpus": 1 for role in ("source", "target", "dev", "test")},
        "config.toml and manifest.json": 1,
        "best.safetensors": 1,
        "last.safetensors": 1,
        "options in best.safetensors and config.toml": 1,
        "hashes in best.safetensors and manifest.json": 1,
        "versions in best.safetensors and manifest.json": 1,
        "scores in best.safetensors and manifest.json": 1,
        "scores of the predictions": 1,
        "gold tags of the predictions": 1,
        "scored again with the model": 2,
        "tags of the model and predictions": 1,
        "no file that is scored was trained on": 1,
        "the model was chosen by": 1,
        "best step in metrics.tsv and manifest.json": 1,
        "development F1 in metrics.tsv and manifest.json": 1,
        "the target's sample": 1,
        "MMD of each label and manifest.json": 1,
        "label map and best.safetensors": 1,
        "unknown tokens": 1,
        "words that dev has and no training sentence": 1,
        "words that test has and no training sentence": 1,
    }


def test_a_manifest_edited_by_hand_is_seen(folder: Path) -> None:
    edit_manifest(folder, lambda told: told.update(parameters=7), sign=False)
    assert failed(check_data(folder)) == {"manifest.json"}


@pytest.mark.parametrize("reading", ["conlleval", "strict"])
@pytest.mark.parametrize("corpus", ["dev", "test.txt"])
def test_a_score_that_nothing_gives_is_seen(folder: Path, corpus: str, reading: str) -> None:
    def flatter(told: dict[str, Any]) -> None:
        told["results"][corpus][reading]["overall"]["f1"] = 0.999

    edit_manifest(folder, flatter, sign=True)
    wanted = {"scores in best.safetensors and manifest.json", "scored again with the model"}
    wanted |= {"scores of the predictions"} if corpus == "test.txt" else set()
    if (corpus, reading) == ("dev", "conlleval"):
        wanted |= {"development F1 in metrics.tsv and manifest.json"}
    assert failed(check_data(folder)) == wanted


def test_counts_of_one_type_must_come_out_as_well(folder: Path) -> None:
    def flatter(told: dict[str, Any]) -> None:
        told["results"]["test.txt"]["conlleval"]["per_type"]["Sign"]["correct"] += 1

    edit_manifest(folder, flatter, sign=True)
    audit = check_data(folder)
    assert failed(audit) == {"scores of the predictions", "scored again with the model"}
    assert "counts of a type" in found(audit, "scores of the predictions", "failed")[0]


@pytest.mark.parametrize("role", ["source", "target", "dev", "test"])
def test_a_corpus_that_is_gone_is_a_failed_line_and_the_rest_is_checked(
    tmp_path: Path, role: str
) -> None:
    folder = write_tiny_run(tmp_path / "run")
    (folder.parent / f"{role}.txt").rename(tmp_path / "moved.txt")
    audit = check_data(folder)
    assert failed(audit) == {f"{role} corpus"}
    assert found(audit, f"{role} corpus", "failed")[0].startswith("not there")
    place = str(tmp_path / "moved.txt")
    moved = Moved(test=(place,)) if role == "test" else Moved(**{role: place})
    assert failed(check_data(folder, moved)) == set()


@pytest.mark.parametrize("role", ["source", "target", "dev", "test"])
def test_a_corpus_that_was_changed_is_seen(sound: Path, tmp_path: Path, role: str) -> None:
    text = (sound.parent / f"{role}.txt").read_text("utf-8")
    place = tmp_path / "changed.txt"
    place.write_text(text.replace("S-Sign", "S-Drug", 1), "utf-8")
    moved = Moved(test=(str(place),)) if role == "test" else Moved(**{role: str(place)})
    wanted = {f"{role} corpus"}
    if role in ("dev", "test"):
        wanted |= {"scored again with the model"}
    if role == "test":
        wanted |= {"gold tags of the predictions"}
    assert failed(check_data(sound, moved)) == wanted


def test_a_corpus_that_cannot_be_read_says_why(sound: Path, tmp_path: Path) -> None:
    place = tmp_path / "odd.txt"
    place.write_bytes(b"a\tB-X\n\xff\xff\tO\n")
    audit = check_data(sound, Moved(dev=str(place)))
    assert "cannot be read" in found(audit, "dev corpus", "failed")[0]


def test_one_file_that_is_read_in_another_way_is_seen(folder: Path) -> None:
    edit_manifest(folder, lambda told: told["data"][1].update(tokens=1), sign=True)
    audit = check_data(folder)
    assert failed(audit) == {"target corpus"}
    assert "tokens" in found(audit, "target corpus", "failed")[0]


def replaced(folder: Path, old: str, new: str) -> None:
    path = folder / "config.toml"
    text = path.read_text("utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), "utf-8")


@pytest.mark.parametrize(
    ("old", "new", "wanted"),
    [
        ('method = "la-dtl"', 'method = "la-mmd"', {"config.toml and manifest.json"}),
        ("steps = 40", "steps = 41", set()),
        ("constrained = true", "constrained = false", {"config.toml and manifest.json"}),
        ('/dev.txt"', '/./dev.txt"', {"config.toml and manifest.json"}),
    ],
)
def test_options_that_were_changed_are_seen(
    folder: Path, old: str, new: str, wanted: set[str]
) -> None:
    replaced(folder, old, new)
    options = "options in best.safetensors and config.toml"
    wanted = wanted | (set() if "/dev" in old else {options})
    assert failed(check_data(folder)) == wanted


def test_a_model_of_another_run_is_seen_by_its_scores(folder: Path, tmp_path: Path) -> None:
    other = write_tiny_run(
        tmp_path / "other", seed=9, data={"target_fraction": 0.5}, training={"steps": 10}
    )
    shutil.copy(other / "best.safetensors", folder)
    assert failed(check_data(folder)) >= {
        "options in best.safetensors and config.toml",
        "scores in best.safetensors and manifest.json",
        "scored again with the model",
        "tags of the model and predictions",
    }


@pytest.mark.parametrize(
    ("part", "wanted"),
    [
        ("data", "hashes in best.safetensors and manifest.json"),
        ("versions", "versions in best.safetensors and manifest.json"),
    ],
)
def test_what_a_model_tells_of_its_training_must_be_what_the_manifest_tells(
    folder: Path, part: str, wanted: str
) -> None:
    def change(model: Model) -> Model:
        key = next(iter(model.provenance[part]))
        told = {**model.provenance, part: {**model.provenance[part], key: "0" * 64}}
        return replace(model, provenance=told)

    edit_model(folder, change)
    assert failed(check_data(folder)) == {wanted}


def test_unknown_tokens_must_be_as_the_model_tells(folder: Path) -> None:
    edit_model(folder, lambda model: replace(model, dev_unknown=UnknownTokens(1, 1)))
    assert failed(check_data(folder)) == {"unknown tokens"}


@pytest.mark.parametrize("name", ["best.safetensors", "last.safetensors"])
def test_a_damaged_model_is_seen(folder: Path, name: str) -> None:
    path = folder / name
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    wanted = {name} | ({f"{name}, read"} if name.startswith("best") else set())
    assert failed(check_data(folder)) == wanted


def test_predictions_that_are_gone_or_changed_are_seen(folder: Path) -> None:
    path = folder / "predictions-test.txt"
    rows = path.read_text("utf-8").split("\n")
    place = next(n for n, row in enumerate(rows) if row.endswith("\tS-Sign\tS-Sign"))
    rows[place] = rows[place].removesuffix("S-Sign") + "O"
    path.write_text("\n".join(rows), "utf-8")
    tags = "tags of the model and predictions"
    audit = check_data(folder)
    assert failed(audit) == {"scores of the predictions", tags}
    assert found(audit, tags, "failed") == ["1 sentence with other tags (test.txt)"]
    path.unlink()
    assert failed(check_data(folder)) == {"scores of the predictions"}


def test_gold_tags_in_the_predictions_must_be_the_corpus_s(folder: Path) -> None:
    path = folder / "predictions-test.txt"
    text = path.read_text("utf-8")
    path.write_text(text.replace("\tS-Sign\tS-Sign", "\tO\tO", 1), "utf-8")
    assert "gold tags of the predictions" in failed(check_data(folder))


@pytest.mark.parametrize("scored", ["test", "dev"])
@pytest.mark.parametrize("trained", ["target", "source"])
@pytest.mark.parametrize("copied", [False, True])
def test_a_training_file_that_is_scored_on_fails(
    tmp_path: Path, scored: str, trained: str, copied: bool
) -> None:
    place = tmp_path / "run" / f"{trained}.txt"
    if copied:  # the same sentences in a file of other bytes
        corpora = small_corpora()
        corpus = corpora.target if trained == "target" else corpora.source
        assert corpus is not None
        place = tmp_path / "copy.txt"
        place.write_text(Path(write_corpus(tmp_path / "c.txt", corpus)).read_text() + "\n\n\n")
    given = {scored: [str(place)] if scored == "test" else str(place)}
    folder = write_tiny_run(tmp_path / "run", data=given, training={"steps": 5})
    assert failed(check_data(folder)) == {"no file that is scored was trained on"}


@pytest.mark.parametrize("copied", [False, True])
def test_a_model_that_a_test_has_chosen_fails(tmp_path: Path, copied: bool) -> None:
    place = tmp_path / "run" / "test.txt"
    if copied:
        place = tmp_path / "copy.txt"
        test = write_corpus(tmp_path / "c.txt", small_corpora().tests[0])
        place.write_text(Path(test).read_text("utf-8") + "\n\n", "utf-8")
    folder = write_tiny_run(tmp_path / "run", data={"dev": str(place)}, training={"steps": 5})
    audit = check_data(folder)
    assert failed(audit) == {"the model was chosen by"}
    assert "test.txt" in found(audit, "the model was chosen by", "failed")[0]


def test_without_development_data_the_last_step_is_taken_and_told(tmp_path: Path) -> None:
    folder = write_tiny_run(tmp_path / "run", data={"dev": ""}, training={"steps": 5})
    audit = check_data(folder)
    assert failed(audit) == set()
    assert "last step" in found(audit, "the model was chosen by", "noted")[0]


def test_shared_sentences_are_counted_in_file_and_sample(tmp_path: Path) -> None:
    target = small_corpora().target
    mixed = replace(target, sentences=(*target.sentences[::-1], *small_corpora().tests[0]))
    test = write_corpus(tmp_path / "mixed.txt", mixed)
    folder = write_tiny_run(
        tmp_path / "run", data={"target_fraction": 0.5, "test": [test]}, training={"steps": 5}
    )
    audit = check_data(folder)
    assert failed(audit) == set()
    known = {sentence.tokens for sentence in target}
    inside = sum(sentence.tokens in known for sentence in mixed)
    pair = next(
        one
        for one in audit.numbers["overlaps"]
        if one["scored"].endswith("mixed.txt") and one["within"].endswith("target.txt")
    )
    assert (pair["sentences"], pair["of"], pair["long"]) == (inside, 27, 0)
    assert 6 <= pair["sampled"] < inside
    line = found(audit, "sentences of test in target, word for word", "noted")[0]
    assert line.startswith(f"{inside} of 27")
    assert f"{pair['sampled']} stand among the sentences" in line


def test_long_shared_sentences_are_told_apart(tmp_path: Path) -> None:
    line = "".join(f"{c}\tO\n" for c in "abcabcabcabc")
    for name in ("dev", "test"):
        (tmp_path / f"{name}.txt").write_text(f"{line}\nx\tS-Sign\n\n{name}\tO\n", "utf-8")
    given = {"dev": str(tmp_path / "dev.txt"), "test": [str(tmp_path / "test.txt")]}
    audit = check_data(write_tiny_run(tmp_path / "run", data=given, training={"steps": 5}))
    told = found(audit, "sentences of test in dev, word for word", "noted")[0]
    assert told.startswith("2 of 3")
    assert "1 of them of 10 tokens or more" in told


def test_steps_must_be_those_of_the_table(folder: Path) -> None:
    path = folder / "metrics.tsv"
    rows = [row.split("\t") for row in path.read_text("utf-8").split("\n")]
    column = rows[0].index("dev_f1")
    best = json.loads((folder / "manifest.json").read_text("utf-8"))["best_step"]
    for row in rows[1:]:
        if row[0] == str(best):
            row[column] = "0.01"
    path.write_text("\n".join("\t".join(row) for row in rows), "utf-8")
    assert failed(check_data(folder)) == {
        "best step in metrics.tsv and manifest.json",
        "development F1 in metrics.tsv and manifest.json",
    }
    path.write_text("step\n1\t2\n", "utf-8")
    assert failed(check_data(folder)) == {"steps in metrics.tsv"}
    path.unlink()
    assert failed(check_data(folder)) == {"best step in metrics.tsv"}


@pytest.mark.parametrize("steps", [10, 20, 40])
def test_a_best_step_that_is_the_last_is_told(tmp_path: Path, steps: int) -> None:
    folder = write_tiny_run(tmp_path / "run", training={"steps": steps})
    best = json.loads((folder / "manifest.json").read_text("utf-8"))["best_step"]
    told = found(check_data(folder), "the best step is the last", "noted")
    assert bool(told) == (best == steps > 10)


def test_the_strict_reading_is_looked_up_where_it_chose(tmp_path: Path) -> None:
    folder = write_tiny_run(tmp_path / "run", training={"select_by": "strict"})
    audit = check_data(folder)
    assert failed(audit) == set()
    assert "strict" in found(audit, "the model was chosen by", "passed")[0]


def test_runs_that_differ_in_the_seed_alone_are_counted(tmp_path: Path) -> None:
    made = {
        "seed-1": {"seed": 1},
        "seed-2": {"seed": 2},
        "steps": {"seed": 3, "training": {"steps": 6}},
        "data": {"seed": 4, "data": {"target_fraction": 0.5}},
    }
    for name, changes in made.items():
        folder = write_tiny_run(tmp_path / "made", **{"training": {"steps": 5}, **changes})
        shutil.move(folder, tmp_path / name)
    audit = check_data(tmp_path / "seed-1")
    told = found(audit, "seeds of this task and method", "noted")[0]
    assert told.startswith("2 (F1, mean and deviation: test.txt")
    alone = found(check_data(tmp_path / "steps"), "seeds of this task and method", "noted")[0]
    assert alone.startswith("1 (one seed says little")


def test_the_sample_must_be_of_the_told_size(folder: Path) -> None:
    edit_manifest(folder, lambda told: told.update(target_sentences_used=7), sign=True)
    audit = check_data(folder)
    assert failed(audit) == {"the target's sample"}
    assert found(audit, "the target's sample", "failed") == [
        "6 of 12 sentences (a share of 0.5, by seed 3)"
    ]


@pytest.mark.parametrize(
    ("key", "value"), [("mmd", 0.5), ("target", "S-Planet"), ("source_tokens", 1)]
)
def test_the_distance_of_each_label_must_come_out_again(
    folder: Path, key: str, value: object
) -> None:
    edit_manifest(folder, lambda told: told["label_mmd"][1].update({key: value}), sign=True)
    assert failed(check_data(folder)) == {"MMD of each label and manifest.json"}


def test_the_label_map_must_be_the_model_s_and_name_types_that_are_there(tmp_path: Path) -> None:
    path = tmp_path / "map.toml"
    path.write_text('Drug = "Drug"\n', "utf-8")
    folder = write_tiny_run(tmp_path / "run", data={"label_map": str(path)}, training={"steps": 5})
    assert failed(check_data(folder)) == set()
    path.write_text('Drug = "Nobody"\n', "utf-8")
    types = "types of the label map"
    assert failed(check_data(folder)) == {"label map and best.safetensors", types}
    path.write_text('Drug = ""\n', "utf-8")
    audit = check_data(folder)
    distances = "MMD of each label and manifest.json"  # of other labels, now
    assert failed(audit) == {"label map and best.safetensors", distances}
    assert found(audit, "types of the source alone", "noted") == ["1 (Drug)"]
    assert found(audit, "types of the target alone", "noted") == ["1 (Drug)"]
    path.unlink()
    assert failed(check_data(folder)) == {"label map"}


def test_illegal_tags_and_types_of_the_test_alone_are_told(tmp_path: Path) -> None:
    place = tmp_path / "odd.txt"
    place.write_text("a\tI-Drug\nb\tO\n\nc\tS-Planet\n", "utf-8")
    folder = write_tiny_run(
        tmp_path / "run",
        data={"test": [str(place)], "target_format": {"scheme": "BIOES"}},
        training={"steps": 5},
    )
    audit = check_data(folder)
    assert failed(audit) == set()
    assert found(audit, "illegal tags", "noted")[0].startswith("1 in BIOES")
    told = found(audit, "types that no training sentence of the target has", "noted")
    assert "Planet" in told[0]


def test_word_vectors_must_be_the_run_s(tmp_path: Path) -> None:
    path = tmp_path / "vectors.txt"
    path.write_text(VECTORS, "utf-8")
    folder = write_tiny_run(tmp_path / "run", data={"embeddings": str(path)}, training={"steps": 5})
    audit = check_data(folder)
    assert failed(audit) == set()
    assert (
        "known to the model"
        in found(audit, "words that test has and no training sentence", "noted")[0]
    )
    assert "--vectors-text" in found(audit, "whether the vectors' text holds the tests", "noted")[0]
    path.write_text(VECTORS + "y 1 1 1 1 1 1 1 1\n", "utf-8")
    assert failed(check_data(folder)) == {"word vectors"}
    path.unlink()
    assert found(check_data(folder), "word vectors", "failed")[0].startswith("not there")


def test_vectors_that_only_the_manifest_tells_of_are_seen(folder: Path) -> None:
    report = {"name": "v", "sha256": "0", "dimension": 8, "rows": 1, "duplicates": 0}
    report |= {"first_duplicate": 0, "undecodable": 0, "first_undecodable": 0}
    used = {"file": report, "added": 0, "coverage": []}
    edit_manifest(folder, lambda told: told.update(vectors=used), sign=True)
    assert failed(check_data(folder)) == {"word vectors"}


def test_words_that_no_training_sentence_gave_are_seen(sound: Path, tmp_path: Path) -> None:
    few = tmp_path / "few.txt"
    few.write_text("a\tO\n\nx\tS-Sign\n", "utf-8")
    audit = check_data(sound, Moved(source=str(few), target=str(few)))
    assert failed(audit) >= {f"words that {role} has and no training sentence" for role in
                             ("dev", "test")}  # fmt: skip


def test_the_text_of_the_vectors_is_searched_for_long_sentences(tmp_path: Path) -> None:
    line = "".join(f"{c}\tO\n" for c in "abcabcabcabc")
    (tmp_path / "test.txt").write_text(f"{line}\nx\tS-Sign\n\n{line}x\tO\n", "utf-8")
    (tmp_path / "text.txt").write_text("so abc abcabc abc it is\n", "utf-8")
    given = {"test": [str(tmp_path / "test.txt")]}
    folder = write_tiny_run(tmp_path / "run", data=given, training={"steps": 5})
    audit = check_data(folder, vectors_texts=[str(tmp_path / "text.txt")])
    told = found(audit, "sentences of test in the vectors' text", "noted")[0]
    assert told.startswith("1 of 2 (50.0 %)")


def test_other_versions_and_a_run_that_was_taken_up_are_told(folder: Path) -> None:
    def older(told: dict[str, Any]) -> None:
        told["versions"]["numpy"] = "1.0"

    edit_manifest(folder, older, sign=True)
    with (folder / "log.jsonl").open("a", encoding="utf-8") as stream:
        stream.write('{"event": "resumed", "changed": ["seed: 1 and 2"]}\n')
    audit = check_data(folder)
    assert found(audit, "versions of the run", "noted")[0].startswith("numpy 1.0, now ")
    assert found(audit, "stopped and taken up again", "noted") == [
        "1 times, changed: seed: 1 and 2 ()"
    ]
    (folder / "log.jsonl").write_text("nothing\n", "utf-8")
    assert found(check_data(folder), "log.jsonl", "noted")


@pytest.mark.parametrize(("constrained", "told"), [(True, "constrained"), (False, "unconstrained")])
def test_decoding_is_told_and_repeated(tmp_path: Path, constrained: bool, told: str) -> None:
    folder = write_tiny_run(
        tmp_path / "run", decoding={"constrained": constrained}, training={"steps": 10}
    )
    audit = check_data(folder)
    assert failed(audit) == set()
    assert found(audit, "decoding", "noted")[0].startswith(told)


def test_a_hashed_run_needs_its_key_to_be_scored(tmp_path: Path) -> None:
    key = tmp_path / "key"
    folder = write_tiny_run(tmp_path / "run", vocabulary={"key": str(key)}, training={"steps": 5})
    assert failed(check_data(folder)) == set()
    key.rename(tmp_path / "elsewhere")
    audit = check_data(folder)
    assert failed(audit) == set()
    assert found(audit, "scored again with the model", "noted")
    assert not key.exists()
    again = check_data(folder, Moved(vocabulary_key=str(tmp_path / "elsewhere")))
    assert len(found(again, "scored again with the model", "passed")) == 2


def test_a_method_without_a_source_has_none_to_check(tmp_path: Path) -> None:
    folder = write_tiny_run(tmp_path / "run", method="non-transfer", training={"steps": 5})
    audit = check_data(folder)
    assert failed(audit) == set()
    assert not found(audit, "source corpus", "passed")


def test_a_run_of_the_demo_has_its_corpora_generated_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ladtl_np.audit.data.evidence.demo_corpora", lambda _: small_corpora())
    config, corpora = small_config(training={"steps": 1}), small_corpora()
    with RunFolder(tmp_path / "run") as held:
        run = Run(prepare(config, corpora), corpora, held, [])
        for _ in run.train():
            pass
        run.finish()
    audit = check_data(tmp_path / "run")
    assert failed(audit) == set()
    assert "no files" in audit.notes[-1]
    assert len(found(audit, "target corpus, generated anew", "passed")) == 1
    edit_manifest(tmp_path / "run", lambda told: told["data"][1].update(sentences=3), sign=True)
    assert failed(check_data(tmp_path / "run")) == {"target corpus, generated anew"}


def test_unfinished_and_missing_runs_are_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not a run folder"):
        check_data(tmp_path)
    edit_manifest(folder, lambda told: told.pop("results"), sign=True)
    with pytest.raises(UsageError, match="not finished"):
        check_data(folder)


def test_a_score_that_the_manifest_lacks_is_seen(folder: Path) -> None:
    edit_manifest(folder, lambda told: told["results"].pop("test.txt"), sign=True)
    assert failed(check_data(folder)) == {
        "scores in best.safetensors and manifest.json",
        "scored again with the model",
    }


def test_plain_values_are_for_programs(sound: Path) -> None:
    told = msgspec.json.decode(msgspec.json.encode(check_data(sound).to_json()))
    assert [corpus["role"] for corpus in told["numbers"]["corpora"]] == [
        *("source", "target", "dev", "test")
    ]
    assert all(c["sha256"] == c["told_sha256"] for c in told["numbers"]["corpora"])
