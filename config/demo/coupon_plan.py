"""What the demo chain's coupons are: template and batch by name."""

import datetime as dt
from typing import Any

from core import clock
from coupons.contracts import BatchTerms, TemplateTerms

Plan = dict[str, tuple[TemplateTerms, BatchTerms]]
_WORDS = "每单限用一张，不与店内其他优惠同享，退货后券在有效期内退回。"


def plan_of(at: dt.datetime) -> Plan:
    """All of them, as they stand on the day of the demo."""
    return _for_everybody(at) | _for_guides(at) | _for_friends(at)


def _terms(at: dt.datetime, title: str, **values: Any) -> TemplateTerms:
    """Good from ten days ago for sixty days, unless `values` say otherwise."""
    today = clock.business_day(at)
    given: dict[str, Any] = {
        "validity": "fixed",
        "valid_from": clock.day_bounds(today - dt.timedelta(days=10))[0],
        "valid_until": clock.day_bounds(today + dt.timedelta(days=50))[1],
        "usage_words": _WORDS,
    }
    return TemplateTerms(title=title, **(given | values))


def _days(number: int) -> dict[str, Any]:
    return {"validity": "from_today", "valid_from": None, "valid_until": None, "valid_days": number}


def _for_everybody(at: dt.datetime) -> Plan:
    """What members find in the claim centre, or have been given."""
    return {
        "开业满减": (
            _terms(at, "满 300 减 50", kind="cash_off", off_fen=5_000, min_spend_fen=30_000),
            BatchTerms(name="开业满减", quota=2_000, doors=("claim", "face_to_face"), budget_fen=10_000_000),
        ),
        "会员日折扣": (
            _terms(at, "会员日 8.5 折", kind="percent", rate_bp=8_500, cap_fen=10_000, colour="gold", gifting="first",
                  weekdays=(4, 5, 6)),
            BatchTerms(name="会员日折扣", quota=500, doors=("claim", "share"), member_daily_limit=1),
        ),
        "老客回店": (
            _terms(at, "衬衫一口价", kind="fixed_price", price_fen=19_900, units=2, include_categories=("shirts",),
                  colour="blue"),
            BatchTerms(name="老客回店", quota=150, doors=("system",)),
        ),
        "双十二预告": (
            _terms(at, "双十二 满 500 减 100", kind="cash_off", off_fen=10_000, min_spend_fen=50_000, colour="gold",
                  **_days(7)),
            BatchTerms(name="双十二预告", quota=1_000, doors=("claim",), opens_at=at + dt.timedelta(days=3)),
        ),
        "帆布包": (
            _terms(at, "赠帆布包", kind="gift", gift_name="亚麻帆布包", gift_value_fen=3_900, colour="orange", **_days(3)),
            BatchTerms(name="帆布包", quota=30, doors=("claim",)),
        ),
    }  # fmt: skip


def _for_guides(at: dt.datetime) -> Plan:
    """What guides give by hand and face to face."""
    return {
        "导购礼券": (
            _terms(at, "专属导购礼券", kind="cash_off", off_fen=2_000, colour="green", gifting="anyone", **_days(30)),
            BatchTerms(name="导购礼券", quota=1_000, doors=("guide", "face_to_face"), member_limit=2, guide_quota=20,
                       guide_quota_period="week"),
        ),
        "周末回店": (
            _terms(at, "周末回店满 200 减 30", kind="cash_off", off_fen=3_000, min_spend_fen=20_000, **_days(3)),
            BatchTerms(name="周末回店", quota=600, doors=("guide", "face_to_face"), member_limit=1, guide_quota=30,
                       guide_quota_period="month"),
        ),
        "新品预告": (
            _terms(at, "秋冬新品 9 折", kind="percent", rate_bp=9_000, cap_fen=20_000, colour="purple"),
            BatchTerms(name="新品预告", quota=400, doors=("guide",), opens_at=at + dt.timedelta(days=2)),
        ),
    }  # fmt: skip


def _for_friends(at: dt.datetime) -> Plan:
    """What friends bring each other."""
    return {
        "新客见面": (
            _terms(at, "新客立减 30", kind="cash_off", off_fen=3_000, min_spend_fen=9_900, colour="red", gifting="anyone",
                  **_days(14)),
            BatchTerms(name="新客见面", quota=3_000, doors=("claim", "code", "share"), member_limit=3),
        ),
        "好友同享": (
            _terms(at, "好友 9 折", kind="percent", rate_bp=9_000, cap_fen=5_000, colour="purple", **_days(7)),
            BatchTerms(name="好友同享", quota=5_000, doors=("share",)),
        ),
    }  # fmt: skip
