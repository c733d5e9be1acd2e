"""P10 for a whole campaign: launched, released and sent to the last message, by one worker of campaigns and two senders on the
stub, against the time that its rate allows; and how well a run's page tells when it will have been released.

BENCH_CAMPAIGN_COUNT (8,000) members at BENCH_CAMPAIGN_RATE (200) a second. At most 5,000 messages lie in the queue, so that
what comes after them is released at the rate at which they leave.
"""

import concurrent.futures
import json
import os
from typing import Any, Final

from bench.figures import Figure, Report
from bench.private import FILLER, Private, private_database
from bench.wechat_sends import LATENCY_MS, RATE_SLACK, stub

COUNT: Final = int(os.environ.get("BENCH_CAMPAIGN_COUNT") or 8_000)
RATE: Final = int(os.environ.get("BENCH_CAMPAIGN_RATE") or 200)
# From the launch to the last message, against the time that the rate allows: a few seconds before the first one leaves.
TARGET: Final = 1.15
_SETUP: Final = "import django; django.setup(); from bench import reach_senders as senders;"
_PREPARE: Final = """
senders.prepare()
from campaigns.models import TopicTemplate
TopicTemplate.objects.create(topic="marketing", kind="template", account_id=TopicTemplate.objects.get().account_id,
    template_id=senders.TEMPLATE_ID, fields={"thing1": {"value": "title"}, "amount2": {"words": "9.90元"},
                                             "time3": {"words": "2026-12-01 10:00"}})
print(1)
"""
_PEOPLE: Final = (
    """INSERT INTO members_memberidentity (member_id, kind, app_id, value, linked_at, given_through)
       SELECT id, 'openid', 'wxopenid', 'openid' || lpad(id::text, 24, '0'), now(), '{}' FROM members_member""",
    """INSERT INTO wechat_follower (account_id, openid, is_following, followed_at, first_scene, unionid, window_until)
       SELECT (SELECT id FROM wechat_account WHERE kind = 'official'), value, true, now(), '', '', NULL
       FROM members_memberidentity""",
    """INSERT INTO members_consentkind (code, title, "order", is_required, offers_erasure)
       VALUES ('marketing', 'news', 0, false, false)""",
    """INSERT INTO members_consenttext (kind_id, version, title, body, change_note, created_at, published_by)
       SELECT id, 1, 'news', 'news', '', now(), '' FROM members_consentkind""",
    """INSERT INTO members_consententry (member_id, kind_id, text_id, action, door, at, actor, text_digest)
       SELECT member.id, text.kind_id, text.id, 'agreed', 'pos', now(), '', ''
       FROM members_member member, members_consenttext text""",
    "UPDATE campaigns_reachpolicy SET is_quiet_on = false",
    "VACUUM ANALYZE",
)
_CAMPAIGN: Final = """
import datetime as dt
from campaigns import services
from campaigns.models import Campaign, CampaignVariant, Segment
from core import clock
from core.actor import Actor
from core.models import StaffAccount
now, actor = clock.now(), Actor.system("bench")
rule = {"any": [{"is": "guides.bound"}, {"none": [{"is": "guides.bound"}]}]}
segment = Segment.objects.get(public_id=services.create_segment(name="all", kind="living", rule=rule, actor=actor))
row = Campaign.objects.create(name="bench", kind="reach", segment=segment, holdout_bp=0, state="approved", starts_at=now,
    next_run_at=now, ends_at=now + dt.timedelta(days=9), send_from=dt.time(0), send_until=dt.time(23, 59, 59, 999999),
    created_at=now, changed_at=now, author=StaffAccount.objects.get_or_create(username="bench")[0])
CampaignVariant.objects.create(campaign=row, letter="A", weight=1, acts=[{"do": "reach", "with": {
    "title": "news", "text": "come and see", "channels": ["template"]}}])
print(row.pk)
"""
# The worker of campaigns; a run of its job ends by itself, and the timetable begins the next.
_WORKER: Final = """
import time
from campaigns.models import CampaignRun
from campaigns.services.running import work_campaigns
while not CampaignRun.objects.filter(state="released").exists():
    work_campaigns()
    time.sleep(0.2)
print(1)
"""
_SENDER: Final = """
import sys, time
from campaigns.models import Reach
from campaigns.services import send_due_reaches
while Reach.objects.filter(state="sent").count() < int(sys.argv[1]):
    if not send_due_reaches():
        time.sleep(0.1)
print(1)
"""
# What the run's page said of its end, once a second: [[seconds since launch, seconds since launch at which it ends], …].
_WATCH: Final = """
import json, time
from campaigns.models import CampaignRun
from campaigns.selectors.runs import run_card
from core import clock
told = []
while (run := CampaignRun.objects.filter(launched_at__isnull=False).first()) is None or run.state != "released":
    at = clock.now()
    if run is not None and (card := run_card(run, at=at)).finishes_at is not None:
        told.append([(at - run.launched_at).total_seconds(), (card.finishes_at - run.launched_at).total_seconds()])
    time.sleep(1)
print(json.dumps([(run.released_at - run.launched_at).total_seconds(), told]))
"""


def bench() -> Report:
    """One run. Raises RuntimeError when a message was not sent, or twice."""
    with private_database() as private, stub(LATENCY_MS) as (base_url, count_posts):
        private.environment.update(REACH_THREADS="16", WECHAT_BASE_URL=base_url)
        private.job(_SETUP + _PREPARE)
        private.connection.execute(FILLER, {"stage": "member", "count": COUNT})
        for statement in _PEOPLE:
            private.connection.execute(statement)
        private.connection.execute("UPDATE wechat_sendlane SET rate_per_s = %s", (RATE,))
        private.job(_SETUP + _CAMPAIGN)
        released_s, told = _work(private)
        (sent, first_s, last_s) = private.state(
            "SELECT count(*), extract(epoch FROM min(reach.sent_at) - min(run.launched_at))::float,"
            " extract(epoch FROM max(reach.finished_at) - min(run.launched_at))::float"
            " FROM campaigns_reach reach, campaigns_campaignrun run WHERE reach.state = 'sent'"
        )
        if not sent == COUNT == count_posts():
            raise RuntimeError(f"{sent} sent, {count_posts()} arrived of {COUNT}")
    return _report(released_s, told, first_s, last_s)


def _work(private: Private) -> tuple[float, list[list[float]]]:
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        watch = pool.submit(private.job, _SETUP + _WATCH)
        senders = [pool.submit(private.job, _SETUP + _SENDER, str(COUNT)) for _one in range(2)]
        private.job(_SETUP + _WORKER)
        for sender in senders:
            sender.result()
        released_s, told = json.loads(" ".join(watch.result()))
    return released_s, told


def _report(released_s: float, told: list[list[float]], first_s: float, last_s: float) -> Report:
    allowed = COUNT / RATE
    rate = COUNT / (last_s - first_s)
    late = [abs(ends - released_s) / released_s for at, ends in told if at >= released_s / 2]
    figures = (
        Figure(
            f"P10 a campaign of {COUNT:,} at {RATE} a second, launch to last message, s",
            f"{allowed:,.1f}", f"{last_s:,.1f}", last_s / allowed, f"≤ {TARGET}", last_s / allowed <= TARGET,
        ),
        Figure(
            "messages a second from the first to the last",
            f"{RATE}", f"{rate:,.1f}", rate / RATE, f"≤ {1 + RATE_SLACK}", rate / RATE <= 1 + RATE_SLACK,
        ),
        Figure("from launch to the first message, s", ours=f"{first_s:,.2f}"),
        Figure("from launch to the last member's turn, s", ours=f"{released_s:,.1f}"),
    )  # fmt: skip
    words = f"{max(late):.0%} at most" if late else "never told"
    note = f"in the second half of the release the page was off about its end by {words} of the whole release"
    measured: dict[str, Any] = {"released_s": released_s, "first_s": first_s, "last_s": last_s, "told": told}
    return Report(figures, (note,), measured)
