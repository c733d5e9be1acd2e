"""Texts with their placeholders filled, for many members at once."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence

from campaigns.contracts.acts import PLACEHOLDERS
from campaigns.selectors.acts import PLACE
from campaigns.services.acts.asked import Asked
from guides import selectors as guide_selectors
from members import selectors as member_selectors

Filler = Callable[[str, Asked], str]


def filler(*, texts: Sequence[str], asked: Sequence[Asked], at: dt.datetime) -> Filler:
    """What fills these texts for these members. Only what the texts say is read; values that came with a target win."""
    used = {name for text in texts for name in PLACE.findall(text)}
    ids = {one.member_id for one in asked}
    known: dict[str, Mapping[int, str]] = {}
    if "member" in used:
        cards = member_selectors.list_member_cards(ids)
        known["member"] = {pk: card.display_name for pk, card in cards.items() if card.is_named}
    if "points" in used:
        balances = member_selectors.list_points_balances(ids, at)
        known["points"] = {pk: f"{points:,}" for pk, points in balances.items()}
    if "tier" in used:
        known["tier"] = {pk: tier.name for pk, tier in member_selectors.list_member_tiers(ids, at).items()}
    if used & {"guide", "store"}:
        known |= guide_selectors.list_guide_words(ids)

    def fill(text: str, one: Asked) -> str:
        def value(name: str) -> str:
            if name in one.values:
                return str(one.values[name])
            return known.get(name, {}).get(one.member_id) or str(PLACEHOLDERS[name][1])

        return PLACE.sub(lambda found: value(found[1]) if found[1] in PLACEHOLDERS else found[0], text)

    return fill
