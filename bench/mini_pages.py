"""P13: what a mini-program reads, endpoint by endpoint (bench/pages.py)."""

from bench.figures import Report
from bench.pages import bench_pages


def bench() -> Report:
    """Raises RuntimeError when a page did not answer 200."""
    return bench_pages("mini", "mini-program")
