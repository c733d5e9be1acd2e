"""The demo chain's coupons that come by themselves, and a guide's face-to-face offer of this morning."""

import datetime as dt

from django.apps import apps

from core.actor import Actor
from coupons import services
from coupons.contracts import BatchTerms, StandingTerms, TemplateTerms
from guides import services as guide_services


def seed_doors(*, at: dt.datetime, actor: Actor) -> bool:
    """Two standing rules are on, and 李娜 has offered her gift coupon face to face. Seeds once; whether this call
    wrote it."""
    if apps.get_model("coupons", "StandingRule").objects.exists():
        return False
    began = at - dt.timedelta(days=1)
    welcome = _open(
        TemplateTerms(title="新人见面礼", kind="cash_off", off_fen=3_000, min_spend_fen=20_000, validity="from_today",
                      valid_days=14, colour="green"),
        BatchTerms(name="绑定欢迎券", quota=5_000, doors=("system",)),
        actor=actor, at=began,
    )  # fmt: skip
    birthday = _open(
        TemplateTerms(title="生日 8 折", kind="percent", rate_bp=8_000, cap_fen=20_000, validity="from_today",
                      valid_days=30, colour="gold"),
        BatchTerms(name="生日礼券", quota=5_000, doors=("system",), member_limit=None),
        actor=actor, at=began,
    )  # fmt: skip
    for terms in (
        StandingTerms(name="第一次绑定导购送见面礼", occasion="first_bound", batch_id=welcome),
        StandingTerms(name="生日前三天送生日礼", occasion="birthday", batch_id=birthday, days_before=3),
    ):
        rule = services.create_standing_rule(terms=terms, actor=actor, at=began)
        services.switch_rule_on(rule_id=rule.id, actor=actor, at=began)
    _offer(at=at - dt.timedelta(hours=2))
    return True


def _open(template: TemplateTerms, batch: BatchTerms, *, actor: Actor, at: dt.datetime) -> int:
    made = services.create_template(terms=template, actor=actor, at=at)
    card = services.create_batch(template_id=made.id, terms=batch, actor=actor, at=at)
    services.open_batch(batch_id=card.id, actor=actor, at=at)
    return card.id


def _offer(*, at: dt.datetime) -> None:
    """Some of her members scanned in time, one too late."""
    guide = apps.get_model("guides", "Guide").objects.get(number="G001")
    batch = apps.get_model("coupons", "CouponBatch").objects.get(name="导购礼券")
    card = services.open_face_to_face(
        batch_id=batch.pk,
        guide_id=guide.pk,
        request_key="demo",
        actor=Actor.guide(guide.pk, guide.name),
        at=at,
    )
    offer = apps.get_model("coupons", "FaceToFaceOffer").objects.get(public_id=card.public_id)
    bound = apps.get_model("guides", "Binding").objects.filter(guide=guide, ended_at__isnull=True)
    minutes = (1, 2, 2, 4, 7, 25)
    for number, member_id in enumerate(bound.order_by("pk").values_list("member_id", flat=True)[:6]):
        scanned_at = at + dt.timedelta(minutes=minutes[number])
        scan = guide_services.resolve_scan(
            member_id=member_id,
            scene=offer.channel_code.code,
            is_new_follower=False,
            request_key=f"demo-offer:{number}",
            actor=Actor.wechat(),
            at=scanned_at,
        )
        services.answer_face_to_face_scan(scan_id=scan.scan_id, actor=Actor.system("demo"), at=scanned_at)
