"""Whose a sale is, in words."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from core.labels import label_of
from core.shares import split
from guides import selectors as guide_selectors
from sales.contracts import AttributionCard, ShareLine
from sales.models import Attribution, AttributionShare


def attribution_card_of(row: Attribution) -> AttributionCard:
    """The decision with its parts, and how much of what is left of the sale each has."""
    return _cards(AttributionShare.objects.filter(attribution=row))[0]


def get_attribution(sale_id: int) -> AttributionCard | None:
    """The decision that counts now."""
    return list_live_attributions([sale_id]).get(sale_id)


def list_attributions(sale_id: int) -> tuple[AttributionCard, ...]:
    """All decisions on a sale, the newest first."""
    return tuple(_cards(AttributionShare.objects.filter(attribution__sale_id=sale_id)))


def list_live_attributions(sale_ids: Sequence[int]) -> dict[int, AttributionCard]:
    """The decisions that count now, by sale, in three queries for all."""
    shares = AttributionShare.objects.filter(
        attribution__sale_id__in=sale_ids, attribution__ended_at__isnull=True
    )
    return {card.sale_id: card for card in _cards(shares)}


def cards_of_shares(
    shares: Iterable[AttributionShare], *, guides: Mapping[int, str], stores: Mapping[int, str]
) -> list[AttributionCard]:
    """The decisions of which these are the parts, the newest first; the parts come with decision and sale."""
    parts: dict[int, list[AttributionShare]] = defaultdict(list)
    for share in sorted(shares, key=lambda one: one.place):
        parts[share.attribution_id].append(share)
    return [_card(parts[pk][0].attribution, parts[pk], guides, stores) for pk in sorted(parts, reverse=True)]


def with_decisions(shares: QuerySet[AttributionShare]) -> list[AttributionShare]:
    """The parts as `cards_of_shares` needs them, in one query."""
    return list(shares.select_related("attribution__sale"))


def _cards(shares: QuerySet[AttributionShare]) -> list[AttributionCard]:
    found = with_decisions(shares)
    guides = guide_selectors.list_guide_names({share.guide_id for share in found if share.guide_id})
    stores = guide_selectors.list_store_names({share.store_id for share in found})
    return cards_of_shares(found, guides=guides, stores=stores)


def _card(
    row: Attribution,
    shares: Sequence[AttributionShare],
    guides: Mapping[int, str],
    stores: Mapping[int, str],
) -> AttributionCard:
    left = row.sale.amount_fen - row.sale.returned_fen
    parts = split(amount=left, weights=[share.share_bp for share in shares])
    lines = tuple(
        ShareLine(
            role=share.role,  # type: ignore[arg-type]
            role_label=label_of(share, "role"),
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
