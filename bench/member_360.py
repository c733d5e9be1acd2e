"""P13: the member 360 page, tab by tab (bench/pages.py)."""

from bench.figures import Report
from bench.pages import bench_pages


def bench() -> Report:
    """Raises RuntimeError when a page did not answer 200."""
    return bench_pages("member_360", "member 360")
