"""Journeys read, described, drawn and counted."""

from campaigns.selectors.journeys.comparing import changes_between
from campaigns.selectors.journeys.counting import (
    journey_numbers,
    path_of,
    step_numbers,
    step_words,
    way_words,
)
from campaigns.selectors.journeys.drawing import Picture, draw
from campaigns.selectors.journeys.graph import back_ways, in_order, reachable, ways_of
from campaigns.selectors.journeys.kinds import STEP_KINDS, TRIGGER_KINDS, StepKind, TriggerKind
from campaigns.selectors.journeys.parameters import moment_names
from campaigns.selectors.journeys.reading import (
    definition_of,
    find_definition,
    read_definition,
    write_definition,
)
from campaigns.selectors.journeys.standing import Coming, coming_after

__all__ = [
    "STEP_KINDS",
    "TRIGGER_KINDS",
    "Coming",
    "Picture",
    "StepKind",
    "TriggerKind",
    "back_ways",
    "changes_between",
    "coming_after",
    "definition_of",
    "draw",
    "find_definition",
    "in_order",
    "journey_numbers",
    "moment_names",
    "path_of",
    "reachable",
    "read_definition",
    "step_numbers",
    "step_words",
    "way_words",
    "ways_of",
    "write_definition",
]
