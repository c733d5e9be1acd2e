"""What members do in the mini-program is noted for living segments as everything else is (0005). The triggers are the whole
table's: whoever writes to it names it, and none of its months. Dropping a month notes nobody; what rests on behaviours is
worked out daily."""

from django.db import migrations

_TRIGGERS = (
    ("INSERT", "NEW TABLE AS new_rows", "SELECT member_id FROM new_rows"),
    (
        "UPDATE",
        "OLD TABLE AS old_rows NEW TABLE AS new_rows",
        "SELECT member_id FROM old_rows UNION ALL SELECT member_id FROM new_rows",
    ),
    ("DELETE", "OLD TABLE AS old_rows", "SELECT member_id FROM old_rows"),
)


class Migration(migrations.Migration):
    dependencies = [
        ("campaigns", "0007_texts"),
        ("members", "0016_behaviours"),
    ]

    operations = [
        migrations.RunSQL(
            f"CREATE TRIGGER members_behaviour_note_{event.lower()} AFTER {event} ON members_behaviour"
            f" REFERENCING {rows} FOR EACH STATEMENT"
            f" EXECUTE FUNCTION campaigns_note_changed('behaviours', '{query}')",
            f"DROP TRIGGER members_behaviour_note_{event.lower()} ON members_behaviour",
        )
        for event, rows, query in _TRIGGERS
    ]
