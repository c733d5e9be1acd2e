"""What texts cost before it was added up as they are sent."""

from django.db import migrations

_ADD = """
INSERT INTO sms_smsspend ("on", purpose, template_code, filed_under, text_count, segment_count, cost_hundredths)
SELECT (coalesce(sent_at, finished_at, queued_at) AT TIME ZONE 'Asia/Shanghai')::date,
    CASE importance WHEN 'marketing' THEN 'marketing' ELSE 'notice' END, '', topic,
    count(*), sum(segment_count), sum(cost_hundredths)
FROM campaigns_reach WHERE segment_count > 0
GROUP BY 1, 2, 4
ON CONFLICT DO NOTHING
"""


class Migration(migrations.Migration):
    dependencies = [
        ("campaigns", "0012_webhooks"),
        ("sms", "0003_trials_pulls_spending"),
    ]

    operations = [migrations.RunSQL(_ADD, migrations.RunSQL.noop)]
