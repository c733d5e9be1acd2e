"""The reply rule's form: refusals say what to do, in the words of whoever writes the replies."""

from collections.abc import Sequence
from typing import Any, Final

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _
from PIL import Image, UnidentifiedImageError

from wechat.models import ReplyHoliday, ReplyHours, ReplyPart, ReplyRule
from wechat.models.outbox import MessageKind
from wechat.models.replies import KeywordMatch, ReplyTrigger
from wechat.services.contents import TEXT_BYTES
from wechat.services.reply_book import normal
from wechat.services.reply_contents import has_broken_link
from wechat.services.reply_kinds import all_kinds, find_kind
from wechat.services.reply_patterns import describe_fault

# Official page "Add temporary material": a thumb is at most 64 KB. JPG is documented; PNG is taken too.
THUMB_BYTES: Final = 64 * 1024
PICTURE_BYTES: Final = 10 * 1024 * 1024
PICTURE_FORMATS: Final = {"JPEG": "JPG", "PNG": "PNG", "GIF": "GIF", "BMP": "BMP"}
THUMB_FORMATS: Final = frozenset({"JPEG", "PNG"})
# Official page "customer service messages": so many after what she did. What a part before the last may take is the
# push's own answer; a channel code's greeting takes it back.
MOST_PARTS: Final = {True: 3, False: 5}
_ACTS: Final = frozenset({ReplyTrigger.FOLLOW.value, ReplyTrigger.SCAN.value, ReplyTrigger.CLICK.value})
# The field by which rules of a trigger are told apart, and what to say when it must not be empty.
_KEYS: Final = ("channel_code", "keyword", "message_kind", "menu_key")


class ReplyRuleForm(forms.ModelForm[ReplyRule]):
    """When a rule answers; what its trigger needs must be there, what it does not need is emptied."""

    class Meta:
        model = ReplyRule
        fields = "__all__"

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        trigger = str(cleaned.get("trigger", ""))
        kept = {
            ReplyTrigger.FOLLOW.value: "channel_code",
            ReplyTrigger.SCAN.value: "channel_code",
            ReplyTrigger.KEYWORD.value: "keyword",
            ReplyTrigger.MESSAGE.value: "message_kind",
            ReplyTrigger.CLICK.value: "menu_key",
        }.get(trigger)
        for name in _KEYS:
            if name != kept:
                cleaned[name] = ""
                self.errors.pop(name, None)
        if trigger == ReplyTrigger.KEYWORD:
            self._check_keyword(cleaned)
        if trigger == ReplyTrigger.MESSAGE and not cleaned.get("message_kind"):
            self.add_error("message_kind", _("请选择收到哪种消息时回复"))
        if trigger == ReplyTrigger.CLICK and not str(cleaned.get("menu_key") or "").strip():
            self.add_error("menu_key", _("请填写菜单里那一项的标识"))
        begins, ends = cleaned.get("valid_from"), cleaned.get("valid_until")
        if begins is not None and ends is not None and ends <= begins:
            self.add_error("valid_until", _("结束时间要晚于开始时间"))
        if (cleaned.get("pause_minutes") or 0) > 7 * 24 * 60:
            self.add_error("pause_minutes", _("最多一周，也就是 10080 分钟"))
        return cleaned

    def _check_keyword(self, cleaned: dict[str, Any]) -> None:
        keyword = str(cleaned.get("keyword") or "")
        if "keyword" in self.errors:
            return
        if not normal(keyword):
            self.add_error("keyword", _("按关键词回复，要填关键词"))
        elif cleaned.get("keyword_match") == KeywordMatch.PATTERN:
            fault = describe_fault(keyword)
            if fault:
                self.add_error("keyword", fault)


class ReplyPartForm(forms.ModelForm[ReplyPart]):
    """One message of the answer; what its kind needs must be there."""

    class Meta:
        model = ReplyPart
        fields = (
            "position", "kind", "text", "title", "description", "url", "picture_url", "card_app_id", "card_page",
            "picture", "target",
        )  # fmt: skip

    def clean_text(self) -> str:
        return checked_text(str(self.cleaned_data["text"]))

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        kind = str(cleaned.get("kind", ""))
        for name, sentence in _needs(kind):
            self._need(name, sentence)
        brought = find_kind(kind)
        if brought is None:
            cleaned["target"] = ""
            self.errors.pop("target", None)
        elif brought.target_title and (fault := brought.fault(str(cleaned.get("target") or ""))):
            self.add_error("target", fault)
        picture = cleaned.get("picture")
        if isinstance(picture, UploadedFile) and "picture" not in self.errors:
            fault = picture_fault(picture, is_thumb=kind == MessageKind.MINI_PROGRAM_CARD)
            if fault:
                self.add_error("picture", fault)
        return cleaned

    def _need(self, name: str, sentence: str) -> None:
        value = self.cleaned_data.get(name)
        is_blank = not value or (isinstance(value, str) and not value.strip())
        if is_blank and name not in self.errors:
            self.add_error(name, sentence)


class ReplyPartFormSet(forms.BaseInlineFormSet[ReplyPart, ReplyRule, ReplyPartForm]):
    """All messages of a rule: at least one, and no more than WeChat takes after what she did."""

    def clean(self) -> None:
        super().clean()
        kept = [form for form in self.forms if form.cleaned_data and not form.cleaned_data.get("DELETE")]
        if not kept and not any(self.errors):
            raise forms.ValidationError(_("至少要有一条回复内容"))
        is_act = self.instance.trigger in _ACTS
        most = MOST_PARTS[is_act]
        if len(kept) > most:
            raise forms.ValidationError(
                _("微信在她%(act)s之后最多收 %(most)s 条，现在有 %(count)s 条")
                % {
                    "act": _("关注、扫码或点菜单") if is_act else _("发来消息"),
                    "most": most,
                    "count": len(kept),
                }
            )


class ReplyHoursForm(forms.ModelForm[ReplyHours]):
    class Meta:
        model = ReplyHours
        fields = ("account", "weekly")


class ReplyHolidayForm(forms.ModelForm[ReplyHoliday]):
    """A festival, from its first day to its last."""

    class Meta:
        model = ReplyHoliday
        fields = ("name", "first_on", "last_on", "opens_at", "closes_at")

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        first, last = cleaned.get("first_on"), cleaned.get("last_on")
        if first is not None and last is not None and last < first:
            self.add_error("last_on", _("最后一天不能早于第一天"))
        if (cleaned.get("opens_at") is None) != (cleaned.get("closes_at") is None):
            self.add_error("closes_at", _("开始和结束要一起填；休息就两个都空着"))
        return cleaned


def part_kinds() -> Sequence[tuple[str, Any]]:
    """What a part can be: the gateway's own kinds, then those of other apps."""
    return [*MessageKind.choices, *((kind.key, kind.title) for kind in all_kinds())]


def part_targets(current: str) -> list[tuple[str, Any]]:
    """What parts may name, grouped by kind; what a part names already stays a choice."""
    groups: list[tuple[str, Any]] = [("", _("请选择"))]
    known = set()
    for kind in all_kinds():
        choices = list(kind.choices())
        known |= {value for value, _words in choices}
        if choices:
            groups.append((str(kind.title), choices))
    if current and current not in known:
        groups.append((current, current))
    return groups


def checked_text(text: str) -> str:
    """A text that WeChat takes: not too long, its links complete. Raises ValidationError that says what to do."""
    size = len(text.encode(errors="replace"))
    if size > TEXT_BYTES:
        over = -(-(size - TEXT_BYTES) // 3)
        raise forms.ValidationError(
            _("微信最多收 %(limit)s 字节，现在是 %(size)s 字节，大约要删掉 %(over)s 个汉字")
            % {"limit": TEXT_BYTES, "size": f"{size:,}", "over": f"{over:,}"}
        )
    if has_broken_link(text):
        raise forms.ValidationError(
            _(
                "链接没有写完整。网页：<a href='https://…'>文字</a>；"
                "小程序还要写 data-miniprogram-appid 和 data-miniprogram-path"
            )
        )
    return text


def picture_fault(picture: Any, *, is_thumb: bool) -> str:
    """Why an uploaded file cannot be sent as a picture, or as a card's; "" when it can."""
    limit = THUMB_BYTES if is_thumb else PICTURE_BYTES
    size = picture.size or 0
    if size > limit:
        words = {"limit": _size_words(limit), "size": _size_words(size)}
        return _("图片不能超过 %(limit)s，这张是 %(size)s，请压缩后再传") % words
    try:
        kind = Image.open(picture).format or ""
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError):
        return _("这个文件不是图片，请换一张 JPG 或 PNG")
    picture.seek(0)
    if kind not in (THUMB_FORMATS if is_thumb else PICTURE_FORMATS):
        return _("这里只能用 JPG 或 PNG，这张是 %(kind)s") % {"kind": kind}
    return ""


def _size_words(size: int) -> str:
    return f"{size / 1024:.0f} KB" if size < 1024 * 1024 else f"{size / 1024 / 1024:.1f} MB"


def _needs(kind: str) -> list[tuple[str, str]]:
    """What a kind of reply cannot do without: (field, what to say)."""
    return {
        MessageKind.TEXT.value: [("text", _("请填写要回复的文字"))],
        MessageKind.IMAGE.value: [("picture", _("请上传要回复的图片"))],
        MessageKind.ARTICLE.value: [
            ("title", _("图文要有标题")),
            ("url", _("图文要有点击后打开的网址")),
        ],
        MessageKind.MINI_PROGRAM_CARD.value: [
            ("title", _("小程序卡片要有标题")),
            ("card_app_id", _("请填写小程序的 AppID，小程序要先关联到这个公众号")),
            ("card_page", _("请填写点开后进入的小程序页面，如 pages/index/index")),
            ("picture", _("小程序卡片要有封面图")),
        ],
    }.get(kind, [])
