"""Coupons that were claimed by a link which says what it stood in."""

from collections.abc import Collection
from typing import Any

from django.db.models import Count, QuerySet

from coupons.models import CouponReferral


def count_article_claims(articles: Collection[str] | QuerySet[Any, Any]) -> dict[str, int]:
    """How many coupons were claimed from each of these; those that led to none are missing."""
    rows = CouponReferral.objects.filter(article__in=articles).exclude(article="").order_by()
    return dict(rows.values("article").annotate(n=Count("pk")).values_list("article", "n"))
