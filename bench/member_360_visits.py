"""Makes one full member beside the others, visits her page tab by tab, and prints times (ms) and query counts as JSON."""

import json
import time
from typing import Any, Final

import django

VISITS: Final = 60
TABS: Final = ("portrait", "points", "dealings", "notes")


def main() -> None:
    django.setup()
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext, setup_test_environment

    setup_test_environment()
    client, page = Client(), _fill()
    client.cookies["sessionid"] = page["session"]
    _visit(client, "/bench/one-query/")
    paths = {tab: f"/a/members/{page['public_id']}/?tab={tab}" for tab in TABS}
    for path in paths.values():
        _visit(client, path)
    floor: list[float] = []
    times: dict[str, list[float]] = {tab: [] for tab in TABS}
    for _number in range(VISITS):
        floor.append(_visit(client, "/bench/one-query/"))
        for tab, path in paths.items():
            times[tab].append(_visit(client, path))
    tabs: dict[str, Any] = {}
    for tab, path in paths.items():
        with CaptureQueriesContext(connection) as queries:
            _visit(client, path)
        tabs[tab] = {"ms": times[tab], "queries": len(queries)}
    print(json.dumps({"floor": floor, "tabs": tabs}))


def _visit(client: Any, path: str) -> float:
    began = time.perf_counter()
    answer = client.get(path)
    taken = (time.perf_counter() - began) * 1000
    if answer.status_code != 200:
        raise RuntimeError(f"{path} answered {answer.status_code}")
    return taken


def _fill() -> dict[str, str]:
    """A guide with one full member among all the others; her public id and the guide's session key."""
    from core import clock
    from core.actor import Actor
    from guides import services as guide_services
    from members import services
    from members.contracts import TierTerms
    from tests import cast

    actor = Actor.system("bench")
    region = guide_services.open_region(name="全国", actor=actor)
    guide = cast.make_guide("B001", "李娜", cast.make_store("B01", "南京东路店", region.id).id)
    member = services.register_member(name="王小美", phone="13800000001", source="pos", actor=actor)
    guide_services.bind_member(member_id=member.id, guide_id=guide.id, source="scan", actor=actor)
    for rank, spend in ((1, 50_000), (2, 100_000)):
        terms = TierTerms(name=f"等级{rank}", rank=rank, spend_fen=spend)
        services.create_tier(terms=terms, actor=actor)
    services.record_activity(
        member_id=member.id, day=clock.business_day(clock.now()), spend_fen=68_000, order_count=2, growth=0,
        source_key="b", actor=actor,
    )  # fmt: skip
    group = services.create_tag_group(name="风格", actor=actor)
    hers: dict[str, Any] = {"guide_id": guide.id, "public_id": member.public_id, "actor": actor}
    for number in range(20):
        tag = services.create_tag(group_id=group.id, name=f"标签{number}", actor=actor)
        services.tag_members(member_ids=[member.id], tag_id=tag.id, actor=actor)
        services.credit_points(member_id=member.id, points=10, source_key=f"k{number}", actor=actor)
        guide_services.add_note(text=f"第 {number} 条", **hers)
    for number in range(5):
        guide_services.open_request(
            member_id=member.id, kind="styling", words="想看看新款", request_key=str(number),
            actor=Actor.member(member.id),
        )  # fmt: skip
    return {"public_id": member.public_id, "session": _session(guide.id, guide.session_epoch)}


def _session(guide_id: int, epoch: int) -> str:
    from django.contrib.sessions.backends.db import SessionStore

    session = SessionStore()
    session["assistant_guide"] = {"guide_id": guide_id, "epoch": epoch}
    session.save()
    return session.session_key or ""


if __name__ == "__main__":
    main()
