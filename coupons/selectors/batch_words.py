"""A batch in plain words: what will be handed out, where, when, and what it can cost."""

import datetime as dt
from collections.abc import Iterable
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from coupons.contracts import BatchSummary, BatchTerms, TemplateTerms
from coupons.models import BatchState, Door, QuotaPeriod
from coupons.selectors.templates import worst_cost_fen
from coupons.selectors.words import counted, end_words, moment_words, money_words

DOOR_PLACES: Final[dict[str, str | Promise]] = {
    Door.CLAIM: _("领券中心"),
    Door.GUIDE: _("导购处"),
    Door.FACE_TO_FACE: _("面对面扫码"),
    Door.SYSTEM: _("后台"),
    Door.CODE: _("兑换码"),
    Door.SHARE: _("好友分享"),
    Door.PARTNER: _("合作方"),
}


def door_words(doors: Iterable[str]) -> str:
    """领券中心、导购处."""
    asked = set(doors)
    return "、".join(str(place) for door, place in DOOR_PLACES.items() if door in asked)


def window_words(opens_at: dt.datetime | None, closes_at: dt.datetime | None) -> str:
    """From when to when it is handed out."""
    if opens_at and closes_at:
        return _now("%(start)s 至 %(end)s") % {"start": moment_words(opens_at), "end": end_words(closes_at)}
    if opens_at:
        return _now("%(start)s起") % {"start": moment_words(opens_at)}
    return _now("到 %(end)s 为止") % {"end": end_words(closes_at)} if closes_at else _now("不限时间")


def limit_words(terms: BatchTerms) -> str:
    """How many one member may have."""
    total = _now("每人 %(n)s 张") % {"n": terms.member_limit} if terms.member_limit else _now("每人不限张数")
    if not terms.member_daily_limit:
        return total
    return total + _now("，每天最多 %(n)s 张") % {"n": terms.member_daily_limit}


def batch_sentence(terms: BatchTerms, template: TemplateTerms, *, is_partner: bool) -> str:
    """The whole batch in one sentence, to be read before it is opened."""
    count = (
        _now("发放合作方导入的券码")
        if is_partner and not terms.quota
        else _now("一共 %(n)s") % {"n": counted(terms.quota, _now("张"))}
    )
    opens = moment_words(terms.opens_at) + _now("起") if terms.opens_at else _now("开始发放后就")
    closes = _now("，到 %(end)s 为止") % {"end": end_words(terms.closes_at)} if terms.closes_at else ""
    # The last two are joined as people join them: 领券中心、导购处和后台.
    where = _now("在%(doors)s发放") % {"doors": _now("和").join(door_words(terms.doors).rsplit("、", 1))}
    return "，".join([count, limit_words(terms), opens + where + closes, _most_words(terms, template)]) + "。"


def _most_words(terms: BatchTerms, template: TemplateTerms) -> str:
    cost = terms.cost_fen or worst_cost_fen(template)
    if terms.budget_fen is not None:
        return _now("最多花 %(money)s") % {"money": money_words(terms.budget_fen)}
    if not cost:
        return _now("没有设预算")
    return _now("没有设预算，全部用掉最多花 %(money)s") % {"money": money_words(cost * terms.quota)}


def batch_notes(terms: BatchTerms, template: TemplateTerms) -> list[str]:
    """What somebody might overlook, a sentence each."""
    notes = []
    if terms.guide_quota:
        notes.append(
            _now("每位导购%(period)s最多发 %(n)s")
            % {
                "period": QuotaPeriod(terms.guide_quota_period).label,
                "n": counted(terms.guide_quota, _now("张")),
            }
        )
    if terms.budget_fen is not None and terms.cost_fen:
        enough = terms.budget_fen // terms.cost_fen
        if enough < terms.quota:
            notes.append(
                _now("按每张最多 %(cost)s，预算只够 %(n)s，先到的是预算")
                % {"cost": money_words(terms.cost_fen), "n": counted(enough, _now("张"))}
            )
    until = template.valid_until
    if until is not None and (terms.closes_at is None or terms.closes_at > until):
        notes.append(_now("券到 %(end)s 就过期，之后领不到") % {"end": end_words(until)})
    if set(terms.doors) == {"system"}:
        notes.append(_now("只从后台发：会员自己领不到，要到“批量发券”里发"))
    return notes


def standing_words(
    state: str, opens_at: dt.datetime | None, closes_at: dt.datetime | None, sums: BatchSummary, at: dt.datetime,
    cost_fen: int,
) -> tuple[str, str]:  # fmt: skip
    """(colour key, words) of what the batch does now: an open one may still hand out nothing."""
    if state != BatchState.OPEN:
        return state, str(BatchState(state).label)
    if opens_at is not None and at < opens_at:
        return "paused", _now("还没到发放时间")
    if closes_at is not None and at >= closes_at:
        return "ended", _now("已过发放时间")
    if sums.remaining_count <= 0:
        return "ended", _now("已发完")
    if sums.budget_fen is not None and sums.budget_fen - sums.reserved_fen < cost_fen:
        return "ended", _now("预算已用完")
    return state, str(BatchState.OPEN.label)
