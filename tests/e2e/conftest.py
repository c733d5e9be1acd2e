"""One stack, all parts running, for the whole path."""

from collections.abc import Iterator

import pytest

from tests.stack import Stack, running_stack


@pytest.fixture(scope="session")
def whole_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(tmp_path_factory.mktemp("whole")) as stack:
        stack.start_sandbox()
        stack.start_web()
        stack.start_worker()
        yield stack


@pytest.fixture
def stack(whole_stack: Stack) -> Stack:
    whole_stack.clear()
    return whole_stack
