"""Writes of journeys."""

from campaigns.services.journeys.copying import copy_journey, restore_version
from campaigns.services.journeys.desk import (
    create_journey,
    end_journey,
    pause_journey,
    publish_journey,
    save_draft,
    start_journey,
)
from campaigns.services.journeys.entering import Entry, enrol_member, let_in
from campaigns.services.journeys.gifts import choose_gift
from campaigns.services.journeys.guiding import take_member_out
from campaigns.services.journeys.hearing import hear_moments
from campaigns.services.journeys.installing import install_ready_made
from campaigns.services.journeys.keeping import (
    exit_enrolment,
    finish_ended_journeys,
    fold_journey_counts,
    prune_journey_steps,
    retry_enrolment,
    retry_parked,
)
from campaigns.services.journeys.looking import look_for_dates
from campaigns.services.journeys.running import run_journeys, work_journeys

__all__ = [
    "Entry",
    "choose_gift",
    "copy_journey",
    "create_journey",
    "end_journey",
    "enrol_member",
    "exit_enrolment",
    "finish_ended_journeys",
    "fold_journey_counts",
    "hear_moments",
    "install_ready_made",
    "let_in",
    "look_for_dates",
    "pause_journey",
    "prune_journey_steps",
    "publish_journey",
    "restore_version",
    "retry_enrolment",
    "retry_parked",
    "run_journeys",
    "save_draft",
    "start_journey",
    "take_member_out",
    "work_journeys",
]
