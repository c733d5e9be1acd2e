"""Long lists of mass messages go in parts; what texts cost before it was added up; which follow-ups were of a round."""

import django.db.models.deletion
from django.db import migrations, models

_COSTS = """
INSERT INTO sms_smsspend ("on", purpose, template_code, filed_under, text_count, segment_count, cost_hundredths)
SELECT (coalesce(sent_at, finished_at, queued_at) AT TIME ZONE 'Asia/Shanghai')::date,
    CASE importance WHEN 'marketing' THEN 'marketing' ELSE 'notice' END, '', topic,
    count(*), sum(segment_count), sum(cost_hundredths)
FROM campaigns_reach WHERE segment_count > 0
GROUP BY 1, 2, 4
ON CONFLICT DO NOTHING
"""
_ROUNDS = """
UPDATE guides_followup task SET round_id = given.id
FROM campaigns_reach reach, guides_followupround given
WHERE reach.reason_key ~ '^task:[0-9]{1,18}:[0-9]+$' AND task.source_key = 'reach:' || reach.id
  AND given.id = split_part(reach.reason_key, ':', 2)::bigint
"""


class Migration(migrations.Migration):
    dependencies = [
        ("campaigns", "0017_proof_pages"),
        ("guides", "0012_follow_up_rounds"),
        ("sms", "0003_trials_pulls_spending"),
    ]

    operations = [
        migrations.AddField(
            model_name="massmessage",
            name="part_count",
            field=models.PositiveSmallIntegerField(default=0, editable=False, verbose_name="分段"),
        ),
        migrations.AddField(
            model_name="massmessage",
            name="whole",
            field=models.ForeignKey(
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="parts",
                to="campaigns.massmessage",
            ),
        ),
        migrations.RunSQL(_COSTS, migrations.RunSQL.noop),
        migrations.RunSQL(_ROUNDS, migrations.RunSQL.noop),
    ]
