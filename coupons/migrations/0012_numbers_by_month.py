"""Numbers of stores and guides by month: see ADR 26."""

from django.db import migrations, models

# What is folded so far; the cursors say that it is.
_FILL = """
INSERT INTO coupons_couponmonth (
    side, month, store_id, guide_id, batch_id, door, issued_count, redeemed_count, reversed_count, voided_count,
    expired_count, discount_fen, sales_fen)
SELECT place.side, date_trunc('month', own.day)::date, place.store, place.guide, own.batch_id, own.door,
       sum(issued_count), sum(redeemed_count), sum(reversed_count), sum(voided_count), sum(expired_count),
       sum(discount_fen), sum(sales_fen)
FROM coupons_couponday own, LATERAL (VALUES
    ('issued', own.issued_store_id, own.guide_id),
    ('redeemed', own.redeemed_store_id, own.redeemed_guide_id)) place (side, store, guide)
GROUP BY 1, 2, 3, 4, 5, 6
"""


class Migration(migrations.Migration):

    dependencies = [
        ('coupons', '0011_purchase_gifts'),
    ]

    operations = [
        migrations.CreateModel(
            name='CouponMonth',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('issued_count', models.BigIntegerField(default=0, verbose_name='发放')),
                ('redeemed_count', models.BigIntegerField(default=0, verbose_name='核销')),
                ('reversed_count', models.BigIntegerField(default=0, verbose_name='撤销核销')),
                ('voided_count', models.BigIntegerField(default=0, verbose_name='作废')),
                ('expired_count', models.BigIntegerField(default=0, verbose_name='过期')),
                ('discount_fen', models.BigIntegerField(default=0, verbose_name='优惠金额（分）')),
                ('sales_fen', models.BigIntegerField(default=0, verbose_name='带动销售（分）')),
                ('month', models.DateField(verbose_name='月份')),
                ('side', models.CharField(max_length=8, verbose_name='口径')),
                ('store_id', models.BigIntegerField(verbose_name='门店')),
                ('guide_id', models.BigIntegerField(verbose_name='导购')),
                ('batch_id', models.BigIntegerField(verbose_name='券批次')),
                ('door', models.CharField(choices=[('claim', '自己领取'), ('guide', '导购发放'), ('face_to_face', '面对面领取'), ('system', '系统发放'), ('code', '兑换码'), ('share', '分享裂变'), ('partner', '合作方发放')], max_length=12, verbose_name='发放渠道')),
            ],
            options={
                'verbose_name': '券数据（按月）',
                'verbose_name_plural': '券数据（按月）',
                'indexes': [models.Index(fields=['batch_id', 'month'], name='couponmonth_of_batch'), models.Index(condition=models.Q(('guide_id', 0), _negated=True), fields=['guide_id', 'month'], name='couponmonth_of_guide'), models.Index(condition=models.Q(('store_id', 0), _negated=True), fields=['store_id', 'month'], name='couponmonth_of_store')],
                'constraints': [models.UniqueConstraint(fields=('side', 'month', 'store_id', 'guide_id', 'batch_id', 'door'), name='couponmonth_once')],
            },
        ),
        migrations.RunSQL(_FILL, migrations.RunSQL.noop),
    ]
