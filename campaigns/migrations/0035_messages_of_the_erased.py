"""What became of messages that were under way when their member was erased is read into the report."""

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0034_turning_noted")]

    operations = [
        migrations.AddField(
            model_name="campaignoutcome",
            name="left_reach_ids",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.BigIntegerField(), editable=False, null=True, size=None
            ),
        ),
        migrations.AddIndex(
            model_name="campaignoutcome",
            index=models.Index(
                condition=models.Q(("left_reach_ids__isnull", False)),
                fields=["run"],
                name="campaignoutcome_left",
            ),
        ),
    ]
