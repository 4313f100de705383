"""The processor in words that tell its generation, as LLVM recognises it."""

from __future__ import annotations

import platform
import re
from collections.abc import Mapping
from pathlib import Path

from llvmlite import binding as llvm

__all__ = ["cpu_words", "generation", "in_words"]

_GENERATIONS = {
    "nehalem": "Nehalem",
    "westmere": "Westmere",
    "sandybridge": "Sandy Bridge",
    "ivybridge": "Ivy Bridge",
    "haswell": "Haswell",
    "broadwell": "Broadwell",
    "skylake": "Skylake",
    "skylake-avx512": "Skylake-SP",
    "cascadelake": "Cascade Lake-SP",
    "cooperlake": "Cooper Lake-SP",
    "icelake-client": "Ice Lake",
    "icelake-server": "Ice Lake-SP",
    "tigerlake": "Tiger Lake",
    "alderlake": "Alder Lake",
    "sapphirerapids": "Sapphire Rapids",
    "emeraldrapids": "Emerald Rapids",
    "graniterapids": "Granite Rapids",
    "bdver4": "Excavator",
}
# what LLVM says of a processor that it does not know
_UNKNOWN = {"", "generic", "x86-64", "x86-64-v2", "x86-64-v3", "x86-64-v4"}
_SPOKEN = (  # a family's name before its number
    (r"znver(\d+)", "Zen "),
    (r"neoverse-(\w+)", "Neoverse "),
    (r"cortex-(\w+)", "Cortex-"),
    (r"apple-(\w+)", "Apple "),
)
_VENDORS = {"AuthenticAMD": "AMD", "GenuineIntel": "Intel", "HygonGenuine": "Hygon", "0x41": "ARM"}


def generation(llvm_name: str) -> str | None:
    """Name a microarchitecture as people write it; None where LLVM does not know the processor."""
    if llvm_name in _UNKNOWN:
        return None
    for pattern, words in _SPOKEN:
        if found := re.fullmatch(pattern, llvm_name):
            return words + found[1].upper()
    return _GENERATIONS.get(llvm_name, llvm_name)


def cpu_words() -> str:
    """Name the first processor, such as "AMD EPYC, Zen 5 (family 26, model 2)"."""
    try:
        text = Path("/proc/cpuinfo").read_text("utf-8")
    except (OSError, UnicodeError):
        text = ""
    return in_words(_fields(text), llvm.get_host_cpu_name())


def in_words(fields: Mapping[str, str], llvm_name: str) -> str:
    """Join what the system calls a processor, its generation, and its numbers.

    Parameters
    ----------
    fields
        Of one processor in ``/proc/cpuinfo``; empty on other systems.
    llvm_name
        As LLVM calls it, such as "znver5".
    """
    vendor = _VENDORS.get(fields.get("vendor_id", fields.get("CPU implementer", "")), "")
    family, part = fields.get("cpu family"), fields.get("CPU part")
    name = fields.get("model name") or platform.processor() or platform.machine()
    if vendor and vendor not in name:
        name = f"{vendor} {name}"
    found = generation(llvm_name)
    if found and found not in name:
        name = f"{name}, {found}"
    if family:
        return f"{name} (family {family}, model {fields.get('model', 'unknown')})"
    return f"{name} (part {part})" if part else name


def _fields(text: str) -> dict[str, str]:
    """Names and values of the first processor."""
    first = text.strip().partition("\n\n")[0]
    pairs = (line.partition(":") for line in first.split("\n"))
    return {name.strip(): value.strip() for name, _, value in pairs if value.strip()}
