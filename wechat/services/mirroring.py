"""Rows that mirror a list of WeChat's: templates, followers' tags. WeChat is the truth of what there is."""

import datetime as dt
from collections.abc import Collection, Mapping
from typing import Any, TypeVar

from django.db import transaction

from core import audit
from core.actor import Actor
from core.models import changed_fields
from wechat.contracts import Mirrored
from wechat.models import Account, FollowerTag, MessageTemplate

Row = TypeVar("Row", MessageTemplate, FollowerTag)


def mirror_rows(
    model: type[Row],
    *,
    key: str,
    account_id: int,
    found: Mapping[Any, Mapping[str, Any]],
    restless: Collection[str] = (),
    actor: Actor,
    at: dt.datetime,
) -> Mirrored:
    """The account's rows are as `found` says, by WeChat's own key; those it has no more are marked, not deleted.

    `restless`: columns that change all the time, and alone make no news of a row. Two at once end the same: the account's
    row is locked. The trail has it when a person asked, or something changed.
    """
    with transaction.atomic():
        account = Account.objects.lock(account_id)
        mine = model.objects.filter(account_id=account_id)
        known = {getattr(row, key): row for row in mine}
        added = [name for name in found if name not in known]
        changed = [
            name for name, values in found.items() if name in known and _update(known[name], values, restless)
        ]
        mine.filter(**{f"{key}__in": found}).update(synced_at=at)
        model.objects.bulk_create(
            model(account_id=account_id, synced_at=at, **{key: name}, **found[name]) for name in added
        )
        gone = mine.live().exclude(**{f"{key}__in": found}).update(gone_at=at)
        result = Mirrored(len(found), len(added), len(changed), gone)
        if actor.kind != "system" or added or changed or gone:
            audit.record(
                action=f"wechat.{model._meta.model_name}s.sync",
                subject=account,
                actor=actor,
                at=at,
                new_count=result.added_count,
                changed_count=result.changed_count,
                gone_count=result.gone_count,
            )
    return result


def _update(row: Row, values: Mapping[str, Any], restless: Collection[str]) -> bool:
    """Whether something a reader would see is different, or it came back."""
    names: list[str] = changed_fields(row, **values, gone_at=None)
    if names:
        row.save(update_fields=names)
    return bool({*names} - {*restless})
