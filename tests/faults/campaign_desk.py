"""A campaign of a few thousand members, and what must be true of it in the end."""

from collections import Counter
from typing import Any

from django.db.models import Count

from campaigns.models import Campaign, CampaignMember, CampaignRun, Reach
from coupons.models import Coupon, CouponBatch
from members.models import PointsEntry
from tests.campaigns.run_kit import REACH, assert_adds_up, listed, make_campaign
from tests.coupons.kit import make_batch, make_members

POINTS = {"do": "points", "with": {"points": 5, "reason": "活动赠送"}}
WORTH_FEN = 3_000


def make(count: int, budget_fen: int = 10**9) -> None:
    """So many members, of whom a tenth gets nothing; half of the others have a coupon, points and a message, half points."""
    batch = make_batch(count)
    coupon: dict[str, Any] = {"do": "coupon", "with": {"batch": CouponBatch.objects.get(pk=batch).public_id}}
    make_campaign(
        listed(make_members(count)),
        [[coupon, POINTS, REACH], [POINTS]],
        holdout_bp=1_000,
        budget_fen=budget_fen,
    )


def check() -> None:
    """Nothing lost, nothing doubled, and the numbers are those of the rows."""
    [run] = CampaignRun.objects.all()
    assert_adds_up(run)
    rows = CampaignMember.objects.filter(run=run)
    done = rows.filter(state="done")
    assert Counter(PointsEntry.objects.values_list("account__member_id", flat=True)) == Counter(
        done.values_list("member_id", flat=True)
    )
    with_coupon = set(done.filter(letter="A").values_list("member_id", flat=True))
    for given in (Coupon.objects.all(), Reach.objects.all()):
        counted = given.order_by().values_list("member_id").annotate(n=Count("pk"))
        assert dict(counted) == dict.fromkeys(with_coupon, 1)
    assert set(done.filter(letter="A").values_list("coupon_id", flat=True)) == set(
        Coupon.objects.values_list("pk", flat=True)
    )
    assert run.spent_fen == Campaign.objects.get().spent_fen == WORTH_FEN * len(with_coupon)
