"""Compiled reads answer as the querysets they are made of, whatever they are asked."""

import datetime as dt
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import Count, F, Q, QuerySet
from django.test.utils import CaptureQueriesContext

from core import clock
from core.actor import Actor
from core.compiled import Given, ask, compiled, compiled_lock, ids_of
from guides.models import Binding, Guide
from members import services as member_services
from members.models import Member, MemberTag
from tests.cast import Cast
from tests.threads import at_once

pytestmark = pytest.mark.django_db


@compiled
def _bound(*, guide_id: Given, since: Given) -> QuerySet[Any, Any]:
    bindings = Binding.objects.live().filter(guide_id=guide_id, bound_at__gte=since)
    return (
        bindings.select_related("member", "guide__store").annotate(store_name=F("store__name")).order_by("pk")
    )


@compiled
def _names(*, ids: Given) -> QuerySet[Guide, tuple[int, str]]:
    return Guide.objects.filter(pk__in=ids_of(ids)).order_by("pk").values_list("pk", "name")


@compiled
def _sum(*, store_id: Given) -> QuerySet[Guide, int]:
    guides = Guide.objects.filter(Q(store_id=store_id), name__contains="%").order_by().values("store_id")
    return guides.annotate(many=Count("pk")).values_list("many", flat=True)


def test_rows_of_a_model_come_with_what_was_selected_and_annotated(
    cast: Cast, django_assert_num_queries: Any
) -> None:
    long_ago = clock.now() - dt.timedelta(days=365)
    with django_assert_num_queries(1):
        rows = _bound(guide_id=cast.lina.id, since=long_ago)
        told = [(row.member.name, row.member.phone, row.guide.store.name, row.store_name) for row in rows]
    plain = Binding.objects.live().filter(guide_id=cast.lina.id)
    assert told
    with CaptureQueriesContext(connection) as ran:
        _bound(guide_id=cast.lina.id, since=long_ago)
    assert "guides_binding" in ran.captured_queries[0]["sql"]
    assert told == [
        (row.member.name, row.member.phone, row.store.name, row.store.name) for row in plain.order_by("pk")
    ]
    assert _bound(guide_id=cast.lina.id, since=clock.now() + dt.timedelta(days=1)) == []
    assert {row.guide_id for row in _bound(guide_id=cast.wangfang.id, since=long_ago)} <= {cast.wangfang.id}


def test_lists_of_ids_and_percent_signs_are_values_like_others(cast: Cast) -> None:
    both = sorted([cast.lina.id, cast.zhaoqiang.id])
    assert [row[0] for row in _names(ids=both)] == both
    assert _names(ids=[]) == []
    assert _sum.first(store_id=cast.store.id) is None
    Guide.objects.filter(pk=cast.lina.id).update(name="李%娜")
    assert _sum.first(store_id=cast.store.id) == 1


def test_a_read_goes_on_after_the_connection_rolled_back_and_after_it_was_lost(cast: Cast) -> None:
    asked = {"ids": [cast.lina.id]}
    before = _names(**asked)
    with transaction.atomic():
        Guide.objects.filter(pk=cast.lina.id).update(name="乙")
        assert _names(**asked) != before
        transaction.set_rollback(True)
    assert _names(**asked) == before
    for _time in range(7):  # long enough for PostgreSQL to keep one plan for all values
        assert _names(**asked) == before
    with connection.cursor() as cursor:
        cursor.execute("DEALLOCATE ALL")
    connection.connection._prepared.clear()
    assert _names(**asked) == before


def test_values_are_values_and_never_sql(cast: Cast) -> None:
    @compiled
    def coded(*, code: Given) -> QuerySet[Member, int]:
        return Member.objects.filter(code=code).values_list("pk", flat=True)

    assert coded(code="' OR true --") == []
    assert coded(code="%s %%") == []
    assert coded(code=cast.xiaomei.code) == [cast.xiaomei.id]
    with pytest.raises(KeyError):
        coded(nobody=1)


def test_what_would_stay_as_it_was_when_it_was_compiled_is_refused(cast: Cast) -> None:
    @compiled
    def with_a_moment(*, member_id: Given) -> QuerySet[MemberTag]:
        return MemberTag.objects.live(clock.now()).filter(member_id=member_id)

    @compiled
    def with_more(*, member_id: Given) -> QuerySet[Guide]:
        return Guide.objects.filter(pk=member_id).prefetch_related("store")

    @compiled
    def with_dicts(*, member_id: Given) -> QuerySet[Any, Any]:
        return Guide.objects.filter(pk=member_id).values("pk")

    for read in (with_a_moment, with_more, with_dicts):
        with pytest.raises(TypeError):
            read(member_id=1)


def test_sealed_columns_are_opened(cast: Cast) -> None:
    member = member_services.register_member(
        name="甲", phone="13900000077", source="pos", actor=Actor.system("test")
    )

    @compiled
    def phones(*, member_id: Given) -> QuerySet[Member, str]:
        return Member.objects.filter(pk=member_id).values_list("phone", flat=True)

    assert phones(member_id=member.id) == ["13900000077"]


@compiled_lock
def _guides(*, ids: Given) -> QuerySet[Guide]:
    return Guide.objects.filter(pk__in=ids_of(ids))


def test_a_compiled_lock_locks_its_rows_in_order_and_refuses_to_run_outside_a_transaction(cast: Cast) -> None:
    both = sorted([cast.lina.id, cast.zhaoqiang.id])
    with transaction.atomic(), CaptureQueriesContext(connection) as ran:
        assert [row.pk for row in _guides(ids=both[::-1])] == both
    assert ran.captured_queries[0]["sql"].endswith('FOR NO KEY UPDATE OF "guides_guide"')


@pytest.mark.django_db(transaction=True)
def test_a_compiled_lock_needs_a_transaction(cast: Cast) -> None:
    with pytest.raises(RuntimeError):
        _guides(ids=[cast.lina.id])


@pytest.mark.django_db(transaction=True)
def test_rows_of_a_compiled_lock_are_held_until_the_end(cast: Cast) -> None:
    def held() -> list[Guide]:
        with transaction.atomic():
            return Guide.objects.filter(pk=cast.lina.id).claim(1)

    with transaction.atomic():
        _guides(ids=[cast.lina.id])
        assert at_once([held]) == [[]]
    assert [row.pk for row in at_once([held])[0]] == [cast.lina.id]


def test_a_statement_is_prepared_once_whatever_size_its_numbers_have(cast: Cast) -> None:
    statement = (
        "SELECT %(one)s::bigint + count(*) FROM unnest(%(many)s::bigint[], %(texts)s::text[]) n (a, b)"
    )
    with connection.cursor():
        prepared = connection.connection._prepared._names
    before = len(prepared)
    for number in (1, 40_000, 5_000_000_000):
        assert ask(statement, {"one": number, "many": [number, None], "texts": ["a"]}) == [(number + 2,)]
    assert ask(statement, {"one": 1, "many": [], "texts": []}) == [(1,)]
    assert len(prepared) - before == 2  # an empty list has no type of its own


def test_a_statement_that_answers_nothing_answers_no_rows(cast: Cast) -> None:
    rename = "UPDATE guides_guide SET name = %(name)s WHERE id = %(id)s::bigint"
    assert ask(rename, {"name": "'); DROP TABLE guides_guide --", "id": cast.lina.id}) == []
    assert Guide.objects.get(pk=cast.lina.id).name == "'); DROP TABLE guides_guide --"
