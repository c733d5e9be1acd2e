"""Batches of behaviours as a phone and a server tell them."""

import datetime as dt
import itertools
from typing import Any

from core import clock
from members import services
from members.contracts.behaviours import BehavioursKept
from tests.cast import APP_ID, openid_of

NOON = dt.datetime(2026, 11, 28, 4, tzinfo=dt.UTC)
_keys = itertools.count(1)


def deed(kind: str = "product_viewed", at: dt.datetime | None = None, **told: Any) -> dict[str, Any]:
    """One behaviour, a minute before noon; without fields of its own it is about C2041."""
    key = told.pop("key", f"key-{next(_keys):08}")
    fields = told or {"product": "C2041"}
    moment = at or NOON - dt.timedelta(minutes=1)
    return {"key": key, "kind": kind, "at": moment.isoformat(), "with": fields}


def tell(member_id: int, *told: Any, at: dt.datetime = NOON, **values: Any) -> BehavioursKept:
    """Her phone sends it; its clock is right."""
    given: dict[str, Any] = {"sent_at": at, "app_id": APP_ID, "openid": openid_of(str(member_id))}
    return services.record_member_behaviours(member_id=member_id, told=told, at=at, **given | values)


def of(kind: str, value: str, app_id: str = "") -> dict[str, str]:
    """How a server names somebody."""
    return {"kind": kind, "value": value} | ({"app_id": app_id} if app_id else {})


def tell_of(member: dict[str, str], *told: dict[str, Any], at: dt.datetime = NOON) -> BehavioursKept:
    """A server tells it."""
    named = [{**one, "member": member} for one in told]
    return services.record_told_behaviours(client_id=1, told=named, at=at)


def now_deed(**told: Any) -> dict[str, Any]:
    """One that just happened, by the clock of this machine."""
    return deed(at=clock.now() - dt.timedelta(seconds=5), **told)
