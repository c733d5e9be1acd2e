"""Whom a change is noted for is looked up row by row, by an index, whatever the function's plan was made for.

A plan that was made for a file's thousands joined them with all members of campaigns, all coupons or all accounts, and served
each single order that came after it in the same connection: which read those tables whole. A look-up that is limited to one row
is never made a join of. What changed of an order is found in one pass: a row that is the same before and after comes twice, any
other once.
"""

from django.db import migrations

_COLUMNS = "id, member_id, is_current, sold_at, amount_fen, unit_count, returned_fen, returned_unit_count"
_ONE_PASS = f"""
    SELECT member_id FROM (SELECT {_COLUMNS} FROM old_rows UNION ALL SELECT {_COLUMNS} FROM new_rows) both_of_them
    GROUP BY {_COLUMNS} HAVING count(*) = 1"""
_EXCEPT = f"""
    (SELECT {_COLUMNS} FROM new_rows EXCEPT SELECT {_COLUMNS} FROM old_rows)
    UNION ALL (SELECT {_COLUMNS} FROM old_rows EXCEPT SELECT {_COLUMNS} FROM new_rows)"""
_CHANGED = "SELECT member_id FROM new_rows WHERE member_id IS NOT NULL"
_REDEEMED = """
    SELECT coupon.received_by AS member_id FROM new_rows CROSS JOIN LATERAL (
        SELECT received_by FROM coupons_coupon WHERE id = new_rows.coupon_id LIMIT 1) coupon"""
_REDEEMED_BY_JOIN = """
    SELECT coupon.received_by AS member_id FROM new_rows JOIN coupons_coupon coupon ON coupon.id = new_rows.coupon_id"""
# Function, what changed; and what it asked before.
_OUTCOMES = (
    ("note_sold", _CHANGED, _CHANGED),
    ("note_resold", _ONE_PASS, _EXCEPT),
    ("note_redeemed", _REDEEMED, _REDEEMED_BY_JOIN),
    ("note_did", _CHANGED, _CHANGED),
)
_OUTCOME = """
CREATE OR REPLACE FUNCTION campaigns_{name}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM campaigns_campaignbook WHERE frozen_at IS NULL) THEN
        INSERT INTO campaigns_outcometouch (member_id)
        SELECT DISTINCT changed.member_id FROM ({changed}) changed
        {known};
    END IF;
    RETURN NULL;
END $$
"""
_LOOKED_UP = """CROSS JOIN LATERAL (
            SELECT FROM campaigns_campaignmember WHERE member_id = changed.member_id LIMIT 1) known"""
_JOINED = "WHERE EXISTS (SELECT FROM campaigns_campaignmember known WHERE known.member_id = changed.member_id)"
_LOTS = {
    "insert": "new_rows",
    "update": "(SELECT account_id FROM old_rows UNION ALL SELECT account_id FROM new_rows)",
}
_LOT = """
CREATE OR REPLACE FUNCTION campaigns_noted_members_pointslot_note_{event}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM campaigns_segmentwatch WHERE fact = 'points') THEN
        INSERT INTO campaigns_segmenttouch (fact, member_id) SELECT DISTINCT 'points', changed.member_id
        FROM ({query}) changed (member_id) WHERE changed.member_id IS NOT NULL;
    END IF;
    RETURN NULL;
END $$
"""
_ACCOUNT = """SELECT a.member_id FROM {rows} r CROSS JOIN LATERAL (
            SELECT member_id FROM members_pointsaccount WHERE id = r.account_id LIMIT 1) a"""
_ACCOUNT_BY_JOIN = "SELECT a.member_id FROM {rows} r JOIN members_pointsaccount a ON a.id = r.account_id"


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0030_moments_planned_once")]

    operations = [
        *(
            migrations.RunSQL(
                _OUTCOME.format(name=name, changed=now, known=_LOOKED_UP),
                _OUTCOME.format(name=name, changed=before, known=_JOINED),
            )
            for name, now, before in _OUTCOMES
        ),
        *(
            migrations.RunSQL(
                _LOT.format(event=event, query=_ACCOUNT.format(rows=rows)),
                _LOT.format(event=event, query=_ACCOUNT_BY_JOIN.format(rows=rows)),
            )
            for event, rows in _LOTS.items()
        ),
    ]
