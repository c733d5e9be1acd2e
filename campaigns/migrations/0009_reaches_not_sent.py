from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0008_behaviour_notes")]

    operations = [
        migrations.AddIndex(
            model_name="reach",
            index=models.Index(
                condition=models.Q(state__in=["failed", "skipped", "uncertain"]),
                fields=["state", "-id"],
                name="reach_not_sent",
            ),
        ),
    ]
