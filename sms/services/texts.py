"""Signs and templates: kept by staff, approved by the provider, filled for whoever sends."""

import datetime as dt
import logging
import re
from collections.abc import Mapping, Sequence
from typing import Final, cast

from django.conf import settings
from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from core import audit, clock
from core.actor import Actor
from core.models import changed_fields
from sms import wording
from sms.contracts import PurposeName, SmsText, TemplateName, TextCard
from sms.errors import (
    ProviderAway,
    ProviderRefuses,
    SignUnusable,
    SmsNotSetUp,
    TemplateUnusable,
    TextGone,
    TextUnfit,
)
from sms.gateways import ProviderError, gateway
from sms.models import Purpose, ReviewState, SmsSign, SmsTemplate

logger = logging.getLogger(__name__)

_SIGN: Final = re.compile(r"[\u4e00-\u9fffA-Za-z0-9]{2,12}")
_CODE: Final = re.compile(r"[A-Za-z0-9_-]{1,40}")
MOST_CHARACTERS: Final = 100  # of one place
_FAULTS: Final[Mapping[str, str | Promise]] = {
    "code": _("模板 ID 只能用字母、数字和横线"),
    "text": _("正文不能空，不超过 500 个字，变量要从 {1} 起连续编号"),
    "one_gap": _("验证码模板只能有一个变量 {1}"),
    "opt_out": _("营销短信的正文要写明怎么退订，如“拒收请回复R”"),
}


def list_texts() -> Sequence[TextCard]:
    """Every template, by title; those that cannot be used say why."""
    default = SmsSign.objects.filter(is_default=True).first()
    rows = SmsTemplate.objects.select_related("sign").order_by("title", "pk")
    return [_card(row, row.sign or default) for row in rows]


def get_text(template_id: int) -> TextCard:
    """The template of our row. Raises TextGone."""
    for card in list_texts():
        if card.id == template_id:
            return card
    raise TextGone


def fill_text(card: TextCard, values: Sequence[str]) -> SmsText:
    """The template with these values in {1}, {2} …, made to fit. Raises TextUnfit naming the place, and where the whole is
    longer than the provider sends."""
    params = []
    for gap, value in zip(range(1, card.gap_count + 1), values, strict=True):
        try:
            params.append(wording.fit_param(value, limit=card.gap_limit, is_code=card.purpose == "code"))
        except TextUnfit as refusal:
            raise TextUnfit(gap=gap, rule=refusal.details["rule"]) from refusal
    whole = wording.fill(card.text, card.sign, params)
    if len(whole) > wording.LONGEST:
        raise TextUnfit(gap=0, rule=str(wording.LONGEST))
    return SmsText(card.id, card.code, card.sign, card.purpose, tuple(params), whole)


def own_text(name: TemplateName, params: Mapping[str, str]) -> SmsText:
    """One of our own texts, by the approved template of its purpose. Raises SmsNotSetUp while there is none, and TextUnfit.

    The console gateway needs no template: it prints our own wording.
    """
    values = [params[place] for place in wording.OWN_PLACES[name]]
    card = next(
        (
            one
            for one in list_texts()
            if one.purpose == "code" and not one.trouble and one.gap_count == len(values)
        ),
        None,
    )
    if card is not None:
        return fill_text(card, values)
    if settings.SMS_GATEWAY != "console":
        raise SmsNotSetUp
    whole = wording.fill(wording.OWN_TEXTS[name], settings.BRAND_NAME, values)
    return SmsText(0, name, settings.BRAND_NAME, "code", tuple(values), whole)


def save_template(
    *,
    template_id: int | None,
    code: str,
    title: str,
    purpose: str,
    text: str,
    sign_id: int | None,
    gap_limit: int,
    is_on: bool,
    state: str,
    actor: Actor,
    at: dt.datetime | None = None,
) -> int:
    """The template is kept so; its id. `state` is what staff see in the provider's console; the next synchronisation asks.

    Refuses (TemplateUnusable) an unusable id, places that are not {1} to {n}, a code template with other than one place,
    and marketing without the words by which she can refuse it.
    """
    title, text = " ".join(title.split()), text.strip()
    _check_template(code, title, purpose, text, gap_limit)
    values = {
        "code": code,
        "title": title,
        "purpose": purpose,
        "text": text,
        "sign_id": sign_id,
        "gap_limit": gap_limit,
        "is_on": is_on,
        "state": state,
    }
    with transaction.atomic():
        if template_id is None:
            row = SmsTemplate.objects.create(**values)
            audit.record(action="sms.template_added", subject=row, actor=actor, at=at, code=code)
            return row.pk
        rows = SmsTemplate.objects.filter(pk=template_id).lock_rows()
        if not rows:
            raise TextGone
        changed = changed_fields(rows[0], **values)
        if changed:
            rows[0].save(update_fields=changed)
            audit.record(
                action="sms.template_changed", subject=rows[0], actor=actor, at=at, code=code, fields=changed
            )
    return template_id


def _check_template(code: str, title: str, purpose: str, text: str, gap_limit: int) -> None:
    if not _CODE.fullmatch(code):
        raise TemplateUnusable(_sentence("code"), field="code")
    if not title or purpose not in Purpose.values or not 1 <= gap_limit <= MOST_CHARACTERS:
        raise TemplateUnusable(field="title")
    for fault in list_text_faults(purpose, text):
        raise TemplateUnusable(fault, field="text")


def list_text_faults(purpose: str, text: str) -> list[str]:
    """Why a template may not have this text, in words; nothing where it may."""
    faults = []
    if not text or len(text) > wording.LONGEST or not wording.is_numbered_well(text):
        faults.append("text")
    if purpose == Purpose.CODE and len(wording.gaps_of(text)) != 1:
        faults.append("one_gap")
    if purpose == Purpose.MARKETING and not wording.OPT_OUT.search(text):
        faults.append("opt_out")
    return [_sentence(fault) for fault in faults]


def _sentence(fault: str) -> str:
    return str(_FAULTS[fault])


def save_sign(
    *,
    sign_id: int | None,
    name: str,
    provider_id: str,
    is_default: bool,
    state: str,
    actor: Actor,
    at: dt.datetime | None = None,
) -> int:
    """The sign is kept so; its id. A new default takes the place of the old one. Refuses (SignUnusable) a name that the
    provider would."""
    if not _SIGN.fullmatch(name):
        raise SignUnusable(field="name")
    values = {"name": name, "provider_id": provider_id, "is_default": is_default, "state": state}
    with transaction.atomic():
        known = {row.pk: row for row in SmsSign.objects.order_by("pk").lock_rows()}
        if is_default:
            SmsSign.objects.filter(is_default=True).exclude(pk=sign_id or 0).update(is_default=False)
        if sign_id is None:
            row = SmsSign.objects.create(**values)
            audit.record(action="sms.sign_added", subject=row, actor=actor, at=at)
            return row.pk
        if sign_id not in known:
            raise SignUnusable(field="name")
        row = known[sign_id]
        changed = changed_fields(row, **values)
        if changed:
            row.save(update_fields=changed)
            audit.record(action="sms.sign_changed", subject=row, actor=actor, at=at, fields=changed)
    return sign_id


def sync_reviews(*, actor: Actor, at: dt.datetime | None = None) -> int:
    """Signs and templates stand as the provider says; how many changed. A template's text is the provider's: what it approved
    is what it sends. Raises ProviderAway, ProviderRefuses and SmsNotSetUp."""
    now = at or clock.now()
    provider = gateway()
    templates = list(SmsTemplate.objects.order_by("pk"))
    signs = list(SmsSign.objects.exclude(provider_id="").order_by("pk"))
    try:
        of_templates = provider.review_templates([row.code for row in templates])
        of_signs = provider.review_signs([row.provider_id for row in signs])
    except ProviderError as error:
        if error.is_away:
            raise ProviderAway from error
        raise ProviderRefuses(code=error.code) from error
    changed = 0
    for row in templates:
        review = of_templates.get(row.code)
        text = row.text if review is None or not review.text else review.text
        state = ReviewState.GONE if review is None else ReviewState(review.state)
        note = "" if review is None else review.note
        changed += _settle_review(row, now, actor, state=state, review_note=note, text=text)
    for sign in signs:
        review = of_signs.get(sign.provider_id)
        state = ReviewState.GONE if review is None else ReviewState(review.state)
        note = "" if review is None else review.note
        changed += _settle_review(sign, now, actor, state=state, review_note=note)
    return changed


def _settle_review(
    row: SmsTemplate | SmsSign, at: dt.datetime, actor: Actor, **values: str | ReviewState
) -> bool:
    changed = changed_fields(row, **values)
    with transaction.atomic():
        type(row)._default_manager.filter(pk=row.pk).update(checked_at=at, **{n: values[n] for n in changed})
        if changed:
            audit.record(action="sms.review_changed", subject=row, actor=actor, at=at, state=values["state"])
    return bool(changed)


def note_refused(*, text: SmsText, is_sign: bool, at: dt.datetime) -> None:
    """The provider does not know this template, or its sign: nothing more is sent by it until it is approved."""
    rows = (
        SmsSign.objects.filter(name=text.sign) if is_sign else SmsTemplate.objects.filter(pk=text.template_id)
    )
    if rows.filter(state=ReviewState.APPROVED).update(state=ReviewState.REJECTED, checked_at=at):
        logger.error("sms.review_lost", extra={"template": text.code, "is_sign": is_sign})


def _card(row: SmsTemplate, sign: SmsSign | None) -> TextCard:
    return TextCard(
        id=row.pk,
        code=row.code,
        title=row.title,
        text=row.text,
        purpose=cast(PurposeName, row.purpose),
        sign="" if sign is None else sign.name,
        gap_count=len(wording.gaps_of(row.text)),
        gap_limit=row.gap_limit,
        has_opt_out=wording.OPT_OUT.search(row.text) is not None,
        trouble=_trouble(row, sign),
    )


def _trouble(row: SmsTemplate, sign: SmsSign | None) -> str:
    if not row.is_on:
        return "sms.template_off"
    if row.state != ReviewState.APPROVED:
        return "sms.bad_template"
    if sign is None or sign.state != ReviewState.APPROVED:
        return "sms.bad_sign"
    return "" if wording.is_numbered_well(row.text) else "sms.bad_template"
