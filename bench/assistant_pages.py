"""P13: the assistant's lists, home and the pulse that every open page asks for (bench/pages.py)."""

from bench.figures import Report
from bench.pages import bench_pages


def bench() -> Report:
    """Raises RuntimeError when a page did not answer 200."""
    return bench_pages("assistant", "assistant")
