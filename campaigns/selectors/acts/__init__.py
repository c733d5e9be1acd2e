"""Acts read, described and offered to builders."""

from campaigns.selectors.acts.kinds import ACT_KINDS, DEFAULT_TOPIC, ActKind
from campaigns.selectors.acts.parameters import PLACE, Page, Pick, Words
from campaigns.selectors.acts.reading import act_of, describe_act, find_act, read_act, write_act

__all__ = [
    "ACT_KINDS",
    "DEFAULT_TOPIC",
    "PLACE",
    "ActKind",
    "Page",
    "Pick",
    "Words",
    "act_of",
    "describe_act",
    "find_act",
    "read_act",
    "write_act",
]
