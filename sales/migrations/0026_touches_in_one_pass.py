"""What changed of an order is found in one pass: a row that is the same before and after comes twice, any other once.

An order without a change that brings somebody is the rule: points and tiers write to it several times.
"""

from django.db import migrations

_COLUMNS = (
    "id, member_id, store_id, business_on, is_current, unit_count, amount_fen, returned_unit_count, returned_fen"
)
_BODY = """
CREATE OR REPLACE FUNCTION sales_touched_by_sales_sale_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO sales_memberdaytouch (member_ref)
    SELECT DISTINCT changed.member_id FROM ({changed}) changed (member_id) WHERE changed.member_id IS NOT NULL;
    RETURN NULL;
END $$
"""
_ONE_PASS = f"""
    SELECT member_id FROM (SELECT {_COLUMNS} FROM old_rows UNION ALL SELECT {_COLUMNS} FROM new_rows) both_of_them
    GROUP BY {_COLUMNS} HAVING count(*) = 1"""
_EXCEPT = (
    f"SELECT member_id FROM (SELECT {_COLUMNS} FROM new_rows EXCEPT SELECT {_COLUMNS} FROM old_rows) came"
    f" UNION ALL SELECT member_id FROM (SELECT {_COLUMNS} FROM old_rows EXCEPT SELECT {_COLUMNS} FROM new_rows) went"
)


class Migration(migrations.Migration):
    dependencies = [("sales", "0025_touches_planned_once")]

    operations = [migrations.RunSQL(_BODY.format(changed=_ONE_PASS), _BODY.format(changed=_EXCEPT))]
