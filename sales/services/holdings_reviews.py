"""What becomes of a member's reviews when she is merged, parted, exported or erased."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core.actor import Actor
from members.contracts import MergeLine
from members.services.holdings import PlainHoldings
from sales.models import Review, ReviewState


class ReviewHoldings(PlainHoldings):
    """Invitations to rate her purchases, and what she said."""

    label = "reviews"
    title = _("购物评价")
    models: ClassVar[tuple[str, ...]] = ("sales.Review",)

    def preview(self, *, survivor_id: int, emptier_id: int) -> Sequence[MergeLine]:
        """How many either side has; all of them stay, each with its order."""
        mine = Review.objects.filter(member_id=survivor_id).count()
        theirs = Review.objects.filter(member_id=emptier_id).count()
        if not mine and not theirs:
            return ()
        words = _now("两边的评价都保留")
        return (MergeLine(str(self.title), str(mine), str(theirs), str(mine + theirs), words),)

    def export(self, member_id: int) -> Mapping[str, list[dict[str, Any]]]:
        """What she said of which order."""
        rows = Review.objects.filter(member_id=member_id, state=ReviewState.ANSWERED).select_related("sale")
        lines = [
            {
                _now("订单号"): row.sale.order_no,
                _now("评分"): row.score,
                _now("评价内容"): row.words,
                _now("评价时间"): row.answered_at.isoformat() if row.answered_at else None,
            }
            for row in rows.order_by("pk")
        ]
        return {str(_("购物评价")): lines} if lines else {}

    def erase(self, *, member_id: int, actor: Actor, at: dt.datetime) -> int:
        """Her words are gone and nobody asks her any more; the scores stay, without a person."""
        hers = Review.objects.filter(member_id=member_id)
        dropped = hers.unanswered().update(state=ReviewState.DROPPED)
        return dropped + hers.filter(state=ReviewState.ANSWERED).update(words="")
