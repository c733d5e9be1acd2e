"""Buttons of one waiting document: try again, give its code a meaning, name its member, decide a conflict, set aside."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from django import forms
from django.apps import apps
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core.admin import (
    BaseAdmin,
    DressedForm,
    Question,
    ask,
    autocomplete_field,
    bound_data,
    narrow,
    operation,
    staff_actor,
    thousands,
)
from core.errors import Refusal
from members import selectors as member_selectors
from sales import services
from sales.admin.desk_text import reason_words
from sales.admin.held_words import held_words
from sales.errors import StillHeld
from sales.models import CodeAlias, HeldDocument, HeldState
from sales.selectors.desk import held_matching
from sales.selectors.staff_scopes import visible_store_codes

if TYPE_CHECKING:
    _Base = BaseAdmin
else:
    _Base = object


class ReasonForm(DressedForm):
    reason = forms.CharField(label=_("原因"), max_length=120)


class TargetForm(DressedForm):
    """The store or guide that a code stands for."""

    def __init__(self, request: HttpRequest, kind: str, data: Any) -> None:
        super().__init__(data)
        label, words = (
            ("guides.Store", _("对应的门店")) if kind == "store" else ("guides.Guide", _("对应的导购"))
        )
        model = apps.get_model(label)
        self.fields["target"] = autocomplete_field(
            CodeAlias, kind, narrow(model, request.user, model._default_manager.all()), label=words
        )


class MemberForm(DressedForm):
    who = forms.CharField(
        label=_("会员"),
        max_length=40,
        required=False,
        help_text=_("会员码、完整手机号，或姓名加手机尾号里能认出一位的写法"),
    )
    is_nobody = forms.BooleanField(label=_("按散客入账，不记到任何会员"), required=False)

    def __init__(self, request: HttpRequest, data: Any) -> None:
        super().__init__(data)
        self.request = request

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("is_nobody"):
            return cleaned | {"member_id": None}
        text = cleaned.get("who", "").strip()
        if not text:
            self.add_error("who", _("请写明会员，或选按散客入账"))
            return cleaned
        model = apps.get_model("members.Member")
        rows = narrow(model, self.request.user, model._default_manager.all())
        found = list(
            rows.filter(pk__in=member_selectors.search_member_ids(text)).values_list("pk", flat=True)[:2]
        )
        if len(found) != 1:
            self.add_error("who", _("没有找到这位会员") if not found else _("不止一位会员符合，请写会员码"))
            return cleaned
        return cleaned | {"member_id": found[0]}


class HeldMending(_Base):
    """Mix into the admin of waiting documents."""

    def buttons_of(self, request: HttpRequest, row: HeldDocument) -> list[tuple[Any, str, str]]:
        """(words, address, look) of what makes sense for this document."""
        if not self.has_operate_permission(request):
            return []
        return [
            (words, reverse(f"admin:sales_helddocument_{name}", args=[row.pk]), look)
            for name, words, look, fits in _BUTTONS
            if fits(row)
        ]

    @operation(_("再试一次"), icon="refresh", path="retry")
    def retry(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._ask(
            request,
            object_id,
            _("再试一次"),
            [_now("门店、导购或会员登记好了，就能入账")],
            lambda row, cleaned: self._retry(request, row),
        )

    @operation(_("对应编号"), icon="link", path="explain")
    def explain(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row: HeldDocument | None = self.subject(request, object_id)
        if row is None or not _is_code(row):
            return self.no_subject(request, object_id)
        kind = "store" if row.reason == "sales.unknown_store" else "guide"
        codes = visible_store_codes(request.user)  # type: ignore[arg-type]
        terms = {"reason": row.reason, "value": row.value, "source": row.source, "store_codes": codes}
        count = held_matching(terms).count()

        def run(row: HeldDocument, cleaned: dict[str, Any]) -> str:
            services.explain_code(
                public_id=row.public_id,
                actor=staff_actor(request),
                **{f"{kind}_id": cleaned["target"].pk},
            )
            words = held_words(row.reason, row.field, row.value)
            job = services.start_retry(
                staff_id=request.user.pk or 0, terms=terms, words=words, actor=staff_actor(request)
            )
            services.work_desk_job(job_id=job.pk, slices=1, actor=staff_actor(request))
            return _now("已记住，等这个编号的 %(n)s 张单据开始入账") % {"n": thousands(count)}

        lines = [
            _now("%(source)s 发来的编号 %(code)s 以后都按这里选的入账")
            % {"source": row.source, "code": row.value},
            _now("现在有 %(n)s 张单据在等它，会马上重试") % {"n": thousands(count)},
        ]
        form = TargetForm(request, kind, bound_data(request))
        return self._ask(request, object_id, _("对应编号"), lines, run, form=form)

    @operation(_("指定会员"), icon="person_search", path="member")
    def member(self, request: HttpRequest, object_id: str) -> HttpResponse:
        def run(row: HeldDocument, cleaned: dict[str, Any]) -> str:
            services.name_member(
                public_id=row.public_id, member_id=cleaned["member_id"], actor=staff_actor(request)
            )
            return _now("已入账")

        lines = [_now("以后同一来源再用这个号码或卡号，只要没有别的会员用它，就按这里选的入账")]
        form = MemberForm(request, bound_data(request))
        return self._ask(request, object_id, _("指定会员"), lines, run, form=form)

    @operation(_("按新内容更正"), icon="edit_document", path="accept")
    def accept(self, request: HttpRequest, object_id: str) -> HttpResponse:
        def run(row: HeldDocument, cleaned: dict[str, Any]) -> str:
            services.accept_content(public_id=row.public_id, actor=staff_actor(request))
            return _now("已按新内容更正，业绩、积分和等级随之调整")

        lines = [_now("已入账的订单会被这个内容替换，原来的版本会留底")]
        return self._ask(request, object_id, _("按新内容更正"), lines, run, is_dangerous=True)

    @operation(_("保留已入账的"), icon="inventory", path="keep")
    def keep(self, request: HttpRequest, object_id: str) -> HttpResponse:
        def run(row: HeldDocument, cleaned: dict[str, Any]) -> str:
            services.keep_booked(public_id=row.public_id, actor=staff_actor(request))
            return _now("已保留原来的内容")

        lines = [_now("这个内容不入账，以后可以恢复")]
        return self._ask(request, object_id, _("保留已入账的"), lines, run)

    @operation(_("作废"), icon="delete", variant="danger", path="discard")
    def discard(self, request: HttpRequest, object_id: str) -> HttpResponse:
        def run(row: HeldDocument, cleaned: dict[str, Any]) -> str:
            services.discard_document(
                public_id=row.public_id, reason=cleaned["reason"], actor=staff_actor(request)
            )
            return _now("已作废")

        lines = [_now("作废的单据不再入账，以后可以恢复")]
        form = ReasonForm(bound_data(request))
        return self._ask(request, object_id, _("作废"), lines, run, form=form, is_dangerous=True)

    @operation(_("恢复"), icon="undo", path="restore")
    def restore(self, request: HttpRequest, object_id: str) -> HttpResponse:
        def run(row: HeldDocument, cleaned: dict[str, Any]) -> str:
            services.restore_document(public_id=row.public_id, actor=staff_actor(request))
            return _now("已恢复，会再试着入账")

        return self._ask(request, object_id, _("恢复"), [_now("单据回到待处理")], run)

    def _retry(self, request: HttpRequest, row: HeldDocument) -> str | HttpResponse:
        job = services.start_retry(
            staff_id=request.user.pk or 0,
            terms={"ids": [row.pk]},
            words=row.number,
            actor=staff_actor(request),
        )
        services.work_desk_job(job_id=job.pk, actor=staff_actor(request))
        now = HeldDocument.objects.defer("body").get(pk=row.pk)
        if now.state == HeldState.BOOKED:
            return _now("已入账")
        messages.warning(request, _now("还不能入账：%(why)s") % {"why": reason_words(now.reason)})
        return HttpResponseRedirect(reverse("admin:sales_helddocument_change", args=[row.pk]))

    def _ask(
        self,
        request: HttpRequest,
        object_id: str,
        title: Any,
        lines: Sequence[str],
        run: Callable[[HeldDocument, dict[str, Any]], Any],
        *,
        form: forms.Form | None = None,
        is_dangerous: bool = False,
    ) -> HttpResponse:
        row: HeldDocument | None = self.subject(request, object_id)
        if row is None:
            return self.no_subject(request, object_id)

        def told(cleaned: dict[str, Any]) -> Any:
            try:
                return run(row, cleaned)
            except StillHeld as refusal:
                why = reason_words(str(refusal.details.get("reason", "")))
                raise Refusal(_now("还不能入账：%(why)s") % {"why": why}) from None

        question = Question(
            title=f"{title} · {row.number}",
            submit=title,
            back_url=reverse("admin:sales_helddocument_change", args=[row.pk]),
            lines=lines,
            is_dangerous=is_dangerous,
        )
        return ask(self, request, question, told, form=form, subject=row)


def _waits(row: HeldDocument) -> bool:
    return row.state == HeldState.WAITING


def _is_code(row: HeldDocument) -> bool:
    return _waits(row) and row.reason in ("sales.unknown_store", "sales.unknown_guide") and bool(row.value)


def _conflicts(row: HeldDocument) -> bool:
    return _waits(row) and row.reason == "sales.document_conflict"


# Method, words, look, for which documents.
_BUTTONS: tuple[tuple[str, Any, str, Callable[[HeldDocument], bool]], ...] = (
    ("explain", _("对应编号"), "main", _is_code),
    ("member", _("指定会员"), "main", lambda row: _waits(row) and row.reason == "sales.unknown_member"),
    ("accept", _("按新内容更正"), "main", lambda row: _conflicts(row) and row.kind == "order"),
    ("keep", _("保留已入账的"), "", _conflicts),
    ("retry", _("再试一次"), "", lambda row: _waits(row) and not _conflicts(row)),
    ("discard", _("作废"), "danger", lambda row: _waits(row) and not _conflicts(row)),
    ("restore", _("恢复"), "main", lambda row: row.state == HeldState.DISCARDED),
)
