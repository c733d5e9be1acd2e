"""Commission finds what came back in a month without reading all that was sold in it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("sales", "0022_board_moves_together")]

    operations = [
        migrations.AddIndex(
            "performanceentry",
            models.Index(
                fields=["booked_on"],
                name="performanceentry_back",
                condition=models.Q(return_ref__isnull=False) | models.Q(reversed_entry__isnull=False),
            ),
        ),
    ]
