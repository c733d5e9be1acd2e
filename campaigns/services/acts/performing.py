"""One act for up to a thousand members: they are locked, then a few statements do it, in the caller's transaction."""

import datetime as dt
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final

from django.db import transaction

from campaigns.contracts.acts import KEY_LENGTH, MOST_TARGETS, Act, ActOutcome, ActTarget
from campaigns.errors import ActMemberGone
from campaigns.services.acts.asked import Asked, refused
from campaigns.services.acts.guides import follow_up
from campaigns.services.acts.holdings import give_coupons, give_points_to, tag
from campaigns.services.acts.outside import tell_endpoint
from campaigns.services.acts.reaching import reach
from core.actor import Actor
from core.errors import Conflict
from members import selectors as member_selectors
from members import services as member_services

Performer = Callable[..., Sequence[ActOutcome]]
_KEY: Final = re.compile(rf"[A-Za-z0-9_.:/\-]{{1,{KEY_LENGTH}}}")
_ATTEMPTS: Final = 5
_PERFORMERS: Final[Mapping[str, Performer]] = {
    "reach": reach,
    "coupon": give_coupons,
    "points": give_points_to,
    "tag": tag,
    "follow_up": follow_up,
    "webhook": tell_endpoint,
}


def perform(
    *,
    act: Act,
    targets: Sequence[ActTarget],
    living: Mapping[int, int] | None = None,
    actor: Actor,
    at: dt.datetime,
) -> list[ActOutcome]:
    """The act is done for each target, once for its key; what became of each, in order.

    In the caller's transaction, which does one act and locks no member before: the members are locked here, in their order.
    Whoever does several hands over what `lock_targets` told of these members as `living`. A merged row stands for the member
    it lives on in. What one member is refused changes nothing for the others. A key that was done before gets the same `ref`
    again and nothing happens twice; one that was refused is decided anew. A tag has no record of keys: who has it has it.
    Raises ValueError for unusable keys and too many targets.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("acts need transaction.atomic()")
    if len(targets) > MOST_TARGETS:
        raise ValueError(f"at most {MOST_TARGETS} at once")
    for target in targets:
        if not _KEY.fullmatch(target.key):
            raise ValueError(f"an unusable key: {target.key!r}")
    if living is None:
        living = lock_targets({target.member_id for target in targets})
    asked: dict[str, Asked] = {}
    for target in targets:
        if target.member_id in living:
            one = Asked(
                living[target.member_id], target.key, target.values, target.page, target.held_hundredths
            )
            asked.setdefault(target.key, one)
    told: dict[str, ActOutcome] = {}
    if asked:
        outcomes = _PERFORMERS[act.kind](act=act, asked=list(asked.values()), actor=actor, at=at)
        told = dict(zip(asked, outcomes, strict=True))
    gone = refused(ActMemberGone.code)
    return [told[target.key] if target.member_id in living else gone for target in targets]


def lock_targets(member_ids: Collection[int]) -> dict[int, int]:
    """The living row of each of these that has one, locked; asked again when one is merged while we wait for the locks."""
    for _attempt in range(_ATTEMPTS):
        living = member_selectors.list_living_targets(member_ids)
        # Rolling back to the savepoint gives the locks up: rows are only ever locked in pk order.
        with transaction.atomic():
            if member_services.lock_living(living.values()):
                return living
            transaction.set_rollback(True)
    raise Conflict
