"""The demo goes on selling: orders, redemptions and returns through the signed open API, one every few seconds.

It is a till like any other, with a key of its own: what a visitor sees move was told from outside. It ends with the
demo, it starts when everything is up, and it can be switched off (LIVE_TILL=off), paused (Enter where the demo runs)
or shut out (its key revoked in the admin).
"""

import dataclasses
import datetime as dt
import json
import random
import select
import sys
import threading
import time
from pathlib import Path
from typing import Any, Final

from django.apps import apps
from django.db import connection

from config.demo.goods import new_lines
from config.demo.till_calls import SignedCalls, new_once
from core import clock
from core.actor import Actor
from openapi import services as openapi_services
from openapi.contracts import ClientTerms
from sales.contracts import OrderLine

FILE: Final = "live-till.json"
NAME: Final = "演示：自动收银"
_STAR: Final = "李娜"  # whom a visitor looks over the shoulder of
_STAR_SHARE: Final = 0.3
_MEMBER_SHARE: Final = 0.7
_COUPON_SHARE: Final = 0.15
_RETURN_SHARE: Final = 0.08
_KEPT: Final = 40  # of what it sold, what may come back
_BUYERS: Final = 400
_TICK_S: Final = 0.25
_PAUSE_S: Final = (2.5, 6.0)
# Nobody looks for hours: a demo that is left alone does not fill its disk.
_LIVELY_S: Final = 20 * 60
_QUIET_PAUSE_S: Final = 30.0
_LONGEST_WAIT_S: Final = 60.0


class TillShut(Exception):
    """The key counts no more."""


@dataclasses.dataclass(frozen=True, slots=True)
class Customs:
    """Who sells where, who buys, and the coupons in members' hands (code, member code)."""

    guides: tuple[tuple[str, str], ...]  # (guide number, store code)
    star: tuple[str, str] | None
    buyers: tuple[str, ...]
    coupons: tuple[tuple[str, str], ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Sold:
    """What may come back."""

    order_no: str
    store: str
    lines: tuple[dict[str, Any], ...]


def seed_live_till(home: Path, *, at: dt.datetime, actor: Actor) -> None:
    """The till has a key for the whole chain, kept in the demo's home. Once; a key whose file was lost is left alone."""
    if apps.get_model("openapi", "ApiClient").objects.filter(name=NAME).exists():
        return
    scopes = ("price", "redeem", "return", "sales:write")
    terms = ClientTerms(name=NAME, kind="till", scopes=scopes, per_minute=60, source="live")
    made = openapi_services.create_client(terms=terms, actor=actor, at=at)
    place = home / FILE
    place.touch(mode=0o600)
    place.write_text(json.dumps({"key": made.key_id, "secret": made.secret}), encoding="utf-8")


def find_calls(home: Path, url: str) -> SignedCalls | None:
    """The till's key, or None where its file is lost or unreadable."""
    try:
        told = json.loads((home / FILE).read_text(encoding="utf-8"))
        return SignedCalls(url, told["key"], told["secret"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def read_customs() -> Customs:
    """From the demo's own rows."""
    guides = apps.get_model("guides", "Guide").objects.filter(state="active").order_by("pk")
    rows = list(guides.values_list("number", "store__code", "name"))
    members = apps.get_model("members", "Member").objects.filter(stage="member", merged_into__isnull=True)
    coupons = apps.get_model("coupons", "Coupon").objects.filter(
        batch__name="开业满减", state="issued", valid_until__gt=clock.now()
    )
    return Customs(
        guides=tuple((number, store) for number, store, _name in rows),
        star=next(((number, store) for number, store, name in rows if name == _STAR), None),
        buyers=tuple(members.order_by("pk").values_list("code", flat=True)[:_BUYERS]),
        coupons=tuple(coupons.order_by("-pk").values_list("code", "member__code")[:_BUYERS]),
    )


class LiveTill(threading.Thread):
    """Sells until `stop` is set or its key is revoked."""

    def __init__(
        self, calls: SignedCalls, stop: threading.Event, log: Path, *, seed: int | None = None
    ) -> None:
        super().__init__(name="live-till", daemon=True)
        self.calls = calls
        self.stop = stop
        self.log = log
        self.dice = random.Random(seed)  # noqa: S311  (invents customs, keeps no secret)
        self.is_paused = False
        self.customs = Customs((), None, (), ())
        self.sold: list[Sold] = []
        self.count = 0

    def run(self) -> None:
        """One step after each pause; what fails is logged and waited for."""
        try:
            self.customs = read_customs()
        finally:
            connection.close()
        began, failures = time.monotonic(), 0
        while not self._wait(self._pause_s(time.monotonic() - began, failures)):
            try:
                self.step()
                failures = 0
            except TillShut:
                print(f"Live till: its key was revoked ({NAME}), it sells no more.", flush=True)
                return
            except (OSError, ValueError) as error:
                failures += 1
                self._note(f"no answer: {error}")

    def step(self) -> str:
        """One order, one order with a coupon, or one return; which. Raises OSError, ValueError, TillShut."""
        self.count += 1
        if self.sold and self.dice.random() < _RETURN_SHARE:
            return self._take_back()
        if self.customs.coupons and self.dice.random() < _COUPON_SHARE:
            return self._sell_with_coupon()
        return self._sell()

    def _sell(self) -> str:
        member = ""
        if self.customs.buyers and self.dice.random() < _MEMBER_SHARE:
            member = self.dice.choice(self.customs.buyers)
        lines = [_line_of(line) for line in new_lines(self.dice)]
        self._tell_order(self._new_number(), self._place(), lines, member=member)
        return "sold"

    def _sell_with_coupon(self) -> str:
        """The coupon is redeemed first, as a till does it; the order then names it."""
        code, member = self.dice.choice(self.customs.coupons)
        number, place = self._new_number(), self._place()
        lines = [_line_of(line) for line in new_lines(self.dice)]
        basket = [
            {"key": str(key), "product": line["product"], "categories": [line["category"]],
             "amount_fen": line["amount_fen"], "quantity": line["quantity"]}
            for key, line in enumerate(lines, 1)
        ]  # fmt: skip
        body = {"order_no": number, "store": place[1], "lines": basket, "coupons": [code]}
        status, answer = self._call("/orders/redeem", body)
        if status >= 400:  # used up meanwhile, or the goods are not what it asks for
            self._tell_order(number, place, lines, member=member)
            return "sold"
        coupons = []
        for line, priced in zip(lines, answer["lines"], strict=True):
            line["amount_fen"] = priced["payable_fen"]
            coupons += [(share["discount_fen"], priced["amount_fen"]) for share in priced["coupons"]]
        named = {
            "code": code,
            "discount_fen": sum(off for off, _of in coupons),
            "amount_fen": sum(of for _off, of in coupons),
        }
        self._tell_order(number, place, lines, member=member, coupons=[named])
        return "redeemed"

    def _take_back(self) -> str:
        given = self.sold.pop(self.dice.randrange(len(self.sold)))
        lines = [
            {"line": number, "product": line["product"], "quantity": line["quantity"], "amount_fen": line["amount_fen"]}
            for number, line in enumerate(given.lines, 1)
        ]  # fmt: skip
        if len(lines) > 1 and self.dice.random() < 0.5:
            lines = lines[:1]
        self._call(
            "/sales/returns",
            {
                "return_no": f"R{given.order_no}",
                "order_no": given.order_no,
                "store": given.store,
                "returned_at": _now(),
                "lines": lines,
                "amount_fen": sum(line["amount_fen"] for line in lines),
            },
        )
        return "returned"

    def _tell_order(
        self, number: str, place: tuple[str, str], lines: list[dict[str, Any]], *, member: str, **more: Any
    ) -> None:
        amount = sum(line["amount_fen"] for line in lines)
        order: dict[str, Any] = {
            "order_no": number, "store": place[1], "guide": place[0], "sold_at": _now(), "lines": lines,
            "payments": [{"method": "wechat", "amount_fen": amount}], "amount_fen": amount, **more,
        }  # fmt: skip
        if member:
            order["member"] = {"kind": "member_code", "value": member}
        status, _answer = self._call("/sales/orders", order)
        if status < 400:
            self.sold = [*self.sold, Sold(number, place[1], tuple(lines))][-_KEPT:]

    def _place(self) -> tuple[str, str]:
        """(guide number, store code)."""
        if self.customs.star is not None and self.dice.random() < _STAR_SHARE:
            return self.customs.star
        return self.dice.choice(self.customs.guides)

    def _new_number(self) -> str:
        return f"L{clock.now().astimezone(clock.SHANGHAI):%y%m%d%H%M%S}{self.count % 1000:03d}"

    def _call(self, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        status, answer = self.calls.call("POST", path, body, once=new_once("live"))
        if status in (401, 403):
            raise TillShut
        self._note(f"{path} {status} {answer.get('outcome', '') or answer.get('code', '')}")
        return status, answer

    def _pause_s(self, running_s: float, failures: int) -> float:
        if failures:
            return min(2.0**failures, _LONGEST_WAIT_S)
        return self.dice.uniform(*_PAUSE_S) if running_s < _LIVELY_S else _QUIET_PAUSE_S

    def _wait(self, seconds: float) -> bool:
        """Whether the demo ends. Enter pauses and goes on."""
        until = time.monotonic() + seconds
        while self.is_paused or time.monotonic() < until:
            if self.stop.wait(_TICK_S):
                return True
            if _is_entered():
                self.is_paused = not self.is_paused
                words = "paused (Enter goes on)" if self.is_paused else "selling (Enter pauses)"
                print(f"Live till: {words}.", flush=True)
        return self.stop.is_set()

    def _note(self, text: str) -> None:
        with self.log.open("a", encoding="utf-8") as file:
            file.write(f"{clock.now():%Y-%m-%dT%H:%M:%SZ} {text}\n")


def _line_of(line: OrderLine) -> dict[str, Any]:
    return {
        "product": line.product_code, "name": line.product_name, "category": line.category_code,
        "category_name": line.category_name, "quantity": line.quantity, "list_fen": line.list_fen,
        "amount_fen": line.amount_fen,
    }  # fmt: skip


def _now() -> str:
    return clock.now().astimezone(clock.SHANGHAI).isoformat()


def _is_entered() -> bool:
    """Somebody at the terminal pressed Enter since the last look."""
    if sys.stdin is None or sys.stdin.closed or not sys.stdin.isatty():
        return False
    ready, _write, _error = select.select([sys.stdin], [], [], 0)
    return bool(ready) and bool(sys.stdin.readline())
