"""Trying the reply rules on a sample: the answer drawn as WeChat would, the winner and why the others lost."""

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _

from core import clock
from core.admin import BaseAdmin, DressedForm, MomentInput, find_answer
from wechat.models import Account
from wechat.models.account import AccountKind
from wechat.models.replies import InboundKind
from wechat.services.reply_book import Occasion, OccasionKind
from wechat.services.reply_trial import explain

if TYPE_CHECKING:
    _Base = BaseAdmin
else:
    _Base = object

SITUATIONS: Final = (
    ("text", _("发文字")),
    ("message", _("发图片、语音等")),
    ("follow", _("关注")),
    ("scan", _("扫某个码关注")),
    ("rescan", _("已关注，又扫某个码")),
    ("click", _("点菜单")),
)
# What a situation asks for, and what to say without it.
_ASKS: Final = {
    "text": ("text", _("请填写要试的文字")),
    "scan": ("scene", _("请填写渠道码，可在「渠道码」列表里复制")),
    "rescan": ("scene", _("请填写渠道码，可在「渠道码」列表里复制")),
    "click": ("menu_key", _("请填写菜单里那一项的标识")),
}
_OCCASIONS: Final[dict[str, OccasionKind]] = {
    "text": "text",
    "message": "message",
    "follow": "follow",
    "scan": "follow",
    "rescan": "scan",
    "click": "click",
}


class TesterForm(DressedForm):
    """The sample to try."""

    account = forms.ModelChoiceField(
        label=_("公众号"),
        queryset=Account.objects.filter(kind=AccountKind.OFFICIAL, is_active=True),
        empty_label=None,
    )
    situation = forms.ChoiceField(label=_("会员做了什么"), choices=SITUATIONS, initial="text")
    text = forms.CharField(label=_("发的文字"), required=False, max_length=10_000)
    message_kind = forms.ChoiceField(label=_("发的是"), choices=InboundKind, required=False)
    scene = forms.CharField(label=_("扫的渠道码"), required=False, max_length=64)
    menu_key = forms.CharField(label=_("菜单标识"), required=False, max_length=128)
    moment = forms.DateTimeField(
        label=_("什么时候"),
        required=False,
        widget=MomentInput(),
        help_text=_("留空表示现在；用来试营业时间和有效期"),
    )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        asks = _ASKS.get(str(cleaned.get("situation", "")))
        if asks is not None and not str(cleaned.get(asks[0]) or "").strip():
            self.add_error(*asks)
        return cleaned


class ReplyTester(_Base):
    """Mixed into the rules' admin: the page at `try/`."""

    def tester_view(self, request: HttpRequest, model_admin: Any = None) -> HttpResponse:
        """What the account would answer to a sample; changes nothing, so the sample is in the address."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        form = TesterForm(request.GET if "situation" in request.GET else None)
        sample = form.cleaned_data if form.is_bound and form.is_valid() else None
        explanation = None
        scene_words = None
        if sample is not None:
            at = sample["moment"] or clock.now()
            explanation = explain(account_id=sample["account"].pk, occasion=_occasion(sample, at))
            if sample["situation"] in ("scan", "rescan"):
                scene_words = find_answer("channel_code_words", sample["scene"].strip())
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("试一试自动回复"),
            "form": form,
            "media": self.media + form.media,
            "explanation": explanation,
            "sample": sample,
            "scene_words": scene_words,
            "kind_words": dict(InboundKind.choices).get(sample["message_kind"], "") if sample else "",
        }
        return TemplateResponse(request, "admin/xiaoer/reply_tester.html", context)


def _occasion(sample: dict[str, Any], at: dt.datetime) -> Occasion:
    situation = sample["situation"]
    return Occasion(
        _OCCASIONS[situation],
        at,
        scene=sample["scene"].strip() if situation in ("scan", "rescan") else "",
        text=sample["text"].strip() if situation == "text" else "",
        message_kind=sample["message_kind"] if situation == "message" else "",
        menu_key=sample["menu_key"].strip() if situation == "click" else "",
    )
