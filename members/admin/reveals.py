"""The member page's buttons 查看手机号 and 资料申请."""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core.admin import DressedForm, Question, ask, bound_data, staff_actor
from core.codes import new_public_id
from members import selectors, services
from members.models import DataRequestKind, Member, RevealReason
from members.services.reveals import SHOWN_FOR


class RevealForm(DressedForm):
    """Why; the key makes a page sent twice one reveal."""

    reason = forms.ChoiceField(label=_("原因"), choices=[("", _("请选择")), *RevealReason.choices])
    words = forms.CharField(
        label=_("补充说明"), max_length=100, required=False, help_text=_("选“其他”时请写几个字")
    )
    request_key = forms.CharField(widget=forms.HiddenInput, max_length=40)


class RequestForm(DressedForm):
    kind = forms.ChoiceField(label=_("申请"), choices=DataRequestKind.choices)


def ask_reveal(page: Any, request: HttpRequest, member: Member) -> HttpResponse:
    """The question, and on its confirmation the number on a page that nobody keeps."""
    card = selectors.card_of(member)
    form = RevealForm(bound_data(request), initial={"request_key": new_public_id()})
    back_url = reverse("admin:members_member_change", args=[member.pk])

    def run(cleaned: dict[str, Any]) -> HttpResponse:
        phone = services.reveal_phone(member_id=member.pk, actor=staff_actor(request), **cleaned)
        answer = TemplateResponse(
            request,
            "admin/xiaoer/revealed.html",
            {
                **page.admin_site.each_context(request),
                "opts": page.model._meta,
                "title": _now("%(name)s 的手机号") % {"name": card.display_name},
                "number": f"{phone[:3]} {phone[3:7]} {phone[7:]}",
                "seconds": int(SHOWN_FOR.total_seconds()),
                "back_url": back_url,
            },
        )
        answer["Cache-Control"] = "private, no-store"
        return answer

    question = Question(
        title=_now("查看 %(name)s 的手机号") % {"name": card.display_name},
        submit=_("查看号码"),
        back_url=back_url,
        lines=[_now("号码只显示半分钟，次数有限"), _now("谁在什么时候、为什么查看都会记录")],
    )
    return ask(page, request, question, run, form=form, subject=member)


def ask_request(page: Any, request: HttpRequest, member: Member) -> HttpResponse:
    """A copy or an erasure that she asked for at a counter or by phone is entered for her."""
    form = RequestForm(bound_data(request))
    decisions = selectors.get_privacy_decisions()

    def run(cleaned: dict[str, Any]) -> str:
        enter = (
            services.request_erasure if cleaned["kind"] == DataRequestKind.ERASE else services.request_export
        )
        card = enter(member_id=member.pk, actor=staff_actor(request))
        return _now("已登记，请在 %(day)s 前办理") % {"day": card.due_on.isoformat()}

    question = Question(
        title=_now("替 %(name)s 登记资料申请") % {"name": selectors.card_of(member).display_name},
        submit=_("登记"),
        back_url=reverse("admin:members_member_change", args=[member.pk]),
        lines=[
            _now("登记后在“资料申请”里办理，期限 %(n)s 天") % {"n": decisions.request_due_days},
            _now("请先核对是会员本人提出的"),
        ],
    )
    return ask(page, request, question, run, form=form, subject=member)
