"""A campaign's budget holds its texts. Those that went before are spent, though no budget held them."""

from django.db import migrations, models
from django.db.models import F, Q
from django.db.models.lookups import GreaterThanOrEqual

from core.migration_operations import Together

_OF_RUNS = """
UPDATE campaigns_campaignrun run SET text_hundredths = told.cost
FROM (SELECT split_part(reason_key, ':', 3)::bigint AS run_id, sum(cost_hundredths) AS cost FROM campaigns_reach
      WHERE reason_key ~ '^act:camp:[0-9]{1,18}:' AND cost_hundredths > 0 GROUP BY 1) AS told
WHERE run.id = told.run_id
"""
_OF_CAMPAIGNS = """
UPDATE campaigns_campaign campaign SET text_hundredths = told.cost, over_hundredths = told.cost
FROM (SELECT campaign_id, sum(text_hundredths) AS cost FROM campaigns_campaignrun GROUP BY 1) AS told
WHERE campaign.id = told.campaign_id AND told.cost > 0
"""


def _hundredths(model: str, name: str) -> migrations.AddField:
    editable = {} if model == "campaignrun" else {"editable": False}
    return migrations.AddField(model, name, models.BigIntegerField(default=0, **editable))


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0026_contacts_answered")]

    operations = [
        Together(
            [
                migrations.RemoveConstraint(model_name="campaign", name="campaign_within_budget"),
                _hundredths("campaign", "held_hundredths"),
                _hundredths("campaign", "over_hundredths"),
                _hundredths("campaign", "text_hundredths"),
                _hundredths("campaignrun", "text_hundredths"),
                migrations.AddField(
                    "reach", "held_hundredths", models.PositiveIntegerField(editable=False, null=True)
                ),
                migrations.AlterField(
                    model_name="campaign",
                    name="spent_fen",
                    field=models.BigIntegerField(default=0, editable=False, verbose_name="券已用（分）"),
                ),
                migrations.AlterField(
                    model_name="campaignrun",
                    name="spent_fen",
                    field=models.BigIntegerField(default=0, verbose_name="券已用（分）"),
                ),
                migrations.AddIndex(
                    model_name="reach",
                    index=models.Index(fields=["id"], name="reach_held", condition=Q(held_hundredths__gt=0)),
                ),
            ]
        ),
        migrations.RunSQL(_OF_RUNS, migrations.RunSQL.noop),
        migrations.RunSQL(_OF_CAMPAIGNS, migrations.RunSQL.noop),
        migrations.AddConstraint(
            model_name="campaign",
            constraint=models.CheckConstraint(
                condition=Q(budget_fen__isnull=True)
                | Q(
                    GreaterThanOrEqual(
                        F("budget_fen") * 100,
                        F("spent_fen") * 100
                        + F("text_hundredths")
                        + F("held_hundredths")
                        - F("over_hundredths"),
                    )
                ),
                name="campaign_within_budget",
            ),
        ),
    ]
