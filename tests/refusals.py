"""What a call was refused with."""

from typing import Any

import pytest

from core.errors import Refusal


def refused(call: Any, *args: Any, **values: Any) -> str:
    """The stable code that the call is refused with; it fails when the call is not refused."""
    with pytest.raises(Refusal) as caught:
        call(*args, **values)
    return caught.value.code
