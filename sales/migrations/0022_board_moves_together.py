"""What moved on a board in one booking is one row: a fold that moves thousands of totals writes a row a board."""

import django.contrib.postgres.fields
from django.db import migrations, models

_FORWARDS = """
ALTER TABLE sales_boardmove ALTER COLUMN before TYPE bigint[] USING ARRAY[before],
    ALTER COLUMN after TYPE bigint[] USING ARRAY[after];
ALTER TABLE sales_boardmove RENAME COLUMN before TO befores;
ALTER TABLE sales_boardmove RENAME COLUMN after TO afters;
ALTER TABLE sales_boardmove ALTER COLUMN befores SET NOT NULL;
"""
_BACKWARDS = """
ALTER TABLE sales_boardmove ALTER COLUMN befores DROP NOT NULL;
INSERT INTO sales_boardmove (place, metric, period, starts_on, befores, afters)
SELECT place, metric, period, starts_on, ARRAY[before], ARRAY[after]
FROM sales_boardmove, unnest(befores, afters) moved(before, after) WHERE cardinality(afters) > 1;
DELETE FROM sales_boardmove WHERE cardinality(afters) > 1;
ALTER TABLE sales_boardmove RENAME COLUMN befores TO before;
ALTER TABLE sales_boardmove RENAME COLUMN afters TO after;
ALTER TABLE sales_boardmove ALTER COLUMN before TYPE bigint USING before[1],
    ALTER COLUMN after TYPE bigint USING after[1];
"""
_NUMBERS = django.contrib.postgres.fields.ArrayField


class Migration(migrations.Migration):
    dependencies = [("sales", "0021_totals_without_numbers")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RemoveField("BoardMove", "before"),
                migrations.RemoveField("BoardMove", "after"),
                migrations.AddField(
                    "BoardMove",
                    "befores",
                    _NUMBERS(base_field=models.BigIntegerField(null=True), default=list),
                    preserve_default=False,
                ),
                migrations.AddField(
                    "BoardMove",
                    "afters",
                    _NUMBERS(base_field=models.BigIntegerField(), default=list),
                    preserve_default=False,
                ),
            ],
            database_operations=[migrations.RunSQL(_FORWARDS, _BACKWARDS)],
        ),
    ]
