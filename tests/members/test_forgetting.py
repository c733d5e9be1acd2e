"""WeChat tells that somebody withdrew: from the push to the audit row, nothing of hers is kept and nobody is told."""

import datetime as dt
import json
import time
from typing import Any

import pytest

from core import clock
from core.actor import Actor
from core.models import AuditEntry
from members import selectors, services
from members.models import ConsentEntry, Member, MemberAddress, MemberIdentity
from tests.cast import DIRECTOR
from tests.members import privacy_kit as kit
from tests.wechat import push_kit
from tests.wechat.conftest import Push, _fresh_account_cache, push_safe, safe_account  # noqa: F401
from wechat.models import InboundEvent
from wechat.services.inbox import drain_inbox

pytestmark = pytest.mark.django_db(transaction=True)

OPENID = "oTESTUSER_00000000000000001"
WECHAT = Actor.wechat()


@pytest.fixture(autouse=True)
def _alone(settings: Any) -> None:
    """WeChat answers nobody here."""
    settings.WECHAT_HOSTS = dict.fromkeys(settings.WECHAT_HOSTS, "http://127.0.0.1:9")


@pytest.fixture
def she() -> int:
    """Somebody who followed, joined with a phone and an address, and agrees to marketing; her id."""
    kit.consent_texts()
    before = clock.now() - dt.timedelta(hours=1)
    card = services.register_follower(
        app_id=push_kit.APP_ID, openid=OPENID, unionid=kit.UNIONID, actor=WECHAT, at=before
    )
    services.change_profile(member_id=card.id, name=kit.NAME, actor=Actor.member(card.id))
    joined = services.register_member(name="慕雪", phone=kit.PHONE, source="mini_program", actor=DIRECTOR)
    member_id = services.merge_members(first_id=card.id, second_id=joined.id, actor=DIRECTOR).id
    MemberAddress.objects.create(
        member_id=member_id, street=kit.STREET, changed_at=Member.objects.get(pk=member_id).registered_at
    )
    for kind in ("privacy", "marketing"):
        services.agree_consent(
            member_id=member_id,
            kind=kind,
            version=1,
            door="mini_program",
            actor=Actor.member(member_id),
            at=before,
        )
    return member_id


def revoke(push: Push, codes: str, event: str = "user_authorization_revoke", **fields: Any) -> None:
    push(push_kit.event(event, FromUserName="oPLATFORM", RevokeInfo=codes, **{"OpenID": OPENID} | fields))
    drain_inbox()


def proof() -> Any:
    return AuditEntry.objects.get(action="members.authorization_forgotten").details


@pytest.mark.parametrize(
    ("codes", "forgotten"),
    [
        ("205", {"name"}), ("6", {"name"}), ("19", {"name"}), ("20", {"name"}), ("8", {"phone"}),
        ("201", {"address"}), ("2", {"address"}), ("206", set()), ("14", set()),
        ("6,8", {"name", "phone"}), ("", {"name", "phone", "address"}),
    ],
)  # fmt: skip
def test_each_code_takes_what_it_covers_and_the_audit_proves_it(
    she: int,
    push_safe: Push,  # noqa: F811
    codes: str,
    forgotten: set[str],
) -> None:
    revoke(push_safe, codes)
    assert InboundEvent.objects.get().state == "processed"
    family = [row for row in Member.objects.all() if she in (row.pk, row.merged_into_id)]
    assert len(family) == 2
    assert any(row.name for row in family) == ("name" not in forgotten)
    assert any(row.phone for row in family) == ("phone" not in forgotten)
    assert MemberIdentity.objects.filter(kind="phone").exists() == ("phone" not in forgotten)
    assert MemberAddress.objects.exists() == ("address" not in forgotten)
    assert (proof()["codes"], set(proof()["forgotten"])) == (
        sorted(code for code in codes.split(",") if code), forgotten,
    )  # fmt: skip
    assert proof()["is_cancellation"] is False
    told = json.dumps(proof(), ensure_ascii=False)
    assert not [word for word in (*kit.PLANTED, OPENID) if word in told]
    # The messages went to the phone she withdrew.
    assert selectors.may_reach(she) == ("phone" not in forgotten)


def test_told_twice_it_is_obeyed_once_more_without_harm(she: int, push_safe: Push) -> None:  # noqa: F811
    now = int(time.time())
    revoke(push_safe, "8", CreateTime=now)
    revoke(push_safe, "8", CreateTime=now + 1)
    last = AuditEntry.objects.filter(action="members.authorization_forgotten").order_by("pk").last()
    assert last is not None
    assert last.details["forgotten"] == []
    assert ConsentEntry.objects.filter(action="withdrawn").count() == 1


def test_the_unionid_names_her_where_the_openid_is_missing(she: int, push_safe: Push) -> None:  # noqa: F811
    revoke(push_safe, "205", OpenID="", UnionID=kit.UNIONID)
    assert proof()["forgotten"] == ["name"]


def test_a_cancelled_account_erases_who_came_through_wechat(she: int, push_safe: Push) -> None:  # noqa: F811
    push_safe(push_kit.text_message(kit.TEXT, FromUserName=OPENID))
    revoke(push_safe, "", "user_authorization_cancellation")
    assert Member.objects.get(pk=she).stage == "erased"
    assert proof()["is_cancellation"] is True
    assert AuditEntry.objects.get(action="members.erased").details["reason"] == "wechat_cancelled"
    assert set(ConsentEntry.objects.filter(action="withdrawn").values_list("kind__code", flat=True)) == {
        "privacy", "marketing",
    }  # fmt: skip
    found = kit.dump()
    assert not [table for table, text in found.items() if OPENID in text or kit.TEXT in text]
    assert kit.traces() == []
    assert set(InboundEvent.objects.values_list("state", flat=True)) == {"processed"}


def test_a_cancelled_account_of_a_shops_member_is_no_more_known_to_wechat(push_safe: Push) -> None:  # noqa: F811
    member = services.register_member(name=kit.NAME, phone=kit.PHONE, source="pos", actor=DIRECTOR)
    for kind, app_id, value in (("openid", push_kit.APP_ID, OPENID), ("unionid", "", kit.UNIONID)):
        MemberIdentity.objects.create(
            member_id=member.id, kind=kind, app_id=app_id, value=value, linked_at=member.registered_at
        )
    revoke(push_safe, "", "user_authorization_cancellation")
    row = Member.objects.get()
    assert (row.stage, row.name, row.phone) == ("member", kit.NAME, kit.PHONE)
    assert list(row.identities.values_list("kind", flat=True)) == ["phone"]
    assert proof()["forgotten"] == ["identity"]


def test_a_stranger_is_nobody_and_a_push_without_a_person_is_kept(push_safe: Push) -> None:  # noqa: F811
    revoke(push_safe, "205")
    revoke(push_safe, "205", OpenID="", CreateTime=1_700_000_000)
    assert set(InboundEvent.objects.values_list("state", flat=True)) == {"processed"}
    assert not AuditEntry.objects.filter(action="members.authorization_forgotten").exists()


def test_an_unfollow_withdraws_marketing_and_is_in_the_audit(she: int, push_safe: Push) -> None:  # noqa: F811
    push_safe(push_kit.event("unsubscribe", FromUserName=OPENID))
    drain_inbox()
    assert not selectors.may_reach(she)
    said = AuditEntry.objects.get(action="members.consent_withdrawn").details
    assert said == {"kind": "marketing", "version": 1, "door": "wechat"}


def test_the_person_of_an_authorisation_push_is_stored_not_the_platform(push_safe: Push) -> None:  # noqa: F811
    revoke(push_safe, "205")
    assert InboundEvent.objects.get().openid == OPENID
