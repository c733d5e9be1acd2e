"""The nine numbers. Whoever's orders, scans, redemptions, behaviours or bindings change is noted for the fold, in the
transaction of the change, whatever code made it. Triggers of behaviours are the whole table's, of none of its months.
"""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

_FUNCTION = """
CREATE FUNCTION sales_touch_member_days() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE 'INSERT INTO sales_memberdaytouch (member_ref) SELECT DISTINCT changed.member_id FROM ('
        || TG_ARGV[0] || ') changed (member_id) WHERE changed.member_id IS NOT NULL';
    RETURN NULL;
END $$
"""
_ROWS = {
    "INSERT": "NEW TABLE AS new_rows",
    "UPDATE": "OLD TABLE AS old_rows NEW TABLE AS new_rows",
    "DELETE": "OLD TABLE AS old_rows",
}
_NEW, _OLD = "SELECT member_id FROM new_rows", "SELECT member_id FROM old_rows"
_BOTH = _OLD + " UNION ALL " + _NEW
# Points and tiers write to an order several times, which brings nobody.
_SALE = ("member_id", "store_id", "business_on", "is_current", "unit_count", "amount_fen", "returned_unit_count",
         "returned_fen")  # fmt: skip
_SALE_CHANGED = (
    "SELECT unnest(ARRAY[o.member_id, n.member_id]) FROM new_rows n JOIN old_rows o ON o.id = n.id WHERE ("
    + ", ".join(f"n.{name}" for name in _SALE) + ") IS DISTINCT FROM (" + ", ".join(f"o.{name}" for name in _SALE) + ")"
)
_REDEEMED = "SELECT c.member_id FROM new_rows n JOIN coupons_coupon c ON c.id = n.coupon_id"
_TRIGGERS = (
    ("sales_sale", "INSERT", _NEW),
    ("sales_sale", "UPDATE", _SALE_CHANGED),
    ("guides_channelscan", "INSERT", _NEW),
    ("guides_channelscan", "UPDATE", _BOTH),
    ("coupons_redemption", "INSERT", _REDEEMED),
    ("coupons_redemption", "UPDATE", _REDEEMED),
    ("members_behaviour", "INSERT", _NEW),
    ("members_behaviour", "UPDATE", _BOTH),
    ("members_behaviour", "DELETE", _OLD),
    ("guides_binding", "INSERT", _NEW),
    ("guides_binding", "UPDATE", _BOTH),
)


class Migration(migrations.Migration):

    dependencies = [
        ('members', '0016_behaviours'),
        ('guides', '0011_tag_links'),
        ('coupons', '0013_claims_by_index'),
        ('sales', '0023_entries_back'),
    ]

    operations = [
        migrations.CreateModel(
            name='MemberDayTouch',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('member_ref', models.BigIntegerField()),
                ('touched_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                'verbose_name': '待汇总的到访',
                'verbose_name_plural': '待汇总的到访',
            },
        ),
        migrations.CreateModel(
            name='NineFold',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('cursor', models.BigIntegerField(default=0, editable=False, null=True)),
                ('active_days', models.PositiveIntegerField(default=0, editable=False)),
                ('kept_on', models.DateField(editable=False, null=True)),
                ('folded_at', models.DateTimeField(editable=False, null=True, verbose_name='最近汇总')),
                ('proved_on', models.DateField(editable=False, null=True, verbose_name='最近核对')),
                ('wrong_count', models.PositiveIntegerField(default=0, editable=False, verbose_name='核对修正')),
            ],
            options={
                'verbose_name': '九宫格',
                'verbose_name_plural': '九宫格',
                'permissions': [('export_ninefold', '导出九宫格会员')],
                'constraints': [models.CheckConstraint(condition=models.Q(('pk', 1)), name='ninefold_one_row')],
            },
        ),
        migrations.CreateModel(
            name='NinePlace',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('scope', models.CharField(choices=[('chain', '全公司'), ('region', '区域'), ('dealer', '经销商'), ('store', '门店'), ('guide', '导购')], max_length=7)),
                ('ref', models.BigIntegerField()),
                ('store_ref', models.BigIntegerField()),
            ],
            options={
                'verbose_name': '九宫格范围内的门店',
                'verbose_name_plural': '九宫格范围内的门店',
                'constraints': [models.UniqueConstraint(fields=('store_ref', 'scope', 'ref'), name='nineplace_once')],
            },
        ),
        migrations.CreateModel(
            name='NineTotal',
            fields=[
                ('pk', models.CompositePrimaryKey('scope', 'ref', 'period', 'starts_on', 'stood', blank=True, editable=False, primary_key=True, serialize=False)),
                ('scope', models.CharField(choices=[('chain', '全公司'), ('region', '区域'), ('dealer', '经销商'), ('store', '门店'), ('guide', '导购')], max_length=7)),
                ('ref', models.BigIntegerField()),
                ('period', models.CharField(choices=[('day', '日'), ('week', '周'), ('month', '月'), ('quarter', '季度')], max_length=7)),
                ('starts_on', models.DateField()),
                ('stood', models.CharField(choices=[('new', '新客'), ('returning', '老客'), ('dormant', '沉睡客')], max_length=9)),
                ('came_count', models.IntegerField()),
                ('buyer_count', models.IntegerField()),
                ('order_count', models.IntegerField()),
                ('net_fen', models.BigIntegerField()),
            ],
            options={
                'verbose_name': '九宫格汇总',
                'verbose_name_plural': '九宫格汇总',
                'indexes': [models.Index(fields=['period', 'starts_on'], name='ninetotal_of_period')],
            },
        ),
        migrations.CreateModel(
            name='MemberDay',
            fields=[
                ('pk', models.CompositePrimaryKey('member_id', 'day', 'store_ref', blank=True, editable=False, primary_key=True, serialize=False)),
                ('day', models.DateField(verbose_name='日期')),
                ('store_ref', models.BigIntegerField(default=0)),
                ('guide_ref', models.BigIntegerField(default=0)),
                ('traces', models.PositiveSmallIntegerField(verbose_name='来访方式')),
                ('order_count', models.PositiveIntegerField(default=0, verbose_name='订单')),
                ('net_fen', models.BigIntegerField(default=0, verbose_name='净额（分）')),
                ('previous_on', models.DateField(null=True, verbose_name='上次购买')),
                ('member', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='members.member', verbose_name='会员')),
            ],
            options={
                'verbose_name': '到访',
                'verbose_name_plural': '到访',
                'indexes': [models.Index(fields=['day'], name='memberday_by_day'), models.Index(fields=['store_ref', 'day'], name='memberday_of_store'), models.Index(fields=['guide_ref', 'day'], name='memberday_of_guide')],
            },
        ),
        migrations.RunSQL(_FUNCTION, "DROP FUNCTION sales_touch_member_days() CASCADE"),
        *(
            migrations.RunSQL(
                f"CREATE TRIGGER {table}_touch_{event.lower()} AFTER {event} ON {table} REFERENCING {_ROWS[event]}"
                f" FOR EACH STATEMENT EXECUTE FUNCTION sales_touch_member_days('{query}')",
                f"DROP TRIGGER {table}_touch_{event.lower()} ON {table}",
            )
            for table, event, query in _TRIGGERS
        ),
    ]
