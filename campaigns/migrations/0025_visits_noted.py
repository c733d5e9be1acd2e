"""Whoever's days of the nine numbers are others is noted for living segments (0005, 0022), by whatever statement of the fold."""

from django.db import migrations

_ROWS = {
    "insert": ("NEW TABLE AS new_rows", "SELECT member_id FROM new_rows"),
    "update": (
        "OLD TABLE AS old_rows NEW TABLE AS new_rows",
        "SELECT member_id FROM old_rows UNION ALL SELECT member_id FROM new_rows",
    ),
    "delete": ("OLD TABLE AS old_rows", "SELECT member_id FROM old_rows"),
}
_CREATE = """
CREATE FUNCTION campaigns_noted_{name}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM campaigns_segmentwatch WHERE fact = 'visits') THEN
        INSERT INTO campaigns_segmenttouch (fact, member_id) SELECT DISTINCT 'visits', changed.member_id
        FROM ({query}) changed (member_id);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER {name} AFTER {event} ON sales_memberday REFERENCING {rows} FOR EACH STATEMENT
    EXECUTE FUNCTION campaigns_noted_{name}('visits', '{query}');
"""
_DROP = "DROP FUNCTION campaigns_noted_{name}() CASCADE"


def _operation(event: str) -> migrations.RunSQL:
    rows, query = _ROWS[event]
    name = f"sales_memberday_note_{event}"
    return migrations.RunSQL(
        _CREATE.format(name=name, event=event.upper(), rows=rows, query=query), _DROP.format(name=name)
    )


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0024_resold_without_a_join"), ("sales", "0025_touches_planned_once")]

    operations = [_operation(event) for event in _ROWS]
