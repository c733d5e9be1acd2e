"""Channel codes: opened, closed, and their tickets fetched from WeChat once."""

import datetime as dt
from typing import Any

import pytest

from core import clock
from core.actor import Actor
from core.codes import is_code
from core.errors import Refusal, Unavailable
from core.models import AuditEntry
from guides import handlers, selectors, services, tasks
from guides.events import ChannelCodeOpened
from guides.models import ChannelCode
from tests.cast import DIRECTOR, Cast, make_guide, make_store
from tests.threads import at_once
from tests.wechat.gateway_out import Sandbox
from wechat.services import qrcodes
from wechat.services.accounts import get_default_official

STAFF = Actor.staff(1, "总部")


@pytest.fixture
def guide_id(transactional_db: None) -> int:
    """A guide in a store, committed."""
    region = services.open_region(name="华东大区", actor=DIRECTOR)
    return make_guide("T001", "李娜", make_store("T01", "南京东路店", region.id).id).id


def _asked(wechat: Sandbox) -> list[Any]:
    calls = wechat.ask("GET", "/calls")["calls"]
    return [call for call in calls if "qrcode/create" in call["path"] and call.get("app_id") == wechat.app_id]


@pytest.mark.django_db
def test_a_code_fits_every_channel_and_is_opened_for_one_thing(cast: Cast) -> None:
    code = services.open_channel_code(store_id=cast.store.id, label="收银台", actor=STAFF)
    assert code.kind == "store"
    assert is_code(code.code, 14)
    wrong: list[dict[str, Any]] = [
        {},
        {"guide_id": cast.lina.id, "store_id": cast.store.id},
        {"store_id": cast.store.id, "term": "sometimes"},
        {"store_id": cast.store.id, "valid_until": clock.now()},
    ]
    for arguments in wrong:
        with pytest.raises(Refusal) as refusal:
            services.open_channel_code(**arguments, actor=STAFF)
        assert refusal.value.code == "guides.channel_code_unusable"


@pytest.mark.django_db
def test_a_closed_code_is_found_no_more_and_closes_once(cast: Cast) -> None:
    code = selectors.get_guide_code(cast.lina.id)
    assert selectors.find_open_code(code.code) == code
    assert not services.close_channel_code(channel_code_id=code.id, actor=STAFF).is_open
    assert selectors.find_open_code(code.code) is None
    with pytest.raises(Refusal) as refusal:
        services.close_channel_code(channel_code_id=code.id, actor=STAFF)
    assert refusal.value.code == "guides.channel_code_closed"


def test_publishing_asks_wechat_once_and_keeps_what_the_image_must_hold(
    guide_id: int,
    sandbox: Sandbox,
) -> None:
    code = selectors.get_guide_code(guide_id)
    published = services.publish_channel_code(code.id)
    again = services.publish_channel_code(code.id)
    assert published.qr_content == again.qr_content != ""
    row = ChannelCode.objects.get(pk=code.id)
    assert (row.account_app_id, row.leased_until) == (sandbox.app_id, None)
    assert row.ticket_expires_at is not None
    assert row.ticket_expires_at > clock.now() + dt.timedelta(days=29)
    assert len(_asked(sandbox)) == 1
    assert AuditEntry.objects.filter(action="guides.channel_code_published").count() == 1


def test_a_permanent_code_published_by_many_at_once_costs_the_budget_one(
    guide_id: int,
    sandbox: Sandbox,
) -> None:
    code = services.open_channel_code(guide_id=guide_id, term="permanent", actor=STAFF)
    answers = at_once([lambda: services.publish_channel_code(code.id)] * 8)
    assert not [answer for answer in answers if isinstance(answer, Exception)]
    assert len(_asked(sandbox)) == 1
    assert qrcodes.get_code_budget(get_default_official().id).spent_count == 1
    assert ChannelCode.objects.get(pk=code.id).ticket_expires_at is None


def test_while_wechat_is_away_the_code_waits_and_is_fetched_by_the_job(
    guide_id: int,
    sandbox: Sandbox,
) -> None:
    code = selectors.get_guide_code(guide_id)
    sandbox.fault("http_500", "/cgi-bin/qrcode/create")
    with pytest.raises(Unavailable):
        services.publish_channel_code(code.id)
    handlers.on_channel_code_opened(ChannelCodeOpened(code.id))
    assert tasks.renew_channel_codes() == 0
    sandbox.ask("DELETE", "/faults")
    assert tasks.renew_channel_codes() == 1
    assert selectors.get_guide_code(guide_id).qr_content != ""


def test_tickets_are_renewed_three_days_before_their_end_while_the_code_is_open(
    guide_id: int,
    sandbox: Sandbox,
) -> None:
    code = selectors.get_guide_code(guide_id)
    services.publish_channel_code(code.id)
    now = clock.now()
    assert services.renew_channel_codes(at=now + dt.timedelta(days=26)) == 0
    assert services.renew_channel_codes(at=now + dt.timedelta(days=28)) == 1
    ChannelCode.objects.filter(pk=code.id).update(ticket_expires_at=now)
    services.close_channel_code(channel_code_id=code.id, actor=STAFF)
    assert services.renew_channel_codes() == 0


@pytest.mark.django_db
def test_without_an_account_codes_wait(guide_id: int) -> None:
    code = selectors.get_guide_code(guide_id)
    handlers.on_channel_code_opened(ChannelCodeOpened(code.id))
    assert services.renew_channel_codes() == 0
    assert ChannelCode.objects.get(pk=code.id).leased_until is None
