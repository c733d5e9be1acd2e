"""The demo chain's service requests: some in every state, so that 李娜 and her manager have something to do."""

import datetime as dt
from typing import Any, Final

from django.apps import apps

from core.actor import Actor
from guides import services as guide_services

_GUIDE_NUMBER: Final = "G001"
# Kind, words, how long ago, and what happened then: each act after so many hours.
_STORIES: Final[tuple[tuple[str, str, float, tuple[tuple[str, float, str], ...]], ...]] = (
    ("repair", "上周买的亚麻裙，右边开线了，能补一下吗", 30.0, ()),
    ("visit", "想试那件真丝衬衫，请帮我留 M 码", 0.6, ()),
    ("styling", "下个月参加婚礼，想要一套不太隆重的", 1.5, ()),
    ("home_service", "老人出门不方便，想请你们上门量尺寸", 20.0, (("accept", 1, ""), ("time", 2, ""))),
    (
        "repair",
        "羊绒衫袖口勾丝",
        50.0,
        (("accept", 2, ""), ("start", 3, ""), ("say", 4, "线已经配好，这两天就补")),
    ),
    (
        "styling",
        "通勤的外套，配这条灰裤子",
        60.0,
        (("accept", 1, ""), ("finish", 5, "三套搭配发到您的小程序了")),
    ),
    ("visit", "周末带女儿一起来", 200.0, (("accept", 1, ""), ("finish", 30, ""), ("close", 40, ""))),
    ("other", "之前那个礼盒还能补一个吗", 90.0, (("refuse", 2, "礼盒已经送完了，实在抱歉"),)),
    ("visit", "想看看新到的大衣", 70.0, (("cancel", 3, ""),)),
)


def seed_requests(*, at: dt.datetime, actor: Actor) -> bool:
    """Members of one guide have asked for things. Seeds once; whether this call wrote them."""
    if apps.get_model("guides", "ServiceRequest").objects.exists():
        return False
    guide: Any = apps.get_model("guides", "Guide").objects.get(number=_GUIDE_NUMBER)
    live = apps.get_model("guides", "Binding").objects.filter(guide=guide, ended_at__isnull=True)
    member_ids = list(
        live.order_by("-bound_at", "-pk").values_list("member_id", flat=True)[5 : 5 + len(_STORIES)]
    )
    for number, (member_id, story) in enumerate(zip(member_ids, _STORIES, strict=True)):
        kind, words, hours_ago, acts = story
        opened_at = at - dt.timedelta(hours=hours_ago)
        request = guide_services.open_request(
            member_id=member_id,
            kind=kind,
            words=words,
            wanted_at=opened_at + dt.timedelta(hours=26) if kind in ("visit", "home_service") else None,
            request_key=f"demo-{number}",
            actor=Actor.member(member_id),
            at=opened_at,
        )
        for act, hours, said in acts:
            _play(
                request.public_id,
                act,
                said,
                guide=guide,
                member_id=member_id,
                at=opened_at + dt.timedelta(hours=hours),
            )
    # The members of the demo have read what happened long ago, and nobody is told of the past.
    steps = apps.get_model("guides", "ServiceRequestStep").objects.all()
    steps.filter(at__lt=at - dt.timedelta(hours=24)).update(told_at=at, read_at=at)
    return True


def _play(public_id: str, act: str, said: str, *, guide: Any, member_id: int, at: dt.datetime) -> None:
    hers: dict[str, Any] = {
        "guide_id": guide.pk,
        "public_id": public_id,
        "actor": Actor.guide(guide.pk, f"{guide.name} {guide.number}"),
        "at": at,
    }
    own: dict[str, Any] = {
        "member_id": member_id,
        "public_id": public_id,
        "actor": Actor.member(member_id),
        "at": at,
    }
    if act == "accept":
        guide_services.accept_request(**hers)
    elif act == "time":
        guide_services.schedule_request(**hers, scheduled_at=at + dt.timedelta(hours=22))
    elif act == "start":
        guide_services.start_request(**hers)
    elif act == "say":
        guide_services.write_request(**hers, words=said)
    elif act == "finish":
        guide_services.finish_request(**hers, words=said)
    elif act == "refuse":
        guide_services.refuse_request(**hers, words=said)
    elif act == "close":
        guide_services.close_request(**own)
    elif act == "cancel":
        guide_services.cancel_request(**own)
