"""One stack for all fault tests; each leaves its engines running and its processes stopped."""

from collections.abc import Iterator

import pytest

from tests.stack import Stack, running_stack


@pytest.fixture(scope="session")
def shared_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(tmp_path_factory.mktemp("stack")) as stack:
        yield stack


@pytest.fixture
def stack(shared_stack: Stack) -> Iterator[Stack]:
    shared_stack.start_engines()
    shared_stack.clear()
    yield shared_stack
    shared_stack.thaw_postgres()
    for name in list(shared_stack.processes):
        shared_stack.kill(name)
    shared_stack.start_engines()
