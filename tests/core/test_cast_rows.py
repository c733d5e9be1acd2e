"""The tests' people by recorded rows are those whom the services make."""

import datetime as dt
import re

import pytest
from django.apps import apps

from core import clock
from tests.cast import cast_by_services, make_account, make_cast
from tests.cast_rows import Recording

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("recorded_cast")]

_SEALED = re.compile(r"\bdev\.[A-Za-z0-9+/]{20,}=*")
_NO_PASSWORD = re.compile(r"![A-Za-z0-9]{40}\b")


def _told(recording: Recording) -> dict[str, list[str]]:
    """Its rows and its answer, with one word for all that is random."""

    def plain(text: str) -> str:
        for random in [recording.server_now, *dict(recording.codes)]:
            text = text.replace(random, "…")
        return _NO_PASSWORD.sub("…", _SEALED.sub("…", text))

    told = {table: [plain(row) for row in rows] for table, rows in recording.rows.items()}
    return told | {"made": [plain(repr(recording.made))]}


def test_recorded_rows_are_those_of_the_services() -> None:
    by_services = Recording.of(cast_by_services)

    by_rows = Recording.of(lambda at: by_services.again(at, at + dt.timedelta(hours=1)))

    assert _told(by_rows) == _told(by_services)
    assert len(by_services.codes) == len(by_rows.codes) > 10
    assert not set(dict(by_services.codes)) & set(dict(by_rows.codes))


def test_a_recording_leaves_no_row_and_no_gap() -> None:
    region = apps.get_model("guides", "Region")
    first = region.objects.create(name="前")

    Recording.of(lambda at: cast_by_services(at).root)

    assert region.objects.get() == first
    assert region.objects.create(name="后").pk == first.pk + 1


def test_everybody_comes_at_the_time_asked_for_with_ids_of_their_own() -> None:
    at = dt.datetime(2024, 2, 29, 16, 30, tzinfo=dt.UTC)

    cast = make_cast(at)

    guide = apps.get_model("guides", "Guide").objects.get(pk=cast.lina.id)
    assert (guide.name, guide.store_id, guide.joined_on) == ("李娜", cast.store.id, dt.date(2024, 2, 29))
    assert cast.xiaomei.registered_at == at - dt.timedelta(hours=1)
    assert apps.get_model("guides", "Region").objects.get(pk=cast.east.id).path.endswith(f"/{cast.east.id}/")
    member = apps.get_model("members", "Member").objects.get(pk=cast.xiaomei.id)
    assert (member.name, member.public_id) == ("小美", cast.xiaomei.public_id)
    assert cast.regional.pk == apps.get_model("guides", "StaffScope").objects.get().staff_id
    assert abs(cast.regional.date_joined - clock.now()) < dt.timedelta(minutes=2)


def test_who_was_there_before_is_met_by_the_services() -> None:
    other = make_account("wxother0000000001", "other")

    cast = make_cast()

    assert {other.pk, cast.account_id} == set(
        apps.get_model("wechat", "Account").objects.values_list("pk", flat=True)
    )
