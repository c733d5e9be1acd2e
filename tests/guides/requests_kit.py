"""A member's requests for the tests: the kinds a new chain has, and short ways to open and bring along."""

import datetime as dt
from typing import Any

from core.actor import Actor
from guides import services
from guides.contracts import RequestCard
from guides.models import RequestKind, ServiceRequest
from tests.cast import DIRECTOR, Cast

KEYS = iter(range(10**9))


def make_kinds() -> None:
    """The kinds of a new chain; a test with real threads empties the table before the next one."""
    if RequestKind.objects.exists():
        return
    for order, (code, name, wants_time, accept, finish) in enumerate(
        [
            ("visit", "预约到店", True, 4, 24),
            ("home_service", "上门服务", True, 4, 24),
            ("repair", "售后维修", False, 8, 72),
            ("styling", "搭配建议", False, 8, 24),
            ("other", "其他", False, 8, 48),
        ]
    ):
        services.create_request_kind(
            code=code,
            name=name,
            wants_time=wants_time,
            accept_within_hours=accept,
            finish_within_hours=finish,
            order=order,
            actor=DIRECTOR,
        )


def ask(member: Any, **values: Any) -> RequestCard:
    """A request of hers; a repair unless something else is given."""
    fields: dict[str, Any] = {"kind": "repair", "words": "裤脚开线了", "request_key": f"k{next(KEYS)}"}
    return services.open_request(
        **{"member_id": member.id, "actor": Actor.member(member.id), **fields, **values}
    )


def row(request: RequestCard) -> ServiceRequest:
    """Its row as it stands now."""
    return ServiceRequest.objects.get(pk=request.id)


def brought_to(cast: Cast, state: str, at: dt.datetime | None = None) -> RequestCard:
    """小美's request, by 李娜 and herself, in this state."""
    request = ask(cast.xiaomei, at=at)
    hers: dict[str, Any] = {"public_id": request.public_id, "at": at}
    guide: dict[str, Any] = {**hers, "guide_id": cast.lina.id, "actor": Actor.guide(cast.lina.id, "李娜")}
    member: dict[str, Any] = {
        **hers,
        "member_id": cast.xiaomei.id,
        "actor": Actor.member(cast.xiaomei.id),
    }
    if state in {"accepted", "in_progress", "done", "closed"}:
        services.accept_request(**guide)
    if state == "in_progress":
        services.start_request(**guide)
    if state in {"done", "closed"}:
        services.finish_request(**guide)
    if state == "closed":
        services.close_request(**member)
    if state == "cancelled":
        services.cancel_request(**member)
    if state == "refused":
        services.refuse_request(**guide, words="这款已经停产")
    return request
