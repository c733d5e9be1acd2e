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
from tests.wechat.reply_kit import make_rule
from wechat.models import ReplyHours, ReplyRule

ADD = "admin:wechat_replyrule_add"


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


def rule(cast: Cast, *parts: dict[str, Any], **values: Any) -> dict[str, Any]:
    """The form of a rule with these messages, one text when none is given."""
    fields = {
        "account": cast.account_id, "name": "规则", "is_active": "on", "priority": "0", "trigger": "follow",
        "keyword_match": "exact", "pause_minutes": "0",
        "parts-TOTAL_FORMS": str(len(parts or "x")), "parts-INITIAL_FORMS": "0",
    }  # fmt: skip
    for number, part in enumerate(parts or ({},)):
        whole = {"kind": "text", "text": "欢迎", "position": str(number + 1)} | part
        fields |= {f"parts-{number}-{name}": value for name, value in whole.items()}
    return fields | values


def errors(answer: Any) -> set[str]:
    form = answer.context["adminform"].form
    parts = answer.context["inline_admin_formsets"][0].formset
    return set(form.errors).union(*(part.errors for part in parts)) | (
        {"parts"} if parts.non_form_errors() else set()
    )


def picture(width: int, kind: str = "PNG") -> SimpleUploadedFile:
    data = io.BytesIO()
    Image.effect_noise((width, width), 90).convert("RGB").save(data, kind)
    return SimpleUploadedFile(f"thumb.{kind.lower()}", data.getvalue(), f"image/{kind.lower()}")


@pytest.mark.parametrize(
    ("part", "values", "wrong"),
    [
        ({}, {"trigger": "keyword"}, {"keyword"}),
        ({}, {"trigger": "keyword", "keyword": "   "}, {"keyword"}),
        ({}, {"trigger": "message"}, {"message_kind"}),
        ({}, {"trigger": "click"}, {"menu_key"}),
        ({}, {"valid_from": "2026-11-12T00:00", "valid_until": "2026-11-12T00:00"}, {"valid_until"}),
        ({}, {"pause_minutes": "10081"}, {"pause_minutes"}),
        ({"text": ""}, {}, {"text"}),
        ({"text": "好" * 683}, {}, {"text"}),
        ({"text": "看<a href='javascript:x'>这里</a>"}, {}, {"text"}),
        ({"text": "看<a href='https://x.test/'>这里"}, {}, {"text"}),
        ({"text": "<a data-miniprogram-appid='wx1' href='https://x.test/'>打开</a>"}, {}, {"text"}),
        ({"kind": "article", "text": ""}, {}, {"title", "url"}),
        ({"kind": "article", "title": "新品", "url": "javascript:alert(1)"}, {}, {"url"}),
        ({"kind": "image"}, {}, {"picture"}),
        ({"kind": "coupon"}, {}, {"target"}),
        ({"kind": "coupon", "target": "nosuchbatch"}, {}, {"target"}),
        ({"kind": "hologram"}, {}, {"kind"}),
        (
            {"kind": "mini_program_card", "text": ""},
            {},
            {"title", "card_app_id", "card_page", "picture"},
        ),
    ],
)
def test_what_a_reply_lacks_is_said_at_its_field(
    desk: Client, cast: Cast, part: dict[str, str], values: dict[str, str], wrong: set[str]
) -> None:
    assert errors(desk.post(reverse(ADD), rule(cast, part, **values))) == wrong
    assert not ReplyRule.objects.exists()


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("(退", "右括号"),
        ("退)", "左括号"),
        ("[退", "方括号"),
        ("(?=退)货", "前后判断"),
        ("(退)\\1", "反斜杠"),
        ("*退", "前面要有"),
        ("a{2000}", "1000"),
        (".*", "什么都能匹配"),
        ("退" * 201, "200"),
    ],
)
def test_an_unusable_pattern_is_refused_in_words(desk: Client, cast: Cast, pattern: str, words: str) -> None:
    answer = desk.post(reverse(ADD), rule(cast, trigger="keyword", keyword=pattern, keyword_match="pattern"))
    said = str(answer.context["adminform"].form.errors["keyword"])
    assert words in said
    assert not ReplyRule.objects.exists()


@pytest.mark.parametrize(("trigger", "most"), [("follow", 3), ("default", 5)])
def test_no_more_messages_than_wechat_takes(desk: Client, cast: Cast, trigger: str, most: int) -> None:
    assert errors(desk.post(reverse(ADD), rule(cast, *[{}] * (most + 1), trigger=trigger))) == {"parts"}
    assert desk.post(reverse(ADD), rule(cast, *[{}] * most, trigger=trigger)).status_code == 302
    assert ReplyRule.objects.get().parts.count() == most
    nothing = rule(cast, trigger=trigger) | {"parts-TOTAL_FORMS": "0"}
    assert "parts" in errors(desk.post(reverse(ADD), nothing))


def test_what_the_trigger_does_not_ask_for_is_emptied(desk: Client, cast: Cast) -> None:
    fields = rule(
        cast, trigger="default", keyword="(", menu_key="x", channel_code="ABC", message_kind="image"
    )
    assert desk.post(reverse(ADD), fields).status_code == 302
    made = ReplyRule.objects.get()
    assert (made.keyword, made.menu_key, made.channel_code, made.message_kind) == ("", "", "", "")


def test_links_are_taken_as_wechat_takes_them(desk: Client, cast: Cast) -> None:
    text = (
        '看<a href="https://x.test/">网页</a>，或'
        '<a data-miniprogram-appid="wx1" data-miniprogram-path="pages/a" href="https://x.test/">小程序</a>'
    )
    assert desk.post(reverse(ADD), rule(cast, {"text": text})).status_code == 302
    assert ReplyRule.objects.get().parts.get().text == text


def test_hours_and_festivals_are_told(desk: Client, cast: Cast) -> None:
    fields: dict[str, Any] = {"account": cast.account_id}
    for day in range(7):
        fields |= {f"weekly_{day}_opens": "10:00", f"weekly_{day}_closes": "22:00"}
    holiday = {"name": "春节", "first_on": "2026-02-16", "last_on": "2026-02-22"}
    fields |= {f"holidays-0-{name}": value for name, value in holiday.items()}
    fields |= {"holidays-TOTAL_FORMS": "1", "holidays-INITIAL_FORMS": "0"}
    address = reverse("admin:wechat_replyhours_add")
    assert desk.post(address, fields | {"holidays-0-last_on": "2026-02-01"}).status_code == 200
    assert desk.post(address, fields | {"holidays-0-opens_at": "10:00"}).status_code == 200
    assert not ReplyHours.objects.exists()
    assert desk.post(address, fields).status_code == 302
    asked = {"situation": "text", "text": "在吗"}
    assert try_out(desk, cast, moment="2026-02-17T12:00", **asked).context["explanation"].is_open is False
    assert try_out(desk, cast, moment="2026-02-23T12:00", **asked).context["explanation"].is_open is True


@pytest.mark.parametrize(
    "thumb", [picture(400), picture(40, "GIF"), SimpleUploadedFile("a.png", b"no picture")]
)
def test_a_thumb_that_wechat_would_not_take_is_refused(
    desk: Client, cast: Cast, thumb: SimpleUploadedFile
) -> None:
    thumb.seek(0)
    card = {
        "kind": "mini_program_card",
        "title": "新品",
        "card_app_id": "wx1",
        "card_page": "pages/a",
        "text": "",
    }
    assert errors(desk.post(reverse(ADD), rule(cast, card | {"picture": thumb}))) == {"picture"}


def test_a_complete_card_is_saved_and_shown_in_the_tester(desk: Client, cast: Cast) -> None:
    card = {
        "kind": "mini_program_card",
        "title": "新品",
        "card_app_id": "wx1",
        "card_page": "pages/a",
        "text": "",
    }
    assert desk.post(reverse(ADD), rule(cast, card | {"picture": picture(60)})).status_code == 302
    shown = try_out(desk, cast, situation="follow")
    assert shown.context["explanation"].winner.parts[0].is_passive is False
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
    make_rule(cast.account_id, "兜底", {"text": "您好"}, trigger="default")
    text = {"text": "10 点到 22 点"}
    exact = make_rule(cast.account_id, "问营业时间", text, trigger="keyword", keyword="营业时间")
    shown = try_out(desk, cast, situation="text", text="营业时间")
    explanation = shown.context["explanation"]
    assert explanation.winner.rule_id == exact.pk
    assert [loser.name for loser in explanation.losers] == ["兜底"]
    html = shown.content.decode()
    assert "10 点到 22 点" in html
    assert explanation.winner.because in html


def test_a_rule_for_a_code_beats_the_general_welcome(desk: Client, cast: Cast) -> None:
    code = get_guide_code(cast.lina.id).code
    make_rule(cast.account_id, "欢迎", trigger="follow")
    make_rule(cast.account_id, "李娜的欢迎", trigger="follow", channel_code=code)
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
    make_rule(cast.account_id, "<b>x</b>", {"text": "<script>1</script>"}, trigger="default")
    html = try_out(desk, cast, situation="text", text="<img src=x>").content.decode()
    assert "<script>1</script>" not in html
    assert "<img src=x>" not in html
    assert "<b>x</b>" not in html


def test_a_rule_may_be_deleted(desk: Client, cast: Cast) -> None:
    row = make_rule(cast.account_id, "旧", trigger="default")
    desk.post(reverse("admin:wechat_replyrule_delete", args=[row.pk]), {"post": "yes"})
    assert not ReplyRule.objects.exists()
