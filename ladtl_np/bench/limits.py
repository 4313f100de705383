"""Variables of the environment that limit this package and its peers to an instruction set.

Each is read once, when its library is loaded, so they are set before an interpreter starts.
"""

from __future__ import annotations

import os

from ladtl_np.kernels.instruction_set import INSTRUCTIONS, LEVELS, VARIABLE, available

__all__ = ["is_widest", "limits_of", "limits_set"]

# NumPy's names of what is beyond AVX2 and beyond SSE4.2, of older versions and of newer ones; it
# leaves out those that it does not know
_BEYOND_AVX2 = (
    "AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL AVX512_SPR AVX512_KNL AVX512_KNM "
    "X86_V4"
)
_BEYOND_SSE4 = f"AVX F16C FMA3 FMA4 XOP AVX2 X86_V3 {_BEYOND_AVX2}"

# What each library calls the widest set that it may use: PyTorch's own loops, oneDNN, MKL,
# OpenBLAS, NumPy, and the C++ compiler below torch.compile. The least that they have is SSE4, not
# SSE2. onnxruntime has no such variable.
_LIMITS: dict[str, dict[str, str | None]] = {
    "avx2": {
        "ATEN_CPU_CAPABILITY": "avx2",
        "ONEDNN_MAX_CPU_ISA": "AVX2",
        "MKL_ENABLE_INSTRUCTIONS": "AVX2",
        "MKL_CBWR": None,
        "OPENBLAS_CORETYPE": "Haswell",
        "NPY_DISABLE_CPU_FEATURES": _BEYOND_AVX2,
        "TORCHINDUCTOR_CPP_MARCH": "x86-64-v3",
    },
    "sse2": {
        "ATEN_CPU_CAPABILITY": "default",
        "ONEDNN_MAX_CPU_ISA": "SSE41",
        "MKL_ENABLE_INSTRUCTIONS": "SSE4_2",
        "MKL_CBWR": "COMPATIBLE",  # MKL heeds the one before on Intel's processors only
        "OPENBLAS_CORETYPE": "Nehalem",
        "NPY_DISABLE_CPU_FEATURES": _BEYOND_SSE4,
        "TORCHINDUCTOR_CPP_MARCH": "x86-64-v2",
    },
}
_NAMES = (VARIABLE, *_LIMITS["avx2"])


def limits_of(level: str) -> dict[str, str | None]:
    """Variables for one of `instruction_set.LEVELS`, such as "avx2"; None is for those to unset."""
    return dict.fromkeys(_NAMES) | {VARIABLE: level} | _LIMITS.get(level, {})


def limits_set() -> dict[str, str]:
    """Those that are set in this process."""
    return {name: os.environ[name] for name in _NAMES if name in os.environ}


def is_widest() -> bool:
    """Whether this process has the widest instruction set of the processor."""
    levels = available()
    return not levels or LEVELS[levels[0]] == INSTRUCTIONS.name
