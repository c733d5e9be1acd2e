"""What follows a purchase in the demo: members are asked what they think, some have said it, and a gift for a large one."""

import datetime as dt
import random
from typing import Final

from django.apps import apps

from core.actor import Actor
from coupons import services as coupon_services
from coupons.contracts import BatchTerms, StandingTerms, TemplateTerms
from sales import services

_DICE_SEED: Final = 53
_ANSWERED_SHARE: Final = 0.6
# A low score becomes this kind of request, where the chain has it.
_KINDS: Final = ("售后维修", "售后", "其他")
_WORDS: Final[dict[int, tuple[str, ...]]] = {
    5: ("导购很耐心，帮我搭了一整套", "面料舒服，版型也好", "包装很用心", "", ""),
    4: ("衣服不错，试衣间有点挤", "颜色和图片差不多", "", "等了一会儿，其他都好"),
    3: ("还可以，价格偏高", "", "尺码偏大一号"),
    2: ("洗了一次有点缩水", "袖口线头比较多"),
    1: ("拉链不顺，想换一件",),
}
_SCORES: Final = ((5, 52), (4, 28), (3, 12), (2, 5), (1, 3))


def seed_care(*, at: dt.datetime, actor: Actor) -> None:
    """The rule, the gift, and what members said of the last days' orders. Once."""
    care = apps.get_model("sales", "PurchaseCare")
    if care.objects.exists():
        return
    kinds = dict(apps.get_model("guides", "RequestKind").objects.values_list("name", "code"))
    kind = next((kinds[name] for name in _KINDS if name in kinds), "")
    care.objects.create(pk=1, is_review_on=True, review_after_hours=1, low_score_kind=kind)
    _seed_gift(at=at, actor=actor)
    services.work_purchase_care(actor=actor, at=at)
    services.work_reviews(at=at)
    _answer(at=at)


def _seed_gift(*, at: dt.datetime, actor: Actor) -> None:
    template = coupon_services.create_template(
        terms=TemplateTerms(
            title="购后回馈 30 元", kind="cash_off", off_fen=3_000, min_spend_fen=20_000, validity="from_tomorrow",
            valid_days=30,
        ),
        actor=actor, at=at,
    )  # fmt: skip
    batch = coupon_services.create_batch(
        template_id=template.id,
        terms=BatchTerms(name="购后回馈", quota=5_000, doors=("system",), member_limit=None),
        actor=actor, at=at,
    )  # fmt: skip
    coupon_services.open_batch(batch_id=batch.id, actor=actor, at=at)
    rule = coupon_services.create_standing_rule(
        terms=StandingTerms(
            name="单笔满 800 元送回馈券", occasion="purchase", batch_id=batch.id, least_fen=80_000
        ),
        actor=actor, at=at,
    )  # fmt: skip
    coupon_services.switch_rule_on(rule_id=rule.id, actor=actor, at=at)


def _answer(*, at: dt.datetime) -> None:
    dice = random.Random(_DICE_SEED)  # noqa: S311  (invents opinions, keeps no secret)
    scores, weights = zip(*_SCORES, strict=True)
    rows = apps.get_model("sales", "Review").objects.filter(state="open").order_by("pk")
    for member_id, public_id in list(rows.values_list("member_id", "public_id")):
        if dice.random() < _ANSWERED_SHARE:
            score = dice.choices(scores, weights)[0]
            services.answer_review(
                member_id=member_id, public_id=public_id, score=score, words=dice.choice(_WORDS[score]),
                actor=Actor.member(member_id), at=at,
            )  # fmt: skip
