"""The member page's button 修改资料: what staff put right in a member's name."""

from typing import Any, Final

from django import forms
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core.admin import DressedForm, Question, Text, ask, bound_data, staff_actor
from members import selectors
from members.contracts import AddressCard, CorrectedProfile
from members.models import Gender, Member
from members.services import correct_profile

FIELD_WORDS: Final[dict[str, Text]] = {
    "name": _("姓名"),
    "gender": _("性别"),
    "birthday": _("生日"),
    "address": _("地址"),
}


class CorrectForm(DressedForm):
    """Texts as somebody at a counter writes them; the service reads them.

    The page carries along what it was filled with: what she changed herself meanwhile is no change of the staff's.
    """

    name = forms.CharField(label=_("姓名"), max_length=60, required=False, show_hidden_initial=True)
    gender = forms.ChoiceField(
        label=_("性别"), choices=Gender.choices, required=False, show_hidden_initial=True
    )
    birthday = forms.CharField(
        label=_("生日"),
        max_length=30,
        required=False,
        show_hidden_initial=True,
        help_text=_("公历，例如 1990-05-01 或 1990年5月1日；不知道就留空"),
    )
    address = forms.CharField(
        label=_("新地址"),
        max_length=200,
        required=False,
        help_text=_("整段填写，例如 上海市静安区南京西路 1038 号；省市区会自动认出。留空表示不改"),
    )
    forgets_address = forms.BooleanField(label=_("删除现在的地址"), required=False)

    def __init__(self, *args: Any, home: AddressCard, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if home.changed_at is None:
            del self.fields["forgets_address"]

    def clean(self) -> dict[str, Any]:
        """Either a new address or none."""
        cleaned = super().clean() or {}
        if cleaned.get("forgets_address") and cleaned.get("address"):
            self.add_error("address", _now("要么填新地址，要么删除，请只选一样"))
        return cleaned


def ask_correction(page: Any, request: HttpRequest, member: Member) -> HttpResponse:
    """The form, filled with what is known; only what was changed in it is written."""
    living_id = selectors.list_merge_targets([member.pk])[member.pk]
    living = member if living_id == member.pk else Member.objects.get(pk=living_id)
    home = selectors.get_address(living_id)
    initial = {
        "name": living.name,
        "gender": living.gender,
        "birthday": "" if living.birthday is None else living.birthday.isoformat(),
    }
    form = CorrectForm(bound_data(request), initial=initial, home=home)

    def run(cleaned: dict[str, Any]) -> str:
        given = {field: cleaned[field] for field in form.changed_data if field in FIELD_WORDS}
        if cleaned.get("forgets_address"):
            given["address"] = ""
        done = correct_profile(member_id=living_id, actor=staff_actor(request), **given)
        return _done_words(done)

    question = Question(
        title=_now("修改 %(name)s 的资料") % {"name": selectors.card_of(living).display_name},
        submit=_("保存"),
        back_url=reverse("admin:members_member_change", args=[living_id]),
        lines=(
            _now("请先和会员本人核对。谁改了哪几项会记在操作记录里，改成了什么不会记。"),
            _now("现在的地址：%(place)s") % {"place": address_words(home)},
        ),
    )
    return ask(page, request, question, run, form=form, subject=living)


def address_words(home: AddressCard) -> str:
    """The place in full; of street and house only that they are known."""
    if home.changed_at is None:
        return _now("没有填写")
    place = " ".join(dict.fromkeys(part for part in (home.province, home.city, home.district) if part))
    if not home.street:
        return place
    return (
        _now("%(place)s（详细地址已填，不显示）") % {"place": place}
        if place
        else _now("详细地址已填，不显示")
    )


def _done_words(done: CorrectedProfile) -> str:
    if not done.changed:
        return _now("没有改动")
    words = "、".join(str(FIELD_WORDS[field]) for field in done.changed)
    if "address" not in done.changed or done.address.changed_at is None:
        return _now("已修改：%(fields)s") % {"fields": words}
    return _now("已修改：%(fields)s。地址认作 %(place)s") % {
        "fields": words,
        "place": address_words(done.address),
    }
