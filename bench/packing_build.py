"""L5: packing the vectors of 1,000,000 scenes while searches and writes go on, and a cutover of a large owner and its rollback.

The packing begins with nothing packed, as after an upgrade or a restore. Until it ends, searches compare all vectors.
"""

import subprocess
import sys
from collections.abc import Iterator
from time import perf_counter

from bench.benchmark import Goal, Group, Part, Round, compute_smallest_margin
from bench.cutover_time import measure_cutover
from bench.probes import describe_searches, make_search, run_probe
from bench.scale_database import reset_packing, run_library_server
from bench.scale_library import MILLION, ScaleLibrary
from bench.search_speed import LIMITS_MS
from bench.workers import ROOT

LARGEST = max(MILLION)
BUILD_S = 600.0
LOCK_S = 1.0


def run_rounds() -> Iterator[Round]:
    """Yield the smallest margin of all parts."""
    with run_library_server() as server:
        library = server.connect(MILLION)
        parts = _measure_build(library)
        # What an interrupted benchmark has left is packed, too.
        server.connect(MILLION)
        parts += measure_cutover(library.owners[LARGEST][0])
    yield {"L5": compute_smallest_margin(parts)}


def _measure_build(library: ScaleLibrary) -> list[Part]:
    from django.db import transaction

    from videos.search.packing import hold_back_packing

    def write() -> None:
        with transaction.atomic():
            hold_back_packing([library.owners[LARGEST][0].pk])

    search = make_search([library.owners[size][0] for size in LIMITS_MS], seed=1)
    search()
    reset_packing()
    began = perf_counter()
    with run_probe(search) as searches, run_probe(write) as writes:
        ended = subprocess.run([sys.executable, "-m", "bench.one_packing"], cwd=ROOT, capture_output=True, text=True)
        build_s = perf_counter() - began
    if ended.returncode:
        raise RuntimeError(f"The packing failed: {ended.stderr[-2000:]}")
    return [
        Part("packing of all vectors, s", build_s, BUILD_S, at_least=False),
        *describe_searches(searches, "the packing"),
        Part("longest wait of a write for the packing, s", writes.longest_s, LOCK_S, at_least=False),
    ]


GROUP = Group(
    (
        Goal(
            "L5",
            "packing of 1,000,000 scenes in four channels, cutover and rollback of an owner of 500,000 (one round)",
            "limits of times, and no failed search",
            0.0,
            unit="s or failures below its limits, at least",
        ),
    ),
    run_rounds,
    is_long=True,
)
