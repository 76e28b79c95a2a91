"""How wide the vectors are that numba compiles for."""

import os
import subprocess
import sys

import pytest

pytest.importorskip("numba")
from numba.core.codegen import get_host_cpu_features

needs_avx512 = pytest.mark.skipif(
    "+avx512f" not in get_host_cpu_features(), reason="needs AVX-512"
)
COMPILED = """
import numpy as np
from intriguing.attack.vectors import SUMS
from numba import njit

@njit(fastmath=SUMS)
def dot(a, b):
    total = np.float32(0)
    for j in range(len(a)):
        total += a[j] * b[j]
    return total

dot(np.ones(64, np.float32), np.ones(64, np.float32))
print("zmm" in next(iter(dot.inspect_asm().values())))
"""


def printed(**settings: str) -> str:
    """Return what a process of its own prints: numba decides once for each."""
    environment = {k: v for k, v in os.environ.items() if k != "NUMBA_CPU_FEATURES"}
    command = [sys.executable, "-c", COMPILED]
    done = subprocess.run(
        command, env=environment | settings, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@needs_avx512
def test_compiled_sums_use_all_of_the_vector_registers():
    assert printed() == "True"


@needs_avx512
def test_features_that_a_user_has_set_stay():
    features = f"{get_host_cpu_features()},+prefer-256-bit"
    assert printed(NUMBA_CPU_FEATURES=features) == "False"
