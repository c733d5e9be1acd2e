"""The policy the chain begins with; staff change it in the admin."""

from django.db import migrations

CAPS = (
    ("", "", "day", 5),
    ("", "marketing", "day", 2),
    ("", "marketing", "week", 5),
    ("sms", "", "week", 2),
    ("follow_up", "", "week", 3),
)


def write_policy(apps, schema_editor):
    policy, _is_new = apps.get_model("campaigns", "ReachPolicy").objects.get_or_create(
        pk=1, defaults={"quiet_from": "22:00", "quiet_until": "08:30"}
    )
    apps.get_model("campaigns", "FrequencyCap").objects.bulk_create(
        apps.get_model("campaigns", "FrequencyCap")(
            policy=policy, channel=channel, importance=importance, span=span, most=most
        )
        for channel, importance, span, most in CAPS
    )


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0001_first")]

    operations = [migrations.RunPython(write_policy, migrations.RunPython.noop)]
