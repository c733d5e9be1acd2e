"""How far the walk is that makes good a lost answer."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("sms", "0003_trials_pulls_spending")]

    operations = [
        migrations.AddField(
            model_name="smspull", name="recall_after", field=models.BigIntegerField(default=0, editable=False)
        ),
        migrations.AddField(
            model_name="smspull",
            name="recall_began_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="smspull",
            name="recall_source",
            field=models.PositiveSmallIntegerField(default=0, editable=False),
        ),
        migrations.AlterField(
            model_name="smspull",
            name="state",
            field=models.CharField(
                choices=[
                    ("asked", "已询问"),
                    ("stored", "待处理"),
                    ("lost", "可能丢失"),
                    ("unreadable", "读不懂"),
                    ("recalled", "已按号码补查"),
                ],
                default="asked",
                max_length=10,
                verbose_name="状态",
            ),
        ),
    ]
