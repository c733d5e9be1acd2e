"""A chain that has sold: every table of head office's desks for sales has a row."""

import datetime as dt
from typing import Any

from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from core import clock
from core.actor import Actor
from sales import services
from sales.models import AttributionRule, CodeAlias, HeldDocument, MemberAlias
from tests.cast import Cast
from tests.sales.kit import back, key_of, line, order, tell

CONFIRM = {"_confirmed": "1"}
LAST_MONTH = (clock.today().replace(day=1) - dt.timedelta(days=1)).replace(day=1)


def fill_sales(cast: Cast) -> None:
    """Orders, one of them corrected, one returned, one that waits and was tried; the totals are proved."""
    boss = Actor.staff(cast.head_office.pk, "总部")
    AttributionRule.objects.create(position=1, name="专属优先", exclusive_bp=7_000, store_bp=3_000)
    tell(order("D1", line(amount_fen=12_800), member=key_of(cast.xiaomei), serving_guide="T002"))
    tell(order("D1", line(amount_fen=9_900), member=key_of(cast.xiaomei), serving_guide="T002", revision=1))
    tell(order("D2", line(amount_fen=5_000)), order("D3"))
    tell(back("DR3", order_no="D3"))
    tell(order("D4", store_code="S013"))
    job = services.start_retry(staff_id=cast.head_office.pk, terms={}, words="全部", actor=boss)
    services.work_desk_job(job_id=job.pk, actor=boss)
    CodeAlias.objects.create(
        kind="guide", source="erp", code="OLD7", guide_id=cast.lina.id, made_at=clock.now()
    )
    MemberAlias.objects.create(
        source="erp", member_index="f" * 64, member_id=cast.xiaomei.id, made_at=clock.now()
    )
    services.prove_totals(since=clock.today(), until=clock.today() + dt.timedelta(days=1), actor=boss)


def staff_with(cast: Cast, *codenames: str) -> Client:
    """The eastern region's account with these rights of `sales`, and to look guides and stores up."""
    rights = Permission.objects.filter(content_type__app_label="sales", codename__in=codenames)
    seen = Permission.objects.filter(
        content_type__app_label="guides", codename__in=["view_guide", "view_store"]
    )
    cast.regional.user_permissions.set([*rights, *seen])
    client = Client()
    client.force_login(cast.regional)
    return client


def page_text(answer: Any) -> str:
    """What the page says."""
    text: str = answer.content.decode()
    return text


def url(name: str, *args: Any) -> str:
    """The address of a page of the admin."""
    return reverse(f"admin:{name}", args=args)


def held(number: str = "O1") -> HeldDocument:
    """The document that waits, or waited, under that number."""
    return HeldDocument.objects.get(number=number)
