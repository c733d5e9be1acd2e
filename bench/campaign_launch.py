"""A campaign's launch: its audience frozen into rows, and the rows released, against SQL written by hand and a bare floor.

On BENCH_MEMBERS_COUNT members (100,000 unless it is set; 1,000,000 is the target's), nine in ten of them with a guide and
one in two with a tier, in turns: a campaign of three variants with a control group is launched by the service, and the
same rows are written by a hand-written INSERT … SELECT into the same table, which is emptied between. Before, its page
asks whom it would reach, six in ten of whom agreed and one in ten of whom had enough today, against one statement by
hand with the same numbers. Then BENCH_RELEASE_COUNT
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
_AUDIENCE_LIMIT: Final = 1.5
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
WHERE member.id % 2 = 0;
INSERT INTO members_consentkind (code, title, "order", is_required, offers_erasure) VALUES ('marketing', 'news', 0, false, false);
INSERT INTO members_consenttext (kind_id, version, title, body, change_note, created_at, published_by)
SELECT id, 1, 'news', 'news', '', now(), '' FROM members_consentkind WHERE code = 'marketing';
INSERT INTO members_memberidentity (member_id, kind, app_id, value, linked_at, given_through)
SELECT id, 'mini_openid', 'wxmini', 'mini' || lpad(id::text, 24, '0'), now(), '{{}}' FROM members_member WHERE id % 7 < 5
"""
# Seven in ten agreed, and one of them took it back.
_AGREED: Final = """
INSERT INTO members_consententry (member_id, kind_id, text_id, action, door, at, actor, text_digest)
SELECT member.id, text.kind_id, text.id, said.action, 'pos', now() - said.ago, '', ''
FROM members_member member, members_consenttext text,
     (VALUES ('agreed', interval '2 days', 7), ('withdrawn', interval '1 day', 1)) said (action, ago, below)
WHERE member.id % 10 < said.below
"""
# One in ten has had three messages today.
_SENT: Final = """
INSERT INTO campaigns_reach (reason_key, member_id, topic, importance, content, channels, step, state, channel, code, tries,
    attempt_count, message_id, queued_at, not_before, expires_at, sent_at, finished_at, lease_holder)
SELECT 'b' || id || '.' || n, id, 'birthday', 'normal', '', 'sms', 0, 'sent', 'sms', '', '[]', 1, '', now(), now(),
       now() + interval '1 day', now(), now(), '' FROM members_member, generate_series(1, 3) n WHERE id % 10 = 3
"""
# How many, how many agree, of these how many had enough, how many have a guide, and over what the first message goes.
_SIGHT: Final = """
SELECT count(*), count(a.member_id), count(a.member_id) FILTER (WHERE c.member_id IS NOT NULL), count(b.guide_id),
       count(a.member_id) FILTER (WHERE c.member_id IS NULL AND b.guide_id IS NOT NULL),
       count(a.member_id) FILTER (WHERE c.member_id IS NULL AND b.guide_id IS NULL AND i.member_id IS NOT NULL)
FROM members_member m
LEFT JOIN (SELECT member_id FROM (
    SELECT DISTINCT ON (member_id) member_id, action FROM members_consententry
    WHERE kind_id = (SELECT id FROM members_consentkind WHERE code = 'marketing') ORDER BY member_id, at DESC, id DESC) last
    WHERE action = 'agreed') a ON a.member_id = m.id
LEFT JOIN (SELECT member_id FROM campaigns_reach WHERE sent_at >= date_trunc('day', now(), 'Asia/Shanghai')
    AND importance <> 'must' AND channel <> 'inbox' GROUP BY 1 HAVING count(*) >= 3) c ON c.member_id = m.id
LEFT JOIN guides_binding b ON b.member_id = m.id AND b.ended_at IS NULL
LEFT JOIN (SELECT DISTINCT member_id FROM members_memberidentity
           WHERE kind IN ('openid', 'mini_openid') AND app_id = 'wxmini') i ON i.member_id = m.id
WHERE m.merged_into_id IS NULL AND m.stage <> 'erased' AND m.gender = 'female'
"""
_JOB: Final = """
import datetime as dt, json, sys, time, django
django.setup()
from django.db import connection, transaction
from campaigns import services
from campaigns.contracts import ReachOrder
from campaigns.models import Campaign, CampaignMember, CampaignRun, CampaignVariant, FrequencyCap, Reach, Segment
from campaigns.selectors.campaigns import sight_audience
from campaigns.selectors.segments import people
from campaigns.services import running
from campaigns.services.running import releasing
from core import clock
from core.actor import Actor
from core.models import StaffAccount
releasing.room_for = lambda run_id: 10**9  # nobody sends here, and all of them may lie in the queue
people.PATIENCE_MS = 600_000
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
FrequencyCap.objects.all().delete()
FrequencyCap.objects.create(policy_id=1, span="day", most=3)
empty()
run(told["sent"])
run(told["agreed"])
run("VACUUM ANALYZE campaigns_reach")
run("VACUUM ANALYZE members_consententry")
row = campaign("AB", 1000, "all")
row.variants.update(acts=[{"do": "reach", "with": {"title": "news", "text": "come and see", "channels": ["follow_up", "inbox"]}}])
sight_audience(row), run(told["sight"])  # a process that has just begun reads its own words first
sights = {"ours": 0, "floor": 0}
for side in ("ours", "floor", "floor", "ours"):
    if side == "ours":
        taken, sight = timed(lambda: sight_audience(row))
    else:
        taken, [counted] = timed(lambda: run(told["sight"]))
    sights[side] += taken / 2
firsts = [one.first_count for one in sight.channels]
assert (sight.member_count, sight.agreed_count, sight.capped_count, sight.guided_count, *firsts) == counted, (sight, counted)
found["audience"] = sights | {"members": sight.member_count}
run("DELETE FROM members_consententry")  # those who took it back get nothing, and what follows is about all
Campaign.objects.filter(pk=row.pk).update(state="ended", ended_at=now)
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
# Who took back her consent is refused.
members = list(CampaignMember.objects.filter(state="done").order_by("pk").values_list("member_id", flat=True))
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
        "sent": _SENT,
        "agreed": _AGREED,
        "sight": _SIGHT,
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
from wechat.models import Account
Tier.objects.create(rank=1, name="silver", spend_fen=100)
Account.objects.create(kind="mini_program", slug="mini", name="mini", app_id="wxmini", original_id="gh", app_secret="s" * 32,
                       push_token="token", aes_key="A" * 43)
"""


def _report(rounds: list[dict[str, Any]]) -> Report:
    def line(name: str, key: str, limit: float | None) -> Figure:
        floors, ours = ([1000 * one[key][side] for one in rounds] for side in ("floor", "ours"))
        ratios = [one / other for one, other in zip(ours, floors, strict=True)]
        if limit is not None:
            return at_most(name, spread(floors), spread(ours), ratios, limit)
        return Figure(name, spread(floors), spread(ours), sorted(ratios)[len(ratios) // 2])

    sizes = {key: rounds[0][key]["members"] for key in ("audience", "all", "bound", "release")}
    figures = (
        line(f"whom it would reach of {sizes['audience']:,}, ms", "audience", _AUDIENCE_LIMIT),
        line(f"launch of {sizes['all']:,}, ms", "all", _LAUNCH_LIMIT),
        line(f"launch of {sizes['bound']:,} with a guide, ms", "bound", _LAUNCH_LIMIT),
        line(f"release of {sizes['release']:,} against queueing alone, ms", "release", None),
    )
    each = [1e6 * one["release"]["ours"] / one["release"]["members"] for one in rounds]
    return Report(figures, (f"{_ROUNDS} rounds; a member is released in {spread(each)} µs",), rounds)
