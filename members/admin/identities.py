"""Under which names outside systems know a member: shown masked, taken from her with a reason."""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core.admin import (
    DressedForm,
    Panel,
    Question,
    ask,
    bound_data,
    mask_openid,
    register_panel,
    staff_actor,
    when,
)
from members import selectors
from members.models import GivenThrough, Identity, Member, MemberIdentity, UnlinkReason
from members.services import unlink_identity


class UnlinkForm(DressedForm):
    identity = forms.ChoiceField(label=_("解除哪一个"))
    reason = forms.ChoiceField(label=_("原因"), choices=UnlinkReason.choices)

    def __init__(self, *args: Any, choices: list[tuple[int, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["identity"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices
        field.widget.choices = choices


def ask_unlinking(page: Any, request: HttpRequest, member: Member) -> HttpResponse:
    """The question page: which identity, and why."""
    choices = [
        (identity.pk, f"{identity.get_kind_display()} · {_words(identity, member)}")
        for identity in MemberIdentity.objects.filter(member=member).order_by("linked_at", "pk")
    ]
    form = UnlinkForm(bound_data(request), choices=choices)

    def run(cleaned: dict[str, Any]) -> str:
        unlink_identity(
            member_id=member.pk,
            identity_id=int(cleaned["identity"]),
            reason=cleaned["reason"],
            actor=staff_actor(request),
        )
        return _now("已解除")

    name = selectors.card_of(member).display_name
    question = Question(
        title=_now("解除 %(name)s 的身份标识") % {"name": name},
        lines=(
            _now("解除以后，用它登录、扫码或购物不再算在这位会员名下；谁再带着它来，就是谁的。"),
            _now("解除手机号会同时清掉资料里的号码，会员身份、积分和标签不变。"),
        )
        if choices
        else (_now("这位会员还没有关联任何身份。"),),
        submit=_("解除"),
        back_url=reverse("admin:members_member_change", args=[member.pk]),
        is_dangerous=True,
    )
    return ask(page, request, question, run, form=form, subject=member)


def _words(identity: MemberIdentity, member: Member) -> str:
    """Masked. A phone is known by its fingerprint; the number shown is that of her row, if it is that one."""
    if identity.kind != Identity.PHONE:
        return mask_openid(identity.value)
    is_shown = bool(member.phone) and identity.value in selectors.phone_indexes(member.phone)
    return selectors.card_of(member).masked_phone if is_shown else _now("另一个号码")


def _places(identity: MemberIdentity) -> str:
    """Where it was given, and when it was last proved."""
    words = "、".join(str(GivenThrough(place).label) for place in identity.given_through) or "—"
    if identity.proved_at is None:
        return words
    return _now("%(places)s · %(at)s 验证") % {"places": words, "at": when(identity.proved_at)}


def _identities_panel(request: HttpRequest, member: Member) -> Panel:
    """Under which names outside systems know her, masked. A phone's fingerprint stays unseen."""
    identities = MemberIdentity.objects.filter(member=member).order_by("linked_at", "pk")
    rows = [
        (
            identity.get_kind_display(),
            _words(identity, member),
            identity.app_id or "—",
            _places(identity),
            when(identity.linked_at),
        )
        for identity in identities
    ]
    context = {
        "heads": (_("类型"), _("标识"), _("应用"), _("来自"), _("关联时间")),
        "rows": rows,
        "empty": _("还没有关联任何身份"),
    }
    return Panel(_("身份标识"), "admin/xiaoer/panel_table.html", context)


register_panel("members.Member", _identities_panel, order=60)
