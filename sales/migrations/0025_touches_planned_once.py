"""Each trigger that notes members for the nine numbers has a function of its own, whose statement is planned once in a
connection.

Until here one function put the statement together and had it planned at every change. A plan that is kept was made for the
first change, be it of one row or of a file's thousands, and must do for the other: so no statement joins what changed with
what was before it or with a table. Coupons are looked up by an array of numbers, which is read by the index either way.
"""

from django.db import migrations

_ROWS = {
    "INSERT": "NEW TABLE AS new_rows",
    "UPDATE": "OLD TABLE AS old_rows NEW TABLE AS new_rows",
    "DELETE": "OLD TABLE AS old_rows",
}
_NEW, _OLD = "SELECT member_id FROM new_rows", "SELECT member_id FROM old_rows"
_BOTH = f"{_OLD} UNION ALL {_NEW}"
# Points and tiers write to an order several times, which brings nobody.
_SALE = ("id", "member_id", "store_id", "business_on", "is_current", "unit_count", "amount_fen", "returned_unit_count",
         "returned_fen")  # fmt: skip
_LISTED = ", ".join(_SALE)
_EXCEPT = (
    f"SELECT member_id FROM (SELECT {_LISTED} FROM new_rows EXCEPT SELECT {_LISTED} FROM old_rows) came"
    f" UNION ALL SELECT member_id FROM (SELECT {_LISTED} FROM old_rows EXCEPT SELECT {_LISTED} FROM new_rows) went"
)
_JOIN = (
    "SELECT unnest(ARRAY[o.member_id, n.member_id]) FROM new_rows n JOIN old_rows o ON o.id = n.id WHERE ("
    + ", ".join(f"n.{name}" for name in _SALE[1:]) + ") IS DISTINCT FROM ("
    + ", ".join(f"o.{name}" for name in _SALE[1:]) + ")"
)  # fmt: skip
_REDEEMED = "SELECT member_id FROM coupons_coupon WHERE id = ANY(ARRAY(SELECT coupon_id FROM new_rows))"
_REDEEMED_BY_JOIN = "SELECT c.member_id FROM new_rows n JOIN coupons_coupon c ON c.id = n.coupon_id"
# Table, event, what its own function asks, what the one function of all was told to ask.
_TRIGGERS = (
    ("sales_sale", "INSERT", _NEW, _NEW),
    ("sales_sale", "UPDATE", _EXCEPT, _JOIN),
    ("guides_channelscan", "INSERT", _NEW, _NEW),
    ("guides_channelscan", "UPDATE", _BOTH, _BOTH),
    ("coupons_redemption", "INSERT", _REDEEMED, _REDEEMED_BY_JOIN),
    ("coupons_redemption", "UPDATE", _REDEEMED, _REDEEMED_BY_JOIN),
    ("members_behaviour", "INSERT", _NEW, _NEW),
    ("members_behaviour", "UPDATE", _BOTH, _BOTH),
    ("members_behaviour", "DELETE", _OLD, _OLD),
    ("guides_binding", "INSERT", _NEW, _NEW),
    ("guides_binding", "UPDATE", _BOTH, _BOTH),
)
_OF_ALL = """
CREATE FUNCTION sales_touch_member_days() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE 'INSERT INTO sales_memberdaytouch (member_ref) SELECT DISTINCT changed.member_id FROM ('
        || TG_ARGV[0] || ') changed (member_id) WHERE changed.member_id IS NOT NULL';
    RETURN NULL;
END $$
"""
_OWN = """
CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO sales_memberdaytouch (member_ref)
    SELECT DISTINCT changed.member_id FROM ({query}) changed (member_id) WHERE changed.member_id IS NOT NULL;
    RETURN NULL;
END $$
"""


def _trigger(table: str, event: str, function: str, argument: str = "") -> str:
    return (
        f"CREATE TRIGGER {table}_touch_{event.lower()} AFTER {event} ON {table} REFERENCING {_ROWS[event]}"
        f" FOR EACH STATEMENT EXECUTE FUNCTION {function}({argument})"
    )


def _steps(table: str, event: str, own: str, told: str) -> migrations.RunSQL:
    name, function = f"{table}_touch_{event.lower()}", f"sales_touched_by_{table}_{event.lower()}"
    return migrations.RunSQL(
        [
            f"DROP TRIGGER {name} ON {table}",
            _OWN.format(function=function, query=own),
            _trigger(table, event, function),
        ],
        [
            f"DROP TRIGGER {name} ON {table}",
            f"DROP FUNCTION {function}()",
            _trigger(table, event, "sales_touch_member_days", f"'{told}'"),
        ],
    )


class Migration(migrations.Migration):
    dependencies = [("sales", "0024_nine_numbers")]

    operations = [
        *(_steps(*trigger) for trigger in _TRIGGERS),
        migrations.RunSQL("DROP FUNCTION sales_touch_member_days()", _OF_ALL),
    ]
