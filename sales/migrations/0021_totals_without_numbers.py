"""Totals are known by what they are totals of, and those of a guide in one store stand in a table of their own."""

import django.db.models.deletion
from django.db import migrations, models

_METRICS = [
    ("sales_fen", "销售额"), ("order_count", "订单数"), ("unit_count", "件数"), ("return_fen", "退货额"),
    ("return_count", "退货单数"), ("first_purchase_count", "首购会员数"), ("repurchase_fen", "复购额"),
    ("new_member_count", "新增会员"), ("new_binding_count", "新增绑定"), ("redemption_count", "核销数"),
    ("share_count", "素材分享数"), ("task_count", "完成任务数"),
]
_PERIODS = [("day", "日"), ("week", "周"), ("month", "月")]
# Pages keep room, so that a moved row stays on its page and no index hears of it.
_FORWARDS = """
ALTER TABLE sales_guidestoretotal SET (fillfactor = 70);
INSERT INTO sales_guidestoretotal (metric, period, starts_on, guide_id, store_id, value)
SELECT metric, period, starts_on, guide_id, store_id, value FROM sales_guidetotal WHERE store_id IS NOT NULL
ORDER BY period, starts_on, store_id, metric, guide_id;

ALTER TABLE sales_guidetotal DROP CONSTRAINT guidetotal_once;
DROP INDEX guidetotal_store_board;
DELETE FROM sales_guidetotal WHERE store_id IS NOT NULL;
ALTER TABLE sales_guidetotal DROP COLUMN id, DROP COLUMN store_id;
DROP INDEX IF EXISTS guidetotal_chain_board;
ALTER TABLE sales_guidetotal ADD PRIMARY KEY (period, starts_on, metric, guide_id);
CREATE INDEX guidetotal_board ON sales_guidetotal (period, starts_on, metric, value DESC, guide_id);

ALTER TABLE sales_storetotal DROP CONSTRAINT storetotal_once;
ALTER TABLE sales_storetotal DROP COLUMN id;
ALTER TABLE sales_storetotal ADD PRIMARY KEY (period, starts_on, metric, store_id);

ALTER TABLE sales_placetotal DROP CONSTRAINT placetotal_once;
ALTER TABLE sales_placetotal DROP COLUMN id;
ALTER TABLE sales_placetotal ADD PRIMARY KEY (period, starts_on, metric, guide_id, place);

UPDATE sales_totalmove SET guide_ref = 0 WHERE guide_ref IS NULL;
"""
_GUIDE = models.ForeignKey(
    db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="guides.guide"
)
_STORE = models.ForeignKey(
    db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="guides.store"
)


def _columns(*key):
    return [
        (
            "pk",
            models.CompositePrimaryKey(*key, blank=True, editable=False, primary_key=True, serialize=False),
        ),
        ("metric", models.CharField(choices=_METRICS, max_length=20)),
        ("period", models.CharField(choices=_PERIODS, max_length=5)),
        ("starts_on", models.DateField()),
        ("value", models.BigIntegerField(default=0)),
    ]


def _words(one):
    return {"verbose_name": one, "verbose_name_plural": one}


class Migration(migrations.Migration):
    dependencies = [("guides", "0006_code_purpose"), ("sales", "0020_share_close")]

    operations = [
        migrations.CreateModel(
            name="GuideStoreTotal",
            fields=[
                *_columns("period", "starts_on", "store_id", "metric", "guide_id"),
                ("guide", _GUIDE.clone()),
                ("store", _STORE.clone()),
            ],
            options=_words("导购门店业绩汇总"),
        ),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.DeleteModel("GuideTotal"),
                migrations.DeleteModel("StoreTotal"),
                migrations.DeleteModel("PlaceTotal"),
                migrations.CreateModel(
                    name="GuideTotal",
                    fields=[*_columns("period", "starts_on", "metric", "guide_id"), ("guide", _GUIDE.clone())],
                    options=_words("导购业绩汇总"),
                ),
                migrations.CreateModel(
                    name="StoreTotal",
                    fields=[*_columns("period", "starts_on", "metric", "store_id"), ("store", _STORE.clone())],
                    options=_words("门店业绩汇总"),
                ),
                migrations.CreateModel(
                    name="PlaceTotal",
                    fields=[
                        *_columns("period", "starts_on", "metric", "guide_id", "place"),
                        ("place", models.BigIntegerField()),
                        ("guide", _GUIDE.clone()),
                    ],
                    options=_words("区域业绩汇总"),
                ),
                migrations.AddIndex(
                    "guidetotal",
                    models.Index(
                        fields=["period", "starts_on", "metric", "-value", "guide"], name="guidetotal_board"
                    ),
                ),
                migrations.AddIndex(
                    "storetotal",
                    models.Index(
                        fields=["period", "starts_on", "metric", "-value", "store"], name="storetotal_board"
                    ),
                ),
                migrations.AddIndex(
                    "placetotal",
                    models.Index(
                        fields=["place", "period", "starts_on", "metric", "-value", "guide"],
                        name="placetotal_board",
                    ),
                ),
            ],
            database_operations=[migrations.RunSQL(_FORWARDS)],
        ),
        migrations.AlterField("totalmove", "guide_ref", models.BigIntegerField(default=0)),
    ]
