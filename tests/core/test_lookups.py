"""`any_of` finds what `in` finds, by one array."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from members.models import Member, MemberTier
from tests.cast import Cast


@pytest.mark.django_db
def test_any_of_finds_what_in_finds_with_one_parameter(cast: Cast) -> None:
    ids = [cast.xiaomei.id, cast.xiaoli.id, 0]
    with CaptureQueriesContext(
        connection,
    ) as asked:
        found = set(Member.objects.filter(pk__any_of=ids).values_list("pk", flat=True))
    assert found == set(Member.objects.filter(pk__in=ids).values_list("pk", flat=True)) == set(ids[:2])
    assert "ANY(" in asked[0]["sql"]
    assert not Member.objects.filter(pk__any_of=[]).exists()
    assert Member.objects.filter(code__any_of=[cast.xiaomei.code, "?"]).get().pk == cast.xiaomei.id
    MemberTier.objects.create(member_id=cast.xiaoli.id, since="2026-01-01")
    assert MemberTier.objects.filter(member_id__any_of=ids).get().member_id == cast.xiaoli.id
