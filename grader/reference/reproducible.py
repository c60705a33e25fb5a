"""What makes CPU kernels give the same bits on every machine. Set before torch is imported.

ATEN_CPU_CAPABILITY=default keeps torch's own kernels from using the vector unit at hand, whose
fused forms round differently; MKL_CBWR=COMPATIBLE does the same for matrix products; one thread
fixes the order of sums. `benchmarks/reproducible.py` reports what each does and costs.
"""

REPRODUCIBLE = {
    "ATEN_CPU_CAPABILITY": "default",
    "MKL_CBWR": "COMPATIBLE",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}


def environment() -> dict[str, str]:
    """The whole environment of a process that computes: nothing of the user's passes into it."""
    return {**REPRODUCIBLE, "LANG": "C.UTF-8"}
