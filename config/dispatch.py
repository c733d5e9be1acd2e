"""Carries published events to workers: one Celery task a handler, so that one failing handler stops no other."""

from typing import Any, Final

from celery import shared_task

from core import events
from core.errors import Unavailable
from core.events import Event
from wechat.events import InboxFilled

# On Redis 0 is served first. Reactions to what was done (a greeting in its one-minute window) come before more
# work; each push sets off a few of them, so new pushes still get their turn.
_AT_ONCE: Final = 0
_WHEN_FREE: Final = 6


@shared_task(
    name="config.handle_event",
    autoretry_for=(Unavailable,),
    retry_backoff=2,
    retry_backoff_max=60,
    max_retries=5,
)
def handle_event(path: str, packed: dict[str, Any]) -> None:
    """Run one handler on one event. Handlers are idempotent: Redis may deliver a task twice."""
    events.run_handler(path, events.unpack(packed))


def to_worker(path: str, event: Event) -> None:
    priority = _WHEN_FREE if isinstance(event, InboxFilled) else _AT_ONCE
    handle_event.apply_async((path, events.pack(event)), priority=priority)
