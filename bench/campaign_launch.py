"""A campaign's launch: its audience frozen into rows, and the rows released, against SQL written by hand and a bare floor.

On BENCH_MEMBERS_COUNT members (100,000 unless it is set; 1,000,000 is the target's), nine in ten of them with a guide and
one in two with a tier, in turns: a campaign of three variants with a control group is launched by the service, and the
same rows are written by a hand-written INSERT … SELECT into the same table, which is emptied between. Then BENCH_RELEASE_COUNT
members (10,000) of one run get a message, by the service, against the queueing of the same messages alone.
"""

import os
import sys
from typing import Any, Final

from bench.figures import Figure, Report, at_most, spread
from bench.private import LONG_MS, private_database

_MEMBERS: Final = int(os.environ.get("BENCH_MEMBERS_COUNT", "100000"))
_RELEASED: Final = int(os.environ.get("BENCH_RELEASE_COUNT", "10000"))
_ROUNDS: Final = int(os.environ.get("BENCH_LAUNCH_ROUNDS", "5"))
_LAUNCH_LIMIT: Final = 1.3
_SEED: Final = """
INSERT INTO guides_region (name, path) VALUES ('all', '/1/');
INSERT INTO guides_store (public_id, code, name, region_id, address, phone, opening_hours, is_active)
SELECT 's' || n, 'S' || n, 'store ' || n, (SELECT min(id) FROM guides_region), '', '', '[]', true
FROM generate_series(1, 500) n;
INSERT INTO guides_guide (public_id, number, name, store_id, role, state, joined_on, session_epoch)
SELECT 'g' || id, 'G' || id, 'guide ' || id, id, 'guide', 'active', current_date, 1 FROM guides_store;
INSERT INTO members_member (public_id, code, stage, name, name_tokens, gender, phone, phone_tail, source, source_scene,
                            is_following, registered_at)
SELECT 'b' || n, 'B' || n, 'member', '', '{{}}', 'female', '', '', 'import', '', false, now()
FROM generate_series(1, {members}) n;
INSERT INTO guides_binding (member_id, guide_id, store_id, bound_at, source, bound_by, reason, ended_by, end_reason)
SELECT member.id, guide.id, guide.store_id, now(), 'scan', '', '', '', ''
FROM members_member member JOIN guides_guide guide ON guide.store_id = (SELECT min(id) FROM guides_store) + member.id % 500
WHERE member.id % 10 < 9;
INSERT INTO members_membertier (member_id, tier_id, since, earned_tier_id, valid_until)
SELECT member.id, tier.id, current_date, tier.id, current_date + 90 FROM members_member member, members_tier tier
WHERE member.id % 2 = 0
"""
_JOB: Final = """
import datetime as dt, json, sys, time, django
django.setup()
from django.db import connection, transaction
from campaigns import services
from campaigns.contracts import ReachOrder
from campaigns.models import Campaign, CampaignMember, CampaignRun, CampaignVariant, Reach, Segment
from campaigns.services import running
from campaigns.services.running import releasing
from core import clock
from core.actor import Actor
from core.models import StaffAccount
releasing.room_for = lambda run_id: 10**9  # nobody sends here, and all of them may lie in the queue
told = json.load(sys.stdin)
actor, now = Actor.system("bench"), clock.now()
def timed(work):
    began = time.monotonic()
    answer = work()
    return time.monotonic() - began, answer
def run(text, params=None):
    with connection.cursor() as cursor:
        cursor.execute(text, params)
        return cursor.fetchall() if cursor.description else cursor.rowcount
def empty():
    run("TRUNCATE campaigns_campaignmember, campaigns_reach")
    run("VACUUM")
def campaign(letters, holdout_bp, rule):
    segment = Segment.objects.filter(name=rule).first()
    if segment is None:
        services.create_segment(name=rule, kind="living", rule=told["rules"][rule], actor=actor)
        segment = Segment.objects.get(name=rule)
        services.fill_segment(segment_id=segment.pk)
    row = Campaign.objects.create(name="bench", kind="reach", segment=segment, holdout_bp=holdout_bp, state="approved",
        starts_at=now, next_run_at=now, ends_at=now + dt.timedelta(days=9), send_from=dt.time(0),
        send_until=dt.time(23, 59, 59, 999999), created_at=now, changed_at=now,
        author=StaffAccount.objects.get_or_create(username="bench")[0])
    for letter in letters:
        CampaignVariant.objects.create(campaign=row, letter=letter, weight=1, acts=[{"do": "reach", "with": {
            "title": "news", "text": "come and see", "channels": ["inbox"]}}])
    return row
found = {}
for who, hand in told["hand"].items():
    empty()
    row = campaign("ABC", 1000, who)
    ours, _launched = timed(running.launch_due_campaigns)
    frozen = CampaignRun.objects.get(campaign=row)
    empty()
    floor, written = timed(lambda: run(hand, {"run": 0}))
    found[who] = {"ours": ours, "floor": floor, "members": frozen.member_count, "control": frozen.control_count}
    assert written == frozen.member_count, (who, written, frozen.member_count)
    Campaign.objects.filter(pk=row.pk).update(state="ended", ended_at=now)
    CampaignRun.objects.update(state="released", released_at=now)
empty()
row = campaign("A", 0, "some")
running.launch_due_campaigns()
def release():
    while running.release_batch(campaign_id=row.pk).count:
        pass
released, _none = timed(release)
count = Reach.objects.count()
members = list(CampaignMember.objects.order_by("pk").values_list("member_id", flat=True))
assert count == len(members), (count, len(members))
def queue():
    for start in range(0, len(members), 500):
        with transaction.atomic():
            services.queue_reaches(orders=[ReachOrder(member_id=one, topic="marketing", reason_key=f"floor:{one}", title="news",
                text="come and see", channels=("inbox",)) for one in members[start:start + 500]])
queued, _none = timed(queue)
found["release"] = {"ours": released, "floor": queued, "members": count}
Campaign.objects.filter(pk=row.pk).update(state="ended", ended_at=now)
CampaignRun.objects.update(state="released", released_at=now)
print(json.dumps(found))
"""
# The same columns by the plainest means.
_HAND: Final = """
INSERT INTO campaigns_campaignmember (run_id, member_id, letter, state, code, guide_id, store_id, tier_id, try_count)
SELECT %(run)s, m.id, CASE WHEN m.id %% 10 = 0 THEN '' ELSE substr('ABC', (m.id %% 3)::int + 1, 1) END,
       CASE WHEN m.id %% 10 = 0 THEN 'control' ELSE 'waiting' END, '', b.guide_id, g.store_id, t.tier_id, 0
FROM members_member m
LEFT JOIN guides_binding b ON b.member_id = m.id AND b.ended_at IS NULL
LEFT JOIN guides_guide g ON g.id = b.guide_id
LEFT JOIN members_membertier t ON t.member_id = m.id
WHERE m.merged_into_id IS NULL AND m.stage <> 'erased' AND {who}
"""


def bench() -> Report:
    """Rounds in turns on the same rows."""
    rules = {
        "all": {"all": [{"is": "members.gender", "with": {"genders": ["female"]}}]},
        "bound": {"all": [{"is": "guides.bound"}]},
    }
    told = {
        "rules": {**rules, "some": {"all": [{"is": "members.gender", "with": {"genders": ["male"]}}]}},
        "hand": {
            "all": _HAND.format(who="m.gender = 'female'"),
            "bound": _HAND.format(who="b.guide_id IS NOT NULL"),
        },
    }
    with private_database(statement_timeout_ms=LONG_MS) as private:
        connection = private.connection
        private.run(sys.executable, "-c", _TIER)
        connection.execute(_SEED.format(members=_MEMBERS))
        connection.execute(
            "UPDATE members_member SET gender = 'male' WHERE id IN"
            " (SELECT id FROM members_member ORDER BY hashint8(id) LIMIT %s)",
            [_RELEASED],
        )
        connection.execute("VACUUM ANALYZE")
        rounds = [private.ask(_JOB, told) for _round in range(_ROUNDS)]
    return _report(rounds)


_TIER: Final = """
import django
django.setup()
from members.models import Tier
Tier.objects.create(rank=1, name="silver", spend_fen=100)
"""


def _report(rounds: list[dict[str, Any]]) -> Report:
    def line(name: str, key: str, limit: float | None) -> Figure:
        floors, ours = ([1000 * one[key][side] for one in rounds] for side in ("floor", "ours"))
        ratios = [one / other for one, other in zip(ours, floors, strict=True)]
        if limit is not None:
            return at_most(name, spread(floors), spread(ours), ratios, limit)
        return Figure(name, spread(floors), spread(ours), sorted(ratios)[len(ratios) // 2])

    sizes = {key: rounds[0][key]["members"] for key in ("all", "bound", "release")}
    figures = (
        line(f"launch of {sizes['all']:,}, ms", "all", _LAUNCH_LIMIT),
        line(f"launch of {sizes['bound']:,} with a guide, ms", "bound", _LAUNCH_LIMIT),
        line(f"release of {sizes['release']:,} against queueing alone, ms", "release", None),
    )
    each = [1e6 * one["release"]["ours"] / one["release"]["members"] for one in rounds]
    return Report(figures, (f"{_ROUNDS} rounds; a member is released in {spread(each)} µs",), rounds)
