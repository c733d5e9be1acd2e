"""The gate every API call passes: faults, method, token, quota, log. Refusals are HTTP 200, as WeChat's."""

import json
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox import quotas
from sandbox.errors import WeChatRefusal
from sandbox.faults import DroppedConnection, answer_of, draw_fault, pause
from sandbox.identity import openid_of
from sandbox.mini import publish_mini
from sandbox.models import Account, CallRecord, Fault, Person
from sandbox.pushes import Postman
from sandbox.state import World
from sandbox.tokens import authenticate, find_token

Answer = dict[str, Any] | Response
HELPER = "mass-helper"
OK: dict[str, Any] = {"errcode": 0, "errmsg": "ok"}
ESCAPE = re.compile(rb"(?<!\\)(?:\\\\)*\\u[0-9a-fA-F]{4}")


@dataclass
class Call:
    """One API call while it is being answered."""

    world: World
    request: Request
    query: dict[str, str]
    raw: bytes
    app_id: str = ""
    summary: str = ""
    fault_kind: str = ""
    reports: list[tuple[Person | None, dict[str, Any]]] = field(default_factory=list)
    _account: Account | None = field(default=None)

    @property
    def account(self) -> Account:
        """The account whose token came with the call."""
        if self._account is None:
            raise RuntimeError("this endpoint takes no access_token")
        return self._account

    @account.setter
    def account(self, account: Account) -> None:
        self._account = account
        self.app_id = account.app_id

    def report(self, person: Person | None, fields: dict[str, Any]) -> None:
        """Push this to the account a little after the answer: what became of what it asked for. About nobody it comes
        from the platform's own helper."""
        self.reports.append((person, fields))

    def publish_mini(self, person: Person) -> None:
        """Tell the consoles how the person and this mini-program stand."""
        publish_mini(self.world, person, self.account)

    def json(self) -> dict[str, Any]:
        r"""Return the body: 44002 when empty, 40033 with \u escapes, 47001 when not a JSON object."""
        if not self.raw.strip():
            raise WeChatRefusal(44002)
        if ESCAPE.search(self.raw):
            raise WeChatRefusal(40033)
        try:
            body = json.loads(self.raw.decode("utf-8"))
        except (ValueError, RecursionError) as error:
            raise WeChatRefusal(47001) from error
        if not isinstance(body, dict):
            raise WeChatRefusal(47001)
        return body


@dataclass(frozen=True)
class Endpoint:
    """A path of the platform: what it accepts and who answers it."""

    path: str
    handler: Callable[[Call], Answer]
    method: str = "ANY"
    takes_token: bool = True
    is_official_only: bool = False  # a mini-program is not authorised to call it: 48001
    is_mini_only: bool = False  # nor an official account this one


def _refuse_unknown(call: Call) -> Answer:
    raise WeChatRefusal(40066)


UNKNOWN = Endpoint("/{rest:path}", _refuse_unknown, takes_token=False)


def _claimed_app_id(call: Call) -> str:
    """Guess whose call it is before anything is checked, for faults aimed at one account and for the log."""
    if "access_token" in call.query:
        found = find_token(call.world, call.query["access_token"])
        return found[0].app_id if found else ""
    if "appid" in call.query:
        return call.query["appid"]
    try:
        body = json.loads(call.raw)
    except (ValueError, RecursionError):
        return ""
    app_id = body.get("appid") if isinstance(body, dict) else None
    return app_id if isinstance(app_id, str) else ""


def _work(call: Call, endpoint: Endpoint) -> Answer:
    """Check what every call must satisfy, then let the endpoint answer."""
    method = call.request.method
    if endpoint.method == "POST" and method != "POST":
        raise WeChatRefusal(43002)
    if endpoint.method == "GET" and method not in ("GET", "HEAD"):
        raise WeChatRefusal(43001)
    if endpoint.takes_token:
        call.account = authenticate(call.world, call.query.get("access_token"))
        if endpoint.is_official_only and call.account.kind != "official":
            raise WeChatRefusal(48001)
        if endpoint.is_mini_only and call.account.kind != "mini_program":
            raise WeChatRefusal(48001)
        quotas.spend(call.world, call.account, endpoint.path)
    return endpoint.handler(call)


async def _answer(call: Call, endpoint: Endpoint, fault: Fault | None) -> Answer:
    try:
        if fault is not None:
            if fault.delay_s:
                await pause(call.world, fault.delay_s)
            instead = answer_of(fault)
            if instead is not None:
                return instead
        return _work(call, endpoint)
    except WeChatRefusal as refusal:
        return refusal.body()


def _log(
    call: Call, path: str, answer: Answer, response: Response, fault: Fault | None, started: float
) -> None:
    body = answer if isinstance(answer, dict) else {}
    is_dropped = isinstance(response, DroppedConnection)
    call.world.log_call(
        CallRecord(
            id=call.world.serial("call"),
            at=call.world.now(),
            app_id=call.app_id,
            method=call.request.method,
            path=path,
            status=0 if is_dropped else response.status_code,
            errcode=int(body.get("errcode", 0)),
            errmsg=str(body.get("errmsg", "")),
            latency_ms=round((time.perf_counter() - started) * 1000),
            fault=fault.kind if fault else "",
            summary=call.summary,
        )
    )


def _post_reports(call: Call, postman: Postman) -> None:
    """Once it is known that the call was answered, or that its answer was lost on the way."""
    for person, fields in call.reports:
        openid = openid_of(person.key if person else HELPER, call.account.app_id)
        push = postman.make(call.account, person, openid, fields)
        postman.post([push], after_s=call.world.settings.delivery_delay_s)


async def serve(world: World, postman: Postman, endpoint: Endpoint, request: Request) -> Response:
    """Answer one call and write it to the log."""
    started = time.perf_counter()
    call = Call(world, request, dict(request.query_params), await request.body())
    call.app_id = _claimed_app_id(call)
    fault = draw_fault(world, "calls", endpoint.path, call.app_id)
    call.fault_kind = fault.kind if fault is not None else ""
    answer = await _answer(call, endpoint, fault)
    path = endpoint.path if endpoint is not UNKNOWN else "/" + request.path_params["rest"]
    response = JSONResponse(answer) if isinstance(answer, dict) else answer
    if fault is not None and fault.kind == "accept_then_drop":
        response = DroppedConnection()
    _log(call, path, answer, response, fault, started)
    _post_reports(call, postman)
    world.touch()
    return response


def route_of(world: World, postman: Postman, prefix: str, endpoint: Endpoint) -> Route:
    """Bind an endpoint to its URL."""

    def bind() -> Callable[[Request], Awaitable[Response]]:
        async def view(request: Request) -> Response:
            return await serve(world, postman, endpoint, request)

        return view

    return Route(prefix + endpoint.path, bind(), methods=["GET", "POST"])
