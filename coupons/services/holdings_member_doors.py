"""What is kept about a member who exchanged codes, shared to unlock, or led others to a coupon."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core.actor import Actor
from coupons.models import CouponReferral, ExchangeCode, ShareState, UnlockHelp, UnlockShare
from members.contracts import MergeLine
from members.services.holdings import MemberHoldings, PlainHoldings, Snapshot, repoint_back


class ExchangeHoldings(PlainHoldings):
    """The exchange codes she used."""

    label = "exchange_codes"
    title = _("兑换码")
    models: ClassVar[tuple[str, ...]] = ("coupons.ExchangeCode",)

    def preview(self, *, survivor_id: int, emptier_id: int) -> Sequence[MergeLine]:
        return []

    def export(self, member_id: int) -> Mapping[str, list[dict[str, Any]]]:
        used = (
            ExchangeCode.objects.filter(used_by=member_id).select_related("exchange_set").order_by("used_at")
        )
        rows = [
            {
                _now("兑换码"): row.exchange_set.name,
                _now("兑换时间"): row.used_at.isoformat() if row.used_at else "",
            }
            for row in used
        ]
        return {str(self.title): rows} if rows else {}

    def erase(self, *, member_id: int, actor: Actor, at: dt.datetime) -> int:
        """Nothing tells who she was: the code is a fingerprint, and that it was used has to stay."""
        return 0


class UnlockHoldings(MemberHoldings):
    """The links she shared and the friends she helped. Of two rows that turn out to be one person, a link or a help that
    the survivor has of the same offer stays where it was: one person has one of each."""

    label = "unlocks"
    title = _("分享裂变")
    models: ClassVar[tuple[str, ...]] = ("coupons.UnlockShare", "coupons.UnlockHelp")

    def preview(self, *, survivor_id: int, emptier_id: int) -> Sequence[MergeLine]:
        return []

    def move(self, *, emptier_id: int, survivor_id: int, actor: Actor, at: dt.datetime) -> Snapshot:
        """What does not meet its like is the survivor's."""
        live = UnlockShare.objects.exclude(state=ShareState.EXPIRED)
        taken = live.filter(member_id=survivor_id).values_list("offer_id", flat=True)
        mine = UnlockShare.objects.filter(member_id=emptier_id)
        staying = mine.exclude(state=ShareState.EXPIRED).filter(offer_id__in=list(taken))
        shares = [row.pk for row in mine.exclude(pk__in=staying.values("pk")).lock_rows()]
        UnlockShare.objects.filter(pk__in=shares).update(member_id=survivor_id)
        helped = UnlockHelp.objects.filter(helper_id=survivor_id).values_list("offer_id", flat=True)
        hers = UnlockHelp.objects.filter(helper_id=emptier_id).exclude(offer_id__in=list(helped))
        helps = [row.pk for row in hers.lock_rows()]
        UnlockHelp.objects.filter(pk__in=helps).update(helper_id=survivor_id)
        return {"shares": shares, "helps": helps}

    def strays(self, emptier_ids: QuerySet[Any, int]) -> set[int]:
        """None: all who write these rows hold their member's lock, and what stayed was meant to."""
        return set()

    def restore(
        self, *, emptier_id: int, survivor_id: int, snapshot: Snapshot, actor: Actor, at: dt.datetime
    ) -> None:
        """What moved is back."""
        for label, field, name in (
            ("coupons.UnlockShare", "member", "shares"),
            ("coupons.UnlockHelp", "helper", "helps"),
        ):
            ids = snapshot.get(name, [])
            repoint_back(model=label, ids=ids, emptier_id=emptier_id, survivor_id=survivor_id, field=field)

    def export(self, member_id: int) -> Mapping[str, list[dict[str, Any]]]:
        shares = UnlockShare.objects.filter(member_id=member_id).select_related("offer").order_by("pk")
        helps = UnlockHelp.objects.filter(helper_id=member_id).select_related("offer").order_by("pk")
        sections: dict[str, list[dict[str, Any]]] = {
            _now("发起的助力"): [
                {
                    _now("活动"): row.offer.name,
                    _now("发起时间"): row.started_at.isoformat(),
                    _now("状态"): row.get_state_display(),
                    _now("助力好友数"): row.helper_count,
                }
                for row in shares
            ],
            _now("为好友助力"): [
                {_now("活动"): row.offer.name, _now("时间"): row.helped_at.isoformat()} for row in helps
            ],
        }
        return {title: rows for title, rows in sections.items() if rows}

    def erase(self, *, member_id: int, actor: Actor, at: dt.datetime) -> int:
        """The figures stay without a person; a link of hers that is under way is over."""
        mine = UnlockShare.objects.filter(member_id=member_id, state=ShareState.COLLECTING)
        return mine.update(state=ShareState.EXPIRED)


class ReferralHoldings(PlainHoldings):
    """The coupons to which she led others by sharing their link."""

    label = "coupon_referrals"
    title = _("分享领券")
    models: ClassVar[tuple[str, ...]] = ("coupons.CouponReferral",)

    def preview(self, *, survivor_id: int, emptier_id: int) -> Sequence[MergeLine]:
        return []

    def export(self, member_id: int) -> Mapping[str, list[dict[str, Any]]]:
        led = CouponReferral.objects.filter(sharer=member_id).select_related("batch__template").order_by("pk")
        rows = [
            {_now("券"): row.batch.template.title, _now("好友领取时间"): row.claimed_at.isoformat()}
            for row in led
        ]
        return {str(self.title): rows} if rows else {}

    def erase(self, *, member_id: int, actor: Actor, at: dt.datetime) -> int:
        """That she led somebody there is forgotten: it is about her and her friends."""
        hers = CouponReferral.objects.filter(sharer_id=member_id)
        alone = hers.filter(scene="", article="")
        deleted, _kinds = alone.delete()
        return deleted + hers.update(sharer=None)
