"""A list of a hundred rows costs a bounded number of queries, whatever it shows."""

from collections.abc import Iterator

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import DjangoDbBlocker

from core import clock
from core.actor import Actor
from guides import services as guide_services
from guides.models import Guide
from members import services as member_services
from tests.admin.account_kit import make_push
from tests.cast import APP_ID, DIRECTOR, Cast, make_guide, openid_of
from tests.kept_rows import kept_rows
from wechat.models import OutboundCall

QUERY_BUDGET = 15


@pytest.fixture
def cast(kept_chain: Cast, db: None) -> Cast:
    return kept_chain


@pytest.fixture(scope="module")
def hundred(kept_chain: Cast, django_db_blocker: DjangoDbBlocker) -> Iterator[Cast]:
    with kept_rows(django_db_blocker, lambda: _add_hundred(kept_chain)) as chain:
        yield chain


def _add_hundred(full_chain: Cast) -> Cast:
    now = clock.now()
    for number in range(100):
        guide = make_guide(f"N{number:03}", f"导购{number}", full_chain.store.id)
        member = member_services.register_follower(
            app_id=APP_ID, openid=openid_of(f"many{number:03}"), actor=Actor.wechat()
        )
        guide_services.bind_member(member_id=member.id, guide_id=guide.id, source="scan", actor=DIRECTOR)
        make_push(full_chain.account_id, number + 10, kind=f"event.kind{number % 12}")
        OutboundCall.objects.create(
            account_id=full_chain.account_id, path=f"/cgi-bin/path{number % 9}", called_at=now,
            called_on=clock.business_day(now), outcome="ok", latency_ms=10,
        )  # fmt: skip
    return full_chain


@pytest.mark.parametrize(
    "page",
    [
        "members_member", "guides_guide", "guides_binding", "guides_channelcode", "guides_channelscan",
        "guides_store", "guides_region", "guides_dealer", "wechat_inboundevent", "wechat_outboundcall",
        "wechat_outboundmessage", "wechat_follower", "core_auditentry",
    ],
)  # fmt: skip
def test_list_of_a_hundred_rows_stays_in_the_query_budget(desk: Client, hundred: Cast, page: str) -> None:
    url = reverse(f"admin:{page}_changelist")
    desk.get(url)  # session and content types are warm
    with CaptureQueriesContext(connection) as queries:
        answer = desk.get(url, {"all": ""})
    assert answer.status_code == 200
    assert len(queries) <= QUERY_BUDGET, "\n".join(query["sql"][:160] for query in queries.captured_queries)


def test_more_rows_do_not_mean_more_queries(desk: Client, hundred: Cast) -> None:
    def cost(url: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert desk.get(url).status_code == 200
        return len(queries)

    url = reverse("admin:guides_guide_changelist")
    cost(url)
    with_many = cost(url)
    few = Guide.objects.get(number="N000")
    assert cost(f"{url}?q={few.number}") <= with_many
