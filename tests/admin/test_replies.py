"""Reply rules: what the form refuses, and what the tester explains."""

import io
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from PIL import Image

from guides.selectors import get_guide_code
from tests.cast import Cast
from wechat.models import ReplyRule

ADD = "admin:wechat_replyrule_add"


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


def rule(cast: Cast, **values: Any) -> dict[str, Any]:
    fields = {
        "account": cast.account_id, "name": "规则", "is_active": "on", "priority": "0", "trigger": "follow",
        "keyword_match": "exact", "kind": "text", "text": "欢迎",
    }  # fmt: skip
    return fields | values


def errors(answer: Any) -> set[str]:
    return set(answer.context["adminform"].form.errors)


def picture(width: int, kind: str = "PNG") -> SimpleUploadedFile:
    data = io.BytesIO()
    Image.effect_noise((width, width), 90).convert("RGB").save(data, kind)
    return SimpleUploadedFile(f"thumb.{kind.lower()}", data.getvalue(), f"image/{kind.lower()}")


@pytest.mark.parametrize(
    ("values", "wrong"),
    [
        ({"trigger": "keyword"}, {"keyword"}),
        ({"trigger": "keyword", "keyword": "   "}, {"keyword"}),
        ({"text": ""}, {"text"}),
        ({"text": "好" * 683}, {"text"}),
        ({"kind": "article", "text": ""}, {"title", "url"}),
        ({"kind": "article", "title": "新品", "url": "javascript:alert(1)"}, {"url"}),
        ({"kind": "mini_program_card", "text": ""}, {"title", "card_app_id", "card_page", "card_thumb"}),
    ],
)
def test_what_a_reply_lacks_is_said_at_its_field(
    desk: Client, cast: Cast, values: dict[str, str], wrong: set[str]
) -> None:
    assert errors(desk.post(reverse(ADD), rule(cast, **values))) == wrong
    assert not ReplyRule.objects.exists()


def test_a_text_of_exactly_the_limit_is_taken(desk: Client, cast: Cast) -> None:
    assert desk.post(reverse(ADD), rule(cast, text="好" * 682 + "ab")).status_code == 302


@pytest.mark.parametrize(
    "thumb", [picture(400), picture(40, "GIF"), SimpleUploadedFile("a.png", b"no picture")]
)
def test_a_thumb_that_wechat_would_not_take_is_refused(
    desk: Client, cast: Cast, thumb: SimpleUploadedFile
) -> None:
    thumb.seek(0)
    fields = rule(
        cast, kind="mini_program_card", title="新品", card_app_id="wx1", card_page="pages/a", text=""
    )
    assert errors(desk.post(reverse(ADD), fields | {"card_thumb": thumb})) == {"card_thumb"}


def test_a_complete_card_is_saved_and_shown_in_the_tester(desk: Client, cast: Cast) -> None:
    fields = rule(
        cast, kind="mini_program_card", title="新品", card_app_id="wx1", card_page="pages/a", text=""
    )
    assert desk.post(reverse(ADD), fields | {"card_thumb": picture(60)}).status_code == 302
    shown = try_out(desk, cast, situation="follow")
    assert shown.context["explanation"].winner.is_passive is False
    assert "xe-mini" in shown.content.decode()


def test_an_unknown_channel_code_is_saved_with_a_warning(desk: Client, cast: Cast) -> None:
    known = get_guide_code(cast.lina.id).code
    answer = desk.post(reverse(ADD), rule(cast, channel_code=known))
    assert not any(message.level_tag == "warning" for message in get_messages(answer.wsgi_request))
    answer = desk.post(reverse(ADD), rule(cast, channel_code="NOSUCHCODE"))
    assert any(message.level_tag == "warning" for message in get_messages(answer.wsgi_request))
    assert ReplyRule.objects.count() == 2


def try_out(desk: Client, cast: Cast, **sample: str) -> Any:
    return desk.get(reverse("admin:wechat_reply_tester"), {"account": str(cast.account_id), **sample})


def test_the_tester_names_the_winner_and_why_the_others_lost(desk: Client, cast: Cast) -> None:
    ReplyRule.objects.create(account_id=cast.account_id, name="兜底", trigger="default", text="您好")
    exact = ReplyRule.objects.create(
        account_id=cast.account_id,
        name="问营业时间",
        trigger="keyword",
        keyword="营业时间",
        text="10 点到 22 点",
    )
    shown = try_out(desk, cast, situation="text", text="营业时间")
    explanation = shown.context["explanation"]
    assert explanation.winner.rule_id == exact.pk
    assert [name for _id, name, _why in explanation.losers] == ["兜底"]
    html = shown.content.decode()
    assert "10 点到 22 点" in html
    assert explanation.winner.because in html


def test_a_rule_for_a_code_beats_the_general_welcome(desk: Client, cast: Cast) -> None:
    code = get_guide_code(cast.lina.id).code
    ReplyRule.objects.create(account_id=cast.account_id, name="欢迎", trigger="follow", text="欢迎")
    ReplyRule.objects.create(
        account_id=cast.account_id, name="李娜的欢迎", trigger="follow", channel_code=code, text="我是李娜"
    )
    shown = try_out(desk, cast, situation="scan", scene=code)
    assert shown.context["explanation"].winner.name == "李娜的欢迎"
    assert "李娜（南京东路店）" in shown.content.decode()
    assert try_out(desk, cast, situation="follow").context["explanation"].winner.name == "欢迎"


def test_no_rule_and_no_sample_are_said_plainly(desk: Client, cast: Cast) -> None:
    assert try_out(desk, cast, situation="follow").context["explanation"].winner is None
    assert "text" in try_out(desk, cast, situation="text").context["form"].errors
    assert "scene" in try_out(desk, cast, situation="scan").context["form"].errors
    assert desk.get(reverse("admin:wechat_reply_tester")).status_code == 200


def test_what_was_typed_is_shown_as_text_not_as_markup(desk: Client, cast: Cast) -> None:
    ReplyRule.objects.create(
        account_id=cast.account_id, name="<b>x</b>", trigger="default", text="<script>1</script>"
    )
    html = try_out(desk, cast, situation="text", text="<img src=x>").content.decode()
    assert "<script>1</script>" not in html
    assert "<img src=x>" not in html
    assert "<b>x</b>" not in html


def test_a_rule_may_be_deleted(desk: Client, cast: Cast) -> None:
    row = ReplyRule.objects.create(account_id=cast.account_id, name="旧", trigger="default", text="旧")
    desk.post(reverse("admin:wechat_replyrule_delete", args=[row.pk]), {"post": "yes"})
    assert not ReplyRule.objects.exists()
