"""The machine's name, and interpreters that are limited to an instruction set."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest

from ladtl_np.bench import levels, limits
from ladtl_np.bench.processor import cpu_words, generation, in_words
from ladtl_np.bench.startup import environment, fresh
from ladtl_np.bench.suite import Plan
from ladtl_np.errors import LadtlError, UsageError
from ladtl_np.kernels import instruction_set

INTEL = {
    "vendor_id": "GenuineIntel",
    "cpu family": "6",
    "model": "143",
    "model name": "Intel(R) Xeon(R) Platinum 8480",
}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("znver5", "Zen 5"),
        ("haswell", "Haswell"),
        ("skylake-avx512", "Skylake-SP"),
        ("icelake-server", "Ice Lake-SP"),
        ("neoverse-v2", "Neoverse V2"),
        ("cortex-a72", "Cortex-A72"),
        ("apple-m1", "Apple M1"),
        ("a-new-one", "a-new-one"),
        ("generic", None),
        ("x86-64-v3", None),
    ],
)
def test_generations_have_the_names_that_people_use(name: str, words: str | None) -> None:
    assert generation(name) == words


@pytest.mark.parametrize(
    ("fields", "llvm", "words"),
    [
        (INTEL, "sapphirerapids", "Xeon(R) Platinum 8480, Sapphire Rapids (family 6, model 143)"),
        (INTEL, "x86-64", "Intel(R) Xeon(R) Platinum 8480 (family 6, model 143)"),
        (
            {"vendor_id": "AuthenticAMD", "cpu family": "26", "model": "2", "model name": "EPYC"},
            "znver5",
            "AMD EPYC, Zen 5 (family 26, model 2)",
        ),
        (
            {"CPU implementer": "0x41", "CPU part": "0xd0c"},
            "neoverse-n1",
            "Neoverse N1 (part 0xd0c)",
        ),
    ],
)
def test_a_processor_is_named_with_its_generation(fields: dict, llvm: str, words: str) -> None:
    assert in_words(fields, llvm).endswith(words)


def test_a_system_that_tells_nothing_still_has_a_name() -> None:
    assert in_words({}, "generic")
    assert cpu_words()


def variable(name: str) -> str | None:
    return os.environ.get(name)


def test_variables_are_set_or_unset_for_the_interpreters_that_start_meanwhile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LADTL_A", "before")
    monkeypatch.delenv("LADTL_B", raising=False)
    with environment(LADTL_A=None, LADTL_B="meanwhile"):
        assert fresh(variable, "LADTL_B")[1] == "meanwhile"
        assert variable("LADTL_A") is None
    assert (variable("LADTL_A"), variable("LADTL_B")) == ("before", None)


def test_every_set_names_or_unsets_the_same_variables() -> None:
    widest = limits.limits_of("avx512")
    assert {name for name, value in widest.items() if value} == {"LADTL_ISA"}
    for level in ("avx2", "sse2", "neon"):
        found = limits.limits_of(level)
        assert found.keys() == widest.keys()
        assert found["LADTL_ISA"] == level


def test_what_the_environment_limits_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in limits.limits_of("avx2"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    assert limits.limits_set() == {"OPENBLAS_CORETYPE": "Haswell"}


@pytest.fixture
def has_three(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (levels, limits):
        monkeypatch.setattr(module, "available", lambda: ("avx512", "avx2", "sse2"))
    for name in ("NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("has_three")
def test_sets_are_measured_from_the_widest_on() -> None:
    assert levels.chosen_levels([]) == ()
    assert levels.chosen_levels(["sse2", "avx512"]) == ("avx512", "sse2")
    assert levels.chosen_levels(["all"]) == ("avx512", "avx2", "sse2")


@pytest.mark.usefixtures("has_three")
@pytest.mark.parametrize("name", ["neon", "avx10", ""])
def test_a_set_that_is_not_there_is_refused_with_those_that_are(name: str) -> None:
    with pytest.raises(UsageError, match=r"this processor has avx512, avx2, sse2; choose of these"):
        levels.chosen_levels(["avx2", name])


@pytest.mark.usefixtures("has_three")
def test_two_ways_to_choose_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMBA_CPU_NAME", "haswell")
    assert levels.chosen_levels([]) == ()
    with pytest.raises(UsageError, match="--isa and NUMBA_CPU_NAME both say"):
        levels.chosen_levels(["avx2"])


@pytest.mark.usefixtures("has_three")
@pytest.mark.parametrize(("name", "widest"), [("AVX-512", True), ("AVX2", False)])
def test_only_the_widest_set_has_every_peer_under_its_limit(
    monkeypatch: pytest.MonkeyPatch, name: str, widest: bool
) -> None:
    monkeypatch.setattr(limits, "INSTRUCTIONS", instruction_set.INSTRUCTIONS._replace(name=name))
    assert limits.is_widest() is widest


def answering(answer: bytes | str) -> Callable[..., Any]:
    return lambda function, plan: (0.0, answer)


def test_what_fails_with_a_set_is_told_with_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(levels, "fresh", answering("float32: x differs"))
    with pytest.raises(LadtlError, match="avx2: float32: x differs"):
        levels.run_levels(["avx2"], Plan())


def test_a_peer_that_differs_is_a_message_and_no_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(plan: Plan, tell: Callable[[str], None]) -> None:
        error = LadtlError("x differs")
        error.add_note("crf of tiny beside PyTorch")
        raise error

    monkeypatch.setattr(levels, "run", fail)
    assert levels._measured(Plan()) == "x differs crf of tiny beside PyTorch"
