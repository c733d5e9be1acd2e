"""The demo chain's tiers, and purchases of its members, so that every tier has somebody in it."""

import datetime as dt
import random
from typing import Any, Final

from django.apps import apps

from core import clock
from core.actor import Actor
from members import services as member_services
from members.contracts import TierDecisions, TierTerms

_DICE_SEED: Final = 11
_LADDER: Final = (
    TierTerms(rank=1, name="普通会员", color="#7A8B84", benefits="免费熨烫\n满 299 元包邮"),
    TierTerms(
        rank=2, name="银卡会员", color="#A7B0B8", spend_fen=200_000, order_count=4, multiplier_bp=12_000,
        benefits="积分 1.2 倍\n免费改裤长\n新品提前一天选购", birthday_gift="birthday-silver",
        upgrade_gift="upgrade-silver",
    ),
    TierTerms(
        rank=3, name="金卡会员", color="#C9A15A", spend_fen=800_000, multiplier_bp=15_000,
        benefits="积分 1.5 倍\n免费改衣\n新品提前三天选购", birthday_gift="birthday-gold",
        upgrade_gift="upgrade-gold",
    ),
    TierTerms(
        rank=4, name="黑金会员", color="#2B2B2B", spend_fen=2_000_000, multiplier_bp=20_000,
        benefits="积分 2 倍\n专属搭配师\n上门取送改衣", birthday_gift="birthday-black", upgrade_gift="upgrade-black",
    ),
)  # fmt: skip
# Share of the members who bought so many times, of about that many yuan each.
_SHARES: Final = ((0.012, 9, 3_400), (0.05, 7, 1_700), (0.16, 4, 800), (0.22, 1, 600))


def seed_tiers(*, at: dt.datetime, actor: Actor) -> bool:
    """The ladder exists, members bought, and who reached a tier has it. Seeds once; whether this call wrote it."""
    if apps.get_model("members", "Tier").objects.exists():
        return False
    _buy(at=at)
    member_services.change_tier_settings(
        decisions=TierDecisions(period="sliding", period_months=12, grace_days=15), actor=actor, at=at
    )
    for terms in _LADDER:
        member_services.create_tier(terms=terms, actor=actor, at=at)
    staff = Actor("staff", None, actor.label)
    member_services.request_reassessment(may_fall=False, actor=staff, at=at)
    member_services.run_reassessments(actor=actor, at=at)
    return True


def _buy(*, at: dt.datetime) -> None:
    """Purchases of the last year in one insert; `record_activity` would take a minute for so many. Of members with a guide:
    `config.demo.sales` tells orders of the same."""
    dice = random.Random(_DICE_SEED)  # noqa: S311  (invents purchases, keeps no secret)
    today = clock.business_day(at)
    live = apps.get_model("guides", "Binding").objects.filter(ended_at=None, guide__state="active")
    joined = apps.get_model("members", "Member").objects.filter(stage="member", pk__in=live.values("member"))
    people = list(joined.order_by("pk").values_list("pk", "registered_at"))
    dice.shuffle(people)
    entry: Any = apps.get_model("members", "ActivityEntry")
    rows, start = [], 0
    for share, times, yuan in _SHARES:
        end = start + int(len(people) * share)
        for member_id, registered_at in people[start:end]:
            days = max(0, (today - clock.business_day(registered_at)).days)
            for number in range(times + dice.randint(0, 2)):
                fen = int(yuan * dice.uniform(0.7, 1.4)) * 100
                rows.append(
                    entry(
                        member_id=member_id,
                        origin_id=member_id,
                        day=today - dt.timedelta(days=dice.randint(0, days)),
                        spend_fen=fen,
                        order_count=1,
                        growth=fen // 1_000,
                        source_key=f"demo:{number}",
                        recorded_at=at,
                    )
                )
        start = end
    entry.objects.bulk_create(rows, batch_size=2_000)
