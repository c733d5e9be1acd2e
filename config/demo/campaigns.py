"""The demo chain's campaigns, one in each state: what is over ran through the services that run any campaign."""

import datetime as dt
import random
from typing import Any, Final

from django.apps import apps

from campaigns import services
from campaigns.contracts.campaigns import CampaignDraft, VariantDraft
from campaigns.services import running
from config.demo.campaign_messages import deliver_and_open
from config.demo.campaign_orders import shop_with_coupons
from core import clock
from core.actor import Actor
from coupons import selectors as coupon_selectors
from coupons import services as coupon_services
from coupons.contracts import BatchTerms, TemplateTerms
from members import services as member_services

_WRITER: Final = "market"
_DICE_SEED: Final = 42
_AGREED: Final = 0.66
_MEMBERS_DAYS: Final = [8, 18, 28]
_BEGUN: Final = dt.timedelta(days=44)


def seed_campaigns(*, at: dt.datetime, admin_name: str, regional_name: str, actor: Actor) -> bool:
    """Campaigns are there in every state, and the chain's rules for them. Once; whether this call wrote them."""
    if apps.get_model("campaigns", "Campaign").objects.exists():
        return False
    apps.get_model("campaigns", "CampaignPolicy").objects.get_or_create(
        pk=1,
        defaults={
            "earliest": dt.time(9),
            "latest": dt.time(21),
            "month_days": _MEMBERS_DAYS,
            "campaign_budget_fen": 500_000,
            "month_budget_fen": 2_000_000,
        },
    )
    staff = apps.get_model("core", "StaffAccount").objects
    writer = staff.get_or_create(username=_WRITER, defaults={"is_superuser": True, "first_name": "市场部"})[0]
    desk = _Desk(
        writer=Actor.staff(writer.pk, str(writer)),
        approver=Actor.staff(staff.get(username=admin_name).pk, str(staff.get(username=admin_name))),
        regional=Actor.staff(staff.get(username=regional_name).pk, str(staff.get(username=regional_name))),
        at=at,
        batches={
            name: _batch(title, off_fen, spend_fen, quota, actor=actor, at=at - _BEGUN)
            for name, title, off_fen, spend_fen, quota in (
                ("winter", "换季 满 300 减 60", 6_000, 30_000, 3_000),
                ("light", "换季 满 200 减 30", 3_000, 20_000, 3_000),
                ("birthday", "生日 满 200 减 50", 5_000, 20_000, 1_000),
            )
        },
        segments=dict(apps.get_model("campaigns", "Segment").objects.values_list("name", "public_id")),
    )
    _agree(["看了没买", "七天内券到期", "大促前的老客"], at=at)
    desk.ended()
    desk.running()
    desk.told()
    desk.upcoming()
    desk.submitted()
    desk.drafts()
    return True


def _agree(segments: list[str], *, at: dt.datetime) -> None:
    """Of the members of these segments two thirds agreed to news."""
    dice = random.Random(_DICE_SEED)  # noqa: S311  (invents opinions, keeps no secret)
    rows = apps.get_model("campaigns", "SegmentMember").objects.filter(segment__name__in=segments)
    for member_id in rows.order_by("member_id").values_list("member_id", flat=True).distinct():
        if dice.random() < _AGREED:
            member_services.agree_consent(
                member_id=member_id,
                kind="marketing",
                version=1,
                door="mini_program",
                actor=Actor.member(member_id),
                at=at - dt.timedelta(days=dice.randint(20, 200)),
            )


def _batch(title: str, off_fen: int, spend_fen: int, quota: int, *, actor: Actor, at: dt.datetime) -> str:
    template = coupon_services.create_template(
        terms=TemplateTerms(
            title=title,
            kind="cash_off",
            off_fen=off_fen,
            min_spend_fen=spend_fen,
            validity="from_today",
            valid_days=14,
        ),
        actor=actor,
        at=at,
    )
    made = coupon_services.create_batch(
        template_id=template.id,
        terms=BatchTerms(name=f"活动 {title}", quota=quota, doors=("system",)),
        actor=actor,
        at=at,
    )
    coupon_services.open_batch(batch_id=made.id, actor=actor, at=at)
    return coupon_selectors.get_batch(made.id).public_id


class _Desk:
    """Who writes and who approves, and what there is to give."""

    def __init__(
        self,
        *,
        writer: Actor,
        approver: Actor,
        regional: Actor,
        at: dt.datetime,
        batches: dict[str, str],
        segments: dict[str, str],
    ) -> None:
        self._writer, self._approver, self._regional = writer, approver, regional
        self._at, self._batches, self._segments = at, batches, segments
        self._today = clock.business_day(at)

    def _moment(self, days: int, hour: int, minute: int = 0) -> dt.datetime:
        """So many days from today, Shanghai time."""
        day = self._today + dt.timedelta(days=days)
        return dt.datetime.combine(day, dt.time(hour, minute), clock.SHANGHAI)

    def ended(self) -> None:
        """Two coupons against each other and against nothing; its days are over, and what it brought is counted."""
        begins = self._moment(-26, 10)
        pk = self._write(
            name="换季回馈券",
            note="大与小的券，哪一种更划算",
            kind="coupon",
            segment=self._segments["大促前的老客"],
            holdout_bp=3_000,
            starts_at=begins,
            ends_at=self._moment(-24, 20),
            window_days=14,
            variants=(self._coupon("winter"), self._coupon("light")),
            at=begins - dt.timedelta(days=2),
        )
        self._approve(pk, at=begins - dt.timedelta(days=1))
        self._run(pk, begins)
        shop_with_coupons(campaign_id=pk, begins=begins, days=14, actor=Actor.system("till"))
        services.end_over_campaigns(at=self._moment(-9, 10))

    def running(self) -> None:
        """Every week anew, since last week."""
        begins = self._moment(-8, 10)
        pk = self._write(
            name="生日周心意",
            note="每周给一周内过生日的会员送一张券",
            kind="coupon",
            segment=self._segments["一周内过生日"],
            starts_at=begins,
            ends_at=self._moment(60, 20),
            recurrence={
                "every": "week",
                "days": [(self._today - dt.timedelta(days=1)).isoweekday()],
                "at": "10:30",
            },
            variants=(self._coupon("birthday"),),
            at=begins - dt.timedelta(days=2),
        )
        self._approve(pk, at=begins - dt.timedelta(days=1))
        for days in (-8, -1):
            self._run(pk, self._moment(days, 10, 30))

    def told(self) -> None:
        """A message to regulars in two wordings, days ago: who read it, opened it and came stands on the boards."""
        begins = self._moment(-6, 10)
        pk = self._write(
            name="羊绒新款到店",
            note="买过两次以上的老客先知道，两种文案比一比",
            kind="reach",
            segment=self._segments["大促前的老客"],
            goal="visit",
            holdout_bp=1_000,
            starts_at=begins,
            ends_at=self._moment(8, 20),
            window_days=7,
            variants=(
                self._message("羊绒新款到店", "{member}，今年的羊绒到了，点开先看 12 款新色。"),
                self._message("{guide}给您留了新款", "{member}，{guide}照您的尺码留了两件羊绒，点开看看。"),
            ),
            at=begins - dt.timedelta(days=2),
        )
        self._approve(pk, at=begins - dt.timedelta(days=1))
        self._run(pk, begins)
        deliver_and_open(campaign_id=pk, at=self._at)

    def upcoming(self) -> None:
        """Approved; begins before 双十二."""
        pk = self._write(
            name="双十二预热",
            note="看过没买的会员，提前告诉她",
            kind="reach",
            segment=self._segments["看了没买"],
            goal="visit",
            starts_at=self._moment(9, 10),
            ends_at=self._moment(14, 20),
            variants=(
                self._message("双十二提前看", "{member}，您看过的款式双十二有礼遇，先到小程序里收藏。"),
                self._message("为您留了双十二礼遇", "{member}，{guide}为您留意着，双十二到店还有专属搭配。"),
            ),
            at=self._at - dt.timedelta(days=3),
        )
        self._approve(pk, at=self._at - dt.timedelta(days=2))

    def submitted(self) -> None:
        """A region's own, for head office to look at."""
        region = apps.get_model("guides", "StaffScope").objects.get(staff_id=self._regional.id).region_id
        self._write(
            name="高价值沉睡客邀约",
            note="导购逐位联系，约到店试穿",
            kind="follow_up",
            region_id=region,
            segment=self._segments["高价值沉睡客"],
            goal="wake_up",
            budget_fen=200_000,
            starts_at=self._moment(3, 10),
            ends_at=self._moment(10, 20),
            variants=(
                VariantDraft(
                    1,
                    [
                        {
                            "do": "follow_up",
                            "with": {
                                "title": "好久不见，约她到店",
                                "script": "{member}，好久没见到您，新到的羊绒很适合您，这周方便来试试吗？",
                                "days": 5,
                            },
                        }
                    ],
                ),
            ),
            by=self._regional,
            at=self._at - dt.timedelta(hours=20),
        )

    def drafts(self) -> None:
        """One that is only begun, one of the members' days that waits for its last look."""
        draft = CampaignDraft(
            name="会员日提醒",
            note="每个会员日上午，券快到期的会员",
            kind="reach",
            segment=self._segments["七天内券到期"],
            starts_at=self._moment(1, 9),
            ends_at=self._moment(120, 20),
            recurrence={"every": "members_day", "at": "10:00"},
            variants=(self._message("今天会员日", "{member}，您有券快到期，今天用正合适。"),),
        )
        services.create_campaign(draft=draft, actor=self._writer, at=self._at - dt.timedelta(hours=5))
        draft = CampaignDraft(
            name="圣诞穿搭", kind="reach", segment=self._segments["大促前的老客"], note="文案还没定"
        )
        services.create_campaign(draft=draft, actor=self._writer, at=self._at - dt.timedelta(hours=2))

    def _coupon(self, name: str) -> VariantDraft:
        return VariantDraft(1, [{"do": "coupon", "with": {"batch": self._batches[name]}}])

    def _message(self, title: str, text: str) -> VariantDraft:
        return VariantDraft(
            1, [{"do": "reach", "with": {"title": title, "text": text, "page": "pages/index"}}]
        )

    def _write(self, *, at: dt.datetime, by: Actor | None = None, **values: Any) -> int:
        """Written and submitted."""
        actor = by or self._writer
        pk = services.create_campaign(draft=CampaignDraft(**values), actor=actor, at=at)
        services.submit_campaign(campaign_id=pk, revision=1, actor=actor, at=at)
        return pk

    def _approve(self, pk: int, *, at: dt.datetime) -> None:
        services.approve_campaign(campaign_id=pk, revision=1, actor=self._approver, at=at)

    def _run(self, pk: int, at: dt.datetime) -> None:
        """Its run of that moment begins, and everybody has her turn."""
        running.launch_due_campaigns(at=at)
        while running.release_batch(campaign_id=pk, at=at).count:
            pass
