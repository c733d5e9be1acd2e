"""Ready-made journeys are put into the chain's list, switched off: somebody reads each before it writes to anybody."""

from campaigns.contracts.ready_made import READY_MADE
from campaigns.models import Journey, JourneyState
from campaigns.services.journeys.desk import create_journey
from core.actor import Actor


def install_ready_made(*, actor: Actor) -> list[str]:
    """Those that are not there yet are, as drafts; their names. One that was renamed or changed stays as it is."""
    live = Journey.objects.exclude(state=JourneyState.ENDED)
    there = set(live.values_list("made_as", flat=True))
    names = set(live.values_list("name", flat=True))
    made = []
    for one in READY_MADE:
        if one.code in there:
            continue
        name = one.name if one.name not in names else f"{one.name}（现成）"
        create_journey(name=name, note=one.note, draft=one.definition, made_as=one.code, actor=actor)
        made.append(name)
    return made
