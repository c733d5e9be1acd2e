"""One coupon for one member, given by a member of staff."""

from typing import TYPE_CHECKING, Any, Final

from django.apps import apps
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core.admin import BaseAdmin, narrow, staff_actor
from core.codes import new_public_id
from core.errors import Refusal
from coupons import services
from coupons.admin.issue_form import list_open_batches
from members import selectors as member_selectors

if TYPE_CHECKING:
    _Base = BaseAdmin
else:
    _Base = object

_FOUND: Final = 8


class HandIssue(_Base):
    """Mix into the admin of coupons: what would add a row gives a coupon."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A right of its own."""
        return bool(request.user.has_perm("coupons.add_coupon"))

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """A batch, a member found as members are found, a button; sent twice it is one coupon."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        asked = request.POST if request.method == "POST" else request.GET
        mine = _own_members(request)
        member = mine.filter(pk=int(asked["member"])).first() if _is_id(asked.get("member", "")) else None
        refusal = ""
        if request.method == "POST":
            if not _is_id(asked.get("batch", "")):
                refusal = _now("请选择发哪一批")
            elif member is None:
                refusal = _now("请选择发给哪位会员")
            else:
                try:
                    return self._give(request, int(asked["batch"]), member)
                except Refusal as refused:
                    refusal = refused.message
        query = asked.get("q", "").strip()[:40]
        found: list[Any] = []
        if query:
            rows = mine.filter(pk__in=member_selectors.search_member_ids(query))
            found = [member_selectors.card_of(row) for row in rows.order_by("-registered_at", "-pk")[:_FOUND]]
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("发给一位会员"),
            "batches": list_open_batches(),
            "batch_id": asked.get("batch", ""),
            "query": query,
            "found": found,
            "member": None if member is None else member_selectors.card_of(member),
            "refusal": refusal,
            "form_key": asked.get("form_key") or new_public_id(),
            "back_url": reverse("admin:coupons_coupon_changelist"),
        }
        return TemplateResponse(request, "admin/xiaoer/coupons/hand_issue.html", context)

    def _give(self, request: HttpRequest, batch_id: int, member: Any) -> HttpResponse:
        tier = member_selectors.get_tier_standing(member.pk).tier
        issued = services.issue_coupon(
            batch_id=batch_id,
            member_id=member.pk,
            request_key=f"hand:{request.POST.get('form_key', '')[:16]}",
            tier_id=None if tier is None else tier.id,
            actor=staff_actor(request),
        )
        messages.success(
            request, _now("已发给 %(name)s") % {"name": member_selectors.card_of(member).display_name}
        )
        return HttpResponseRedirect(reverse("admin:coupons_coupon_change", args=[issued.id]))


def _own_members(request: HttpRequest) -> QuerySet[Any]:
    members = apps.get_model("members", "Member")
    living = members._default_manager.filter(pk__in=member_selectors.living_member_ids())
    return narrow(members, request.user, living)


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 16
