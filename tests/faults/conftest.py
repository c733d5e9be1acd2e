"""Each fault test leaves the engines running, and web and sandbox if they live; workers are each test's own."""

from collections.abc import Iterator

import pytest

from tests.stack import Stack


@pytest.fixture
def stack(shared_stack: Stack) -> Iterator[Stack]:
    shared_stack.start_engines()
    shared_stack.kill_worker()
    shared_stack.clear()
    yield shared_stack
    shared_stack.thaw_postgres()
    shared_stack.kill_worker()
    shared_stack.start_engines()
    if shared_stack.is_running("sandbox"):
        shared_stack.sandbox("DELETE", "/_/faults")
