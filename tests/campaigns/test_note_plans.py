"""What notes a till's order is planned once in a connection, perhaps for a file's thousands: it must not read tables whole."""

import pytest
from django.db import connection

from campaigns.models import CampaignBook, JourneyMoment, JourneyWatch
from core import clock
from members.models import Member
from tests.campaigns.outcome_kit import make_run
from tests.cast import Cast

pytestmark = pytest.mark.django_db

# Codes that no member of the cast can have by chance.
_MEMBERS = """
INSERT INTO members_member (public_id, code, stage, name, name_tokens, gender, phone, phone_tail, source, source_scene,
                            is_following, registered_at)
SELECT 'b' || n, 'no code ' || n, 'member', '', '{}', '', '', '', 'import', '', false, now() FROM generate_series(1, 2000) n
"""
_IN_IT = """
INSERT INTO campaigns_campaignmember (run_id, member_id, letter, state, code, try_count)
SELECT %s, id, 'A', 'done', '', 0 FROM members_member WHERE code LIKE 'no code %%'
"""
_ORDERS = """
INSERT INTO sales_sale (public_id, source, order_no, revision, is_current, digest, member_id, store_id, channel, sold_at,
    business_on, list_fen, amount_fen, unit_count, points_spent, returned_fen, returned_unit_count, is_first, points_round,
    spent_round, activity_round, points_earned, counted_fen, counted_orders, points_taken, points_outcome, recorded_at)
SELECT %(kind)s || id, 'pos', %(kind)s || id, 0, true, '\\x00', id, %(store)s, 'store', now(), current_date,
       100, 100, 1, 0, 0, 0, false, 0, 0, 0, 0, 0, 0, 0, '', now()
FROM members_member WHERE code LIKE %(who)s
"""
_BACK = "UPDATE sales_sale SET returned_fen = 1 WHERE order_no LIKE %s"
_READ_WHOLE = """
SELECT coalesce(sum(seq_tup_read), 0) FROM pg_stat_xact_user_tables WHERE relname = 'campaigns_campaignmember'
"""


def test_one_order_behind_a_file_is_noted_without_reading_all_members_of_campaigns(cast: Cast) -> None:
    JourneyWatch.objects.create(event="bought", family="sales")
    run = make_run()
    CampaignBook.objects.create(run=run, opened_at=clock.now())
    with connection.cursor() as cursor:

        def read_whole() -> int:
            cursor.execute(_READ_WHOLE)
            return int(cursor.fetchone()[0])

        def noted() -> list[int]:
            cursor.execute("DELETE FROM campaigns_outcometouch RETURNING member_id")
            return [row[0] for row in cursor.fetchall()]

        cursor.execute(_MEMBERS)
        cursor.execute(_IN_IT, [run.pk])
        cursor.execute(_ORDERS, {"kind": "file", "store": cast.store.id, "who": "no code %"})
        cursor.execute(_BACK, ["file%"])
        assert len(noted()) == 4_000
        before = read_whole()

        cursor.execute(_ORDERS, {"kind": "till", "store": cast.store.id, "who": "no code 7"})
        cursor.execute(_BACK, ["tillX%"])
        cursor.execute(_BACK, ["till%"])
        her = Member.objects.get(code="no code 7").pk
        assert noted() == [her, her]
        assert read_whole() == before
    assert JourneyMoment.objects.filter(member_id=her, event="bought").count() == 2
