"""The reply rule's form: refusals say what to do, in the words of whoever writes the replies."""

from typing import Any, Final

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _
from PIL import Image, UnidentifiedImageError

from wechat.models import ReplyRule
from wechat.models.outbox import MessageKind
from wechat.models.replies import ReplyTrigger

# Official page "Send customer service messages" and "Passive user reply message".
TEXT_BYTES: Final = 2048
# Official page "Add temporary material": a thumb is at most 64 KB. JPG is documented; PNG is taken too.
THUMB_BYTES: Final = 64 * 1024
THUMB_FORMATS: Final = frozenset({"JPEG", "PNG"})


class ReplyRuleForm(forms.ModelForm[ReplyRule]):
    """One rule; what its kind needs must be there, what it does not need is left alone."""

    class Meta:
        model = ReplyRule
        fields = "__all__"

    def clean_text(self) -> str:
        text = str(self.cleaned_data["text"])
        size = len(text.encode())
        if size > TEXT_BYTES:
            over = -(-(size - TEXT_BYTES) // 3)
            raise forms.ValidationError(
                _("微信最多收 %(limit)s 字节，现在是 %(size)s 字节，大约要删掉 %(over)s 个汉字")
                % {"limit": TEXT_BYTES, "size": f"{size:,}", "over": f"{over:,}"}
            )
        return text

    def clean_card_thumb(self) -> Any:
        thumb = self.cleaned_data["card_thumb"]
        if not isinstance(thumb, UploadedFile):
            return thumb
        if (thumb.size or 0) > THUMB_BYTES:
            size = f"{(thumb.size or 0) / 1024:.0f}"
            raise forms.ValidationError(
                _("封面图不能超过 64 KB，这张是 %(size)s KB，请压缩后再传") % {"size": size}
            )
        try:
            kind = Image.open(thumb).format
        except (UnidentifiedImageError, OSError) as error:
            raise forms.ValidationError(_("这个文件不是图片，请换一张 JPG 或 PNG")) from error
        if kind not in THUMB_FORMATS:
            raise forms.ValidationError(_("封面图只能用 JPG 或 PNG，这张是 %(kind)s") % {"kind": kind})
        thumb.seek(0)
        return thumb

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("trigger") == ReplyTrigger.KEYWORD:
            self._need("keyword", _("按关键词回复，要填关键词"))
        for name, sentence in _needs(str(cleaned.get("kind", ""))):
            self._need(name, sentence)
        if cleaned.get("trigger") != ReplyTrigger.FOLLOW:
            cleaned["channel_code"] = ""
        return cleaned

    def _need(self, name: str, sentence: str) -> None:
        value = self.cleaned_data.get(name)
        is_blank = not value or (isinstance(value, str) and not value.strip())
        if is_blank and name not in self.errors:
            self.add_error(name, sentence)


def _needs(kind: str) -> list[tuple[str, str]]:
    """What a kind of reply cannot do without: (field, what to say)."""
    if kind == MessageKind.TEXT:
        return [("text", _("请填写要回复的文字"))]
    if kind == MessageKind.ARTICLE:
        return [("title", _("图文要有标题")), ("url", _("图文要有点击后打开的网址"))]
    return [
        ("title", _("小程序卡片要有标题")),
        ("card_app_id", _("请填写小程序的 AppID，小程序要先关联到这个公众号")),
        ("card_page", _("请填写点开后进入的小程序页面，如 pages/index/index")),
        ("card_thumb", _("小程序卡片要有封面图")),
    ]
