"""Guides: hired, moved, gone, back; activated with a one-time code."""

import datetime as dt
from functools import partial
from typing import Any

import pytest

from core import clock
from core.actor import Actor
from core.errors import NotFound, Refusal
from guides import selectors, services
from guides.models import (
    Binding,
    ChannelCode,
    Guide,
    GuideLogin,
    GuidePosting,
    Region,
)
from tests.cast import Cast
from tests.threads import at_once

STAFF = Actor.staff(1, "总部")

pytestmark = pytest.mark.django_db


def _paths() -> dict[str, str]:
    return dict(Region.objects.values_list("name", "path"))


def _refused(code: str, call: Any, /, **arguments: Any) -> None:
    with pytest.raises(Refusal) as refusal:
        call(**arguments)
    assert refusal.value.code == code


def test_hiring_opens_posting_and_code_and_refuses_a_taken_number(cast: Cast) -> None:
    assert GuidePosting.objects.get(guide_id=cast.lina.id).ended_at is None
    assert selectors.get_guide_code(cast.lina.id).is_open
    _refused(
        "guides.guide_number_taken",
        services.hire_guide,
        number="T001",
        name="甲",
        store_id=cast.store.id,
        actor=STAFF,
    )
    _refused(
        "guides.guide_unusable",
        services.hire_guide,
        number=" ",
        name="甲",
        store_id=cast.store.id,
        actor=STAFF,
    )


def test_moving_keeps_the_posting_before_and_the_store_of_old_bindings(cast: Cast) -> None:
    code = selectors.get_guide_code(cast.lina.id)
    moved = services.move_guide(
        guide_id=cast.lina.id, store_id=cast.other_store.id, role="manager", actor=STAFF
    )
    assert (moved.store.id, moved.role) == (cast.other_store.id, "manager")
    postings = GuidePosting.objects.filter(guide_id=cast.lina.id).order_by("started_at")
    assert [(posting.store_id, posting.role) for posting in postings] == [
        (cast.store.id, "guide"),
        (cast.other_store.id, "manager"),
    ]
    assert postings[0].ended_at == postings[1].started_at
    assert Binding.objects.get(member_id=cast.xiaomei.id).store_id == cast.store.id
    assert ChannelCode.objects.get(pk=code.id).store_id == cast.other_store.id
    services.move_guide(guide_id=cast.lina.id, store_id=cast.other_store.id, role="manager", actor=STAFF)
    assert postings.count() == 2


def test_leaving_ends_sessions_logins_codes_and_posting_but_not_bindings(cast: Cast) -> None:
    plain = services.issue_activation_code(guide_id=cast.lina.id, actor=STAFF)
    services.activate_guide(app_id=cast.app_id, openid="oLINA00000000000000000000001", code=plain)
    unused = services.issue_activation_code(guide_id=cast.lina.id, actor=STAFF)
    at = clock.now()
    gone = services.leave_guide(guide_id=cast.lina.id, actor=STAFF, at=at)
    assert (gone.is_active, gone.session_epoch) == (False, cast.lina.session_epoch + 1)
    assert not GuideLogin.objects.filter(guide_id=cast.lina.id).exists()
    assert selectors.find_guide_by_login(cast.app_id, "oLINA00000000000000000000001") is None
    assert GuidePosting.objects.get(guide_id=cast.lina.id).ended_at == at
    assert not ChannelCode.objects.filter(guide_id=cast.lina.id, closed_at=None).exists()
    assert Binding.objects.live().filter(guide_id=cast.lina.id).count() == 1
    assert Guide.objects.get(pk=cast.lina.id).left_on == clock.business_day(at)
    _refused(
        "guides.activation_code_unusable",
        services.activate_guide,
        app_id=cast.app_id,
        openid="oSOMEBODY0000000000000000001",
        code=unused,
    )
    _refused("guides.guide_has_left", services.leave_guide, guide_id=cast.lina.id, actor=STAFF)
    _refused("guides.guide_has_left", services.issue_activation_code, guide_id=cast.lina.id, actor=STAFF)
    with pytest.raises(NotFound):
        selectors.get_guide_code(cast.lina.id)


def test_coming_back_opens_a_new_posting_and_a_new_code(cast: Cast) -> None:
    old = selectors.get_guide_code(cast.lina.id)
    _refused(
        "guides.guide_still_here",
        services.return_guide,
        guide_id=cast.lina.id,
        store_id=cast.store.id,
        actor=STAFF,
    )
    services.leave_guide(guide_id=cast.lina.id, actor=STAFF)
    back = services.return_guide(guide_id=cast.lina.id, store_id=cast.other_store.id, actor=STAFF)
    assert (back.is_active, back.store.id) == (True, cast.other_store.id)
    new = selectors.get_guide_code(cast.lina.id)
    assert new.code != old.code
    assert selectors.find_open_code(old.code) is None
    assert GuidePosting.objects.filter(guide_id=cast.lina.id, ended_at=None).count() == 1


@pytest.mark.django_db(transaction=True)
def test_nobody_is_bound_to_a_guide_who_leaves_at_that_moment(cast: Cast) -> None:
    answers = at_once(
        [
            lambda: services.leave_guide(guide_id=cast.wangfang.id, actor=STAFF),
            lambda: services.bind_member(
                member_id=cast.xiaoli.id, guide_id=cast.wangfang.id, source="scan", actor=STAFF
            ),
        ]
    )
    bound, left_at = answers[1], Guide.objects.get(pk=cast.wangfang.id)
    assert left_at.state == "left"
    if isinstance(bound, Refusal):
        assert bound.code == "guides.guide_has_left"
        assert not Binding.objects.filter(guide_id=cast.wangfang.id).exists()
    else:
        assert Binding.objects.live().filter(guide_id=cast.wangfang.id).count() == 1


def test_an_activation_code_works_once_and_only_the_newest_does(cast: Cast) -> None:
    openid = "oLINA00000000000000000000001"
    older = services.issue_activation_code(guide_id=cast.lina.id, actor=STAFF)
    newer = services.issue_activation_code(guide_id=cast.lina.id, actor=STAFF)
    unusable = "guides.activation_code_unusable"
    _refused(unusable, services.activate_guide, app_id=cast.app_id, openid=openid, code=older)
    guide = services.activate_guide(
        app_id=cast.app_id, openid=openid, code=f" {newer[:5].lower()}-{newer[5:]} "
    )
    assert guide.id == cast.lina.id
    found = selectors.find_guide_by_login(cast.app_id, openid)
    assert found is not None
    assert found.id == cast.lina.id
    _refused(unusable, services.activate_guide, app_id=cast.app_id, openid="oOTHER", code=newer)
    _refused(unusable, services.activate_guide, app_id=cast.app_id, openid="oOTHER", code="NOT-A-CODE")


def test_a_code_expires_after_seven_days(cast: Cast) -> None:
    at = clock.now()
    code = services.issue_activation_code(guide_id=cast.lina.id, actor=STAFF, at=at)
    late = at + dt.timedelta(days=7)
    _refused(
        "guides.activation_code_unusable",
        services.activate_guide,
        app_id=cast.app_id,
        openid="oLINA",
        code=code,
        at=late,
    )
    services.activate_guide(app_id=cast.app_id, openid="oLINA", code=code, at=late - dt.timedelta(seconds=1))


def test_one_wechat_account_is_one_guide_and_one_guide_one_account(cast: Cast) -> None:
    services.activate_guide(
        app_id=cast.app_id,
        openid="oLINA",
        code=services.issue_activation_code(guide_id=cast.lina.id, actor=STAFF),
    )
    code = services.issue_activation_code(guide_id=cast.wangfang.id, actor=STAFF)
    _refused(
        "guides.wechat_already_activated",
        services.activate_guide,
        app_id=cast.app_id,
        openid="oLINA",
        code=code,
    )
    services.activate_guide(app_id=cast.app_id, openid="oWANG", code=code)
    again = services.issue_activation_code(guide_id=cast.lina.id, actor=STAFF)
    _refused(
        "guides.guide_already_activated",
        services.activate_guide,
        app_id=cast.app_id,
        openid="oNEWPHONE",
        code=again,
    )
    before = selectors.get_guide_card(cast.lina.id).session_epoch
    removed = services.remove_login(guide_id=cast.lina.id, actor=STAFF)
    assert removed.session_epoch == before + 1
    assert services.activate_guide(app_id=cast.app_id, openid="oNEWPHONE", code=again).id == cast.lina.id


def test_after_five_wrong_codes_even_the_right_one_waits_an_hour(cast: Cast) -> None:
    at = clock.now()
    code = services.issue_activation_code(guide_id=cast.lina.id, actor=STAFF, at=at)
    guess = {"app_id": cast.app_id, "openid": "oGUESSER", "at": at}
    for _guess in range(5):
        _refused("guides.activation_code_unusable", services.activate_guide, code="WRONG", **guess)
    _refused("guides.too_many_activation_tries", services.activate_guide, code=code, **guess)
    later = guess | {"at": at + dt.timedelta(hours=1)}
    assert services.activate_guide(code=code, **later).id == cast.lina.id  # type: ignore[arg-type]


@pytest.mark.django_db(transaction=True)
def test_one_code_typed_on_two_phones_at_once_activates_one(cast: Cast) -> None:
    code = services.issue_activation_code(guide_id=cast.lina.id, actor=STAFF)
    answers = at_once(
        [
            partial(services.activate_guide, app_id=cast.app_id, openid=openid, code=code)
            for openid in ("oONE", "oTWO", "oTHREE", "oFOUR")
        ]
    )
    assert sum(not isinstance(answer, Exception) for answer in answers) == 1
    assert GuideLogin.objects.filter(guide_id=cast.lina.id).count() == 1
