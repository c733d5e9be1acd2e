"""Enrolments have one index less and know the last moment that is not of their way; a look at a day says what went wrong."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('campaigns', '0031_noted_row_by_row'),
        ('members', '0017_behaviour_sums'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='enrolment',
            name='enrolment_once_per_key',
        ),
        migrations.RemoveIndex(
            model_name='enrolment',
            name='enrolment_of_member',
        ),
        migrations.AddField(
            model_name='enrolment',
            name='begun_after',
            field=models.BigIntegerField(db_default=0, default=0, editable=False),
        ),
        migrations.AddField(
            model_name='journey',
            name='fault',
            field=models.CharField(blank=True, db_default='', default='', editable=False, max_length=60),
        ),
        migrations.AddField(
            model_name='journey',
            name='look_after',
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddConstraint(
            model_name='enrolment',
            constraint=models.UniqueConstraint(fields=('member', 'journey', 'entry_key'), name='enrolment_of_member_once_per_key'),
        ),
    ]
