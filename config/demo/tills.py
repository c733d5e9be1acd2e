"""The demo's till: a key for one store, an order with coupons of which goods came back, and how to call."""

import dataclasses
import datetime as dt
import json
from pathlib import Path
from typing import Final

from django.apps import apps

from core.actor import Actor
from coupons import services as coupon_services
from coupons.contracts import BasketLine, Purchase, ReturnedPart
from openapi import services as openapi_services
from openapi.contracts import ClientTerms

FILE: Final = "till.json"  # in DEMO_HOME: the demo is on loopback only, and a secret is told once
_STORE: Final = "S01"
_LINES: Final = (
    BasketLine("1", "SH-2207", ("clothes", "shirts"), 39_900, 2),
    BasketLine("2", "BG-0031", ("bags",), 12_900),
)


@dataclasses.dataclass(frozen=True, slots=True)
class DemoTill:
    """What a person needs to play the till."""

    key_id: str
    secret: str
    coupon_code: str


def seed_till(home: Path, *, at: dt.datetime, actor: Actor) -> DemoTill | None:
    """The till exists, and its key is in the demo's home. None when the home was lost: then make one in the admin."""
    place = home / FILE
    if not apps.get_model("openapi", "ApiClient").objects.exists():
        store_id = apps.get_model("guides", "Store").objects.get(code=_STORE).pk
        terms = ClientTerms(
            name="南京东路店 1 号收银机",
            kind="till",
            scopes=("verify", "members", "price", "lock", "redeem", "return", "sales:write", "sales:read"),
            store_id=store_id,
        )
        made = openapi_services.create_client(terms=terms, actor=actor, at=at)
        place.touch(mode=0o600)
        place.write_text(json.dumps({"key": made.key_id, "secret": made.secret}), encoding="utf-8")
        _seed_order(store_id, at=at, actor=actor)
    if not place.exists():
        return None
    told = json.loads(place.read_text(encoding="utf-8"))
    return DemoTill(told["key"], told["secret"], _usable_code(at))


def _seed_order(store_id: int, *, at: dt.datetime, actor: Actor) -> None:
    """One coupon was used for two goods yesterday, and one shirt came back."""
    yesterday = at - dt.timedelta(days=1)
    coupon_services.redeem_order(
        purchase=Purchase(store_id=store_id, order_no="DEMO-0041", lines=_LINES, till="1"),
        codes=[_usable_code(at)],
        request_id="demo-order",
        actor=actor,
        at=yesterday,
    )
    coupon_services.return_order(
        store_id=store_id,
        order_no="DEMO-0041",
        parts=[ReturnedPart("1", quantity=1)],
        return_key="demo-return",
        reason="尺码不合适",
        actor=actor,
        at=at - dt.timedelta(hours=2),
    )


def _usable_code(at: dt.datetime) -> str:
    """A coupon that anybody may try: 50 off 300."""
    rows = apps.get_model("coupons", "Coupon").objects.filter(
        batch__name="开业满减", state="issued", valid_until__gt=at
    )
    return str(rows.order_by("pk").values_list("code", flat=True).first() or "")
