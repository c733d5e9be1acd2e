"""Whose a sale is, in words."""

from django.utils.translation import gettext as _

from core.shares import split
from guides import selectors as guide_selectors
from sales.contracts import AttributionCard, ShareLine
from sales.models import Attribution, AttributionShare, Sale


def attribution_card_of(row: Attribution) -> AttributionCard:
    """The decision with its parts, and how much of what is left of the sale each has."""
    shares = list(AttributionShare.objects.filter(attribution=row).order_by("place"))
    sale = Sale.objects.get(pk=row.sale_id)
    guides = guide_selectors.list_guide_names([share.guide_id for share in shares if share.guide_id])
    stores = guide_selectors.list_store_names([share.store_id for share in shares])
    left = sale.amount_fen - sale.returned_fen
    parts = split(amount=left, weights=[share.share_bp for share in shares])
    lines = tuple(
        ShareLine(
            role=share.role,  # type: ignore[arg-type]
            role_label=str(share.get_role_display()),
            guide_id=share.guide_id,
            guide_name=guides.get(share.guide_id or 0, ""),
            store_id=share.store_id,
            store_name=stores.get(share.store_id, ""),
            share_bp=share.share_bp,
            amount_fen=part,
        )
        for share, part in zip(shares, parts, strict=True)
    )
    return AttributionCard(
        id=row.pk,
        sale_id=row.sale_id,
        words=_words(row, lines),
        rule_words=row.rule_words,
        is_manual=bool(row.reason),
        made_at=row.made_at,
        made_by=row.made_by,
        reason=row.reason,
        ended_at=row.ended_at,
        shares=lines,
    )


def get_attribution(sale_id: int) -> AttributionCard | None:
    """The decision that counts now."""
    row = Attribution.objects.live().filter(sale_id=sale_id).first()
    return None if row is None else attribution_card_of(row)


def list_attributions(sale_id: int) -> tuple[AttributionCard, ...]:
    """All decisions on a sale, the newest first."""
    return tuple(map(attribution_card_of, Attribution.objects.filter(sale_id=sale_id).order_by("-pk")))


def _words(row: Attribution, lines: tuple[ShareLine, ...]) -> str:
    """ "规则 3 线上订单：专属导购李娜 70%，门店南京东路店 30%"."""
    parts = _("，").join(
        f"{line.role_label}{line.guide_name or line.store_name} {line.share_bp / 100:g}%" for line in lines
    )
    if row.reason:
        head = _("人工指定（%(reason)s）") % {"reason": row.reason}
    elif row.rule_words:
        head = _("规则 %(rule)s") % {"rule": row.rule_words}
    else:
        head = _("没有规则适用")
    return f"{head}：{parts}"
