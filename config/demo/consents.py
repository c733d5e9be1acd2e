"""The demo chain's consent texts in two versions, and what its members said."""

import datetime as dt
import random
from typing import Final

from django.apps import apps

from core.actor import Actor
from members import services as member_services

_DICE_SEED: Final = 11
_MEMBERS: Final = 60  # as many as make the lists and panels worth looking at
# Kind: titles and bodies of its versions, the share of members who agree, of those the share who withdrew.
_TEXTS: Final[tuple[tuple[str, tuple[tuple[str, str], ...], float, float], ...]] = (
    (
        "privacy",
        (
            (
                "素衣会员隐私政策",
                "我们只在为您服务时使用您的手机号、姓名和购买记录。\n"
                "手机号加密保存，导购看到的号码中间是星号。\n"
                "您可以随时查询、复制、更正或删除您的资料。",
            ),
            (
                "素衣会员隐私政策",
                "我们只在为您服务时使用您的手机号、姓名、收货地址和购买记录。\n"
                "手机号、姓名和地址加密保存，导购看到的号码中间是星号；查看完整号码要说明原因并留下记录。\n"
                "您可以随时查询、复制、更正或删除您的资料，我们在 15 天内答复。",
            ),
        ),
        0.95,
        0.01,
    ),
    (
        "charter",
        (("素衣会员章程", "消费积分，积分一年内有效。\n等级按近一年消费评定。\n会员资格归本人，不可转让。"),),
        0.95,
        0.0,
    ),
    (
        "marketing",
        (
            (
                "接收营销信息",
                "同意通过公众号、小程序和短信向您介绍新品和活动。\n您可以随时撤回，不影响会员权益。",
            ),
        ),
        0.6,
        0.08,
    ),
    (
        "recommendation",
        (("个性化推荐", "同意根据您的购买记录推荐合适的尺码和款式。\n您可以随时关闭。"),),
        0.45,
        0.05,
    ),
)


def seed_consents(*, at: dt.datetime, actor: Actor) -> bool:
    """Kinds and texts exist and some members have answered. Seeds once; whether this call wrote them."""
    if apps.get_model("members", "ConsentKind").objects.exists():
        return False
    dice = random.Random(_DICE_SEED)  # noqa: S311  (invents opinions, keeps no secret)
    member_services.ensure_consent_kinds(actor=actor, at=at)
    rows = apps.get_model("members", "Member").objects.filter(stage="member", merged_into=None)
    members = list(rows.order_by("-registered_at").values_list("pk", flat=True)[:_MEMBERS])
    for kind, versions, agreed, withdrawn in _TEXTS:
        first_at = at - dt.timedelta(days=400)
        for number, (title, body) in enumerate(versions, start=1):
            published_at = first_at + dt.timedelta(days=385 * (number - 1))
            note = "增加收货地址和答复期限" if number > 1 else ""
            text_id = member_services.draft_consent_text(
                kind=kind, title=title, body=body, change_note=note, actor=actor, at=published_at
            )
            member_services.publish_consent_text(text_id=text_id, actor=actor, at=published_at)
        for member_id in members:
            if dice.random() < agreed:
                _answer(dice, member_id, kind, len(versions), withdrawn, at=at)
    return True


def _answer(
    dice: random.Random, member_id: int, kind: str, version_count: int, withdrawn: float, *, at: dt.datetime
) -> None:
    """One member's yes, to the newest version or (one in three) to the first; now and then her no."""
    member = Actor.member(member_id)
    door = dice.choice(("mini_program", "mini_program", "pos", "official_account"))
    is_old = version_count > 1 and dice.random() < 0.33
    days = dice.uniform(60, 380) if is_old else dice.uniform(2, 14)
    agreed_at = at - dt.timedelta(days=days)
    member_services.agree_consent(
        member_id=member_id,
        kind=kind,
        version=1 if is_old else version_count,
        door=door,
        actor=member,
        at=agreed_at,
    )
    if dice.random() < withdrawn:
        member_services.withdraw_consent(
            member_id=member_id, kind=kind, door="mini_program", actor=member, at=at - dt.timedelta(days=1)
        )
