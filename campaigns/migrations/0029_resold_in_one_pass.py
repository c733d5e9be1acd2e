"""What changed of an order is found in one pass: a row that is the same before and after comes twice, any other once."""

from django.db import migrations

_COLUMNS = "id, member_id, is_current, sold_at, amount_fen, unit_count, returned_fen, returned_unit_count"
_BODY = """
CREATE OR REPLACE FUNCTION campaigns_note_resold() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM campaigns_campaignbook WHERE frozen_at IS NULL) THEN
        INSERT INTO campaigns_outcometouch (member_id)
        SELECT DISTINCT changed.member_id FROM ({changed}) changed
        WHERE EXISTS (SELECT FROM campaigns_campaignmember known WHERE known.member_id = changed.member_id);
    END IF;
    RETURN NULL;
END $$
"""
_ONE_PASS = f"""
    SELECT member_id FROM (SELECT {_COLUMNS} FROM old_rows UNION ALL SELECT {_COLUMNS} FROM new_rows) both_of_them
    GROUP BY {_COLUMNS} HAVING count(*) = 1"""
_EXCEPT = f"""
    (SELECT {_COLUMNS} FROM new_rows EXCEPT SELECT {_COLUMNS} FROM old_rows)
    UNION ALL (SELECT {_COLUMNS} FROM old_rows EXCEPT SELECT {_COLUMNS} FROM new_rows)"""


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0028_moments_planned_once")]

    operations = [migrations.RunSQL(_BODY.format(changed=_ONE_PASS), _BODY.format(changed=_EXCEPT))]
