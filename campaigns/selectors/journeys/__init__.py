"""Journeys read, described, drawn and counted."""

from campaigns.selectors.journeys.graph import back_ways, reachable, ways_of
from campaigns.selectors.journeys.kinds import STEP_KINDS, TRIGGER_KINDS, StepKind, TriggerKind
from campaigns.selectors.journeys.parameters import moment_names
from campaigns.selectors.journeys.reading import (
    definition_of,
    find_definition,
    read_definition,
    write_definition,
)

__all__ = [
    "STEP_KINDS",
    "TRIGGER_KINDS",
    "StepKind",
    "TriggerKind",
    "back_ways",
    "definition_of",
    "find_definition",
    "moment_names",
    "reachable",
    "read_definition",
    "ways_of",
    "write_definition",
]
