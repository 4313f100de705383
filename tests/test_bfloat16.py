"""The LSTM in bfloat16: its numbers, its tiles beside NumPy, its tags, and where it is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Invoke
from shapes_at_random import START
from test_decoding import ALPHABET, KINDS, LEGAL, TOKENS, TWO, VOCABULARY, decode, network_of

from ladtl_np.arrays.memory import Memory
from ladtl_np.arrays.packing import Packing, pack
from ladtl_np.arrays.workers import Workers
from ladtl_np.errors import UsageError
from ladtl_np.estimator import LaDTLTagger
from ladtl_np.kernels import encoding_bfloat16 as encoding
from ladtl_np.kernels.algebra import bfloat16, bfloat16_products
from ladtl_np.kernels.algebra.bfloat16 import (
    groups_of,
    has_dot_products,
    pack_bias,
    pack_gates,
    rounded,
    widened,
)
from ladtl_np.kernels.algebra.bfloat16_tiles import GATES, LANES, POWER_OF_2, ROWS
from ladtl_np.layers.bilstm import DIRECTIONS, bilstm_forward
from ladtl_np.model import decoding, packed_bfloat16, pieces
from ladtl_np.model.decoding import Decoder
from ladtl_np.model.file import Model
from ladtl_np.model.network import Architecture, initialise
from ladtl_np.model.tagging import Tagger

computes = pytest.mark.skipif(
    not has_dot_products(), reason="the processor has no dot products of bfloat16"
)
HALF_UNIT = 2.0**-8  # of a number in [1, 2), by which rounding to bfloat16 is off at most
# what reciprocals of the tiles are off by, in each of a product's two factors
CLOSE: dict[str, float] = {"rtol": 2 * 2.0**-14, "atol": 2 * 2.0**-14}
RAGGED = [(1,), (3, 1), (5, 5, 2, 1), (1, 1, 1), (40, 33, 7), (9,) * 13]


def floats(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.normal(size=shape).astype(np.float32)


def without(kernel: Any) -> Any:
    """A kernel as plain Python, with NumPy's products."""
    return getattr(kernel, "py_func", kernel)


def nearest(x: float) -> set[int]:
    """The even one of the nearest bfloat16 of a finite number, by looking at all of a sign."""
    every = np.arange(0x7F80, dtype=np.uint16) | np.uint16(0x8000 if np.signbit(x) else 0)
    distance = np.abs(widened(every).astype(np.float64) - x)
    best = every[distance == distance.min()]
    return {int(half) for half in best if len(best) == 1 or half % 2 == 0}


def test_rounding_is_to_the_nearest_and_ties_go_to_even() -> None:
    rng = np.random.default_rng(1)
    some = [*floats(rng, 40) * 10.0 ** rng.integers(-38, 38, 40), 1e-40, 0.0, -0.0]
    ties = [1 + HALF_UNIT, 1 + 3 * HALF_UNIT, -1 - 5 * HALF_UNIT, 2.0**-134, 3 * 2.0**-134]
    x = np.array([*some, *ties, 1 + HALF_UNIT + 2.0**-23], np.float32)
    for value, half in zip(x, rounded(x), strict=True):
        assert nearest(float(value)) == {int(half)}


def test_what_is_not_finite_stays_so() -> None:
    bits = np.array([0x7F800001, 0x7FFFFFFF, 0xFFFFFFFF, 0xFF800001], np.uint32)
    assert np.isnan(widened(rounded(bits.view(np.float32)))).all()
    largest = np.finfo(np.float32).max  # is nearer to infinity than to any bfloat16
    found = widened(rounded(np.array([np.inf, -np.inf, largest], np.float32)))
    assert found.tolist() == [np.inf, -np.inf, np.inf]


@pytest.mark.parametrize("K", [1, 2, 5])
@pytest.mark.parametrize("H", [1, 16, 21])
def test_weights_of_a_gate_lie_in_pairs_of_rows(K: int, H: int) -> None:
    W = floats(np.random.default_rng(K), K, GATES * H)
    W[0, 0] = 1 + HALF_UNIT  # a tie, and the even one is below
    W[K - 1, H - 1] = np.nan
    packed, groups = pack_gates(W), groups_of(H)
    assert packed.shape == (groups, (K + 1) // 2, GATES, LANES, 2)
    whole = np.zeros((K + K % 2, GATES, groups * LANES), np.uint16)
    whole[:K, :, :H] = rounded(W).reshape(K, GATES, H)
    for (g, k, q, n, odd), half in np.ndenumerate(packed):
        assert half == whole[2 * k + odd, q, LANES * g + n]
    b = pack_bias(W[0])
    np.testing.assert_array_equal(b.transpose(1, 0, 2).reshape(GATES, -1)[:, :H].ravel(), W[0])
    assert not b.transpose(1, 0, 2).reshape(GATES, -1)[:, H:].any()


def test_powers_of_two_meet_at_the_ends() -> None:
    r = np.linspace(0, 1, 1001)
    p = np.polyval(POWER_OF_2, r)
    assert np.abs(p / 2**r - 1).max() < 4e-6
    np.testing.assert_allclose(p[[0, -1]], [1.0, 2.0], rtol=1e-9)


@computes
@pytest.mark.parametrize(("D", "H"), [(1, 1), (4, 16), (7, 21)])
@pytest.mark.parametrize("U", [1, ROWS, ROWS + 1])
def test_projected_words_are_those_of_numpy(D: int, H: int, U: int) -> None:
    rng = np.random.default_rng(D)
    W, b, table = floats(rng, D, GATES * H), floats(rng, GATES * H), floats(rng, 9, D)
    rows = rng.integers(0, 9, U)
    weights = {"x.W": W, "x.b": b, "x.U": floats(rng, H, GATES * H)}
    found, _ = packed_bfloat16.project(Memory(), table=table, rows=rows, weights=weights, name="x")
    by_gate = found.transpose(0, 2, 1, 3).reshape(len(found), GATES, -1)[:U, :, :H]
    wanted = widened(rounded(table[rows])) @ widened(rounded(W)) + b
    np.testing.assert_allclose(by_gate.reshape(U, -1), wanted, rtol=1e-6, atol=1e-6)


class Step:
    """Arguments of one step, with random contents."""

    def __init__(self, rows: int, H: int, carried: bool, seed: int = 3) -> None:
        rng = np.random.default_rng(seed)
        units = LANES * groups_of(H)
        self.out, self.after = np.zeros((rows, H), np.float32), np.zeros((rows, units), np.uint16)
        self.cell, self.before = floats(rng, rows, units), rounded(floats(rng, rows, units))
        self.projected = floats(rng, 5, groups_of(H), GATES, LANES)
        self.words = rng.integers(0, 5, rows)
        self.U = pack_gates(floats(rng, H, GATES * H))
        self.before = self.before[:, : 2 * self.U.shape[1] if carried else 0]

    def run(self, reverse: bool = False) -> None:
        """Do the step as the compiled encoder does, by a sentence of one token for each row."""
        H, rows = self.out.shape[1], len(self.out)
        states = np.zeros((2, *self.after.shape), np.uint16)
        states[0, :, : self.before.shape[1]] = self.before
        goes_on = bool(self.before.size)
        if not goes_on:
            self.cell[:] = 0.0
        given = self.cell, self.projected, self.words, self.U, np.array([0, rows])
        encoding.lstm_encode(self.out[:, :H], states, *given, reverse, goes_on)
        self.after = states[1]


@computes
@pytest.mark.parametrize("carried", [True, False])
@pytest.mark.parametrize("H", [1, 5, 16, 37])
@pytest.mark.parametrize("rows", [1, 2, 3, 4, 5, 6, 7, 13])
def test_a_step_is_that_of_numpy(rows: int, H: int, carried: bool) -> None:
    found, wanted = Step(rows, H, carried), Step(rows, H, carried)
    found.run()
    if not carried:
        wanted.cell[:] = 0.0
    bfloat16_products.step(
        wanted.out, wanted.after, wanted.cell, wanted.projected, wanted.words, wanted.before,
        wanted.U,
    )  # fmt: skip
    np.testing.assert_allclose(found.out, wanted.out, **CLOSE)
    np.testing.assert_allclose(found.cell, wanted.cell, **CLOSE)
    np.testing.assert_array_equal(found.after[:, :H], rounded(found.out))


@computes
def test_gates_that_are_not_finite_saturate_or_tell() -> None:
    step = Step(4, 3, carried=False)
    step.projected[:] = 0.0
    step.words[:] = range(4)
    step.projected[0] = np.inf
    step.projected[1] = -np.inf
    step.projected[2, 0, 3, 0] = np.nan  # g of the first unit
    step.projected[3] = -1e30
    step.run()
    np.testing.assert_allclose(step.out[0], np.tanh(1.0), rtol=1e-3)  # i, o and g are 1
    np.testing.assert_allclose(step.out[[1, 3]], 0.0, atol=1e-15)
    assert np.isnan(step.out[2]).tolist() == [True, False, False]


class Encoded:
    """States (N, 2H) of a network's words, in a precision."""

    def __init__(self, lengths: tuple[int, ...], hidden: int) -> None:
        sizes = Architecture.plain(
            vocabulary=7, embedding=5, hidden=hidden, source_tags=0, target_tags=3
        )
        self.network = initialise(sizes, np.random.default_rng(1), START, np.float32)
        self.packing = pack(np.array(lengths))
        self.words = np.random.default_rng(2).integers(0, 7, self.packing.tokens)

    def bfloat16(self, packing: Packing, words: np.ndarray, *, plain: bool = False) -> np.ndarray:
        network = self.network
        H = network.architecture.hidden
        B, units = packing.sentences, LANES * groups_of(H)
        found = np.full((packing.tokens, 2 * H), np.nan, np.float32)
        encode = without(encoding.lstm_encode) if plain else encoding.lstm_encode
        for number, name in enumerate(DIRECTIONS):
            rows, place = np.unique(words, return_inverse=True)
            given = {"table": network.embedding, "rows": rows, "weights": network.weights}
            projected, U = packed_bfloat16.project(Memory(), name=name, **given)
            half = found[:, number * H : (number + 1) * H]
            states = np.full((2, B, units), 0x7FC0, np.uint16)  # NaN
            cell = np.full((B, units), np.nan, np.float32)
            offsets = packing.offsets
            encode(half, states, cell, projected, place, U, offsets, number == 1, False)
        return found


@computes
@pytest.mark.parametrize("hidden", [5, 16, 33])
@pytest.mark.parametrize("lengths", RAGGED, ids=str)
def test_states_are_near_those_of_training_and_of_numpy(lengths: Any, hidden: int) -> None:
    case = Encoded(lengths, hidden)
    network, packing = case.network, case.packing
    X = network.embedding[case.words]
    exact, _ = bilstm_forward(X, network.weights, packing.offsets, Workers())
    found = case.bfloat16(packing, case.words)
    # a factor of a product is off by half a unit, and so is the state before
    np.testing.assert_allclose(found, exact, atol=2 * HALF_UNIT * np.abs(exact).max())
    # the same rounded numbers; one that lies between two may go to either
    plain = case.bfloat16(packing, case.words, plain=True)
    np.testing.assert_allclose(found, plain, atol=HALF_UNIT / 2 * np.abs(exact).max())
    assert np.abs(found - plain).mean() < np.abs(found - exact).mean() / 4


@computes
def test_states_of_a_sentence_do_not_depend_on_the_others() -> None:
    lengths = (9, 9, 8, 7, 7, 7, 3, 1)
    case = Encoded(lengths, 21)
    together, first = case.bfloat16(case.packing, case.words), case.packing.offsets
    for n, T in enumerate(lengths):
        rows = first[:T] + n
        alone = case.bfloat16(pack(np.array([T])), case.words[rows])
        np.testing.assert_allclose(alone, together[rows], rtol=1e-6)
        if without(encoding.lstm_encode) is not encoding.lstm_encode:
            np.testing.assert_array_equal(alone, together[rows])


def sentences(lengths: tuple[int, ...]) -> list[tuple[str, ...]]:
    rng = np.random.default_rng(4)
    return [tuple(rng.choice(TOKENS, size=T).tolist()) for T in lengths]


@computes
@pytest.mark.parametrize("kind", KINDS)
def test_tags_do_not_depend_on_threads_or_pieces(monkeypatch: Any, kind: str) -> None:
    network = network_of(np.random.default_rng(len(kind)), TWO, TWO, **KINDS[kind])
    text = sentences((70, 3, 64, 65, 1, 29, 0, 28))
    how = {"characters": ALPHABET if kind == "characters" else None, "precision": "bfloat16"}
    whole = decode(network, TWO, text, **how)
    assert decode(network, TWO, text, threads=3, **how) == whole
    monkeypatch.setattr(decoding, "LONG_TOKENS", 2)
    for size in (1, 7, 64, 1000):
        monkeypatch.setattr(pieces, "PIECE_TOKENS", size)
        assert decode(network, TWO, text, **how) == whole
    exact = decode(network, TWO, text, characters=how["characters"])
    pairs = [pair for a, b in zip(whole, exact, strict=True) for pair in zip(a, b, strict=True)]
    assert np.mean([a == b for a, b in pairs]) > 0.9


def test_only_float32_is_rounded() -> None:
    network = network_of(np.random.default_rng(1), TWO, TWO).astype(np.float64)
    assert Decoder(network, VOCABULARY, TWO, **LEGAL).tag([("a",)])
    if has_dot_products():
        with pytest.raises(ValueError, match="wants weights of float32, got float64"):
            Decoder(network, VOCABULARY, TWO, **LEGAL, precision="bfloat16")


def test_other_precisions_are_refused(tiny_model: Model) -> None:
    with pytest.raises(UsageError, match="must be float32 or bfloat16, got 'float16'"):
        Tagger(tiny_model, precision="float16")  # type: ignore[arg-type]


@pytest.fixture
def lacking(monkeypatch: pytest.MonkeyPatch) -> None:
    """A processor without bfloat16."""
    instructions = bfloat16.INSTRUCTIONS._replace(bfloat16=False)
    monkeypatch.setattr(bfloat16, "INSTRUCTIONS", instructions)


def test_llvm_must_know_the_type(monkeypatch: pytest.MonkeyPatch) -> None:
    instructions = bfloat16.INSTRUCTIONS._replace(bfloat16=True)
    monkeypatch.setattr(bfloat16, "INSTRUCTIONS", instructions)
    for version, has in (((15, 0, 7), False), ((16, 0, 0), True)):
        monkeypatch.setattr(bfloat16.llvm, "llvm_version_info", version)
        assert has_dot_products() is has


@pytest.mark.usefixtures("lacking")
def test_it_is_refused_where_the_processor_lacks_it(
    invoke: Invoke, tiny_model: Model, tiny_model_file: str, gold_file: str, tmp_path: Path
) -> None:
    tagger = LaDTLTagger(precision="bfloat16")
    tagger.model_ = tiny_model
    for use in (lambda: Tagger(tiny_model, precision="bfloat16"), lambda: tagger.predict([["C"]])):
        with pytest.raises(UsageError, match=r"bfloat16 needs dot products .* has none; leave"):
            use()
    for command in ("tag", "evaluate"):
        how = ("--model", tiny_model_file, "--precision", "bfloat16")
        result = invoke(command, gold_file, *how)
        assert result.exit_code == UsageError.exit_code
        assert "leave --precision" in result.stderr
        assert not result.stdout


@computes
def test_tag_and_evaluate_take_it_and_say_so(
    invoke: Invoke, tiny_model: Model, tiny_model_file: str, gold_file: str
) -> None:
    how = ("--model", tiny_model_file, "--threads", 1)
    there = ("--precision", "bfloat16")
    assert invoke("tag", *how, gold_file).stdout == invoke("tag", *how, *there, gold_file).stdout
    exact, found = (
        json.loads(invoke("evaluate", *how, *more, gold_file, "--json").stdout)
        for more in ((), there)
    )
    assert (exact["precision"], found["precision"]) == ("float32", "bfloat16")
    assert exact["results"] == found["results"]
    assert "bfloat16" not in invoke("evaluate", *how, gold_file).stdout
    assert "legal BIOES, in bfloat16" in invoke("evaluate", *how, *there, gold_file).stdout
    loaded = LaDTLTagger.load(tiny_model_file, precision="bfloat16")
    assert loaded._decoder().precision == "bfloat16"
    assert loaded.predict([["C", "z"]]) == LaDTLTagger.load(tiny_model_file).predict([["C", "z"]])


@computes
def test_outputs_of_another_precision_are_not_kept(
    invoke: Invoke, tiny_model_file: str, gold_file: str, tmp_path: Path
) -> None:
    how = ("tag", "--model", tiny_model_file, gold_file, "--out-dir", tmp_path / "out")
    assert invoke(*how).exit_code == 0
    record = (tmp_path / "out").rglob("*.json")
    assert not any("precision" in path.read_text() for path in record)
    assert invoke(*how, "--resume").exit_code == 0
    result = invoke(*how, "--resume", "--precision", "bfloat16")
    assert "made with another precision" in result.stderr
