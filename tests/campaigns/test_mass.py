"""Mass messages: written, confirmed by a second person, sent once, settled."""

import datetime as dt
import io
from typing import Any

import pytest
from django.db import connection

from campaigns import services
from campaigns.errors import (
    MassAtNight,
    MassChanged,
    MassListEmpty,
    MassListTooLong,
    MassNeedsSecond,
    MassNobody,
    MassNotDeletable,
    MassTagGone,
    MassTimeUnusable,
    MassUnfit,
)
from campaigns.models import MassMessage, MassRecipient, ReachPolicy
from campaigns.selectors.mass import estimate_reach, get_mass_use
from campaigns.services.holdings_mass import MassHoldings
from core import clock
from core.errors import Unavailable
from core.models import AuditEntry
from members import services as member_services
from tests.campaigns import mass_kit as kit
from tests.campaigns.kit import World
from tests.campaigns.mass_kit import SECOND, TAG_ID, WRITER
from tests.cast import APP_ID, DIRECTOR, openid_of
from tests.wechat.scripted_server import FINE, Reply, error, ok
from wechat.contracts import MassContent
from wechat.errors import MessageUnfit, NotAnOfficialAccount
from wechat.services.mass import ALL_PATH, LIST_PATH, PREVIEW_PATH

GET, DELETE = "/cgi-bin/message/mass/get", "/cgi-bin/message/mass/delete"
TAGS = "/cgi-bin/tags/get"
TAKEN = ok(errcode=0, errmsg="send job submission success", msg_id=9001, msg_data_id=7)
ARTICLE = MassContent("article", media_id="D1")


@pytest.fixture
def mass(by_day: None, world: World) -> World:
    """小美 and 小丽 follow, and WeChat takes what it is given."""
    kit.follow(world, world.cast.xiaoli_openid)
    world.server.script(ALL_PATH, TAKEN)
    world.server.script(LIST_PATH, TAKEN)
    world.server.script(PREVIEW_PATH, ok(errcode=0, errmsg="preview success", msg_id=1))
    world.server.script(TAGS, ok(tags=[{"id": TAG_ID, "name": "老客", "count": 5}]))
    return world


# Writing --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("other", "refusal", "field"),
    [
        ({"name": "  "}, MassUnfit, "name"),
        ({"content": MassContent("text", text=" \x00 ")}, MessageUnfit, "text"),
        ({"content": MassContent("text", text="字" * 700)}, MessageUnfit, "text"),
        ({"content": MassContent("image")}, MassUnfit, "picture"),
        ({"content": MassContent("article")}, MassUnfit, "article"),
        ({"content": MassContent("article", media_id="D" * 201)}, MassUnfit, "article"),
        ({"audience": "tag", "tag_id": 999}, MassUnfit, "tag"),
        ({"audience": "tag"}, MassUnfit, "tag"),
        ({"audience": "list"}, MassListEmpty, "file"),
        ({"audience": "list", "member_ids": range(100_001)}, MassListTooLong, None),
    ],
)
def test_what_wechat_would_refuse_is_refused_at_once(
    mass: World, other: dict[str, Any], refusal: type[Exception], field: str | None
) -> None:
    with pytest.raises(refusal) as caught:
        kit.write(mass, **other)
    assert getattr(caught.value, "details", {}).get("field") == field
    assert not MassMessage.objects.exists()


def test_a_mini_program_has_no_mass_messages(mass: World) -> None:
    with pytest.raises(NotAnOfficialAccount):
        kit.write(mass, account_id=mass.mini_id)


def test_a_draft_is_changed_by_whoever_saw_its_newest_words(mass: World) -> None:
    message = kit.write(mass)
    changed = services.save_mass_message(
        draft=kit.draft(mass, name="周年庆第二版"), message_id=message.pk, revision=1, actor=SECOND
    )
    assert (changed.name, changed.revision, changed.written_by) == ("周年庆第二版", 2, SECOND.label)
    with pytest.raises(MassChanged):
        services.save_mass_message(draft=kit.draft(mass), message_id=message.pk, revision=1, actor=WRITER)
    with pytest.raises(MassChanged):
        kit.confirm(message, actor=WRITER)


def test_a_list_keeps_its_people_until_a_new_one_comes(mass: World) -> None:
    message = kit.write(mass, **kit.listed(mass))
    services.save_mass_message(
        draft=kit.draft(mass, audience="list"), message_id=message.pk, revision=1, actor=WRITER
    )
    assert message.recipients.count() == 2
    services.save_mass_message(draft=kit.draft(mass), message_id=message.pk, revision=2, actor=WRITER)
    assert not message.recipients.exists()


def test_lists_hold_phones_codes_and_openids_of_the_account(mass: World) -> None:
    staff = mass.cast.head_office
    lines = f"{mass.cast.xiaomei_openid}，{mass.cast.xiaoli.code}\n{openid_of('nobody')} 13800000000 ???"
    found = services.read_pasted_list(text=lines, staff=staff, app_id=APP_ID)
    assert set(found.member_ids) == {mass.cast.xiaomei.id, mass.cast.xiaoli.id}
    assert found.bad_lines == {3: "unknown", 4: "unknown", 5: "unreadable"}
    stranger = services.read_mass_list(
        stream=io.BytesIO(mass.cast.xiaomei_openid.encode()), staff=staff, app_id="wxother"
    )
    assert stranger.member_ids == ()
    regional = services.read_pasted_list(
        text=mass.cast.xiaoli_openid, staff=mass.cast.regional, app_id=APP_ID
    )
    assert (regional.member_ids, regional.bad_lines) == ((), {1: "unknown"})


# Confirming -----------------------------------------------------------------------------------------------


def test_the_writer_does_not_confirm_where_a_second_person_is_wanted(mass: World) -> None:
    message = kit.write(mass)
    with pytest.raises(MassNeedsSecond):
        kit.confirm(message, actor=WRITER)
    ReachPolicy.objects.update(mass_needs_second=False)
    assert kit.confirm(message, actor=WRITER).state == "confirmed"


def test_what_is_confirmed_is_what_was_seen(mass: World) -> None:
    message = kit.write(mass)
    with pytest.raises(MassChanged):
        services.confirm_mass_message(message_id=message.pk, revision=7, actor=SECOND)
    row = kit.confirm(message)
    assert (row.expected_count, row.confirmed_by) == (2, SECOND.label)
    with pytest.raises(MassChanged):
        kit.confirm(message)
    assert AuditEntry.objects.filter(action="campaigns.mass_confirmed").count() == 1


@pytest.mark.parametrize("offset", [-dt.timedelta(minutes=1), dt.timedelta(days=91)])
def test_a_time_that_is_past_or_far_is_refused(mass: World, offset: dt.timedelta) -> None:
    with pytest.raises(MassTimeUnusable):
        kit.confirm(kit.write(mass), send_at=clock.now() + offset)


def test_nothing_is_planned_for_the_night(mass: World) -> None:
    ReachPolicy.objects.update(is_quiet_on=True)
    at = clock.now().astimezone(clock.SHANGHAI)
    message = kit.write(mass)
    with pytest.raises(MassAtNight):
        kit.confirm(message, at=at, send_at=at.replace(hour=23))
    assert kit.confirm(message, at=at, send_at=at.replace(hour=20)).send_at == at.replace(hour=20)


def test_nobody_in_the_audience_and_a_tag_that_vanished(mass: World) -> None:
    kit.tag(mass, count=0)
    with pytest.raises(MassNobody):
        kit.confirm(kit.write(mass, audience="tag", tag_id=TAG_ID))
    kit.tag(mass, count=5)
    message = kit.write(mass, audience="tag", tag_id=TAG_ID)
    kit.tag(mass, gone_at=clock.now())
    with pytest.raises(MassTagGone):
        kit.confirm(message)
    with pytest.raises(MassNobody):
        kit.confirm(kit.write(mass, audience="list", member_ids=[mass.cast.xiaomei.id]))


def test_a_list_leaves_out_who_may_not_be_written_to(mass: World) -> None:
    gone, quiet, left = (kit.newcomer(mass, key) for key in ("gone", "quiet", "left"))
    members = kit.listed(mass, gone, quiet, left)
    kit.agree(mass.cast.xiaomei.id, mass.cast.xiaoli.id, quiet)
    message = kit.write(mass, purpose="marketing", **members)
    kit.withdraw(quiet)
    kit.follow(mass, openid_of("left"), is_following=False)
    member_services.erase_member(member_id=gone, reason="own_wish", actor=DIRECTOR)
    reach = estimate_reach(message)
    assert (reach.count, reach.left_out) == (2, {"no_consent": 2})  # the erased one is on no list
    message.purpose = "normal"
    assert estimate_reach(message).left_out == {"no_consent": 1, "not_following": 1}


# Sending --------------------------------------------------------------------------------------------------


def test_everybody_gets_it_once_and_the_result_is_kept(mass: World) -> None:
    message = kit.work(kit.confirmed(mass))
    assert (message.state, message.message_id) == ("sent", "9001")
    (sent,) = kit.sends(mass)
    assert sent == {
        "msgtype": "text",
        "text": {"content": kit.TEXT.text},
        "filter": {"is_to_all": True},
        "clientmsgid": message.client_msg_id,
    }
    kit.again(message)
    assert len(kit.sends(mass)) == 1
    kit.told(mass)
    kit.told(mass)
    message = kit.fresh(message)
    counts = (message.total_count, message.filtered_count, message.reached_count, message.error_count)
    assert (message.state, counts) == ("finished", (3, 2, 2, 0))
    use = get_mass_use(account_id=mass.cast.account_id)
    assert (use.all_count, use.tag_count, use.list_count, use.calls_today) == (1, 0, 0, 1)


def test_a_tag_and_a_list_are_named(mass: World) -> None:
    kit.tag(mass)
    kit.work(kit.confirmed(mass, audience="tag", tag_id=TAG_ID))
    left = kit.newcomer(mass, "left")
    message = kit.confirmed(mass, **kit.listed(mass, left))
    kit.follow(mass, openid_of("left"), is_following=False)
    kit.work(message)
    by_tag, by_list = kit.sends(mass)
    assert by_tag["filter"] == {"is_to_all": False, "tag_id": TAG_ID}
    assert set(by_list["touser"]) == {mass.cast.xiaomei_openid, mass.cast.xiaoli_openid}
    assert MassRecipient.objects.get(openid=openid_of("left")).left_out == "not_following"


def test_a_picture_is_uploaded_and_an_article_goes_by_its_id(mass: World, tmp_path: Any) -> None:
    mass.server.script("/cgi-bin/media/upload", ok(type="image", media_id="M1", created_at=1))
    picture = tmp_path / "p.png"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n" + b"0" * 20)
    kit.work(kit.confirmed(mass, content=MassContent("image", picture=str(picture))))
    kit.work(kit.confirmed(mass, content=ARTICLE, article_title="秋装上新"))
    image, article = kit.sends(mass)
    assert (image["msgtype"], image["images"]) == ("image", {"media_ids": ["M1"]})
    assert (article["msgtype"], article["mpnews"]) == ("mpnews", {"media_id": "D1"})


def test_a_planned_message_waits_and_can_be_taken_back(mass: World) -> None:
    message = kit.confirm(kit.write(mass), send_at=clock.now() + dt.timedelta(hours=1))
    assert kit.work(message).state == "confirmed"
    services.recall_mass_message(message_id=message.pk, actor=WRITER)
    assert (kit.again(message).state, kit.sends(mass)) == ("draft", [])
    services.drop_mass_message(message_id=message.pk, actor=WRITER)
    assert kit.fresh(message).state == "dropped"
    with pytest.raises(MassChanged):
        kit.confirm(message)


def test_what_went_is_not_taken_back(mass: World) -> None:
    message = kit.work(kit.confirmed(mass))
    for turn in (services.recall_mass_message, services.drop_mass_message):
        with pytest.raises(MassChanged):
            turn(message_id=message.pk, actor=WRITER)


def test_what_was_said_can_be_said_again(mass: World) -> None:
    message = kit.work(kit.confirmed(mass, **kit.listed(mass)))
    again = services.copy_mass_message(message_id=message.pk, actor=SECOND)
    assert (again.state, again.text, again.client_msg_id) == ("draft", message.text, "")
    assert again.written_by == SECOND.label
    assert set(again.recipients.values_list("openid", "left_out")) == {
        (mass.cast.xiaomei_openid, ""),
        (mass.cast.xiaoli_openid, ""),
    }


def test_a_preview_goes_to_one_colleague_and_counts_for_this_revision(mass: World) -> None:
    message = kit.write(mass)
    outcome = services.preview_mass_message(
        message_id=message.pk, openid=mass.cast.xiaomei_openid, actor=WRITER
    )
    services.preview_mass_message(message_id=message.pk, wxname="wangfang", actor=WRITER)
    bodies = [seen.json() for seen in mass.server.calls(PREVIEW_PATH)]
    assert [body.get("touser", body.get("towxname")) for body in bodies] == [
        mass.cast.xiaomei_openid,
        "wangfang",
    ]
    assert (outcome.state, kit.fresh(message).previewed_revision) == ("sent", 1)
    mass.server.script(PREVIEW_PATH, error(43004))
    outcome = services.preview_mass_message(message_id=message.pk, openid="oStranger", actor=WRITER)
    assert (outcome.state, outcome.code) == ("refused", "wechat.not_follower")
    entry = AuditEntry.objects.filter(action="campaigns.mass_previewed").latest("pk")
    assert entry.details == {"outcome": "wechat.not_follower"}


# What WeChat tells ----------------------------------------------------------------------------------------


def test_a_refusal_after_the_examination_is_kept_with_its_reason(mass: World) -> None:
    message = kit.work(kit.confirmed(mass))
    kit.told(mass, is_sent=False, reason=20008, reached_count=0, copyright_state=3)
    message = kit.fresh(message)
    assert (message.state, message.errcode, message.copyright_state) == ("rejected", 20008, 3)
    assert get_mass_use(account_id=mass.cast.account_id).all_count == 0


def test_a_result_that_overtakes_the_senders_note_is_looked_at_again(mass: World) -> None:
    message = kit.confirmed(mass)

    def push_first(_seen: Any) -> Reply:
        try:
            with pytest.raises(Unavailable):
                kit.told(mass)
        finally:
            connection.close()  # the server's thread ends with this call
        return TAKEN

    mass.server.script(ALL_PATH, push_first)
    kit.work(message)
    kit.told(mass)
    assert kit.fresh(message).state == "finished"
    kit.told(mass, message_id="4711")  # sent in WeChat's console: nothing of ours


def test_a_result_that_never_comes_is_asked_for(mass: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wechat.client.gateway.BUSY_PAUSES_S", ())
    message = kit.work(kit.confirmed(mass))
    assert services.ask_overdue_results() == 0
    MassMessage.objects.update(not_before=clock.now() - dt.timedelta(seconds=1))
    mass.server.script(GET, error(-1), ok(msg_id=9001, msg_status="SENDING"))
    assert services.ask_overdue_results() == 0
    assert kit.fresh(message).state == "sent"
    MassMessage.objects.update(not_before=clock.now() - dt.timedelta(seconds=1))
    mass.server.script(GET, ok(msg_id=9001, msg_status="SEND_SUCCESS"))
    assert services.ask_overdue_results() == 1
    message = kit.fresh(message)
    assert (message.state, message.total_count) == ("finished", None)
    kit.told(mass)
    assert kit.fresh(message).total_count == 3


def test_only_an_article_that_went_can_be_deleted(mass: World) -> None:
    mass.server.script(DELETE, FINE)
    text = kit.work(kit.confirmed(mass))
    article = kit.confirmed(mass, content=ARTICLE)
    for message in (text, article):
        with pytest.raises(MassNotDeletable):
            services.delete_mass_message(message_id=message.pk, actor=SECOND)
    article = kit.work(article)
    for _ in range(2):
        services.delete_mass_message(message_id=article.pk, actor=SECOND)
    assert [seen.json() for seen in mass.server.calls(DELETE)] == [{"msg_id": 9001}] * 2
    assert kit.fresh(article).deleted_at is not None
    assert AuditEntry.objects.filter(action="campaigns.mass_deleted").count() == 1


# Four a month, and what is kept of a person ---------------------------------------------------------------


def test_who_surely_had_this_months_four_is_counted(mass: World) -> None:
    kit.work(kit.confirmed(mass))
    for _ in range(3):
        kit.work(kit.confirmed(mass, **kit.listed(mass)))
    newcomer = kit.newcomer(mass, "late")
    reach = estimate_reach(kit.write(mass, **kit.listed(mass, newcomer)))
    assert (reach.count, reach.spent_count) == (3, 2)
    kit.work(kit.confirmed(mass))
    for _ in range(2):
        kit.work(kit.confirmed(mass))
    assert estimate_reach(kit.write(mass, **kit.listed(mass, newcomer))).spent_count == 3


def test_lists_are_forgotten_after_half_a_year(mass: World) -> None:
    old, young, planned = (kit.write(mass, **kit.listed(mass)) for _ in range(3))
    kit.confirm(planned)
    MassMessage.objects.exclude(pk=young.pk).update(written_at=clock.now() - dt.timedelta(days=181))
    assert services.prune_mass_lists() == 2
    assert set(MassRecipient.objects.values_list("message_id", flat=True)) == {young.pk, planned.pk}
    assert MassMessage.objects.filter(pk=old.pk).exists()


def test_a_member_sees_which_lists_named_her_and_leaves_them_when_erased(mass: World) -> None:
    message = kit.work(kit.confirmed(mass, **kit.listed(mass)))
    waiting = kit.write(mass, **kit.listed(mass))
    copy = MassHoldings().export(mass.cast.xiaomei.id)
    assert [line["状态"] for line in copy["群发消息"]] == ["微信已收下", "草稿"]
    assert MassHoldings().erase(member_id=mass.cast.xiaomei.id, actor=DIRECTOR, at=clock.now()) == 2
    assert set(MassRecipient.objects.values_list("message_id", "openid")) == {
        (message.pk, mass.cast.xiaoli_openid),
        (waiting.pk, mass.cast.xiaoli_openid),
    }
    assert MassHoldings().export(mass.cast.xiaomei.id) == {}
