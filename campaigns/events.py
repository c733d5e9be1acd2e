"""What `campaigns` announces."""

import dataclasses

from core.events import Event


@dataclasses.dataclass(frozen=True, slots=True)
class ReachesQueued(Event):
    """Reaches wait to be sent; one event may stand for many of them. A wake-up: `send_due_reaches` finds them too."""
