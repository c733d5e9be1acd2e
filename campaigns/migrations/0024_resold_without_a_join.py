"""What changed of an order is found without joining new rows to old ones.

The function's statement is planned once in a connection. Planned for the one row of a till, such a join compares each of a
file's thousands with each.
"""

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
_EXCEPT = f"""
    (SELECT {_COLUMNS} FROM new_rows EXCEPT SELECT {_COLUMNS} FROM old_rows)
    UNION ALL (SELECT {_COLUMNS} FROM old_rows EXCEPT SELECT {_COLUMNS} FROM new_rows)"""
_JOIN = """
    SELECT unnest(ARRAY[o.member_id, n.member_id]) AS member_id FROM new_rows n JOIN old_rows o ON o.id = n.id
    WHERE (n.member_id, n.is_current, n.sold_at, n.amount_fen, n.unit_count, n.returned_fen, n.returned_unit_count)
        IS DISTINCT FROM
          (o.member_id, o.is_current, o.sold_at, o.amount_fen, o.unit_count, o.returned_fen, o.returned_unit_count)"""


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0023_contacts")]

    operations = [
        migrations.RunSQL(_BODY.format(changed=_EXCEPT), _BODY.format(changed=_JOIN)),
    ]
