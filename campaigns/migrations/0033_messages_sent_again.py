"""Places in runs know the messages that were sent again by hand."""

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0032_journeys_at_size")]

    operations = [
        migrations.AddField(
            model_name="campaignmember",
            name="other_reach_ids",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.BigIntegerField(), editable=False, null=True, size=None
            ),
        ),
    ]
