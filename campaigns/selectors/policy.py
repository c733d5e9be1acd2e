"""What the chain decided about reaching members."""

import dataclasses
import datetime as dt
from typing import Final

from campaigns.contracts import CHANNELS, MARKETING_TOPICS, TOPICS, Cap, ChannelName, TopicTerms
from campaigns.models import FrequencyCap, ReachPolicy, TopicRule
from core import clock


@dataclasses.dataclass(frozen=True, slots=True)
class QuietHours:
    """From when to when, Shanghai time, members are left alone; None when the chain switched that off."""

    start: dt.time
    end: dt.time

    def end_of(self, at: dt.datetime) -> dt.datetime | None:
        """When the quiet ends that this instant lies in; None when it lies in none. The end itself is quiet no more."""
        here = at.astimezone(clock.SHANGHAI)
        now = here.time()
        overnight = self.start > self.end
        is_quiet = (now >= self.start or now < self.end) if overnight else self.start <= now < self.end
        if not is_quiet:
            return None
        day = here.date()
        if overnight and now >= self.start:
            day += dt.timedelta(days=1)
        return dt.datetime.combine(day, self.end, clock.SHANGHAI).astimezone(dt.UTC)


NIGHT: Final = QuietHours(dt.time(22), dt.time(8, 30))


@dataclasses.dataclass(frozen=True, slots=True)
class Policy:
    """Everything a sender needs of the chain's decisions."""

    quiet: QuietHours | None
    caps: tuple[Cap, ...]


def get_policy() -> Policy:
    """The chain's policy. Where the migration's row is gone the nights are quiet and nothing is capped."""
    row = ReachPolicy.objects.filter(pk=1).first()
    caps = FrequencyCap.objects.values_list("channel", "importance", "span", "most")
    if row is None:
        quiet: QuietHours | None = NIGHT
    else:
        quiet = QuietHours(row.quiet_from, row.quiet_until) if row.is_quiet_on else None
    return Policy(quiet, tuple(Cap(*cap) for cap in caps))


def list_topic_terms() -> dict[str, TopicTerms]:
    """How each topic is handled now."""
    rules = {rule.topic: rule for rule in TopicRule.objects.all()}
    terms = {}
    for code, topic in TOPICS.items():
        rule = rules.get(code)
        terms[code] = TopicTerms(
            topic=code,
            is_on=rule is None or rule.is_on,
            importance=topic.importance if rule is None or code in MARKETING_TOPICS else rule.importance,  # type: ignore[arg-type]
            channels=topic.channels if rule is None else split_channels(rule.channels),
            life_hours=topic.life_hours,
        )
    return terms


def split_channels(names: str) -> tuple[ChannelName, ...]:
    """The channels of a chain as a row keeps it, in the order in which they are tried; unknown names are left out."""
    known = set(names.split(","))
    return tuple(channel for channel in CHANNELS if channel in known)
