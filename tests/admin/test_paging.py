"""Lists of millions are not counted at each visit."""

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from campaigns.contracts import ReachOrder
from campaigns.models import Reach
from campaigns.services import queue_reaches
from core.admin import LongListPaginator
from tests.cast import Cast


class Short(LongListPaginator):
    counted_to = 5


def queue(cast: Cast, count: int) -> None:
    queue_reaches(
        orders=[
            ReachOrder(cast.xiaomei.id, "sale", f"r{number:02}", "购物", "您买了一件大衣。")
            for number in range(count)
        ]
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE campaigns_reach")


def test_a_long_list_is_counted_so_far_and_then_estimated(cast: Cast) -> None:
    queue(cast, 40)
    assert Short(Reach.objects.order_by("-pk"), 10).count == 40  # just analysed, the estimate is right
    assert Short(Reach.objects.filter(reason_key__lt="r05").order_by("pk"), 10).count == 5
    assert Short(Reach.objects.none(), 10).count == 0
    with CaptureQueriesContext(connection) as asked:
        assert len(Short(Reach.objects.order_by("-pk"), 10).page(4).object_list) == 10
    assert "LIMIT 6" in asked.captured_queries[0]["sql"]


def test_one_more_than_was_counted_is_the_least_that_is_said(cast: Cast) -> None:
    queue(cast, 40)
    rows = Reach.objects.filter(reason_key__contains="r").order_by("pk")  # an estimate may be far too low
    assert 6 <= Short(rows, 10).count <= 40


def test_the_log_of_reaches_counts_so(desk: Client, cast: Cast) -> None:
    queue(cast, 1)
    page = desk.get(reverse("admin:campaigns_reach_changelist"))
    assert isinstance(page.context["cl"].paginator, LongListPaginator)
    assert page.context["cl"].result_count == 1
