"""`python -m bench.page_visits member_360|assistant|mini`: fills a shop beside all other members, visits its pages, and
prints times (ms) and query counts as JSON."""

import datetime as dt
import json
import sys
from collections.abc import Callable, Mapping
from typing import Any, Final

import django

from bench.visits import take_turns, visitor

VISITS: Final = 100
MEMBERS: Final = 30
_TABS: Final = {"portrait": "画像", "coupons": "券", "points": "积分", "dealings": "往来", "notes": "备注"}
_APP_ID: Final = "wxbenchmini00001"


def main(kind: str) -> None:
    django.setup()
    from django.core.wsgi import get_wsgi_application

    headers, paths = _KINDS[kind]()
    print(json.dumps(take_turns(visitor(get_wsgi_application(), headers), paths, VISITS)))


def _member_360() -> tuple[list[dict[str, str]], Mapping[str, str]]:
    guide, members = _fill()
    address = f"/a/members/{members[0].public_id}/"
    return _cookies(guide), {name: f"{address}?tab={key}" for key, name in _TABS.items()}


def _assistant() -> tuple[list[dict[str, str]], Mapping[str, str]]:
    guide, members = _fill()
    address = f"/a/members/{members[0].public_id}/"
    return _cookies(guide), {
        "今日": "/a/",
        "会员": "/a/members/",
        "会员, a search": "/a/members/?q=5",
        "会员, next rows": "/a/members/rows/?shown=20",
        "会员, points' rows": f"{address}points/rows/",
        "券": "/a/coupons/",
        "我的码": "/a/my-code/",
        "服务请求": "/a/requests/",
        "我的": "/a/me/",
        "pulse": "/a/pulse/?view=today&since=999999999",
    }


def _mini() -> tuple[list[dict[str, str]], Mapping[str, str]]:
    from core import clock
    from miniapp.models import Device
    from miniapp.services.tokens import issue_tokens

    _guide, members = _fill(full=10)
    at, people = clock.now(), []
    for number, member in enumerate(members[:10]):
        device = Device.objects.create(
            member_id=member.id, app_id=_APP_ID, openid=f"o{number}", opened_at=at, last_used_at=at
        )
        people.append({"HTTP_AUTHORIZATION": f"Bearer {issue_tokens(device=device, at=at).access_token}"})
    names = (
        "profile",
        "points",
        "points/entries",
        "tier",
        "guide",
        "requests",
        "coupons",
        "coupon-batches",
        "consents",
        "orders",
    )
    return people, {name: f"/api/mini/v1/{name}" for name in names}


_KINDS: Final[dict[str, Callable[[], tuple[list[dict[str, str]], Mapping[str, str]]]]] = {
    "member_360": _member_360,
    "assistant": _assistant,
    "mini": _mini,
}


def _fill(full: int = 1) -> tuple[Any, list[Any]]:
    """A guide with thirty members among all the others; the first `full` of them have something everywhere."""
    from core.actor import Actor
    from guides import services as guide_services
    from members import services
    from members.contracts import TierTerms
    from tests import cast

    actor = Actor.system("bench")
    region = guide_services.open_region(name="全国", actor=actor)
    guide = cast.make_guide("B001", "李娜", cast.make_store("B01", "南京东路店", region.id).id)
    for rank, spend in ((1, 50_000), (2, 100_000)):
        services.create_tier(terms=TierTerms(name=f"等级{rank}", rank=rank, spend_fen=spend), actor=actor)
    group = services.create_tag_group(name="风格", actor=actor)
    tags = [services.create_tag(group_id=group.id, name=f"标签{n}", actor=actor).id for n in range(20)]
    members = []
    for number in range(MEMBERS):
        phone = f"138000000{number:02d}"
        member = services.register_member(name=f"会员{number}", phone=phone, source="pos", actor=actor)
        guide_services.bind_member(member_id=member.id, guide_id=guide.id, source="scan", actor=actor)
        members.append(member)
    for member in members[:full]:
        _give(guide, member, tags, actor)
        _sell(member)
    _give_coupons([member.id for member in members[:full]])
    return guide, members


def _give(guide: Any, member: Any, tags: list[int], actor: Any) -> None:
    from core import clock
    from core.actor import Actor
    from guides import services as guide_services
    from members import services

    services.record_activity(
        member_id=member.id, day=clock.business_day(clock.now()), spend_fen=68_000, order_count=2, growth=0,
        source_key="b", actor=actor,
    )  # fmt: skip
    for number, tag_id in enumerate(tags):
        services.tag_members(member_ids=[member.id], tag_id=tag_id, actor=actor)
        services.credit_points(member_id=member.id, points=10, source_key=f"k{number}", actor=actor)
        guide_services.add_note(
            text=f"第 {number} 条", guide_id=guide.id, public_id=member.public_id, actor=actor
        )
    for number in range(5):
        guide_services.open_request(
            member_id=member.id, kind="styling", words="想看看新款", request_key=str(number),
            actor=Actor.member(member.id),
        )  # fmt: skip


def _sell(member: Any) -> None:
    """Thirty orders of two lines."""
    from core import clock
    from tests.sales import kit

    now = clock.now()
    kit.tell(
        *(
            kit.order(
                f"{member.id}-{number}", kit.line("A1"), kit.line("B1", 5_000), member=kit.key_of(member),
                store_code="B01", serving_guide="B001", sold_at=now - dt.timedelta(days=number + 1),
            )
            for number in range(30)
        )
    )  # fmt: skip


def _give_coupons(member_ids: list[int]) -> None:
    """Five each that she may use, five used and five over, from three open batches."""
    from core import clock
    from coupons.models import Coupon
    from tests.coupons import kit

    template = kit.make_template()
    batches = [kit.make_batch(quota=1_000, template_id=template) for _number in range(3)]
    for member_id in member_ids:
        issued = [kit.claim(batches[number % 3], member_id).id for number in range(15)]
        Coupon.objects.filter(pk__in=issued[5:10]).update(state="redeemed")
        over = clock.now() - dt.timedelta(days=1)
        Coupon.objects.filter(pk__in=issued[10:]).update(
            state="expired", valid_from=over - dt.timedelta(days=7), valid_until=over
        )


def _cookies(guide: Any) -> list[dict[str, str]]:
    from core.sessions import SessionStore

    session = SessionStore()
    session["assistant_guide"] = {"guide_id": guide.id, "epoch": guide.session_epoch}
    session.save()
    return [{"HTTP_COOKIE": f"sessionid={session.session_key}"}]


if __name__ == "__main__":
    main(sys.argv[1])
