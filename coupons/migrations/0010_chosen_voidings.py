"""Voidings of chosen coupons: a job without a batch, whose slices name theirs."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("coupons", "0009_void_jobs"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="voidjob",
            options={"verbose_name": "作废任务", "verbose_name_plural": "作废任务"},
        ),
        migrations.AlterField(
            model_name="voidjob",
            name="batch",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="coupons.couponbatch",
                verbose_name="券批次",
            ),
        ),
        migrations.AddField(
            model_name="voidslice",
            name="batch",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="coupons.couponbatch",
            ),
        ),
        # The constraint's check waits for nothing: the key is set before the column must have it.
        migrations.RunSQL(
            "UPDATE coupons_voidslice slice SET batch_id = job.batch_id FROM coupons_voidjob job"
            " WHERE job.id = slice.job_id; SET CONSTRAINTS ALL IMMEDIATE",
            migrations.RunSQL.noop,
        ),
        migrations.AlterField(
            model_name="voidslice",
            name="batch",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="coupons.couponbatch",
            ),
        ),
    ]
