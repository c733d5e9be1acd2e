"""Followers of a list: registered by the page, quietly and once."""

import datetime as dt

import pytest

from core import clock
from core.actor import Actor
from core.models import AuditEntry
from members import services
from members.errors import IdentityUnusable
from members.models import Member, MemberIdentity
from tests.threads import at_once

APP = "wxaaaaaaaaaaaaaaaa"
OPENIDS = [f"oLISTED{number:021d}" for number in range(200)]
WECHAT = Actor.wechat()


def _register(openids: list[str] = OPENIDS, at: dt.datetime | None = None) -> int:
    return services.register_listed_followers(app_id=APP, openids=openids, actor=WECHAT, at=at or clock.now())


@pytest.mark.django_db(transaction=True)
def test_pages_and_pushes_of_the_same_people_at_once_make_each_once() -> None:
    def push() -> int:
        services.register_follower(app_id=APP, openid=OPENIDS[150], actor=WECHAT)
        return 0

    answers = at_once([_register, _register, push, _register])
    assert Member.objects.count() == MemberIdentity.objects.count() == 200
    assert sum(answers) in {199, 200}
    assert AuditEntry.objects.filter(action="members.registered").count() == 200


@pytest.mark.django_db
def test_later_news_stays_and_older_news_gives_way() -> None:
    now = clock.now()
    _register(at=now)
    later = now + dt.timedelta(seconds=1)
    services.note_unfollow(app_id=APP, openid=OPENIDS[0], actor=WECHAT, at=later)
    assert _register(at=now) == 0
    assert not Member.objects.get(identities__value=OPENIDS[0]).is_following
    _register(at=later + dt.timedelta(seconds=1))
    assert Member.objects.get(identities__value=OPENIDS[0]).is_following


@pytest.mark.django_db
def test_an_identity_that_wechat_cannot_have_given_refuses_the_page() -> None:
    with pytest.raises(IdentityUnusable):
        _register([*OPENIDS[:3], "o' OR 1=1"])
    assert not Member.objects.exists()
