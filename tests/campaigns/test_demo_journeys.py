"""The demo's journeys: who is on her way did what the journey begins with."""

import datetime as dt

import pytest
from django.apps import apps

from campaigns.models import Enrolment
from config.demo.journeys import seed_journeys
from core import clock
from tests.cast import DIRECTOR, Cast

pytestmark = pytest.mark.django_db


def test_members_are_on_their_way_for_what_happened_to_them(cast: Cast) -> None:
    at = clock.now()
    buyer, sleeper = cast.xiaomei.id, cast.xiaoli.id
    for member_id, days in ((buyer, 3), (sleeper, 95)):
        apps.get_model("sales", "MemberMetrics").objects.update_or_create(
            member_id=member_id,
            defaults={
                "computed_on": clock.today(),
                "last_on": clock.today() - dt.timedelta(days=days),
                "order_count": 1,
            },
        )
    seed_journeys(at=at, actor=DIRECTOR)
    entered = {
        made_as: set(Enrolment.objects.filter(journey__made_as=made_as).values_list("member_id", flat=True))
        for made_as in ("after_purchase", "asleep_3")
    }
    assert entered == {"after_purchase": {buyer}, "asleep_3": {sleeper}}
    count = Enrolment.objects.count()
    seed_journeys(at=at, actor=DIRECTOR)
    assert Enrolment.objects.count() == count
