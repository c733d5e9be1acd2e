"""Who opens what a campaign's message led to is noted for living segments.

By row, and only where an instant of opening is written: a launch writes a million rows and a release takes them in hand by
thousands, and neither of them says that anybody opened anything.
"""

from django.db import migrations

_FUNCTION = """
CREATE FUNCTION campaigns_noted_campaigns_campaignmember_click() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM campaigns_segmentwatch WHERE fact = 'clicks') THEN
        INSERT INTO campaigns_segmenttouch (fact, member_id) SELECT DISTINCT 'clicks', who.id
        FROM unnest(ARRAY[OLD.member_id, NEW.member_id]) who (id) WHERE who.id IS NOT NULL;
    END IF;
    RETURN NULL;
END $$
"""
_TRIGGER = """
CREATE TRIGGER campaigns_campaignmember_click_{name} AFTER {event} ON campaigns_campaignmember FOR EACH ROW WHEN ({when})
    EXECUTE FUNCTION campaigns_noted_campaigns_campaignmember_click('clicks', '')
"""
_WHEN = {
    "insert": ("INSERT", "NEW.clicked_at IS NOT NULL"),
    "update": (
        "UPDATE OF clicked_at, member_id, run_id",
        "(NEW.clicked_at, NEW.member_id, NEW.run_id) IS DISTINCT FROM (OLD.clicked_at, OLD.member_id, OLD.run_id)"
        " AND (NEW.clicked_at IS NOT NULL OR OLD.clicked_at IS NOT NULL)",
    ),
    "delete": ("DELETE", "OLD.clicked_at IS NOT NULL"),
}


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0027_texts_in_budgets")]

    operations = [
        migrations.RunSQL(_FUNCTION, "DROP FUNCTION campaigns_noted_campaigns_campaignmember_click() CASCADE"),
        *(
            migrations.RunSQL(
                _TRIGGER.format(name=name, event=event, when=when),
                f"DROP TRIGGER campaigns_campaignmember_click_{name} ON campaigns_campaignmember",
            )
            for name, (event, when) in _WHEN.items()
        ),
    ]
