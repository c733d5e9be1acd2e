"""What a page of many alike parts asks the database again for each of them is asked once."""

import contextlib
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any, Final, TypeVar

T = TypeVar("T")

_answers: Final[ContextVar[dict[Any, Any] | None]] = ContextVar("answers", default=None)


@contextlib.contextmanager
def remembering() -> Iterator[None]:
    """`remembered` keeps its answers until the block ends. For reading alone: what was answered stays, whatever is written."""
    if _answers.get() is not None:
        yield
        return
    token = _answers.set({})
    try:
        yield
    finally:
        _answers.reset(token)


def remembered(question: Callable[..., T], *arguments: Any) -> T:
    """The answer, which is nobody's to change; asked anew each time outside of `remembering`. Arguments must be hashable."""
    known = _answers.get()
    if known is None:
        return question(*arguments)
    key = (question, arguments)
    if key not in known:
        known[key] = question(*arguments)
    answer: T = known[key]
    return answer
