"""A chain in which everything a member can leave behind is left behind, with words that can be looked for."""

import datetime as dt
from typing import Any

from django.db import connection

from core import clock, crypto
from core.actor import Actor
from guides import services as guide_services
from guides.models import Binding
from members import selectors, services
from members.models import MemberAddress, MemberIdentity
from tests.cast import DIRECTOR, Cast
from wechat.models import Follower, InboundEvent, OutboundMessage

PHONE = "13912345678"
NAME = "欧阳慕雪"
STREET = "静安寺弄堂七号"
NOTE = "对芒果过敏要记住"
REMARK = "绿风衣姑娘"
TEXT = "我住在静安寺弄堂七号"
WORDS = "慕雪妈妈来电"
REASON = "慕雪活动补登"
OPENID = "oplanted_openid_00000000001x"
UNIONID = "uplanted_unionid_0000000001x"
MINI_OPENID = "oplanted_mini_000000000001xx"
PLANTED = (PHONE, NAME, STREET, NOTE, REMARK, TEXT, WORDS, REASON, OPENID, UNIONID, MINI_OPENID)


def consent_texts(at: dt.datetime | None = None) -> None:
    """The four kinds, each with version 1, published a day before `at`."""
    day_before = (at or clock.now()) - dt.timedelta(days=1)
    services.ensure_consent_kinds(actor=DIRECTOR, at=day_before)
    for kind in ("privacy", "charter", "marketing", "recommendation"):
        publish(kind, "第一版", at=day_before)


def publish(kind: str, body: str, *, at: dt.datetime | None = None) -> int:
    """One more version of a kind's text; its number."""
    text_id = services.draft_consent_text(kind=kind, title=f"条款 {kind}", body=body, actor=DIRECTOR, at=at)
    return services.publish_consent_text(text_id=text_id, actor=DIRECTOR, at=at).version


def withdraw(member_id: int) -> None:
    """She agreed to marketing once and does no more."""
    consent_texts()
    said: dict[str, Any] = {"member_id": member_id, "kind": "marketing", "door": "mini_program"}
    services.agree_consent(**said, version=1, actor=Actor.member(member_id))
    services.withdraw_consent(**said, actor=Actor.member(member_id))


def plant(cast: Cast) -> int:
    """A member who left traces everywhere, partly on a row that was merged into hers; her id."""
    now = clock.now() - dt.timedelta(minutes=30)
    consent_texts(now)
    services.register_follower(
        app_id=cast.app_id, openid=OPENID, unionid=UNIONID, actor=Actor.wechat(), at=now
    )
    follower_id = selectors.find_member_id("openid", cast.app_id, OPENID)
    assert follower_id is not None
    guide_services.bind_member(
        member_id=follower_id, guide_id=cast.lina.id, source="staff", reason=REASON, actor=DIRECTOR, at=now
    )
    card = selectors.get_member_card(follower_id)
    guide = Actor.guide(cast.lina.id, "李娜")
    guide_services.remark_member(
        guide_id=cast.lina.id, public_id=card.public_id, name=REMARK, actor=guide, at=now
    )
    guide_services.add_note(guide_id=cast.lina.id, public_id=card.public_id, text=NOTE, actor=guide, at=now)
    joined = services.register_member(name=NAME, phone=PHONE, source="pos", actor=DIRECTOR, at=now)
    member_id = services.merge_members(first_id=follower_id, second_id=joined.id, actor=DIRECTOR, at=now).id
    MemberIdentity.objects.create(
        member_id=member_id, kind="mini_openid", app_id="wxmini", value=MINI_OPENID, linked_at=now
    )
    MemberAddress.objects.create(member_id=member_id, province="上海市", street=STREET, changed_at=now)
    _plant_words(cast, member_id, guide, now)
    _plant_gateway(cast, now)
    return member_id


def _plant_words(cast: Cast, member_id: int, guide: Actor, now: dt.datetime) -> None:
    group = services.create_tag_group(name="风格", actor=DIRECTOR)
    tag = services.create_tag(group_id=group.id, name="素色", actor=DIRECTOR)
    services.tag_members(member_ids=[member_id], tag_id=tag.id, actor=DIRECTOR, at=now)
    services.credit_points(
        member_id=member_id, points=500, source_key="sale:1", reason=REASON, actor=DIRECTOR, at=now
    )
    services.freeze_points(
        member_id=member_id, points=100, source_key="freeze:1", reason=REASON, actor=DIRECTOR, at=now
    )
    services.adjust_points(
        member_id=member_id,
        delta=9_000,
        reason=REASON,
        request_key="planted",
        actor=Actor.staff(cast.head_office.pk, "总部"),
        at=now,
    )
    services.agree_consent(
        member_id=member_id, kind="marketing", version=1, door="pos", actor=Actor.member(member_id), at=now
    )
    services.reveal_phone(member_id=member_id, reason="other", words=WORDS, actor=guide, at=now)


def _plant_gateway(cast: Cast, now: dt.datetime) -> None:
    Follower.objects.create(account_id=cast.account_id, openid=OPENID, unionid=UNIONID, followed_at=now)
    for number, state in enumerate(("processed", "stored"), start=1):
        InboundEvent.objects.create(
            account_id=cast.account_id,
            dedupe_key=f"planted-{number}",
            kind="text",
            openid=OPENID,
            raw=f"<xml><FromUserName>{OPENID}</FromUserName><Content>{TEXT}</Content></xml>",
            state=state,
            received_at=now,
        )
    binding_ids = Binding.objects.exclude(member_id=cast.xiaomei.id).values_list("pk", flat=True)
    letters = [(f"tell:{pk}", cast.xiaoli_openid) for pk in binding_ids] + [("rule:1", OPENID)]
    for key, openid in letters:
        OutboundMessage.objects.create(
            account_id=cast.account_id,
            openid=openid,
            kind="text",
            payload={"text": f"{NAME} 成为您的专属会员了。"},
            reason_key=key,
            state="queued",
            created_at=now,
            not_before=now,
            window_until=now,
        )


def dump() -> dict[str, str]:
    """Every table as text, sealed columns opened: what somebody with the database and the keys can read."""
    tables = {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()"
        )
        names = [name for (name,) in cursor.fetchall()]
        for name in names:
            cursor.execute(f'SELECT * FROM "{name}"')
            columns = [column.name for column in cursor.description or ()]
            lines = [
                [_opened(value, f"{name}.{column}") for column, value in zip(columns, row, strict=True)]
                for row in cursor.fetchall()
            ]
            tables[name] = repr(lines)
    return tables


def _opened(value: Any, context: str) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return crypto.unseal(value, context=context)
    except crypto.CannotOpen:
        return value


def traces() -> list[str]:
    """Where something of the planted member is found: in words, as a fingerprint, as a search token."""
    tokens = [str(token) for word in (NAME, REMARK) for token in selectors.name_tokens(word)]
    wanted = [*PLANTED, PHONE[-4:] + "'", *selectors.phone_indexes(PHONE), *tokens]
    return [f"{table}: {word}" for table, text in dump().items() for word in wanted if word in text]
