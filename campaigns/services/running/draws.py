"""Who is in the control group, and who gets which variant: drawn by her id and the campaign's seed, nothing else."""

import hashlib
from collections.abc import Sequence
from typing import Any, Final

from campaigns.models import CampaignVariant

# PostgreSQL's hash of a bigint under a seed: what its hash partitions rest on, so it stays as it is between versions.
_DRAW: Final = "(hashint8extended(wanted.id, %s) & 9223372036854775807) %% %s"
_WHOLE_BP: Final = 10_000


def control_sql(*, seed: str, holdout_bp: int) -> tuple[str, list[Any]]:
    """True of who gets nothing."""
    return f"{_DRAW} < %s", [_part(seed, "control"), _WHOLE_BP, holdout_bp]


def letter_sql(*, seed: str, variants: Sequence[CampaignVariant]) -> tuple[str, list[Any]]:
    """The letter that she draws, by the variants' weights; apart from the draw for the control group."""
    if len(variants) == 1:
        return "%s", [variants[0].letter]
    words, params = [], []
    whole, upper = sum(one.weight for one in variants), 0
    for one in sorted(variants, key=lambda variant: variant.letter):
        upper += one.weight
        words.append(f"WHEN {_DRAW} < %s THEN %s")
        params += [_part(seed, "variant"), whole, upper, one.letter]
    return f"CASE {' '.join(words)} END", params


def _part(seed: str, what: str) -> int:
    """A number of 63 bits for one of the draws: draws with different ones have nothing to do with each other."""
    return int.from_bytes(hashlib.sha256(f"{seed}:{what}".encode()).digest()[:8], "big") >> 1
