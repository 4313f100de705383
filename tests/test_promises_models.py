"""Promises about model files: hostile ones are refused, damage is noticed, tags mean something."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
import tracemalloc
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import Invoke
from hostile_models import LARGE, SMALL, Parts, assembled
from small_corpora import small_config

from ladtl_np import LaDTLTagger, load_model
from ladtl_np.errors import ModelFileError, ScoreError
from ladtl_np.model.container import open_container, pack
from ladtl_np.model.file import Model, model_bytes, save_model
from ladtl_np.model.tagging import Tagger, make_decoder
from ladtl_np.training.preparation import Corpora, prepare
from ladtl_np.training.trained_model import build_model
from ladtl_np.training.trainer import Trainer

KEPT = sorted((Path(__file__).parent / "data" / "models").glob("*.safetensors"))
SLACK = 4 << 20  # bytes beside twice the file's: what the least file takes
HANGS = 20.0  # seconds; a bound on hanging, not on speed


@pytest.fixture(scope="module")
def parts(tiny_model: Model) -> Parts:
    return Parts(model_bytes(replace(tiny_model, label_map={"Sign": "Sign"})))


def refused(path: Path) -> str:
    """The message with which a file is refused, which takes neither time nor room."""
    tracemalloc.start()
    begin = time.perf_counter()
    try:
        with pytest.raises(ModelFileError) as caught:
            load_model(path)
        seconds, (_, peak) = time.perf_counter() - begin, tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    message = str(caught.value)
    size = path.stat().st_size if path.is_file() else 0
    assert seconds < HANGS
    assert peak <= 2 * size + SLACK
    assert message.startswith(str(path))
    assert len(message) < len(str(path)) + 1500
    assert message.isprintable()
    return message


@pytest.mark.parametrize("kind", SMALL)
def test_promise_11_a_hostile_file_is_refused(kind: str, parts: Parts, tmp_path: Path) -> None:
    path = tmp_path / "m"
    path.write_bytes(SMALL[kind](parts))
    refused(path)


def test_promise_11_what_hostile_files_are_made_of_loads(parts: Parts, tmp_path: Path) -> None:
    """Each differs from this one in the one thing that its name says."""
    for number, content in enumerate(
        (parts.content, parts.with_values(), parts.with_scores("[" * 30 + "]" * 30))
    ):
        (tmp_path / str(number)).write_bytes(content)
        load_model(tmp_path / str(number))


@pytest.mark.parametrize("kind", LARGE)
def test_promise_11_a_large_hostile_file_is_refused_in_twice_its_size(
    kind: str, parts: Parts, tmp_path: Path
) -> None:
    path = tmp_path / "m"
    path.write_bytes(LARGE[kind](parts))
    refused(path)


WATCHED = """
import sys
from ladtl_np import load_model
from ladtl_np.errors import ModelFileError
from ladtl_np.model.tagging import Tagger

CODE = ("exec", "compile", "import", "marshal.", "pickle.", "code.", "function.", "subprocess.")
PROGRAMS = ("os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "socket.", "ctypes.")
seen, watching = [], False

def watch(event, arguments):
    if watching and event.startswith(CODE + PROGRAMS):
        seen.append((event, str(arguments)[:200]))

sys.addaudithook(watch)
list(Tagger(load_model(sys.argv[2])).tag([["C", "z"], ["x"]]))
"".encode("unicode_escape")  # Python loads this for the first message that escapes something
watching = True
for path in sys.argv[3:]:
    try:
        load_model(path)
        raise SystemExit(path)
    except ModelFileError:
        pass
PLANTED
print(*Tagger(load_model(sys.argv[1])).tag([["C", "z"], ["x"]]))
watching = False
sys.exit(str(seen) if seen else 0)
"""


def watched(planted: str, sound: Path, hostile: list[Path]) -> subprocess.CompletedProcess[str]:
    program = WATCHED.replace("PLANTED", planted)
    warm = next(path for path in KEPT if path.stem == "format-1-la-dtl")
    command = [sys.executable, "-c", program, sound, warm, *hostile]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def test_promise_10_loading_and_tagging_run_no_code_from_a_file(
    parts: Parts, tmp_path: Path
) -> None:
    """What is loaded for the first model of all is this package and its own compiled code."""
    sound, hostile = tmp_path / "sound", []
    sound.write_bytes(parts.content)
    for number, build in enumerate(SMALL.values()):
        hostile.append(tmp_path / str(number))
        hostile[-1].write_bytes(build(parts))
    done = watched("", sound, hostile)
    assert done.stderr == ""
    assert done.returncode == 0
    assert done.stdout == "('B-Drug', 'E-Drug') ('S-Sign',)\n"
    for planted, event in (
        ("eval('1')", "exec"),
        ("import this", "import"),
        ("import pickle; pickle.loads(b'cbuiltins\\nlen\\n.')", "pickle.find_class"),
        ("import os; os.system('true')", "os.system"),
    ):
        assert f"('{event}', " in watched(planted, sound, []).stderr


CHILD = """
import resource, sys
from ladtl_np.errors import ModelFileError
from ladtl_np.model.file import load_model
most = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
load_model(sys.argv[1])
before = most()
try:
    load_model(sys.argv[2])
except ModelFileError:
    print(most() - before)
"""


@pytest.mark.parametrize("kind", ["a text of 20 MB and one rare character", "lists by the million"])
def test_promise_11_as_much_room_is_taken_in_all(kind: str, parts: Parts, tmp_path: Path) -> None:
    """Of the whole process, what Python does not count included."""
    sound, path = tmp_path / "sound", tmp_path / "m"
    sound.write_bytes(parts.content)
    path.write_bytes(LARGE[kind](parts))
    done = subprocess.run(
        [sys.executable, "-c", CHILD, sound, path], capture_output=True, check=True, timeout=60
    )
    assert int(done.stdout) <= 2 * path.stat().st_size + SLACK


def test_promise_11_a_file_cut_short_at_any_byte_is_refused(parts: Parts, tmp_path: Path) -> None:
    path = tmp_path / "m"
    for content in (parts.content, KEPT[0].read_bytes()):
        path.write_bytes(content[:-1])
        with pytest.raises(ModelFileError, match=r"cut short: [\d,]+ bytes of arrays, its header"):
            load_model(path)
        for size in reversed(range(len(content))):
            os.truncate(path, size)
            with pytest.raises(ModelFileError):
                load_model(path)


def test_promise_11_what_is_no_file_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "to a pipe").symlink_to(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        monkeypatch.chdir(tmp_path)  # a socket's path is short
        listening.bind("socket")
        names = ("pipe", "to a pipe", "loop", "socket", ".", "none", "none/m", "pipe/m")
        for path in (*map(Path, names), Path("/dev/zero"), Path("/dev/null"), Path("x" * 5000)):
            with pytest.raises(ModelFileError, match=r"give a model file such as"):
                load_model(path)
        with pytest.raises(ModelFileError, match=r"give a model file such as"):
            load_model("m\0n")


def test_promise_11_what_is_no_file_is_not_even_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Opening a device may do something; and where a pipe takes a file's place, nothing hangs."""
    pipe, file = tmp_path / "pipe", tmp_path / "file"
    os.mkfifo(pipe)
    file.touch()
    with monkeypatch.context() as patched:
        patched.setattr(os, "open", lambda *_: pytest.fail("opened"))
        with pytest.raises(ModelFileError, match="not a file"):
            load_model(pipe)
    before = os.stat(file)
    signal.signal(signal.SIGALRM, lambda *_: pytest.fail("waits for somebody to write"))
    signal.alarm(10)
    with monkeypatch.context() as patched:
        patched.setattr("ladtl_np.model.container.os.stat", lambda _: before)
        with pytest.raises(ModelFileError, match="not a file"):
            load_model(pipe)
    signal.alarm(0)


def test_promise_11_a_file_that_may_not_be_read_says_so(
    parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "m"
    path.write_bytes(parts.content)

    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)  # the tests' user may read everything
    with pytest.raises(ModelFileError, match="Permission denied"):
        load_model(path)


def sparse(path: Path, content: bytes, size: int) -> str:
    """Why a file that begins so and goes on with zeros is refused."""
    path.write_bytes(content)
    os.truncate(path, size)
    return refused(path)


def test_promise_11_a_huge_file_is_not_read_to_its_end(parts: Parts, tmp_path: Path) -> None:
    path, size, huge = tmp_path / "m", 100 << 30, 1 << 18
    assert "not written by ladtl_np" in sparse(path, b"", size)
    assert "wanted 268,435,456 at most" in sparse(path, (1 << 36).to_bytes(8, "little"), size)
    assert "bytes follow" in sparse(path, parts.content, size)
    # a header of zeros behind the first bytes of a sound one: what is read is what it says
    header = (64 << 20).to_bytes(8, "little") + parts.content[8:1000]
    assert "not written by ladtl_np" in sparse(path, header, size)
    # one that fits, and tells of more than there is memory
    outer = {"dtype": "F32", "shape": [huge, huge], "data_offsets": [0, 4 * huge * huge]}
    told = assembled(json.dumps({"__metadata__": {"ladtl_np": "{}"}, "a": outer}))
    path.write_bytes(told)
    os.truncate(path, len(told) + 4 * huge * huge)
    with open_container(path, "a model") as held:  # as if a model had such an array
        with pytest.raises(ModelFileError, match="more than this machine's memory"):
            held.arrays()
    assert "not a model" in refused(path)


def test_promise_11_a_file_that_shrinks_while_it_is_read_is_refused(
    parts: Parts, tmp_path: Path
) -> None:
    path = tmp_path / "m"
    path.write_bytes(pack({"a": np.zeros(100_000)}, "{}"))
    with open_container(path, "a model") as held:
        os.truncate(path, 400_000)
        with pytest.raises(ModelFileError, match="cut short while it was read"):
            held.arrays()


def test_promise_11_too_little_memory_is_told(
    parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "m"
    path.write_bytes(parts.content)

    def refuse(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("ladtl_np.model.container.np.empty", refuse)
    with pytest.raises(ModelFileError, match="not enough memory"):
        load_model(path)


def flips(content: bytes, path: Path, masks: dict[int, int]) -> None:
    """Flip bits of single bytes: the file is refused, or is the same model."""
    whole = model_bytes(load_model(path))
    for place, mask in masks.items():
        changed = bytearray(content)
        changed[place] ^= mask
        path.write_bytes(changed)
        try:
            found = load_model(path)
        except ModelFileError:
            continue
        assert model_bytes(found) == whole, place


def test_promise_38_a_changed_byte_is_noticed(parts: Parts, tmp_path: Path) -> None:
    rng = random.Random(0)
    (tmp_path / "m").write_bytes(parts.content)
    places = rng.sample(range(len(parts.content)), 1500)
    flips(parts.content, tmp_path / "m", {place: rng.randrange(1, 256) for place in places})


@pytest.mark.slow
@pytest.mark.parametrize("bit", range(8))
def test_promise_38_every_changed_bit_is_noticed(bit: int, parts: Parts, tmp_path: Path) -> None:
    (tmp_path / "m").write_bytes(parts.content)
    flips(parts.content, tmp_path / "m", dict.fromkeys(range(len(parts.content)), 1 << bit))


def test_promise_38_the_checksum_covers_words_tags_names_and_values(
    parts: Parts, tmp_path: Path
) -> None:
    path = tmp_path / "m"
    for old, new in ((b"S-Sign", b"S-Sagn"), (b"Drug", b"Drag"), (b"forward.U", b"forward.V")):
        assert parts.content.count(old)
        path.write_bytes(parts.content.replace(old, new))
        with pytest.raises(ModelFileError, match=r"checksum|not expected"):
            load_model(path)
    swapped = parts.content.replace(b"forward.W", b"f").replace(b"backward.W", b"forward.W")
    path.write_bytes(swapped.replace(b'"f"', b'"backward.W"'))
    with pytest.raises(ModelFileError, match="not what was written, as the checksum shows"):
        load_model(path)
    path.write_bytes(parts.content[:-1] + b"\x3f")
    with pytest.raises(ModelFileError, match="not what was written, as the checksum shows"):
        load_model(path)


def test_promise_38_a_model_of_before_checksums_loads(parts: Parts, tmp_path: Path) -> None:
    path = tmp_path / "m"
    path.write_bytes(assembled(json.dumps(parts.outer), parts.data))
    with open_container(path, "a model") as held:
        assert held.checksum is None
    assert model_bytes(load_model(path)) == parts.content


@pytest.mark.parametrize(
    ("written", "here", "changes", "told"),
    [
        ("0.1.0", "0.1.0", (), None),
        ("0.1.0", "0.9.0", (), None),
        ("0.1.0", "0.2.0", ("0.3.0",), None),
        ("0.3.0", "0.4.0", ("0.3.0",), None),
        ("0.1.0", "0.3.0", ("0.2.0", "0.3.0"), "since 0.3.0 the same weights may give other tags"),
        ("0.2.9", "1.0.0", ("0.3.0",), "since 0.3.0 the same weights may give other tags"),
        ("0.10.0", "0.9.0", (), "newer than this one, 0.9.0"),
        ("nonsense", "0.9.0", ("0.3.0",), None),
    ],
)
def test_promise_38_versions_that_matter_are_told(
    written: str,
    here: str,
    changes: tuple[str, ...],
    told: str | None,
    parts: Parts,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    invoke: Invoke,
) -> None:
    """To those who load it from Python, and by every command that does."""
    monkeypatch.setattr("ladtl_np.__version__", here)
    monkeypatch.setattr("ladtl_np.model.formats.NUMERIC_CHANGES", changes)
    path, text = tmp_path / "m", tmp_path / "text"
    path.write_bytes(parts.with_values(provenance={"versions": {"ladtl_np": written}}))
    text.write_text("C\tB-Drug\nz\tE-Drug\n\n", "utf-8")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        load_model(path)
    assert [str(one.message).partition(": ")[2][:7] for one in caught] == ["written"] * bool(told)
    for arguments in (
        ("tag", "--model", path, text),
        ("evaluate", "--model", path, text),
        ("model", "info", path),
    ):
        result = invoke(*arguments)
        assert result.exit_code == 0
        assert result.stderr.count("warning: ") == bool(told)
        assert (told or "") in result.stderr
    assert (told or f"written by ladtl_np {written}") in invoke("model", "verify", path).stdout


def absurd(model: Model, value: float = 3e38) -> Model:
    """A model of finite weights that no training gives; its scores are not finite."""
    network = model.network.copy()
    network.weights["target_crf.W"][:] = value
    network.weights["target_crf.W"][::2] = -value
    return replace(model, network=network)


@pytest.fixture
def absurd_file(tiny_model: Model, tmp_path: Path) -> Path:
    save_model(tmp_path / "absurd", absurd(tiny_model))
    return tmp_path / "absurd"


def test_promise_41_tag_reports_scores_that_are_not_finite(
    absurd_file: Path, tmp_path: Path, invoke: Invoke
) -> None:
    text, out = tmp_path / "text", tmp_path / "out"
    text.write_text("\n\nCz\nsecret\n", "utf-8")
    for arguments in ((text, "-o", out), (text,), (text, "--unconstrained", "--threads", 2)):
        result = invoke("tag", "--model", absurd_file, *arguments)
        assert result.exit_code == 1
        assert f"{absurd_file}: its scores of sentence 3 are not finite" in result.stderr
        assert "secret" not in result.stderr
        assert "Drug" not in result.stdout
    assert not out.exists()


def test_promise_41_evaluate_and_predict_report_them(
    absurd_file: Path, tmp_path: Path, invoke: Invoke, tiny_model: Model
) -> None:
    gold = tmp_path / "gold"
    gold.write_text("C\tB-Drug\nz\tE-Drug\n\nx\tS-Sign\n\n", "utf-8")
    result = invoke("evaluate", "--model", absurd_file, gold)
    assert result.exit_code == 1
    assert f"{absurd_file}: its scores of {gold}:1 are not finite" in result.stderr
    tagger = LaDTLTagger.load(absurd_file)
    with pytest.raises(ScoreError, match="scores of sentence 1 are not finite"):
        tagger.predict([["C", "z"]])
    with pytest.raises(ScoreError, match="scores of X:1 are not finite"):
        tagger.score([["C", "z"]], [["B-Drug", "E-Drug"]])


def test_promise_41_the_number_counts_all_sentences_before(tiny_model: Model) -> None:
    """Sums of transitions overflow with the second token; the first such sentence is named."""
    network = tiny_model.network.copy()
    network.weights["target_crf.A"][:] = 3e38
    tagger = Tagger(replace(tiny_model, network=network), chunk_sentences=3)
    sentences = [["a"]] * 8 + [["a", "x", "a"], ["x"], ["x"] * 5]
    with pytest.raises(ScoreError, match="this model: its scores of sentence 9 are not finite"):
        list(tagger.tag(sentences))
    assert len(list(tagger.tag(sentences[:8]))) == 8


@pytest.mark.parametrize("constrained", [True, False])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("tag", range(9))
def test_promise_41_one_score_is_enough(
    tiny_model: Model, constrained: bool, value: float, tag: int
) -> None:
    """Even where the best path leads around it."""
    network = tiny_model.network.copy()
    network.weights["target_crf.W"][:, tag] = value
    decoder = make_decoder(replace(tiny_model, network=network), constrained=constrained)
    with pytest.raises(ScoreError):
        decoder.tag([["C", "z", "a"]])


@pytest.mark.parametrize("constrained", [True, False])
def test_promise_41_scores_that_overflow_below_are_met_as_those_above(
    tiny_model: Model, constrained: bool
) -> None:
    """A tag whose score became -inf is no tag of the best path, whose own score is finite."""
    rng, met = np.random.default_rng(0), []
    for signs in rng.choice([-3e38, 3e38], (10, 12)):
        for column in (signs, -signs):
            network = tiny_model.network.copy()
            network.weights["target_crf.W"][:, 3] = column
            decoder = make_decoder(replace(tiny_model, network=network), constrained=constrained)
            try:
                decoder.tag([["C"]])
                met.append(False)
            except ScoreError:
                met.append(True)
    assert met[::2] == met[1::2]
    assert any(met)


def test_promise_41_transitions_that_overflow_are_met(tiny_model: Model) -> None:
    network = tiny_model.network.copy()
    network.weights["target_crf.A"][:] = 3e38
    network.weights["source_crf.A"][:] = -3e38
    model = replace(tiny_model, network=network)
    for domain in ("target", "source"):
        decoder = make_decoder(model, domain=domain)
        with pytest.raises(ScoreError):
            decoder.tag([["C", "z", "a"] * 3])


def test_promise_41_forbidden_transitions_are_no_such_scores(tiny_model: Model) -> None:
    """They are -inf in every constrained decoding, for sentences of every length."""
    for constrained in (True, False):
        decoder = make_decoder(tiny_model, constrained=constrained)
        assert len(decoder.tag([["C"] * n for n in range(20)])) == 20


def test_promise_41_scoring_in_training_reports_them(tiny_corpus: Corpora) -> None:
    trainer = Trainer(prepare(small_config(), tiny_corpus))
    network = absurd(build_model(trainer.prepared, trainer.network, {}, {})).network
    assert tiny_corpus.dev is not None
    with pytest.raises(ScoreError, match=r"scores of dev:\d+ are not finite"):
        trainer.score(network, tiny_corpus.dev)
