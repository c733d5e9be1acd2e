"""`python -m bench.reach_senders`: one process that sends until nothing waits, as `bench.reaches` measures it. Prints
seconds taken, reaches taken in hand, the processor's seconds, and how many statements it executed."""

import itertools
import time
from collections.abc import Callable
from typing import Any, Final

import django

TOPIC: Final = "sale"
TEMPLATE_ID: Final = "T" * 43
_QUEUED_AT_ONCE: Final = 1_000


def prepare() -> None:
    """The accounts, a template and the topic that it says."""
    from campaigns.models import TopicTemplate
    from core import clock
    from wechat.models import Account, MessageTemplate
    from wechat.services import lanes

    kinds = (("official", "wxopenid"), ("mini_program", "wxmini_openid"))
    official, _mini = [
        Account.objects.create(
            slug=kind, name=kind, kind=kind, app_id=app_id, original_id="gh", app_secret="s" * 32, push_token="token",
            aes_key="A" * 43,
        )
        for kind, app_id in kinds
    ]  # fmt: skip
    fields = (("thing1", "thing", "title"), ("amount2", "amount", "amount"), ("time3", "time", "time"))
    MessageTemplate.objects.create(
        account=official, template_id=TEMPLATE_ID, title="t", content="", synced_at=clock.now(),
        fields=[{"name": name, "kind": kind, "label": name, "example": ""} for name, kind, _value in fields],
    )  # fmt: skip
    TopicTemplate.objects.create(
        topic=TOPIC, account_id=official.pk, kind="template", template_id=TEMPLATE_ID,
        fields={name: {"value": value} for name, _kind, value in fields},
    )  # fmt: skip
    lanes.open_lane(account_id=official.pk, channel="template", at=clock.now())


def queue(count: int) -> float:
    """Seconds in which that many reaches were queued, a thousand in a call, one for each member."""
    from campaigns.contracts import ReachOrder
    from campaigns.services import queue_reaches
    from members.models import Member

    values = {"amount": "1899.00", "time": "2026-11-28 15:20", "order_no": "E20261128000001", "points": "189"}
    title = "羊毛双面呢大衣等2件"
    ids = list(Member.objects.order_by("pk").values_list("pk", flat=True)[:count])
    began, queued = time.perf_counter(), 0
    for start in range(0, count, _QUEUED_AT_ONCE):
        orders = [
            ReachOrder(pk, TOPIC, f"bench:{pk}", title, f"您在静安旗舰店买了{title}。", values)
            for pk in ids[start : start + _QUEUED_AT_ONCE]
        ]
        queued += queue_reaches(orders=orders)
    if queued != count:
        raise RuntimeError(f"{queued} of {count} queued")
    return time.perf_counter() - began


def send_all() -> int:
    """Sends until nothing waits; how many were taken in hand."""
    from campaigns.models import Reach
    from campaigns.services import send_due_reaches

    taken = send_due_reaches()
    while Reach.objects.unfinished().exists():
        time.sleep(0.01)  # another process has them in hand
        taken += send_due_reaches()
    return taken


def count_statements() -> Callable[[], int]:
    """From now on every new connection counts what it executes; ask for the number once, at the end."""
    from django.db.backends.signals import connection_created

    many = itertools.count()

    def count(execute: Callable[..., Any], *arguments: Any) -> Any:
        next(many)
        return execute(*arguments)

    def watch(connection: Any, **_other: Any) -> None:
        connection.execute_wrappers.append(count)

    connection_created.connect(watch, weak=False)
    return lambda: next(many)


if __name__ == "__main__":
    django.setup()
    statements = count_statements()
    began_at, busy = time.perf_counter(), time.process_time()
    in_hand = send_all()
    print(time.perf_counter() - began_at, in_hand, time.process_time() - busy, statements())
