"""Play a till: sign requests to the open API and print what it answers, in the words of the counter."""

import json
import os
import time
import urllib.parse
from argparse import ArgumentParser
from pathlib import Path
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError

from config.demo.till_calls import API, SignedCalls, new_once
from config.demo.tills import FILE
from core import clock

_VERBS: Final = (
    "ping", "verify", "member", "price", "lock", "unlock", "redeem", "order", "reverse", "return",
    "sell", "sale", "take-back",
)  # fmt: skip
_MENU: Final = (
    ("1", "verify", "验券"),
    ("2", "price", "算价"),
    ("3", "redeem", "核销"),
    ("4", "return", "退货"),
    ("5", "order", "查订单"),
    ("6", "member", "读会员码"),
    ("7", "sell", "推送销售单"),
    ("8", "sale", "查销售单"),
    ("9", "take-back", "推送退货单"),
)


class Command(BaseCommand):
    help = "Play a till against the open API: verify, price, redeem and return coupons, tell sales."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("verb", nargs="?", choices=_VERBS, help="left out: asks, like a till")
        parser.add_argument("codes", nargs="*", help="coupon codes, or the digits from a screen")
        parser.add_argument("--amount", help="yuan, of an order of one line (528 when left out)")
        parser.add_argument("--lines", help="JSON list of lines, instead of --amount")
        parser.add_argument("--guide", default="", help="number of the guide who serves (sell)")
        parser.add_argument("--phone", default="", help="of the member who buys (sell)")
        parser.add_argument("--order", default="", help="order number; left out: a new one")
        parser.add_argument("--store", default="", help="store number, for keys of more than one store")
        parser.add_argument("--repeat", default="", help="Idempotency-Key, to repeat an earlier write")
        parser.add_argument("--url", default=os.environ.get("PUBLIC_BASE_URL", ""))
        parser.add_argument("--key", default=os.environ.get("OPENAPI_KEY", ""), help="or OPENAPI_KEY")
        parser.add_argument(
            "--secret", default=os.environ.get("OPENAPI_SECRET", ""), help="or OPENAPI_SECRET"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        till = _Till(options)
        if options["verb"]:
            self._print(till.run(options["verb"], options["codes"], options))
            return
        self.stdout.write(f"收银机 → {till.url}{API}/　（直接回车退出）")
        while True:
            for number, _verb, words in _MENU:
                self.stdout.write(f"  {number} {words}")
            chosen = input("做什么：").strip()
            verb = next((verb for number, verb, _words in _MENU if number == chosen), "")
            if not verb:
                return
            self._print(till.run(verb, *_ask(verb, options)))

    def _print(self, answer: tuple[int, Any, str]) -> None:
        status, body, key = answer
        style = self.style.SUCCESS if status < 400 else self.style.ERROR
        self.stdout.write(style(f"{status} {body.get('code', '')} {body.get('message', '')}".strip()))
        self.stdout.write(json.dumps(body, ensure_ascii=False, indent=2))
        if key:
            self.stdout.write(f"Idempotency-Key: {key}")


def _ask(verb: str, options: dict[str, Any]) -> tuple[list[str], dict[str, Any]]:
    """What a cashier would scan or type."""
    given = dict(options)
    codes = (
        []
        if verb in {"return", "order", "sell", "sale", "take-back"}
        else input("券码或屏幕上的数字：").split()
    )
    if verb in {"redeem", "return", "order", "sell", "sale", "take-back"}:
        given["order"] = input("订单号：").strip()
    if verb in {"price", "redeem", "sell", "take-back"}:
        given["amount"] = input("金额（元）：").strip() or None
    if verb == "return":
        given["amount"] = input("退多少原价（元，回车是全部）：").strip() or None
    return codes, given


class _Till:
    """One key at one address."""

    def __init__(self, options: dict[str, Any]) -> None:
        home = Path(os.environ.get("DEMO_HOME") or "var/demo") / FILE
        told = json.loads(home.read_text(encoding="utf-8")) if home.exists() else {}
        self.key: str = options["key"] or told.get("key", "")
        self.secret = options["secret"] or told.get("secret", "")
        port = os.environ.get("WEB_PORT", "8000")
        self.url = (options["url"] or f"http://127.0.0.1:{port}").rstrip("/")
        if not self.url.startswith(("http://", "https://")):
            raise CommandError("--url takes an http address")
        if not self.key or not self.secret:
            raise CommandError("No key: start make demo once, or give --key and --secret")
        self.calls = SignedCalls(self.url, self.key, self.secret)

    def run(self, verb: str, codes: list[str], options: dict[str, Any]) -> tuple[int, Any, str]:
        """(status, answer, Idempotency-Key of a write)."""
        order_no = options["order"] or f"till-{int(time.time())}"
        place = {"store": options["store"]} if options["store"] else {}
        if verb == "ping":
            return self._call("GET", "/ping")
        if verb == "order":
            query = urllib.parse.urlencode({"order_no": order_no, **place})
            return self._call("GET", f"/orders?{query}")
        if verb == "sale":
            return self._call("GET", f"/sales/orders?{urllib.parse.urlencode({'order_no': order_no})}")
        path, body = _request_of(verb, codes, order_no, options)
        return self._call(
            "POST", path, body | place, key="" if verb == "price" else options["repeat"] or new_once()
        )

    def _call(self, method: str, path: str, body: Any = None, key: str = "") -> tuple[int, Any, str]:
        try:
            return *self.calls.call(method, path, body, once=key), key
        except (OSError, ValueError) as error:
            raise CommandError(f"{self.url} does not answer: {error}") from None


def _fen(yuan: str) -> int:
    try:
        return round(float(yuan) * 100)
    except ValueError:
        raise CommandError(f"{yuan!r} is no amount in yuan") from None


def _request_of(
    verb: str, codes: list[str], order_no: str, options: dict[str, Any]
) -> tuple[str, dict[str, Any]]:
    """The endpoint and the body of a verb."""
    one = {"code": codes[0] if codes else ""}
    coupons = {"coupons": codes}
    lines = {"lines": _lines(options)}
    parts: dict[str, Any] = {}
    if verb == "return" and options["amount"]:
        parts = {"parts": [{"line": "1", "amount_fen": _fen(options["amount"])}]}
    bodies: dict[str, tuple[str, dict[str, Any]]] = {
        "verify": ("/coupons/verify", one),
        "member": ("/members/read", one),
        "price": ("/basket/price", coupons | lines),
        "lock": ("/coupons/lock", coupons | {"order_no": order_no}),
        "unlock": ("/coupons/unlock", coupons | {"order_no": order_no}),
        "redeem": ("/orders/redeem", coupons | lines | {"order_no": order_no}),
        "reverse": ("/orders/reverse", {"order_no": order_no}),
        "return": ("/orders/return", parts | {"order_no": order_no}),
        "sell": ("/sales/orders", _sale(order_no, options)),
        "take-back": ("/sales/returns", _goods_back(order_no, options)),
    }
    return bodies[verb]


def _sale(order_no: str, options: dict[str, Any]) -> dict[str, Any]:
    """An order of one line, sold now."""
    fen = _fen(options["amount"] or "528")
    line = {"product": "till", "quantity": 1, "list_fen": fen, "amount_fen": fen}
    order = {"order_no": order_no, "sold_at": _now(), "lines": [line], "amount_fen": fen}
    if options["guide"]:
        order["guide"] = options["guide"]
    if options["phone"]:
        order["member"] = {"kind": "phone", "value": options["phone"]}
    return order


def _goods_back(order_no: str, options: dict[str, Any]) -> dict[str, Any]:
    """The one line of such an order, whole."""
    fen = _fen(options["amount"] or "528")
    line = {"line": 1, "product": "till", "quantity": 1, "amount_fen": fen}
    return {
        "return_no": f"back-{order_no}", "order_no": order_no, "returned_at": _now(), "lines": [line], "amount_fen": fen,
    }  # fmt: skip


def _now() -> str:
    return clock.now().astimezone(clock.SHANGHAI).isoformat()


def _lines(options: dict[str, Any]) -> Any:
    if options["lines"]:
        try:
            return json.loads(options["lines"])
        except ValueError:
            raise CommandError("--lines takes a JSON list") from None
    return [{"key": "1", "product": "till", "amount_fen": _fen(options["amount"] or "528")}]
