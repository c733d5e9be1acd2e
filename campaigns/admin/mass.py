"""群发消息: write, show a colleague, see whom it reaches, confirm, and see what WeChat made of it."""

from typing import Any, Final

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.files.storage import default_storage
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from campaigns import services
from campaigns.admin import mass_words as words
from campaigns.admin.mass_deeds import MassDeeds, row_url
from campaigns.admin.mass_forms import MassForm, PreviewForm, draft_choices, initial_of, read_drafts
from campaigns.contracts import MassDraft
from campaigns.contracts.mass import LIST, TAG
from campaigns.errors import MassForHeadOffice
from campaigns.models import MassAudienceKind, MassKind, MassMessage, MassState
from campaigns.selectors.mass import count_left_out, estimate_reach, get_mass_use
from campaigns.services.mass_confirming import needs_second_person
from campaigns.services.mass_parts import count_parts
from core.admin import (
    ChoiceFilter,
    OwnPage,
    ScopedReadOnlyAdmin,
    column,
    staff_actor,
    thousands,
    when,
)
from core.admin.questions import add_refusal
from core.errors import Refusal
from wechat.contracts import AccountCard, MassContent
from wechat.services import verdicts
from wechat.services.accounts import get_account, list_officials

_LIST: Final = "admin:campaigns_massmessage_changelist"
_OPEN: Final = (MassState.DRAFT, MassState.CONFIRMED, MassState.FAILED)


class StateFilter(ChoiceFilter):
    title = _("状态")
    parameter_name = "state"
    options = tuple((state.value, state.label) for state in MassState)


class AudienceFilter(ChoiceFilter):
    title = _("发给谁")
    parameter_name = "audience"
    options = tuple((kind.value, kind.label) for kind in MassAudienceKind)


@admin.register(MassMessage)
class MassMessageAdmin(MassDeeds, OwnPage, ScopedReadOnlyAdmin):
    """Head office sees all; others those that they wrote to members of their part."""

    empty_words = _("写好一条，先预览给同事，另一位确认后按标签或名单发出去")
    list_display = ("name", "summary", "audience_name", "state_label", "numbers", "goes", "written")
    list_select_related = ("account",)
    list_filter = (StateFilter, AudienceFilter, "account")
    search_fields = ("name", "text", "article_title")
    search_help_text = _("按名称、文字或图文标题查找")
    ordering = ("-pk",)

    class Media:
        js = ("admin_xiaoer/replies.js", "admin_xiaoer/mass.js")

    def get_queryset(self, request: HttpRequest) -> Any:
        """A long list's parts are no rows of their own here."""
        return super().get_queryset(request).filter(whole=None)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.has_perm("campaigns.add_massmessage"))

    @column(_("内容"))
    def summary(self, row: MassMessage) -> str:
        return words.summary_words(row)

    @column(_("发给谁"), ordering="audience")
    def audience_name(self, row: MassMessage) -> str:
        return words.audience_words(row)

    @column(_("状态"), ordering="state", labels=words.COLOURS)
    def state_label(self, row: MassMessage) -> tuple[str, str]:
        return row.state, str(row.get_state_display())

    @column(_("收到 / 目标"))
    def numbers(self, row: MassMessage) -> str:
        if row.total_count is not None:
            return f"{thousands(row.reached_count or 0)} / {thousands(row.total_count)}"
        return "—" if row.expected_count is None else _now("约 %(n)s") % {"n": thousands(row.expected_count)}

    @column(_("发送时间"), ordering="send_at")
    def goes(self, row: MassMessage) -> str:
        return when(row.sent_at or row.send_at)

    @column(_("编写"), ordering="written_at")
    def written(self, row: MassMessage) -> str:
        return f"{row.written_by} {when(row.written_at)}"

    def get_custom_urls(self) -> tuple[tuple[str, str, Any], ...]:
        return (
            ("drafts/<int:account_id>/", "campaigns_mass_drafts", self.drafts_view),
            ("<int:pk>/edit/", "campaigns_mass_edit", self.edit_view),
            ("<int:pk>/confirm/", "campaigns_mass_confirm", self.confirm_view),
            ("<int:pk>/do/<slug:verb>/", "campaigns_mass_do", self.do_view),
        )

    # Writing

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """A new one, of the account that the address names, else of the oldest."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        officials = list_officials()
        if not officials:
            messages.error(request, _now("还没有启用的公众号，请先添加账号"))
            return HttpResponseRedirect(reverse(_LIST))
        wanted = request.GET.get("account", "")
        account = next((one for one in officials if str(one.id) == wanted), officials[0])
        return self._write(request, account, None)

    def edit_view(self, request: HttpRequest, pk: int, model_admin: Any = None) -> HttpResponse:
        row = self.open_row(request, pk)
        if not self.has_operate_permission(request) or row.state != MassState.DRAFT:
            raise PermissionDenied
        return self._write(request, get_account(row.account_id), row)

    def _write(self, request: HttpRequest, account: AccountCard, row: MassMessage | None) -> HttpResponse:
        sent = (request.POST, request.FILES) if request.method == "POST" else (None, None)
        first = {} if row is None else initial_of(row)
        form = MassForm(account, *sent, known=row, initial=first)
        if form.is_bound and form.is_valid():
            try:
                saved = self._save(request, form, row)
            except Refusal as refusal:
                add_refusal(form, refusal)
            else:
                messages.success(request, _now("已保存，还没有发送"))
                return HttpResponseRedirect(row_url(saved.pk))
        context = {
            "title": _now("写群发消息") if row is None else _now("修改「%(name)s」") % {"name": row.name},
            "form": form,
            "account": account,
            "other_accounts": [one for one in list_officials() if one.id != account.id]
            if row is None
            else [],
            "row": row,
            "revision": row.revision if row else 0,
            "draft_choices": _known_drafts(form, row),
            "chosen": form["article"].value() or "",
            "list_count": row.recipients.count() if row else 0,
            "back_url": row_url(row.pk) if row else reverse(_LIST),
            "media": self.media + form.media,
        }
        return self._page(request, "form.html", context)

    def drafts_view(self, request: HttpRequest, account_id: int, model_admin: Any = None) -> HttpResponse:
        """The articles to choose from, asked of WeChat when somebody wants to send one."""
        if not (self.has_add_permission(request) or self.has_operate_permission(request)):
            raise PermissionDenied
        account = next((one for one in list_officials() if one.id == account_id), None)
        drafts, why = ((), "") if account is None else read_drafts(account)
        choices = draft_choices(drafts, why)
        chosen = request.GET.get("article", "")
        return self._page(request, "_drafts.html", {"draft_choices": choices, "chosen": chosen})

    def _save(self, request: HttpRequest, form: MassForm, row: MassMessage | None) -> MassMessage:
        cleaned = form.cleaned_data
        if cleaned["audience"] != LIST and not request.user.is_superuser:
            raise MassForHeadOffice(field="audience")
        media_id, title = form.article_of()
        return services.save_mass_message(
            draft=MassDraft(
                account_id=form.account.id,
                name=cleaned["name"],
                content=MassContent(
                    cleaned["kind"],
                    text=cleaned["text"],
                    picture=_stored(cleaned, row),
                    media_id=media_id,
                ),
                audience=cleaned["audience"],
                purpose=cleaned["purpose"],
                article_title=title,
                tag_id=int(cleaned["tag"]) if cleaned["audience"] == TAG else None,
                **self._list_of(request, form),
            ),
            message_id=None if row is None else row.pk,
            revision=_number(request.POST.get("revision", "")),
            actor=staff_actor(request),
        )

    def _list_of(self, request: HttpRequest, form: MassForm) -> dict[str, Any]:
        """Whom the file or the pasted text names; nothing when the list stays."""
        cleaned, staff = form.cleaned_data, request.user
        app_id, upload = form.account.app_id, cleaned.get("file")
        if cleaned["audience"] != LIST or not (upload or cleaned["pasted"].strip()):
            return {}
        try:
            if upload:
                found = services.read_mass_list(stream=upload, staff=staff, app_id=app_id)  # type: ignore[arg-type]
                name = upload.name[-80:]
            else:
                found = services.read_pasted_list(text=cleaned["pasted"], staff=staff, app_id=app_id)  # type: ignore[arg-type]
                name = _now("贴入的名单")
        except Refusal as refusal:
            refusal.details.setdefault("field", "file" if upload else "pasted")
            raise
        return {"member_ids": found.member_ids, "bad_lines": found.bad_lines, "list_name": name}

    # Looking, trying

    def row_page(self, request: HttpRequest, row: MassMessage) -> HttpResponse:
        account = get_account(row.account_id)
        may_operate = self.has_operate_permission(request)
        may_try = may_operate and row.state in _OPEN
        form = PreviewForm(account, request.POST if request.method == "POST" and may_try else None)
        if form.is_bound and form.is_valid() and self._preview(request, row, form):
            return HttpResponseRedirect(request.path)
        is_open = row.state in _OPEN
        context = {
            "title": row.name,
            "original": row,
            "row": row,
            "account": account,
            "state": row.get_state_display(),
            "why": words.why_words(row),
            "standing": words.standing_words(row),
            "is_bad": words.COLOURS[row.state] == "danger",
            "audience": words.audience_words(row),
            "facts": self._facts(row),
            "result": words.result_lines(row),
            "bad_lines": words.bad_line_words(row),
            "reach_lines": words.reach_lines(row, estimate_reach(row)) if is_open else [],
            "left_out": [] if is_open else words.left_out_lines(count_left_out(row)),
            "use_lines": words.use_lines(row, get_mass_use(account_id=row.account_id)) if is_open else [],
            "reply": _bubble(row),
            "form": form if may_try else None,
            "is_previewed": row.previewed_revision == row.revision,
            "media": self.media + form.media,
            **self._buttons(request, row, may_operate=may_operate),
            **self.below_form(request, row),
        }
        return self._page(request, "message.html", context)

    def _facts(self, row: MassMessage) -> list[tuple[Any, str]]:
        facts = [
            (_("类型"), str(row.get_kind_display())),
            (_("编写"), self.written(row)),
        ]
        if row.audience == MassAudienceKind.LIST:
            facts.append((_("用途"), str(row.get_purpose_display())))
        if row.part_count:
            facts.append((_("分段"), words.part_words(row.part_count, count_parts(row))))
        if row.confirmed_at:
            facts.append((_("确认"), f"{row.confirmed_by} {when(row.confirmed_at)}"))
        facts += [
            (name, when(moment))
            for name, moment in (
                (_("计划发送"), row.send_at if row.state != MassState.DRAFT else None),
                (_("微信收下"), row.sent_at),
                (_("发完"), row.settled_at),
                (_("图文已删除"), row.deleted_at),
            )
            if moment
        ]
        if row.expected_count is not None and row.state != MassState.DRAFT:
            facts.append((_("确认时预计"), _now("%(n)s 位") % {"n": thousands(row.expected_count)}))
        return facts

    def _buttons(self, request: HttpRequest, row: MassMessage, *, may_operate: bool) -> dict[str, Any]:
        """Only what the state allows and this account may."""
        is_draft = row.state == MassState.DRAFT
        may_confirm = self.has_confirm_permission(request)
        is_own = row.written_by_id == request.user.pk and needs_second_person()
        has_gone = row.state in (MassState.SENT, MassState.FINISHED)
        was_taken = bool(row.message_id or row.part_count)
        is_deletable = row.kind == MassKind.ARTICLE and was_taken and row.deleted_at is None
        return {
            "may_edit": may_operate and is_draft,
            "may_confirm": may_confirm and is_draft and not is_own,
            "waits_for_second": is_draft and may_confirm and is_own,
            "may_recall": may_operate and row.state in (MassState.CONFIRMED, MassState.FAILED),
            "may_copy": may_operate and row.state not in _OPEN,
            "may_ask_again": may_confirm and row.state == MassState.UNCERTAIN,
            "may_delete": may_confirm and has_gone and is_deletable,
        }

    def _preview(self, request: HttpRequest, row: MassMessage, form: PreviewForm) -> bool:
        outcome = services.preview_mass_message(
            message_id=row.pk,
            openid=form.cleaned_data["openid"],
            wxname=form.cleaned_data["wxname"].strip(),
            actor=staff_actor(request),
        )
        if outcome.state == "sent":
            messages.success(request, _now("预览已发到她的微信里"))
            return True
        why = verdicts.words_of(outcome.code)
        form.add_error(None, f"{why}（{outcome.errcode}）" if outcome.errcode else why)
        return False

    def open_row(self, request: HttpRequest, pk: int) -> MassMessage:
        row = self.subject(request, str(pk))
        if not isinstance(row, MassMessage) or not self.has_view_permission(request, row):
            raise PermissionDenied
        return row

    def _page(self, request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
        whole = {**self.admin_site.each_context(request), "opts": self.opts, **context}
        return TemplateResponse(request, f"admin/xiaoer/mass/{template}", whole)


def _known_drafts(form: MassForm, row: MassMessage | None) -> list[tuple[str, str]]:
    """Before WeChat is asked anew: what was read for this form, and the article that the draft has."""
    choices = draft_choices(form.drafts.values())
    if row is not None and row.article_media_id and row.article_media_id not in form.drafts:
        choices.append((row.article_media_id, row.article_title or row.article_media_id))
    return choices


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0


def _stored(cleaned: dict[str, Any], row: MassMessage | None) -> str:
    """The picture's name in the storage: the uploaded one, else the draft's."""
    if cleaned["kind"] != MassKind.IMAGE:
        return ""
    picture = cleaned.get("picture")
    if picture:
        return default_storage.save(f"mass/{picture.name}", picture)
    return "" if row is None else row.picture.name or ""


def _bubble(row: MassMessage) -> dict[str, Any]:
    """The message as the phone shows it."""
    return {
        "kind": row.kind,
        "text": row.text,
        "picture_url": row.picture.url if row.picture else "",
        "title": row.article_title or _now("图文 %(id)s") % {"id": row.article_media_id[:12]},
    }
