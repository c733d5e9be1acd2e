"""Carries published events to workers: one Celery task a handler, so that one failing handler stops no other."""

from typing import Any

from celery import shared_task

from core import events
from core.errors import Unavailable
from core.events import Event


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
    handle_event.delay(path, events.pack(event))
