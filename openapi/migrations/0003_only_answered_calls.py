"""A call has its row when it has its answer: see ADR 22."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('openapi', '0002_sales_scopes'),
    ]

    operations = [
        # Of calls whose process died nothing is left: their keys are free, as they were.
        migrations.RunSQL("DELETE FROM openapi_apicall WHERE status IS NULL", migrations.RunSQL.noop),
        migrations.AlterField(
            model_name='apicall',
            name='status',
            field=models.PositiveSmallIntegerField(),
        ),
        migrations.AlterField(
            model_name='apicall',
            name='answer',
            field=models.TextField(),
        ),
    ]
