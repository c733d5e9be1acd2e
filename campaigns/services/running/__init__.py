"""Campaigns while they run: launched, released, held, stopped."""

from campaigns.services.running.budget import settle_campaigns, settle_texts
from campaigns.services.running.clicks import note_click
from campaigns.services.running.following import follow_campaign, follow_campaigns
from campaigns.services.running.launching import freeze_audience, launch_due_campaigns
from campaigns.services.running.lead import MOST_QUEUED, hold_reaches, let_go_reaches
from campaigns.services.running.releasing import release_batch, release_campaigns
from campaigns.services.running.stopping import Stopped, stop_runs, sweep_stopped
from campaigns.services.running.working import work_campaigns

__all__ = [
    "MOST_QUEUED",
    "Stopped",
    "follow_campaign",
    "follow_campaigns",
    "freeze_audience",
    "hold_reaches",
    "launch_due_campaigns",
    "let_go_reaches",
    "note_click",
    "release_batch",
    "release_campaigns",
    "settle_campaigns",
    "settle_texts",
    "stop_runs",
    "sweep_stopped",
    "work_campaigns",
]
