"""Who turned away is noted for living segments: an account that cannot write to her, her word taken back, and when she unfollowed.

Of consents only withdrawals are noted: a launch in the mini-program writes thousands of agreements. An unfollow that is told
twice moves its instant and nothing else of her row, so the instant is one of what her row is compared by.
"""

from django.db import migrations

_NOTE = """
CREATE OR REPLACE FUNCTION campaigns_noted_{name}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM campaigns_segmentwatch WHERE fact = '{fact}') THEN
        INSERT INTO campaigns_segmenttouch (fact, member_id) SELECT DISTINCT '{fact}', changed.member_id
        FROM ({changed}) changed (member_id) WHERE changed.member_id IS NOT NULL;
    END IF;
    RETURN NULL;
END $$
"""
_TRIGGER = """
CREATE TRIGGER {name} AFTER {event} ON {table} REFERENCING {rows}
    FOR EACH STATEMENT EXECUTE FUNCTION campaigns_noted_{name}('{fact}', '')
"""
_ROWS = {
    "insert": ("NEW TABLE AS new_rows", "SELECT member_id FROM new_rows{where}"),
    "update": (
        "OLD TABLE AS old_rows NEW TABLE AS new_rows",
        "SELECT member_id FROM old_rows{where} UNION ALL SELECT member_id FROM new_rows{where}",
    ),
    "delete": ("OLD TABLE AS old_rows", "SELECT member_id FROM old_rows{where}"),
}
_TABLES = {"campaigns_reachbar": ("bars", ""), "members_consententry": ("consents", " WHERE action = 'withdrawn'")}
_BEFORE = "id, gender, birthday, stage, source, is_following, registered_at, merged_into_id"
_PROFILE = f"{_BEFORE}, follow_changed_at"
_MOVED = "SELECT id FROM (SELECT {columns} FROM new_rows EXCEPT SELECT {columns} FROM old_rows) moved"


def _member(columns: str) -> str:
    changed = _MOVED.format(columns=columns)
    return _NOTE.format(name="members_member_note_update", fact="profile", changed=changed)


def _operations(table: str, event: str) -> list[migrations.RunSQL]:
    (fact, where), (rows, changed), name = _TABLES[table], _ROWS[event], f"{table}_note_{event}"
    function = _NOTE.format(name=name, fact=fact, changed=changed.format(where=where))
    trigger = _TRIGGER.format(name=name, event=event.upper(), table=table, rows=rows, fact=fact)
    return [
        migrations.RunSQL(function, f"DROP FUNCTION campaigns_noted_{name}()"),
        migrations.RunSQL(trigger, f"DROP TRIGGER {name} ON {table}"),
    ]


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0033_messages_sent_again"), ("members", "0017_behaviour_sums")]

    operations = [
        *(operation for table in _TABLES for event in _ROWS for operation in _operations(table, event)),
        migrations.RunSQL(_member(_PROFILE), _member(_BEFORE)),
    ]
