"""Which worker runs what, and in what order, when tests run in parallel.

A module stays on one worker, so that what its fixtures start is started once. The tests on the stack of real processes
are one piece of work and come first: they wait most of their time, which leaves the cores to the others. Then come the
browsers, then all modules by their number of tests; the small ones are last and fill the gaps.

Marks of pytest-xdist's own `loadgroup` do nothing under pytest 9: it adds them to node ids that are read-only now.
"""

import os
from collections import Counter
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

_STACK = ("tests/e2e/", "tests/faults/")
_DEMO = "tests/e2e/test_demo.py"  # has engines of its own


def piece_of(nodeid: str) -> str:
    """The piece of work a test belongs to."""
    module = nodeid.partition("::")[0]
    return "stack" if module.startswith(_STACK) and module != _DEMO else module


class PieceScheduling(LoadScopeScheduling):  # type: ignore[misc]
    """Gives out pieces in the order of the collection, which `order` has made."""

    def __init__(self, config: pytest.Config, log: Any = None) -> None:
        config.option.loadscopereorder = False
        super().__init__(config, log)

    def _split_scope(self, nodeid: str) -> str:
        return piece_of(nodeid)


def order(items: list[pytest.Item]) -> None:
    """Sort the pieces; within one, tests stay as they are. In one process all stays as it is."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return
    sizes = Counter(piece_of(item.nodeid) for item in items)

    def place(item: pytest.Item) -> tuple[bool, bool, bool, int, str]:
        piece = piece_of(item.nodeid)
        return piece != "stack", piece != _DEMO, "browser" not in piece, -sizes[piece], piece

    items.sort(key=place)
