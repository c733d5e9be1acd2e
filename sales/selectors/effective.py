"""Effective guides (有效导购): who sold enough orders in a week or a month."""

from collections.abc import Collection

from django.db.models import Sum

from guides import selectors as guide_selectors
from sales.contracts import EffectiveGuides, EffectiveLine, Span
from sales.models import GuideTotal, Metric, TargetSettings


def get_target_settings() -> TargetSettings:
    """What the chain decided; the usual numbers until it did."""
    return TargetSettings.objects.order_by("pk").first() or TargetSettings()


def list_effective_guides(span: Span, *, store_ids: Collection[int] | None = None) -> EffectiveGuides:
    """All guides who worked in these stores (None: everywhere) in a week or month, the most orders first. Raises
    ValueError for another span: there is no measure for it."""
    if span.name not in {"week", "month"}:
        raise ValueError(span.name)
    settings = get_target_settings()
    needed = settings.orders_a_week if span.name == "week" else settings.orders_a_month
    seats = guide_selectors.list_roster(starts_on=span.starts_on, ends_on=span.ends_on, store_ids=store_ids)
    counted = (
        GuideTotal.objects.filter(
            period=span.name,
            starts_on=span.starts_on,
            metric=Metric.ORDER_COUNT,
            guide_id__in=[seat.guide_id for seat in seats],
        )
        .values_list("guide_id")
        .annotate(total=Sum("value"))
    )
    orders = dict(counted)
    lines = [
        EffectiveLine(
            seat.guide_id,
            seat.number,
            seat.name,
            seat.store_id,
            orders.get(seat.guide_id, 0),
            orders.get(seat.guide_id, 0) >= needed,
        )
        for seat in seats
    ]
    return EffectiveGuides(
        span, needed, tuple(sorted(lines, key=lambda line: (-line.order_count, line.number)))
    )
