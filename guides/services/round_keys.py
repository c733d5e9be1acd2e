"""Under which reason the news of a round goes to a member, and back from the reason to the round."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from guides.models import FollowUpRound

_KEY: Final = re.compile(r"task:([0-9]{1,18}):[0-9]+")


def reason_key_of(*, round_id: int, member_id: int) -> str:
    """The reason of one member's part in a round."""
    return f"task:{round_id}:{member_id}"


def rounds_of(reason_keys: Iterable[str]) -> Mapping[str, int]:
    """Of these reasons those that are a round's, and which."""
    told = {key: int(found[1]) for key in reason_keys if (found := _KEY.fullmatch(key))}
    if not told:
        return {}
    known = set(FollowUpRound.objects.filter(pk__in=set(told.values())).values_list("pk", flat=True))
    return {key: round_id for key, round_id in told.items() if round_id in known}
