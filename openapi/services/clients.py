"""Clients of the API: who may call, with which secret, until when."""

import datetime as dt
import re
import secrets
from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _

from core import audit, clock
from core.actor import Actor
from openapi.contracts import ClientTerms, NewSecret
from openapi.errors import ClientRevoked, ClientUnusable, NoSuchClient
from openapi.models import ApiClient, ApiSecret, ClientKind, ClientState, Scope

# A prefix lets scanners for leaked secrets, and people reading a log, see what it is.
_PREFIX: Final = "xks_"
MOST_PER_MINUTE: Final = 60_000
LONGEST_OVERLAP: Final = dt.timedelta(days=30)
_SOURCE: Final = re.compile(r"[A-Za-z0-9_\-]{1,16}")


def create_client(*, terms: ClientTerms, actor: Actor, at: dt.datetime | None = None) -> NewSecret:
    """The client exists and may call; its secret is told here and never again. Refuses unusable terms."""
    at = at or clock.now()
    terms = _usable(terms)
    with transaction.atomic():
        client = ApiClient.objects.create(
            name=terms.name,
            kind=terms.kind,
            store_id=terms.store_id,
            dealer_id=terms.dealer_id,
            scopes=list(terms.scopes),
            per_minute=terms.per_minute,
            source=terms.source,
            created_at=at,
        )
        secret = _new_secret(client, at)
        audit.record(action="openapi.client_created", subject=client, actor=actor, at=at)
    return NewSecret(client.pk, client.key_id, secret)


def change_client(*, client_id: int, terms: ClientTerms, actor: Actor, at: dt.datetime | None = None) -> None:
    """The client may do this, there, so often. For whom it acts stays: another place is another client, for what it
    did is told apart by its key. Refuses a revoked one and unusable terms."""
    at = at or clock.now()
    terms = _usable(terms)
    with transaction.atomic():
        client = _lock_active(client_id)
        if (client.store_id, client.dealer_id) != (terms.store_id, terms.dealer_id):
            raise ClientUnusable(field="store")
        client.name, client.kind = terms.name, terms.kind
        client.scopes, client.per_minute = list(terms.scopes), terms.per_minute
        client.source = terms.source
        client.save(update_fields=["name", "kind", "scopes", "per_minute", "source"])
        audit.record(
            action="openapi.client_changed", subject=client, actor=actor, at=at, scopes=sorted(terms.scopes)
        )


def rotate_secret(
    *, client_id: int, overlap: dt.timedelta, actor: Actor, at: dt.datetime | None = None
) -> NewSecret:
    """The client has a new secret, told here and never again; the one before signs until the overlap is over.

    No more than two sign at a time: what is older ends now. Refuses a revoked client and an overlap above 30 days.
    """
    at = at or clock.now()
    if not dt.timedelta(0) <= overlap <= LONGEST_OVERLAP:
        raise ClientUnusable(field="overlap")
    with transaction.atomic():
        client = _lock_active(client_id)
        ApiSecret.objects.filter(client=client, ends_at__gt=at).update(ends_at=at)
        ApiSecret.objects.filter(client=client, ends_at__isnull=True).update(ends_at=at + overlap)
        secret = _new_secret(client, at)
        audit.record(action="openapi.secret_rotated", subject=client, actor=actor, at=at)
    return NewSecret(client.pk, client.key_id, secret, at + overlap)


def revoke_client(*, client_id: int, actor: Actor, at: dt.datetime | None = None) -> None:
    """The client may call no more, from its next request on, for good; doing it again changes nothing."""
    at = at or clock.now()
    with transaction.atomic():
        client = _lock(client_id)
        if client.state == ClientState.REVOKED:
            return
        client.state, client.revoked_at = ClientState.REVOKED, at
        client.save(update_fields=["state", "revoked_at"])
        audit.record(action="openapi.client_revoked", subject=client, actor=actor, at=at)


def _lock(client_id: int) -> ApiClient:
    rows = ApiClient.objects.lock_all([client_id])
    if not rows:
        raise NoSuchClient
    return rows[0]


def _lock_active(client_id: int) -> ApiClient:
    client = _lock(client_id)
    if client.state == ClientState.REVOKED:
        raise ClientRevoked
    return client


def _new_secret(client: ApiClient, at: dt.datetime) -> str:
    secret = f"{_PREFIX}{secrets.token_urlsafe(32)}"
    ApiSecret.objects.create(client=client, secret=secret, created_at=at)
    return secret


def _usable(terms: ClientTerms) -> ClientTerms:
    name = " ".join(terms.name.replace("\0", "").split())
    checks = (
        ("name", 1 <= len(name) <= 40, _("名称请填写 1 到 40 个字")),
        ("kind", terms.kind in ClientKind.values, _("请选择类型")),
        ("scopes", bool(terms.scopes) and set(terms.scopes) <= set(Scope.values), _("请至少勾选一项权限")),
        ("dealer", terms.store_id is None or terms.dealer_id is None, _("门店和经销商只能选一个")),
        ("per_minute", 1 <= terms.per_minute <= MOST_PER_MINUTE, _("每分钟最多请求请填写 1 到 60000")),
        (
            "source",
            bool(_SOURCE.fullmatch(terms.source.strip())),
            _("单据来源请用 1 到 16 个字母、数字、- 或 _"),
        ),
    )
    for field, is_fine, words in checks:
        if not is_fine:
            raise ClientUnusable(words, field=field)
    return ClientTerms(
        name=name,
        kind=terms.kind,
        scopes=tuple(sorted(set(terms.scopes))),
        store_id=terms.store_id,
        dealer_id=terms.dealer_id,
        per_minute=terms.per_minute,
        source=terms.source.strip(),
    )
