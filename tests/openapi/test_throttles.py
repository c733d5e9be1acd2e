"""The counters of requests from many threads of one process."""

import pytest

from rest import throttles
from rest.throttles import Limit
from tests.threads import at_once

LIMIT = Limit(by="ip", most=10_000, span_s=86_400)


def test_the_first_requests_of_a_process_share_one_client() -> None:
    # A client that lost the race to be kept closes its connections while a request goes through them: ValueError.
    for round_number in range(30):
        throttles.forget_client()
        seen = at_once([lambda: id(throttles.client())] * 8)
        assert len(set(seen)) == 1, round_number


@pytest.mark.parametrize("scope", [f"test.first.{number}" for number in range(10)])
def test_first_requests_of_many_threads_are_all_counted(scope: str) -> None:
    throttles.forget_client()
    assert at_once([lambda: throttles.find_wait(scope, [(LIMIT, "10.0.0.1")])] * 8) == [None] * 8
    over = Limit(by="ip", most=8, span_s=86_400)
    assert throttles.find_wait(scope, [(over, "10.0.0.1")]) is not None
