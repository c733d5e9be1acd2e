"""What the page of one batch shows."""

from typing import Any

from django.apps import apps
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from core import clock
from core.admin import narrow, percent, thousands, when
from coupons import selectors
from coupons.admin.void_words import voidings_shown
from coupons.contracts import BatchSummary
from coupons.models import BatchState, CouponBatch, Door, GuideAllowance, IssueJob, QuotaPeriod
from coupons.selectors.batch_words import door_words, limit_words, standing_words, window_words
from coupons.selectors.batches import batch_terms_of, period_start
from coupons.selectors.templates import template_card_of, terms_of
from coupons.selectors.words import money_words

_GUIDES_SHOWN = 50


def batch_page(request: HttpRequest, row: CouponBatch, *, may_change: bool) -> dict[str, Any]:
    """Numbers, terms in words, doors and links, guides' quotas, bulk issues, and the buttons that make sense now."""
    sums = selectors.sum_batch(row.pk)
    now = clock.now()
    return {
        "batch": row,
        "standing": standing_words(row.state, row.opens_at, row.closes_at, sums, now, row.cost_fen),
        "template": template_card_of(row.template),
        "template_url": reverse("admin:coupons_coupontemplate_change", args=[row.template_id]),
        "face": selectors.face_of(terms_of(row.template)),
        "tiles": _tiles(sums),
        "issued_words": f"{thousands(sums.issued_count)} / {thousands(sums.quota)}",
        "issued_share": _share(sums.issued_count, sums.quota),
        "budget": _budget(sums),
        "facts": _facts(row),
        "buttons": _buttons(row) if may_change else [],
        "send_links": _send_links(request, row),
        "links": _links(row),
        "has_guide_doors": bool({Door.GUIDE.value, Door.FACE_TO_FACE.value} & set(row.doors)),
        "guides": _guides(request, row),
        "jobs": _jobs(request, row),
        **voiding_of(row),
        "coupons_url": f"{reverse('admin:coupons_coupon_changelist')}?{urlencode({'batch__id__exact': row.pk})}",
        "edit_url": "?edit=1" if may_change and row.state != BatchState.ENDED else "",
        "copy_url": f"{reverse('admin:coupons_couponbatch_add')}?copy={row.pk}" if may_change else "",
        "list_url": reverse("admin:coupons_couponbatch_changelist"),
    }


def voiding_of(row: CouponBatch) -> dict[str, Any]:
    """The voidings of the batch, as a part of its page that asks for itself while one runs."""
    url = reverse("admin:coupons_batch_voiding", args=[row.pk])
    return {"batch": row, **voidings_shown(_("整批作废"), selectors.list_void_jobs(row.pk), url)}


def _tiles(sums: BatchSummary) -> list[tuple[str, str]]:
    return [
        (thousands(sums.issued_count), _("已发放")),
        (thousands(sums.remaining_count), _("还剩")),
        (thousands(sums.redeemed_count), _("已核销")),
        (percent(sums.redeemed_count, sums.issued_count), _("核销率")),
        (thousands(sums.expired_count), _("已过期")),
        (thousands(sums.voided_count), _("已作废")),
        (money_words(sums.discount_fen), _("优惠金额")),
        (money_words(sums.sales_fen), _("带动销售")),
    ]


def _budget(sums: BatchSummary) -> dict[str, Any] | None:
    if sums.budget_fen is None:
        return None
    return {
        "words": _("预算 %(budget)s，已预留 %(reserved)s，实际优惠 %(spent)s")
        % {
            "budget": money_words(sums.budget_fen),
            "reserved": money_words(sums.reserved_fen),
            "spent": money_words(sums.discount_fen),
        },
        "share": _share(sums.reserved_fen, sums.budget_fen),
        "spent_share": _share(sums.discount_fen, sums.budget_fen),
    }


def _facts(row: CouponBatch) -> list[tuple[str, str]]:
    terms = batch_terms_of(row)
    facts = [
        (_("发放时间"), window_words(row.opens_at, row.closes_at)),
        (_("从哪里发"), door_words(row.doors)),
        (_("每人限领"), limit_words(terms)),
        (_("单张最高成本"), money_words(row.cost_fen) if row.cost_fen else "—"),
        (_("创建时间"), when(row.created_at)),
    ]
    if row.guide_quota is not None:
        words = _("每人%(period)s %(n)s 张") % {
            "period": QuotaPeriod(row.guide_quota_period).label,
            "n": thousands(row.guide_quota),
        }
        facts.insert(3, (_("导购额度"), words))
    if row.has_partner_codes:
        facts.insert(0, (_("合作方"), row.partner_name))
    return facts


def _buttons(row: CouponBatch) -> list[tuple[str, str, str]]:
    """(words, address, look) of what makes sense for the batch as it is."""
    is_over = row.state == BatchState.ENDED
    wanted = (
        ("open", _("开始发放") if row.state == BatchState.DRAFT else _("继续发放"), "main",
         not is_over and row.state != BatchState.OPEN),
        ("pause", _("暂停"), "", row.state == BatchState.OPEN),
        ("extend", _("追加数量"), "", not is_over and not row.has_partner_codes),
        ("extend_money", _("追加预算"), "", not is_over and row.budget_fen is not None),
        ("import_codes", _("导入券码"), "", not is_over and row.has_partner_codes),
        ("end", _("结束"), "danger", not is_over),
        ("void", _("整批作废"), "danger", row.state != BatchState.DRAFT),
    )  # fmt: skip
    return [
        (words, reverse(f"admin:coupons_couponbatch_{name}", args=[row.pk]), look)
        for name, words, look, is_wanted in wanted
        if is_wanted
    ]


def _links(row: CouponBatch) -> dict[str, str] | None:
    """For whoever puts the claim into an article, a menu or a poster."""
    if Door.CLAIM not in row.doors:
        return None
    return {
        "path": f"{settings.MINI_CLAIM_PAGE}?batch={row.public_id}",
        "scene": row.public_id,
        "picture_url": reverse("admin:coupons_batch_code", args=[row.pk]),
    }


def _send_links(request: HttpRequest, row: CouponBatch) -> list[tuple[str, str]]:
    """How staff hand it out themselves."""
    if Door.SYSTEM not in row.doors or row.state != BatchState.OPEN:
        return []
    links = []
    if request.user.has_perm("coupons.add_coupon"):
        links.append((_("发给一位会员"), f"{reverse('admin:coupons_coupon_add')}?batch={row.pk}"))
    if request.user.has_perm("coupons.add_issuejob"):
        links.append((_("批量发券"), f"{reverse('admin:coupons_issuejob_add')}?batch={row.pk}"))
    return links


def _guides(request: HttpRequest, row: CouponBatch) -> list[dict[str, Any]]:
    """What guides of the account's part have issued in the running period, the most first."""
    start = period_start(row.guide_quota_period, clock.now())
    mine = narrow(
        apps.get_model("guides", "Guide"), request.user, apps.get_model("guides", "Guide").objects.all()
    )
    rows = GuideAllowance.objects.filter(batch=row, period_start=start, guide__in=mine.values("pk"))
    return [
        {
            "name": one.guide.name,
            "store": one.guide.store.name,
            "words": f"{thousands(one.used_count)} / {thousands(one.allowed_count)}",
            "share": _share(one.used_count, one.allowed_count),
        }
        for one in rows.select_related("guide__store").order_by("-used_count", "pk")[:_GUIDES_SHOWN]
    ]


def _jobs(request: HttpRequest, row: CouponBatch) -> list[dict[str, Any]]:
    jobs = narrow(IssueJob, request.user, IssueJob.objects.filter(batch=row)).order_by("-pk")[:10]
    return [
        {
            "words": job.audience_words or job.key,
            "state": str(job.get_state_display()),
            "asked": thousands(job.asked_count),
            "at": when(job.started_at),
            "url": reverse("admin:coupons_issuejob_change", args=[job.pk]),
        }
        for job in jobs
    ]


def _share(part: int, whole: int) -> int:
    return min(100, part * 100 // whole) if whole else 0
