"""Whose purchases, redemptions and visits change is noted for the outcomes of campaigns, in the transaction of the change,
whatever code made it.

Who is in no campaign is not noted. While no run is counted it costs a look into a small index. The tables are named in
each branch: a function has a plan of its own for each trigger, which is made once in a connection.
"""

from django.db import migrations

_NOTE = """
INSERT INTO campaigns_outcometouch (member_id)
SELECT DISTINCT changed.member_id FROM ({changed}) changed
WHERE EXISTS (SELECT FROM campaigns_campaignmember known WHERE known.member_id = changed.member_id);
"""
_SOLD = _NOTE.format(changed="SELECT member_id FROM new_rows WHERE member_id IS NOT NULL")
_RESOLD = _NOTE.format(
    changed="""
    SELECT unnest(ARRAY[o.member_id, n.member_id]) AS member_id FROM new_rows n JOIN old_rows o ON o.id = n.id
    WHERE (n.member_id, n.is_current, n.sold_at, n.amount_fen, n.unit_count, n.returned_fen, n.returned_unit_count)
        IS DISTINCT FROM
          (o.member_id, o.is_current, o.sold_at, o.amount_fen, o.unit_count, o.returned_fen, o.returned_unit_count)"""
)
_REDEEMED = _NOTE.format(
    changed="""
    SELECT coupon.received_by AS member_id FROM new_rows JOIN coupons_coupon coupon ON coupon.id = new_rows.coupon_id"""
)
_DID = _SOLD


def _function(name: str, note: str) -> str:
    return f"""
CREATE FUNCTION campaigns_{name}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM campaigns_campaignbook WHERE frozen_at IS NULL) THEN {note} END IF;
    RETURN NULL;
END $$
"""


_FUNCTIONS = {"note_sold": _SOLD, "note_resold": _RESOLD, "note_redeemed": _REDEEMED, "note_did": _DID}
_NEW, _BOTH = "NEW TABLE AS new_rows", "OLD TABLE AS old_rows NEW TABLE AS new_rows"
_TRIGGERS = (
    ("sales_sale", "INSERT", _NEW, "note_sold"),
    ("sales_sale", "UPDATE", _BOTH, "note_resold"),
    ("coupons_redemption", "INSERT", _NEW, "note_redeemed"),
    ("coupons_redemption", "UPDATE", _NEW, "note_redeemed"),
    ("members_behaviour", "INSERT", _NEW, "note_did"),
    # An openid's visits become hers.
    ("members_behaviour", "UPDATE", _NEW, "note_did"),
)


class Migration(migrations.Migration):
    dependencies = [
        ("campaigns", "0015_outcomes"),
        ("members", "0016_behaviours"),
        ("sales", "0021_totals_without_numbers"),
        ("coupons", "0013_claims_by_index"),
    ]

    operations = [
        *(
            migrations.RunSQL(_function(name, note), f"DROP FUNCTION campaigns_{name}()")
            for name, note in _FUNCTIONS.items()
        ),
        *(
            migrations.RunSQL(
                f"CREATE TRIGGER {table}_outcome_{event.lower()} AFTER {event} ON {table} REFERENCING {rows}"
                f" FOR EACH STATEMENT EXECUTE FUNCTION campaigns_{name}()",
                f"DROP TRIGGER {table}_outcome_{event.lower()} ON {table}",
            )
            for table, event, rows, name in _TRIGGERS
        ),
    ]
