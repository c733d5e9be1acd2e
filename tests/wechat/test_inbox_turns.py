"""How the inbox shares the workers with the answers it sets off."""

from collections.abc import Iterator

import pytest

from config.dispatch import to_worker
from config.event_routes import ROUTES
from core import clock, events
from tests.wechat import push_kit
from tests.wechat.conftest import make_account
from wechat.events import InboxFilled
from wechat.models import InboundEvent
from wechat.services import inbox


@pytest.fixture
def dispatched() -> Iterator[list[events.Event]]:
    """Whatever would go to the broker."""
    seen: list[events.Event] = []
    events.install(ROUTES, lambda path, event: seen.append(event))
    yield seen
    events.install(ROUTES, to_worker)


def waiting_count() -> int:
    return InboundEvent.objects.filter(state="stored").count()


@pytest.mark.django_db(transaction=True)
def test_a_turn_takes_one_batch_and_queues_the_next_behind_what_it_set_off(
    dispatched: list[events.Event],
) -> None:
    account = make_account()
    for number in range(8):
        raw = push_kit.xml(push_kit.event("VIEW", EventKey="https://example.com/"))
        InboundEvent.objects.create(
            account=account, dedupe_key=str(number), kind="event.view", received_at=clock.now(), raw=raw
        )
    assert inbox.take_turn() == 5
    assert (waiting_count(), dispatched) == (3, [InboxFilled()])
    dispatched.clear()
    assert inbox.take_turn() == 3
    assert (waiting_count(), dispatched) == (0, [])
