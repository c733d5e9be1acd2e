"""Unionids of many followers at a time come to the same as one by one."""

import datetime as dt
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from core import clock
from core.actor import Actor
from core.errors import Refusal
from core.models import AuditEntry
from members import selectors, services
from members.models import Member, MemberIdentity
from tests.cast import DIRECTOR
from tests.threads import at_once

APP, MINI = "wxapp0000000000001", "wxmini000000000001"
pytestmark = pytest.mark.django_db


def follow(*openids: str, app_id: str = APP) -> None:
    services.register_listed_followers(app_id=app_id, openids=openids, actor=DIRECTOR)


def identify(unionids: dict[str, str]) -> int:
    return services.identify_followers(app_id=APP, unionids=unionids, actor=Actor.wechat())


def owner(unionid: str) -> int | None:
    return selectors.find_member_id("unionid", "", unionid)


def test_each_has_her_unionid_and_a_line_in_the_trail() -> None:
    follow("o1", "o2")
    assert identify({"o1": "u1", "o2": "u2", "o9": "u9"}) == 2
    assert identify({"o1": "u1", "o2": "u2", "o9": "u9"}) == 0
    assert owner("u1") == selectors.find_member_id("openid", APP, "o1")
    assert owner("u9") is None
    rows = AuditEntry.objects.filter(action="members.identity_linked")
    assert [row.details for row in rows] == [{"kind": "unionid"}] * 2
    assert MemberIdentity.objects.get(value="u1").given_through == []


def test_who_is_known_by_the_unionid_is_one_person() -> None:
    known = services.register_follower(app_id=MINI, openid="m1", unionid="u1", actor=DIRECTOR)
    follow("o1", "o2")
    assert identify({"o1": "u1", "o2": "u2"}) == 2
    assert selectors.find_member_id("openid", APP, "o1") == known.id
    assert Member.objects.filter(merged_into__isnull=True).count() == 2


def test_two_openids_of_one_batch_with_one_unionid_are_one_person() -> None:
    follow("o1", "o2")
    identify({"o1": "u1", "o2": "u1"})
    assert selectors.find_member_id("openid", APP, "o1") == selectors.find_member_id("openid", APP, "o2")


def test_what_wechat_cannot_have_given_is_refused_for_all() -> None:
    follow("o1")
    with pytest.raises(Refusal):
        identify({"o1": "u1", "o2": "u 2"})
    assert owner("u1") is None


@pytest.mark.django_db(transaction=True)
def test_many_at_once_link_each_once() -> None:
    follow(*(f"o{number}" for number in range(30)))
    wanted = {f"o{number}": f"u{number // 2}" for number in range(30)}
    at_once([partial(identify, wanted)] * 4)
    assert MemberIdentity.objects.filter(kind="unionid").count() == 15
    assert Member.objects.filter(merged_into__isnull=True).count() == 15


class TestSame(TestCase):
    """Whatever was known before, a batch ends as one by one does: the same openids are the same people."""

    people = st.dictionaries(
        st.sampled_from([f"o{number}" for number in range(8)]),
        st.sampled_from([f"u{number}" for number in range(5)]),
        max_size=8,
    )

    @settings(max_examples=25, deadline=None)
    @given(before=people, told=people)
    def test_a_batch_is_many_single_ones(self, before: dict[str, str], told: dict[str, str]) -> None:
        groups = []
        for app_id in (APP, "wxapp0000000000002"):
            follow(*(f"o{number}" for number in range(8)), app_id=app_id)
            prefix = "" if app_id == APP else "x"
            hour_ago = clock.now() - dt.timedelta(hours=1)
            for openid, unionid in before.items():
                services.identify_follower(
                    app_id=app_id, openid=openid, unionid=prefix + unionid, actor=DIRECTOR, at=hour_ago
                )
            named = {openid: prefix + unionid for openid, unionid in told.items()}
            if app_id == APP:
                services.identify_followers(app_id=app_id, unionids=named, actor=DIRECTOR)
            else:
                for openid, unionid in named.items():
                    services.identify_follower(app_id=app_id, openid=openid, unionid=unionid, actor=DIRECTOR)
            groups.append(self._groups(app_id))
        assert groups[0] == groups[1]

    def _groups(self, app_id: str) -> set[frozenset[str]]:
        rows = MemberIdentity.objects.filter(kind="openid", app_id=app_id).values_list("member_id", "value")
        found: dict[int, set[str]] = {}
        for member_id, openid in rows:
            found.setdefault(member_id, set()).add(openid)
        return {frozenset(group) for group in found.values()}
