"""The stack with all parts running, for the whole path."""

import pytest

from tests.stack import Stack


@pytest.fixture
def stack(shared_stack: Stack) -> Stack:
    shared_stack.start_sandbox()
    shared_stack.start_web()
    shared_stack.start_worker()
    shared_stack.clear()
    return shared_stack
