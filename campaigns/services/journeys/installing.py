"""Ready-made journeys are put into the chain's list, switched off: somebody reads each before it writes to anybody."""

from collections.abc import Collection, Mapping

from campaigns.contracts.ready_made import READY_MADE
from campaigns.contracts.ready_made_gifts import GIFTS, with_gift
from campaigns.models import Journey, JourneyState
from campaigns.services.journeys.desk import create_journey
from campaigns.services.journeys.gifts import check_gift
from core.actor import Actor


def install_ready_made(
    *, actor: Actor, codes: Collection[str] | None = None, coupons: Mapping[str, str] | None = None
) -> list[str]:
    """Those of these (all when None) that are not there yet are, as drafts; their names. One that was renamed or changed stays as
    it is. `coupons`: the batch of which a journey gives a coupon instead of points; refuses one that the system may not give
    of (JourneyGiftUnknown) before anything is installed."""
    gifts = {code: check_gift(batch) for code, batch in (coupons or {}).items() if code in GIFTS}
    live = Journey.objects.exclude(state=JourneyState.ENDED)
    there = set(live.values_list("made_as", flat=True))
    names = set(live.values_list("name", flat=True))
    made = []
    for one in READY_MADE:
        if one.code in there or (codes is not None and one.code not in codes):
            continue
        name = one.name if one.name not in names else f"{one.name}（现成）"
        draft = (
            with_gift(one.code, one.definition, gifts[one.code])[0] if gifts.get(one.code) else one.definition
        )
        create_journey(name=name, note=one.note, draft=draft, made_as=one.code, actor=actor)
        made.append(name)
    return made
