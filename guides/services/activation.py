"""Activation: tying a guide to the WeChat account with which she opens the assistant."""

import datetime as dt
from typing import Final

from django.db import IntegrityError, transaction

from core import audit, clock, codes, crypto
from core.actor import Actor
from core.constraints import violated
from core.errors import NotFound
from guides.contracts import GuideCard
from guides.errors import (
    ActivationCodeUnusable,
    GuideAlreadyActivated,
    GuideHasLeft,
    TooManyActivationTries,
    WeChatAlreadyActivated,
)
from guides.models import ActivationCode, ActivationMiss, Guide, GuideLogin, GuideState
from guides.selectors.people import get_guide_card
from guides.services.people import lock_guide

CODE_LENGTH: Final = 10
CODE_LIFE: Final = dt.timedelta(days=7)
MISS_LIMIT: Final = 5
MISS_SPAN: Final = dt.timedelta(hours=1)


def issue_activation_code(*, guide_id: int, actor: Actor, at: dt.datetime | None = None) -> str:
    """A one-time code for this guide, good for seven days; shown once, only its digest is kept.

    It revokes the codes she was given before. Refuses one who has left.
    """
    at = at or clock.now()
    plain = codes.new_code(CODE_LENGTH)
    with transaction.atomic():
        guide = lock_guide(guide_id)
        if guide.state != GuideState.ACTIVE:
            raise GuideHasLeft
        ActivationCode.objects.filter(guide=guide, used_at__isnull=True, revoked_at__isnull=True).update(
            revoked_at=at
        )
        ActivationCode.objects.create(
            guide=guide, code_digest=crypto.digest(plain), created_at=at, expires_at=at + CODE_LIFE
        )
        audit.record(action="guides.activation_code_issued", subject=guide, actor=actor, at=at)
    return plain


def activate_guide(*, app_id: str, openid: str, code: str, at: dt.datetime | None = None) -> GuideCard:
    """The guide the code was issued for logs in with this WeChat account from now on.

    Wrong, expired, used and revoked codes get one and the same refusal; after five of them in an hour from
    one account every try is refused for the rest of the hour. Refuses an account that is another guide's,
    and a guide who has another account. Refuses to run inside a transaction: the count of misses must
    outlive the refusal. The same account and guide again is simply activated.
    """
    at = at or clock.now()
    plain = codes.normalize(code)
    guide_id: int | None = None
    with transaction.atomic(durable=True):
        miss = _lock_misses(app_id, openid, at)
        if miss.miss_count >= MISS_LIMIT:
            raise TooManyActivationTries
        if codes.is_code(plain, CODE_LENGTH):
            guide_id = _redeem(plain, app_id=app_id, openid=openid, at=at)
        miss.miss_count = miss.miss_count + 1 if guide_id is None else 0
        miss.save(update_fields=["started_at", "miss_count"])
    if guide_id is None:
        raise ActivationCodeUnusable(field="code")
    return get_guide_card(guide_id)


def remove_login(*, guide_id: int, actor: Actor, at: dt.datetime | None = None) -> GuideCard:
    """No WeChat account opens her assistant any more; her sessions end, a new code activates again."""
    with transaction.atomic():
        guide = lock_guide(guide_id)
        GuideLogin.objects.filter(guide=guide).delete()
        guide.session_epoch += 1
        guide.save(update_fields=["session_epoch"])
        audit.record(action="guides.login_removed", subject=guide, actor=actor, at=at)
        return get_guide_card(guide.pk)


def _lock_misses(app_id: str, openid: str, at: dt.datetime) -> ActivationMiss:
    """The account's counter, locked, so that parallel guesses count one after another."""
    index = crypto.blind_index(f"{app_id}\0{openid}", context="guides.activation")
    ActivationMiss.objects.get_or_create(openid_index=index, defaults={"started_at": at})
    [miss] = ActivationMiss.objects.filter(openid_index=index).lock_rows()
    if miss.started_at + MISS_SPAN <= at:
        miss.started_at, miss.miss_count = at, 0
    return miss


def _redeem(plain: str, *, app_id: str, openid: str, at: dt.datetime) -> int | None:
    found = ActivationCode.objects.filter(code_digest=crypto.digest(plain)).first()
    if found is None:
        return None
    try:
        guide = Guide.objects.lock(found.guide_id)
    except NotFound:
        return None
    code = ActivationCode.objects.lock(found.pk)
    unusable = code.used_at is not None or code.revoked_at is not None or code.expires_at <= at
    if unusable or guide.state != GuideState.ACTIVE:
        return None
    _open_login(guide, app_id=app_id, openid=openid, at=at)
    code.used_at = at
    code.save(update_fields=["used_at"])
    audit.record(
        action="guides.guide_activated", subject=guide, actor=Actor.guide(guide.pk, guide.name), at=at
    )
    return guide.pk


def _open_login(guide: Guide, *, app_id: str, openid: str, at: dt.datetime) -> None:
    current = GuideLogin.objects.filter(guide=guide, app_id=app_id).first()
    if current is not None and current.openid == openid:
        return
    if current is not None:
        raise GuideAlreadyActivated
    try:
        with transaction.atomic():
            GuideLogin.objects.create(guide=guide, app_id=app_id, openid=openid, activated_at=at)
    except IntegrityError as error:
        if violated(error) == "guidelogin_one_guide_per_openid":
            raise WeChatAlreadyActivated from None
        raise
