"""Conversations at the staff's desk: who waits without a guide, answering, settling, giving away; 话术."""

import datetime as dt
import uuid
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from core import clock
from core.actor import Actor
from core.models import AuditEntry, StaffAccount
from guides import errors, selectors, services
from guides.models import Conversation, ConversationMessage, GuideNotice, QuickReply, StaffScope
from guides.selectors.quick_replies import list_quick_replies
from members import selectors as member_selectors
from tests.assistant.test_talks import write
from tests.cast import DIRECTOR, Cast, make_guide
from wechat.models import Follower, OutboundMessage

LIST = "admin:guides_conversation_changelist"
DESK = Actor.system("test")


def listed(desk: Client, **asked: Any) -> list[int]:
    return [row.member_id for row in desk.get(reverse(LIST), asked).context["cl"].result_list]


def page_of(member_id: int) -> str:
    row = Conversation.objects.get(member_id=member_id)
    return reverse("admin:guides_conversation_change", args=[row.pk])


def say(desk: Client, member_id: int, text: str, key: str | None = None) -> Any:
    return desk.post(page_of(member_id), {"text": text, "request_key": key or uuid.uuid4().hex})


def test_the_list_opens_with_those_nobody_answers_and_the_longest_waiting(desk: Client, cast: Cast) -> None:
    write(cast)  # 小美 has a guide
    write(cast, "有没有 M 码", "xiaoli")
    write(cast, "在吗", "stranger", ago=dt.timedelta(hours=3))
    stranger = Conversation.objects.exclude(member_id__in=[cast.xiaomei.id, cast.xiaoli.id]).get().member_id
    assert listed(desk) == [stranger, cast.xiaoli.id]
    assert listed(desk, owner="guide") == [cast.xiaomei.id]
    assert len(listed(desk, owner="all")) == 3
    assert listed(desk, q="小丽") == [cast.xiaoli.id]
    assert listed(desk, stage="member") == []
    services.settle_as_staff(member_id=stranger, staff_id=cast.head_office.pk, actor=DESK)
    assert listed(desk, waiting="yes") == [cast.xiaoli.id]
    assert listed(desk, waiting="no") == [stranger]
    html = desk.get(reverse(LIST)).content.decode()
    for words in ("有没有 M 码", "还能回复 47 小时", "没有导购", "还不是会员"):
        assert words in html


def test_the_list_costs_no_query_per_row(
    desk: Client, cast: Cast, django_assert_max_num_queries: Any
) -> None:
    for number in range(12):
        write(cast, who=f"p{number:02d}")
    desk.get(reverse(LIST))
    with django_assert_max_num_queries(20):
        assert len(listed(desk)) == 12


def test_head_office_answers_once_and_the_guide_sees_who(desk: Client, cast: Cast) -> None:
    write(cast)
    key = uuid.uuid4().hex
    for _tap in range(2):
        assert say(desk, cast.xiaomei.id, "您好，门店十点开门", key).status_code == 302
    sent = OutboundMessage.objects.get(reason_key__startswith="talk:")
    assert (sent.openid, sent.payload) == (cast.xiaomei_openid, {"text": "您好，门店十点开门"})
    (line,) = selectors.get_talk(guide_id=cast.lina.id, public_id=cast.xiaomei.public_id, limit=9).lines[1:]
    assert (line.speaker, line.guide_id, line.name) == ("staff", None, "cast-head-office")
    html = desk.get(page_of(cast.xiaomei.id)).content.decode()
    assert "后台 cast-head-office" in html
    assert "发送中" in html
    assert AuditEntry.objects.filter(action="guides.member_answered").count() == 1
    assert Conversation.objects.get().waiting_since is None


def test_a_refusal_keeps_what_was_typed(desk: Client, cast: Cast) -> None:
    write(cast, "在吗", "xiaoli")
    Follower.objects.update(window_until=clock.now() - dt.timedelta(hours=1))
    answer = say(desk, cast.xiaoli.id, "<b>在的</b>")
    assert "已过微信允许回复的时间" in answer.content.decode()
    assert "&lt;b&gt;在的&lt;/b&gt;</textarea>" in answer.content.decode()
    for text in ("  ", "好" * 700):
        assert say(desk, cast.xiaoli.id, text).context["refusal"]
    assert ConversationMessage.objects.count() == 1
    assert desk.post(page_of(cast.xiaoli.id), {"_settle": ""}).status_code == 302
    assert Conversation.objects.get().waiting_since is None


def test_opening_reads_and_what_comes_meanwhile_comes_by_itself(desk: Client, cast: Cast) -> None:
    write(cast, "在吗", "xiaoli")
    page = page_of(cast.xiaoli.id)
    first = desk.get(page)
    assert Conversation.objects.get().unread_count == 0
    assert desk.get(page, {"live": first.context["seen"]}).status_code == 204
    write(cast, "<script>还在吗</script>", "xiaoli")
    live = desk.get(page, {"live": first.context["seen"]})
    assert "还在吗" in live.content.decode()
    assert "<script>还在吗" not in live.content.decode()


def test_a_conversation_is_given_to_a_guide_until_she_has_her_own(desk: Client, cast: Cast) -> None:
    write(cast, "在吗", "xiaoli")
    give = reverse("admin:guides_conversation_give", args=[Conversation.objects.get().pk])
    assert give in desk.get(page_of(cast.xiaoli.id)).content.decode()
    assert desk.post(give, {"guide": cast.wangfang.id, "_confirmed": "1"}).status_code == 302
    wangfang = selectors.get_guide_card(cast.wangfang.id)
    assert [one.member.id for one in selectors.list_waiting_talks(wangfang, limit=9)] == [cast.xiaoli.id]
    assert selectors.summarize_talks(wangfang).waiting_count == 1
    assert GuideNotice.objects.filter(guide_id=wangfang.id, kind="message_came").count() == 1
    assert listed(desk) == []
    assert listed(desk, owner="given") == [cast.xiaoli.id]
    services.answer_member(
        guide_id=wangfang.id, public_id=cast.xiaoli.public_id, text="在的", request_key="k" * 8, actor=DESK
    )
    write(cast, "再问一句", "xiaoli")
    assert GuideNotice.objects.filter(guide_id=wangfang.id, kind="message_came").count() == 2
    services.bind_member(member_id=cast.xiaoli.id, guide_id=cast.chenjing.id, source="scan", actor=DIRECTOR)
    assert not selectors.list_waiting_talks(wangfang, limit=9)
    assert give not in desk.get(page_of(cast.xiaoli.id)).content.decode()
    refused = desk.post(give, {"guide": cast.wangfang.id, "_confirmed": "1"})
    assert "已经有在职的专属导购" in refused.content.decode()


def test_what_a_leaver_was_given_comes_back_to_head_office(desk: Client, cast: Cast) -> None:
    write(cast, "在吗", "xiaoli")
    gone = make_guide("T099", "周末", cast.store.id)
    services.give_conversation(member_id=cast.xiaoli.id, guide_id=gone.id, actor=DESK)
    assert listed(desk) == []
    services.leave_guide(guide_id=gone.id, actor=DIRECTOR)
    assert listed(desk) == [cast.xiaoli.id]
    with pytest.raises(errors.GuideHasLeft):
        services.give_conversation(member_id=cast.xiaoli.id, guide_id=gone.id, actor=DESK)


def test_another_part_of_the_chain_and_one_without_the_right_see_and_send_nothing(
    client: Client, cast: Cast
) -> None:
    write(cast)
    write(cast, "在吗", "xiaoli")
    south = StaffAccount.objects.create_user("south", is_staff=True)
    StaffScope.objects.create(staff=south, region_id=cast.south.id)
    view = Permission.objects.get(codename="view_conversation")
    change = Permission.objects.get(codename="change_conversation")
    south.user_permissions.add(view, change)
    client.force_login(south)
    assert listed(client, owner="all") == []
    assert say(client, cast.xiaomei.id, "您好").status_code == 302  # as for a row that is not there
    cast.regional.user_permissions.add(view)
    client.force_login(cast.regional)
    assert listed(client, owner="all") == [cast.xiaomei.id]
    page = client.get(page_of(cast.xiaomei.id))
    assert "<textarea" not in page.content.decode()
    assert (
        Conversation.objects.get(member_id=cast.xiaomei.id).unread_count == 1
    )  # a look without the right reads nothing
    assert say(client, cast.xiaomei.id, "您好").status_code == 403
    assert not OutboundMessage.objects.filter(reason_key__startswith="talk:").exists()


def save(**fields: Any) -> int:
    values = {"reply_id": None, "group": "", "title": "开门", "text": "好", "is_active": True, "order": 1}
    return services.save_quick_reply(**(values | fields), actor=DESK)


def test_a_ready_answer_is_filled_for_whom_it_is_and_by_whom(cast: Cast) -> None:
    save(text="{会员}，我是{门店}的{导购}，{会员}请放心")
    save(title="停用的", is_active=False)
    (line,) = list_quick_replies(member=cast.xiaomei, guide=cast.lina, query=" 门店 ")
    assert line.text == "小美，我是南京东路店的李娜，小美请放心"
    assert not list_quick_replies(member=cast.xiaomei, guide=cast.lina, query="没有的")
    (desk,) = list_quick_replies(member=cast.xiaoli, guide=None)
    assert desk.text == "小丽，我是素衣 SUYI的客服，小丽请放心"


def test_nobody_is_called_by_a_name_she_has_not_told(cast: Cast) -> None:
    write(cast, "在吗", "stranger")
    member_id = Conversation.objects.get().member_id
    services.bind_member(member_id=member_id, guide_id=cast.lina.id, source="scan", actor=DIRECTOR)
    card = member_selectors.get_member_card(member_id)
    services.remark_member(guide_id=cast.lina.id, public_id=card.public_id, name="难缠的那位", actor=DESK)
    save(text="{会员}，您好")
    seen = selectors.get_talk(guide_id=cast.lina.id, public_id=card.public_id, limit=5).member
    assert seen.display_name == "难缠的那位"
    (line,) = list_quick_replies(member=seen, guide=cast.lina)
    assert line.text == "您好"


@pytest.mark.parametrize(
    ("fields", "refusal"),
    [
        ({"title": " "}, errors.QuickReplyUnusable),
        ({"title": "长" * 31}, errors.QuickReplyUnusable),
        ({"group": "长" * 21}, errors.QuickReplyUnusable),
        ({"text": "\x00\n"}, errors.QuickReplyUnusable),
        ({"text": "长" * 501}, errors.QuickReplyUnusable),
        ({"text": "{手机号}"}, errors.QuickReplyPlaceUnknown),
        ({"title": "已有"}, errors.QuickReplyTitleTaken),
    ],
)
def test_what_no_ready_answer_can_be_is_refused(
    cast: Cast, fields: dict[str, Any], refusal: type[Exception]
) -> None:
    save(title="已有")
    with pytest.raises(refusal):
        save(**fields)
    assert QuickReply.objects.count() == 1


def test_staff_write_them_and_a_refusal_stands_at_its_field(desk: Client, cast: Cast) -> None:
    add = reverse("admin:guides_quickreply_add")
    form = {
        "title": "营业时间",
        "group": "门店",
        "text": "{门店}每天十点开门",
        "is_active": "on",
        "order": "1",
    }
    assert desk.post(add, form).status_code == 302
    refused = desk.post(add, form | {"title": "别的", "text": "{店名}"})
    assert "花括号里只能写" in str(refused.context["adminform"].form.errors["text"])
    row = QuickReply.objects.get()
    change = reverse("admin:guides_quickreply_change", args=[row.pk])
    assert desk.post(change, form | {"text": "{门店}十点开门"}).status_code == 302
    row.refresh_from_db()
    assert row.text == "{门店}十点开门"
    assert AuditEntry.objects.filter(action__startswith="guides.quick_reply_").count() == 2
    write(cast, "在吗", "xiaoli")
    assert "素衣 SUYI十点开门" in desk.get(page_of(cast.xiaoli.id)).content.decode()
