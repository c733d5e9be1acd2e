"""Everything of this app up to 0025 at once: databases that have those migrations count this one as done."""

import core.codes
import core.fields
import core.migration_operations
import django.contrib.postgres.fields
import django.core.serializers.json
import django.core.validators
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


_FUNCTIONS = r"""
CREATE FUNCTION sales_commission_is_open() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    month_ids bigint[];
    is_closed boolean;
BEGIN
    IF TG_TABLE_NAME = 'sales_commissionline' THEN
        month_ids := array(SELECT DISTINCT statement.month_id FROM sales_commissionstatement statement
                           WHERE statement.id IN (SELECT statement_id FROM touched));
    ELSE
        month_ids := array(SELECT DISTINCT month_id FROM touched);
    END IF;
    SELECT bool_or(held.state = 'closed') INTO is_closed FROM (
        SELECT state FROM sales_commissionmonth WHERE id = ANY(month_ids) ORDER BY id FOR SHARE) held;
    IF is_closed THEN
        RAISE EXCEPTION 'the month is closed' USING ERRCODE = 'check_violation',
            CONSTRAINT = 'commission_closed_month_is_frozen';
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION sales_commission_is_written_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'commission is written once' USING ERRCODE = 'check_violation',
        CONSTRAINT = 'commission_written_once';
END $$;

CREATE FUNCTION sales_share_close(lock bigint) RETURNS date[] LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(lock);
    RETURN ARRAY(SELECT month_on FROM sales_periodclose WHERE reopened_at IS NULL);
END $$;

CREATE FUNCTION sales_touched_by_coupons_redemption_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO sales_memberdaytouch (member_ref)
    SELECT DISTINCT changed.member_id FROM (SELECT member_id FROM coupons_coupon WHERE id = ANY(ARRAY(SELECT coupon_id FROM new_rows))) changed (member_id) WHERE changed.member_id IS NOT NULL;
    RETURN NULL;
END $$;

CREATE FUNCTION sales_touched_by_coupons_redemption_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO sales_memberdaytouch (member_ref)
    SELECT DISTINCT changed.member_id FROM (SELECT member_id FROM coupons_coupon WHERE id = ANY(ARRAY(SELECT coupon_id FROM new_rows))) changed (member_id) WHERE changed.member_id IS NOT NULL;
    RETURN NULL;
END $$;

CREATE FUNCTION sales_touched_by_guides_binding_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO sales_memberdaytouch (member_ref)
    SELECT DISTINCT changed.member_id FROM (SELECT member_id FROM new_rows) changed (member_id) WHERE changed.member_id IS NOT NULL;
    RETURN NULL;
END $$;

CREATE FUNCTION sales_touched_by_guides_binding_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO sales_memberdaytouch (member_ref)
    SELECT DISTINCT changed.member_id FROM (SELECT member_id FROM old_rows UNION ALL SELECT member_id FROM new_rows) changed (member_id) WHERE changed.member_id IS NOT NULL;
    RETURN NULL;
END $$;

CREATE FUNCTION sales_touched_by_guides_channelscan_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO sales_memberdaytouch (member_ref)
    SELECT DISTINCT changed.member_id FROM (SELECT member_id FROM new_rows) changed (member_id) WHERE changed.member_id IS NOT NULL;
    RETURN NULL;
END $$;

CREATE FUNCTION sales_touched_by_guides_channelscan_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO sales_memberdaytouch (member_ref)
    SELECT DISTINCT changed.member_id FROM (SELECT member_id FROM old_rows UNION ALL SELECT member_id FROM new_rows) changed (member_id) WHERE changed.member_id IS NOT NULL;
    RETURN NULL;
END $$;

CREATE FUNCTION sales_touched_by_members_behaviour_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO sales_memberdaytouch (member_ref)
    SELECT DISTINCT changed.member_id FROM (SELECT member_id FROM old_rows) changed (member_id) WHERE changed.member_id IS NOT NULL;
    RETURN NULL;
END $$;

CREATE FUNCTION sales_touched_by_members_behaviour_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO sales_memberdaytouch (member_ref)
    SELECT DISTINCT changed.member_id FROM (SELECT member_id FROM new_rows) changed (member_id) WHERE changed.member_id IS NOT NULL;
    RETURN NULL;
END $$;

CREATE FUNCTION sales_touched_by_members_behaviour_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO sales_memberdaytouch (member_ref)
    SELECT DISTINCT changed.member_id FROM (SELECT member_id FROM old_rows UNION ALL SELECT member_id FROM new_rows) changed (member_id) WHERE changed.member_id IS NOT NULL;
    RETURN NULL;
END $$;

CREATE FUNCTION sales_touched_by_sales_sale_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO sales_memberdaytouch (member_ref)
    SELECT DISTINCT changed.member_id FROM (SELECT member_id FROM new_rows) changed (member_id) WHERE changed.member_id IS NOT NULL;
    RETURN NULL;
END $$;

CREATE FUNCTION sales_touched_by_sales_sale_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO sales_memberdaytouch (member_ref)
    SELECT DISTINCT changed.member_id FROM (SELECT member_id FROM (SELECT id, member_id, store_id, business_on, is_current, unit_count, amount_fen, returned_unit_count, returned_fen FROM new_rows EXCEPT SELECT id, member_id, store_id, business_on, is_current, unit_count, amount_fen, returned_unit_count, returned_fen FROM old_rows) came UNION ALL SELECT member_id FROM (SELECT id, member_id, store_id, business_on, is_current, unit_count, amount_fen, returned_unit_count, returned_fen FROM old_rows EXCEPT SELECT id, member_id, store_id, business_on, is_current, unit_count, amount_fen, returned_unit_count, returned_fen FROM new_rows) went) changed (member_id) WHERE changed.member_id IS NOT NULL;
    RETURN NULL;
END $$;
"""

_TRIGGERS = r"""
CREATE TRIGGER commissionline_delete_is_open AFTER DELETE ON sales_commissionline
    REFERENCING OLD TABLE AS touched
    FOR EACH STATEMENT
    EXECUTE FUNCTION sales_commission_is_open();

CREATE TRIGGER commissionline_insert_is_open AFTER INSERT ON sales_commissionline
    REFERENCING NEW TABLE AS touched
    FOR EACH STATEMENT
    EXECUTE FUNCTION sales_commission_is_open();

CREATE TRIGGER commissionline_update_is_open AFTER UPDATE ON sales_commissionline
    REFERENCING NEW TABLE AS touched
    FOR EACH STATEMENT
    EXECUTE FUNCTION sales_commission_is_open();

CREATE TRIGGER commissionline_written_once BEFORE UPDATE OF id, statement_id, number, kind, entry_ref, sale_ref, return_ref, document_no, day_on, store_id, category_code, share_bp, base_fen, unit_count, rate_bp, fen, rule_id, rule_words, original_id ON sales_commissionline
    FOR EACH ROW
    EXECUTE FUNCTION sales_commission_is_written_once();

CREATE TRIGGER commissionstatement_delete_is_open AFTER DELETE ON sales_commissionstatement
    REFERENCING OLD TABLE AS touched
    FOR EACH STATEMENT
    EXECUTE FUNCTION sales_commission_is_open();

CREATE TRIGGER commissionstatement_insert_is_open AFTER INSERT ON sales_commissionstatement
    REFERENCING NEW TABLE AS touched
    FOR EACH STATEMENT
    EXECUTE FUNCTION sales_commission_is_open();

CREATE TRIGGER commissionstatement_update_is_open AFTER UPDATE ON sales_commissionstatement
    REFERENCING NEW TABLE AS touched
    FOR EACH STATEMENT
    EXECUTE FUNCTION sales_commission_is_open();

CREATE TRIGGER commissionstatement_written_once BEFORE UPDATE OF id, month_id, guide_id, store_id, sales_fen, earned_fen, bonus_fen, clawed_back_fen, carried_in_fen, payable_fen, carried_out_fen ON sales_commissionstatement
    FOR EACH ROW
    EXECUTE FUNCTION sales_commission_is_written_once();

CREATE TRIGGER coupons_redemption_touch_insert AFTER INSERT ON coupons_redemption
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT
    EXECUTE FUNCTION sales_touched_by_coupons_redemption_insert();

CREATE TRIGGER coupons_redemption_touch_update AFTER UPDATE ON coupons_redemption
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT
    EXECUTE FUNCTION sales_touched_by_coupons_redemption_update();

CREATE TRIGGER guides_binding_touch_insert AFTER INSERT ON guides_binding
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT
    EXECUTE FUNCTION sales_touched_by_guides_binding_insert();

CREATE TRIGGER guides_binding_touch_update AFTER UPDATE ON guides_binding
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT
    EXECUTE FUNCTION sales_touched_by_guides_binding_update();

CREATE TRIGGER guides_channelscan_touch_insert AFTER INSERT ON guides_channelscan
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT
    EXECUTE FUNCTION sales_touched_by_guides_channelscan_insert();

CREATE TRIGGER guides_channelscan_touch_update AFTER UPDATE ON guides_channelscan
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT
    EXECUTE FUNCTION sales_touched_by_guides_channelscan_update();

CREATE TRIGGER members_behaviour_touch_delete AFTER DELETE ON members_behaviour
    REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT
    EXECUTE FUNCTION sales_touched_by_members_behaviour_delete();

CREATE TRIGGER members_behaviour_touch_insert AFTER INSERT ON members_behaviour
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT
    EXECUTE FUNCTION sales_touched_by_members_behaviour_insert();

CREATE TRIGGER members_behaviour_touch_update AFTER UPDATE ON members_behaviour
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT
    EXECUTE FUNCTION sales_touched_by_members_behaviour_update();

CREATE TRIGGER sales_sale_touch_insert AFTER INSERT ON sales_sale
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT
    EXECUTE FUNCTION sales_touched_by_sales_sale_insert();

CREATE TRIGGER sales_sale_touch_update AFTER UPDATE ON sales_sale
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT
    EXECUTE FUNCTION sales_touched_by_sales_sale_update();
"""


class Migration(migrations.Migration):

    replaces = [('sales', '0001_first'), ('sales', '0002_boards'), ('sales', '0003_targets'), ('sales', '0004_commission'), ('sales', '0005_member_metrics'), ('sales', '0006_file_intake'), ('sales', '0007_desks'), ('sales', '0008_purchase_care'), ('sales', '0009_commission_preparing'), ('sales', '0010_facts'), ('sales', '0011_waiting_totals_by_guide'), ('sales', '0012_newest_reviews'), ('sales', '0013_metric_words'), ('sales', '0014_alias_forgotten'), ('sales', '0015_brands'), ('sales', '0016_board_sizes'), ('sales', '0017_commission_taken_back'), ('sales', '0018_names_of_pages'), ('sales', '0019_board_marks'), ('sales', '0020_share_close'), ('sales', '0021_totals_without_numbers'), ('sales', '0022_board_moves_together'), ('sales', '0023_entries_back'), ('sales', '0024_nine_numbers'), ('sales', '0025_touches_planned_once')]

    initial = True

    dependencies = [
        ('coupons', '0001_squashed_0013'),
        ('core', '0001_squashed_0002'),
        ('guides', '0001_squashed_0012'),
        ('members', '0001_squashed_0017'),
    ]

    operations = [
        core.migration_operations.CreateModels(
            models=[
                migrations.CreateModel(
                    name='Category',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('code', models.CharField(max_length=40, unique=True, verbose_name='类目编码')),
                        ('name', models.CharField(blank=True, max_length=60, verbose_name='类目名称')),
                    ],
                    options={
                        'verbose_name': '商品类目',
                        'verbose_name_plural': '商品类目',
                    },
                ),
                migrations.CreateModel(
                    name='AttributionRule',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('position', models.PositiveIntegerField(unique=True, verbose_name='顺序')),
                        ('name', models.CharField(max_length=40, verbose_name='规则名称')),
                        ('region_ids', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), blank=True, default=list, size=None, verbose_name='适用区域')),
                        ('dealer_ids', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), blank=True, default=list, size=None, verbose_name='适用经销商')),
                        ('channels', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=16), blank=True, default=list, size=None, verbose_name='适用渠道')),
                        ('starts_on', models.DateField(blank=True, null=True, verbose_name='开始日期')),
                        ('ends_on', models.DateField(blank=True, null=True, verbose_name='结束日期（含）')),
                        ('serving_bp', models.PositiveIntegerField(default=0, verbose_name='接待导购（万分比）')),
                        ('exclusive_bp', models.PositiveIntegerField(default=0, verbose_name='专属导购（万分比）')),
                        ('sharing_bp', models.PositiveIntegerField(default=0, verbose_name='分享导购（万分比）')),
                        ('store_bp', models.PositiveIntegerField(default=0, verbose_name='门店（万分比）')),
                        ('is_active', models.BooleanField(default=True, verbose_name='启用')),
                        ('crosses_owners', models.BooleanField(default=False, verbose_name='允许分给其他经销商的导购')),
                        ('brands', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=40), blank=True, default=list, size=None, verbose_name='适用品牌')),
                    ],
                    options={
                        'verbose_name': '归属规则',
                        'verbose_name_plural': '归属规则',
                        'constraints': [models.CheckConstraint(condition=models.Q(('store_bp', django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.Value(10000), '-', models.F('serving_bp')), '-', models.F('exclusive_bp')), '-', models.F('sharing_bp')))), name='attributionrule_parts_make_the_whole'), models.CheckConstraint(condition=models.Q(('starts_on__isnull', True), ('ends_on__isnull', True), ('ends_on__gte', models.F('starts_on')), _connector='OR'), name='attributionrule_ends_after_it_starts')],
                    },
                ),
                migrations.CreateModel(
                    name='HeldDocument',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('public_id', models.CharField(default=core.codes.new_public_id, editable=False, max_length=16, unique=True)),
                        ('kind', models.CharField(max_length=8, verbose_name='单据类型')),
                        ('source', models.CharField(max_length=16, verbose_name='来源系统')),
                        ('number', models.CharField(max_length=64, verbose_name='单号')),
                        ('order_no', models.CharField(blank=True, max_length=64, verbose_name='原订单号')),
                        ('digest', models.BinaryField(max_length=32)),
                        ('body', core.fields.SealedTextField(editable=False)),
                        ('member_index', models.CharField(blank=True, editable=False, max_length=64)),
                        ('reason', models.CharField(max_length=40, verbose_name='原因')),
                        ('field', models.CharField(blank=True, max_length=40, verbose_name='出错字段')),
                        ('value', models.CharField(blank=True, max_length=64, verbose_name='内容')),
                        ('store_code', models.CharField(blank=True, max_length=20, verbose_name='门店编号')),
                        ('state', models.CharField(choices=[('waiting', '待处理'), ('booked', '已入账'), ('discarded', '已作废')], default='waiting', max_length=9, verbose_name='状态')),
                        ('tries', models.PositiveIntegerField(default=0, verbose_name='已重试次数')),
                        ('held_at', models.DateTimeField(verbose_name='收到时间')),
                        ('tried_at', models.DateTimeField(verbose_name='最近重试')),
                        ('settled_at', models.DateTimeField(blank=True, null=True, verbose_name='处理时间')),
                        ('settled_by', models.CharField(blank=True, max_length=90, verbose_name='处理人')),
                        ('note', models.CharField(blank=True, max_length=120, verbose_name='处理说明')),
                        ('due_on', models.DateField(blank=True, null=True, verbose_name='单据日期')),
                    ],
                    options={
                        'verbose_name': '待处理单据',
                        'verbose_name_plural': '待处理单据',
                        'indexes': [models.Index(condition=models.Q(('state', 'waiting')), fields=['source', 'order_no'], name='helddocument_for_order'), models.Index(condition=models.Q(('state', 'waiting')), fields=['reason', 'id'], name='helddocument_queue'), models.Index(condition=models.Q(('member_index', ''), _negated=True), fields=['member_index'], name='helddocument_of_member')],
                        'constraints': [models.UniqueConstraint(fields=('kind', 'source', 'number', 'digest'), name='helddocument_content_once'), models.CheckConstraint(condition=models.Q(models.Q(('settled_at__isnull', True), ('state', 'waiting')), models.Q(models.Q(('state', 'waiting'), _negated=True), ('settled_at__isnull', False)), _connector='OR'), name='helddocument_settled_has_a_time')],
                    },
                ),
                migrations.CreateModel(
                    name='PeriodClose',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('month_on', models.DateField(verbose_name='月份')),
                        ('closed_at', models.DateTimeField(verbose_name='关账时间')),
                        ('closed_by', models.CharField(blank=True, max_length=90, verbose_name='操作者')),
                        ('reopened_at', models.DateTimeField(blank=True, null=True, verbose_name='重新打开时间')),
                        ('reopened_by', models.CharField(blank=True, max_length=90, verbose_name='重新打开的操作者')),
                        ('reopen_reason', models.CharField(blank=True, max_length=120, verbose_name='重新打开的原因')),
                    ],
                    options={
                        'verbose_name': '业绩关账',
                        'verbose_name_plural': '业绩关账',
                        'constraints': [models.UniqueConstraint(condition=models.Q(('reopened_at__isnull', True)), fields=('month_on',), name='periodclose_once'), models.CheckConstraint(condition=models.Q(models.Q(('reopen_reason', ''), ('reopened_at__isnull', True)), models.Q(('reopened_at__isnull', False), models.Q(('reopen_reason', ''), _negated=True)), _connector='OR'), name='periodclose_reopened_for_a_reason')],
                        'permissions': [('close_periodclose', '关账和重新打开月份')],
                    },
                ),
                migrations.CreateModel(
                    name='Sale',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('public_id', models.CharField(default=core.codes.new_public_id, editable=False, max_length=16, unique=True)),
                        ('source', models.CharField(max_length=16, verbose_name='来源系统')),
                        ('order_no', models.CharField(max_length=64, verbose_name='订单号')),
                        ('revision', models.PositiveIntegerField(default=0, verbose_name='版本')),
                        ('is_current', models.BooleanField(default=True, verbose_name='当前版本')),
                        ('digest', models.BinaryField(max_length=32)),
                        ('channel', models.CharField(max_length=16, verbose_name='渠道')),
                        ('sold_at', models.DateTimeField(verbose_name='成交时间')),
                        ('business_on', models.DateField(verbose_name='营业日')),
                        ('list_fen', models.BigIntegerField(verbose_name='吊牌金额（分）')),
                        ('amount_fen', models.BigIntegerField(verbose_name='成交金额（分）')),
                        ('unit_count', models.PositiveIntegerField(verbose_name='件数')),
                        ('points_spent', models.PositiveIntegerField(default=0, verbose_name='使用积分')),
                        ('returned_fen', models.BigIntegerField(default=0, verbose_name='已退金额（分）')),
                        ('returned_unit_count', models.PositiveIntegerField(default=0, verbose_name='已退件数')),
                        ('is_first', models.BooleanField(default=False, verbose_name='首单')),
                        ('points_round', models.PositiveSmallIntegerField(default=0, editable=False)),
                        ('spent_round', models.PositiveSmallIntegerField(default=0, editable=False)),
                        ('activity_round', models.PositiveSmallIntegerField(default=0, editable=False)),
                        ('points_earned', models.PositiveIntegerField(default=0, verbose_name='获得积分')),
                        ('counted_fen', models.BigIntegerField(default=0, editable=False)),
                        ('counted_orders', models.SmallIntegerField(default=0, editable=False)),
                        ('points_taken', models.PositiveIntegerField(default=0, verbose_name='已扣积分')),
                        ('points_outcome', models.CharField(blank=True, max_length=40, verbose_name='扣积分结果')),
                        ('recorded_at', models.DateTimeField(verbose_name='入账时间')),
                        ('member', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='members.member', verbose_name='会员')),
                        ('serving_guide', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='guides.guide', verbose_name='接待导购')),
                        ('sharing_guide', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='guides.guide', verbose_name='分享导购')),
                        ('store', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='guides.store', verbose_name='门店')),
                    ],
                    options={
                        'verbose_name': '销售单',
                        'verbose_name_plural': '销售单',
                        'indexes': [models.Index(condition=models.Q(('is_current', True)), fields=['member', 'sold_at'], name='sale_of_member'), models.Index(fields=['store', 'business_on'], name='sale_of_store_by_day')],
                        'constraints': [models.UniqueConstraint(fields=('source', 'order_no', 'revision'), name='sale_revision_once'), models.UniqueConstraint(condition=models.Q(('is_current', True)), fields=('source', 'order_no'), name='sale_one_current_per_order'), models.CheckConstraint(condition=models.Q(('amount_fen__gte', 0), ('list_fen__gte', 0), ('returned_fen__gte', 0), ('returned_fen__lte', models.F('amount_fen')), ('returned_unit_count__lte', models.F('unit_count'))), name='sale_returned_within_sold')],
                        'permissions': [('reattribute_sale', '重新归属销售单'), ('export_sale', '导出销售单')],
                    },
                ),
                migrations.CreateModel(
                    name='PerformanceEntry',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('booked_on', models.DateField(verbose_name='计入日期')),
                        ('due_on', models.DateField(verbose_name='单据日期')),
                        ('metric', models.CharField(choices=[('sales_fen', '销售额'), ('order_count', '订单数'), ('unit_count', '件数'), ('return_fen', '退货额'), ('return_count', '退货单数'), ('first_purchase_count', '首购会员数'), ('repurchase_fen', '复购额'), ('new_member_count', '新增会员'), ('new_binding_count', '新增绑定'), ('redemption_count', '核销数'), ('share_count', '素材分享数'), ('task_count', '完成任务数')], max_length=20, verbose_name='指标')),
                        ('value', models.BigIntegerField(verbose_name='数值')),
                        ('sale_ref', models.BigIntegerField(editable=False, null=True, verbose_name='销售单')),
                        ('return_ref', models.BigIntegerField(editable=False, null=True, verbose_name='退货单')),
                        ('fact_kind', models.CharField(blank=True, editable=False, max_length=12)),
                        ('fact_ref', models.BigIntegerField(editable=False, null=True)),
                        ('reason', models.CharField(choices=[('sale', '销售'), ('return', '退货'), ('member', '入会'), ('binding', '绑定'), ('redemption', '核销'), ('share', '素材分享'), ('task', '完成任务'), ('taken_back', '撤回'), ('restored', '恢复'), ('corrected', '单据更正'), ('reattributed', '重新归属'), ('first_moved', '首单变动')], max_length=12, verbose_name='事由')),
                        ('at', models.DateTimeField(verbose_name='入账时间')),
                        ('guide', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='guides.guide', verbose_name='导购')),
                        ('reversed_entry', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='sales.performanceentry', verbose_name='冲回的分录')),
                        ('store', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='guides.store', verbose_name='门店')),
                        ('fact_turn', models.PositiveSmallIntegerField(db_default=0, default=0, editable=False)),
                    ],
                    options={
                        'verbose_name': '业绩流水',
                        'verbose_name_plural': '业绩流水',
                        'indexes': [models.Index(condition=models.Q(('sale_ref__isnull', False)), fields=['sale_ref'], name='performanceentry_of_sale'), models.Index(condition=models.Q(('return_ref__isnull', False), ('sale_ref__isnull', True)), fields=['return_ref'], name='performanceentry_of_return'), models.Index(condition=models.Q(('fact_kind', ''), _negated=True), fields=['fact_kind', 'fact_ref'], name='performanceentry_of_fact'), models.Index(fields=['guide', 'booked_on'], name='performanceentry_of_guide'), models.Index(fields=['booked_on', 'store'], name='performanceentry_of_day'), models.Index(condition=models.Q(('booked_on__gt', models.F('due_on'))), fields=['due_on'], name='performanceentry_late'), models.Index(condition=models.Q(('return_ref__isnull', False), ('reversed_entry__isnull', False), _connector='OR'), fields=['booked_on'], name='performanceentry_back')],
                        'constraints': [models.UniqueConstraint(condition=models.Q(('reversed_entry__isnull', False)), fields=('reversed_entry',), name='performanceentry_reversed_once'), models.CheckConstraint(condition=models.Q(models.Q(('fact_kind', ''), ('fact_ref__isnull', True), models.Q(('sale_ref__isnull', False), ('return_ref__isnull', False), _connector='OR')), models.Q(models.Q(('fact_kind', ''), _negated=True), ('fact_ref__isnull', False), ('return_ref__isnull', True), ('sale_ref__isnull', True)), _connector='OR'), name='performanceentry_has_one_document'), models.CheckConstraint(condition=models.Q(('booked_on__gte', models.F('due_on'))), name='performanceentry_not_booked_before_due'), models.UniqueConstraint(condition=models.Q(models.Q(('fact_kind', ''), _negated=True), ('reversed_entry__isnull', True)), fields=('fact_kind', 'fact_ref', 'fact_turn'), name='performanceentry_fact_once')],
                        'permissions': [('export_performanceentry', '导出业绩流水')],
                    },
                ),
                migrations.CreateModel(
                    name='PlaceStore',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('place', models.BigIntegerField()),
                        ('store', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='guides.store')),
                    ],
                    options={
                        'verbose_name': '排行范围内的门店',
                        'verbose_name_plural': '排行范围内的门店',
                        'indexes': [models.Index(fields=['store', 'place'], name='placestore_of_store')],
                        'constraints': [models.UniqueConstraint(fields=('place', 'store'), name='placestore_once')],
                    },
                ),
                migrations.CreateModel(
                    name='Target',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('month_on', models.DateField(verbose_name='月份')),
                        ('metric', models.CharField(choices=[('sales_fen', '销售额'), ('order_count', '订单数'), ('unit_count', '件数'), ('return_fen', '退货额'), ('return_count', '退货单数'), ('first_purchase_count', '首购会员数'), ('repurchase_fen', '复购额'), ('new_member_count', '新增会员'), ('new_binding_count', '新增绑定'), ('redemption_count', '核销数'), ('share_count', '素材分享数'), ('task_count', '完成任务数')], default='sales_fen', max_length=20, verbose_name='指标')),
                        ('value', models.BigIntegerField(null=True, verbose_name='目标（分）')),
                        ('origin', models.CharField(choices=[('hand', '手工填写'), ('file', '表格导入'), ('split', '按比例分解')], max_length=5, verbose_name='来源')),
                        ('is_fixed', models.BooleanField(default=False, verbose_name='分解时不动')),
                        ('changed_at', models.DateTimeField(verbose_name='修改时间')),
                        ('guide', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='guides.guide', verbose_name='导购')),
                        ('region', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='guides.region', verbose_name='区域')),
                        ('store', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='guides.store', verbose_name='门店')),
                    ],
                    options={
                        'verbose_name': '业绩目标',
                        'verbose_name_plural': '目标与达成',
                        'constraints': [models.UniqueConstraint(fields=('month_on', 'metric', 'region', 'store', 'guide'), name='target_once', nulls_distinct=False), models.CheckConstraint(condition=models.Q(models.Q(('guide__isnull', True), ('region__isnull', False), ('store__isnull', True)), models.Q(('guide__isnull', True), ('region__isnull', True), ('store__isnull', False)), models.Q(('guide__isnull', False), ('region__isnull', True), ('store__isnull', True)), _connector='OR'), name='target_one_subject'), models.CheckConstraint(condition=models.Q(('value__isnull', True), ('value__gte', 0), _connector='OR'), name='target_not_negative'), models.CheckConstraint(condition=models.Q(('month_on__day', 1)), name='target_first_day')],
                    },
                ),
                migrations.CreateModel(
                    name='TargetSettings',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('orders_a_week', models.PositiveIntegerField(default=3, verbose_name='每周至少（单）')),
                        ('orders_a_month', models.PositiveIntegerField(default=15, verbose_name='每月至少（单）')),
                    ],
                    options={
                        'verbose_name': '有效导购标准',
                        'verbose_name_plural': '有效导购标准',
                        'constraints': [models.CheckConstraint(condition=models.Q(('orders_a_month__range', (1, 5000)), ('orders_a_week__range', (1, 1000))), name='targetsettings_numbers_make_sense')],
                    },
                ),
                migrations.CreateModel(
                    name='CommissionMonth',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('month_on', models.DateField(unique=True, verbose_name='月份')),
                        ('state', models.CharField(choices=[('open', '未结算'), ('preparing', '正在生成'), ('prepared', '待确认'), ('closed', '已关账'), ('discarding', '正在退回'), ('reopening', '正在重新打开')], default='open', max_length=10, verbose_name='状态')),
                        ('version', models.PositiveIntegerField(default=0, verbose_name='关账次数')),
                        ('entry_horizon', models.BigIntegerField(default=0, editable=False)),
                        ('prepared_at', models.DateTimeField(blank=True, null=True, verbose_name='生成时间')),
                        ('prepared_by', models.CharField(blank=True, max_length=90, verbose_name='生成人')),
                        ('closed_at', models.DateTimeField(blank=True, null=True, verbose_name='关账时间')),
                        ('closed_by', models.CharField(blank=True, max_length=90, verbose_name='关账人')),
                        ('reopen_reason', models.CharField(blank=True, max_length=120, verbose_name='重新打开的原因')),
                        ('begun_at', models.DateTimeField(blank=True, null=True, verbose_name='开始时间')),
                        ('done_count', models.PositiveIntegerField(default=0, verbose_name='已完成')),
                        ('guide_refs', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), blank=True, default=list, editable=False, size=None)),
                    ],
                    options={
                        'verbose_name': '提成月份',
                        'verbose_name_plural': '提成结算',
                        'permissions': [('close_commission', '可以关账和重新打开提成')],
                        'constraints': [models.CheckConstraint(condition=models.Q(('month_on__day', 1)), name='commissionmonth_first_day'), models.CheckConstraint(condition=models.Q(('state', 'open'), models.Q(('begun_at__isnull', False), ('state__in', ['preparing', 'discarding', 'reopening'])), models.Q(('prepared_at__isnull', False), ('state', 'prepared')), models.Q(('closed_at__isnull', False), ('state', 'closed'), ('version__gt', 0)), _connector='OR'), name='commissionmonth_state_has_its_time')],
                    },
                ),
                migrations.CreateModel(
                    name='CommissionRule',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('position', models.PositiveIntegerField(unique=True, verbose_name='顺序')),
                        ('name', models.CharField(max_length=40, verbose_name='规则名称')),
                        ('kind', models.CharField(choices=[('sales', '销售提成'), ('bounty', '按人奖励'), ('target', '目标奖')], max_length=6, verbose_name='类型')),
                        ('mode', models.CharField(choices=[('progressive', '超额累进：每一档只算本档内的部分'), ('whole', '全额：达到后全部按这一档算')], default='progressive', max_length=11, verbose_name='分档算法')),
                        ('steps', models.JSONField(blank=True, default=list, verbose_name='分档')),
                        ('bounty_metric', models.CharField(blank=True, choices=[('first_purchase_count', '首购会员'), ('new_member_count', '新会员'), ('new_binding_count', '新绑定会员')], max_length=20, verbose_name='奖励什么')),
                        ('bounty_fen', models.BigIntegerField(default=0, verbose_name='每人奖励（分）')),
                        ('category_codes', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=40), blank=True, default=list, size=None, verbose_name='只算这些类目')),
                        ('region_ids', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), blank=True, default=list, size=None, verbose_name='适用区域')),
                        ('dealer_ids', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), blank=True, default=list, size=None, verbose_name='适用经销商')),
                        ('role', models.CharField(blank=True, choices=[('', '导购和店长'), ('guide', '只有导购'), ('manager', '只有店长')], max_length=7, verbose_name='适用岗位')),
                        ('starts_on', models.DateField(blank=True, null=True, verbose_name='开始日期')),
                        ('ends_on', models.DateField(blank=True, null=True, verbose_name='结束日期（含）')),
                        ('is_active', models.BooleanField(default=True, verbose_name='启用')),
                    ],
                    options={
                        'verbose_name': '提成规则',
                        'verbose_name_plural': '提成规则',
                        'constraints': [models.CheckConstraint(condition=models.Q(('starts_on__isnull', True), ('ends_on__isnull', True), ('ends_on__gte', models.F('starts_on')), _connector='OR'), name='commissionrule_ends_after_it_starts'), models.CheckConstraint(condition=models.Q(models.Q(('bounty_fen__gt', 0), ('kind', 'bounty'), models.Q(('bounty_metric', ''), _negated=True)), models.Q(models.Q(('kind', 'bounty'), _negated=True), ('bounty_fen', 0), ('bounty_metric', '')), _connector='OR'), name='commissionrule_bounty_is_something')],
                    },
                ),
                migrations.CreateModel(
                    name='MetricsTouch',
                    fields=[
                        ('member_id', models.BigIntegerField(primary_key=True, serialize=False)),
                        ('touched_at', models.DateTimeField()),
                    ],
                    options={
                        'verbose_name': '待计算会员',
                        'verbose_name_plural': '待计算会员',
                    },
                ),
                migrations.CreateModel(
                    name='MetricsRun',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('kind', models.CharField(choices=[('nightly', '夜间全量'), ('rules', '规则变更')], max_length=7, verbose_name='类型')),
                        ('day', models.DateField(verbose_name='数据日期')),
                        ('version', models.PositiveIntegerField(editable=False)),
                        ('cursor', models.BigIntegerField(default=0, editable=False)),
                        ('last_id', models.BigIntegerField(default=0, editable=False)),
                        ('started_at', models.DateTimeField(verbose_name='开始时间')),
                        ('moved_at', models.DateTimeField(verbose_name='最近进展')),
                        ('finished_at', models.DateTimeField(blank=True, null=True, verbose_name='完成时间')),
                        ('member_count', models.BigIntegerField(default=0, verbose_name='会员数')),
                        ('added_count', models.BigIntegerField(default=0, verbose_name='新增行')),
                        ('slid_count', models.BigIntegerField(default=0, verbose_name='随日期变化')),
                        ('wrong_count', models.BigIntegerField(default=0, verbose_name='修正行')),
                        ('wrong_rows', models.JSONField(default=list, verbose_name='修正例子')),
                    ],
                    options={
                        'verbose_name': '指标计算记录',
                        'verbose_name_plural': '指标计算记录',
                        'constraints': [models.UniqueConstraint(condition=models.Q(('finished_at__isnull', True)), fields=('kind',), name='metricsrun_one_open_of_a_kind'), models.UniqueConstraint(condition=models.Q(('kind', 'nightly')), fields=('day',), name='metricsrun_one_a_night')],
                    },
                ),
                migrations.CreateModel(
                    name='RfmSettings',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('mode', models.CharField(choices=[('cuts', '自定分档'), ('quantiles', '按五等分，每天重新取值')], default='cuts', max_length=9, verbose_name='分档方式')),
                        ('recency_cuts', django.contrib.postgres.fields.ArrayField(base_field=models.IntegerField(), default=list, size=None)),
                        ('frequency_cuts', django.contrib.postgres.fields.ArrayField(base_field=models.IntegerField(), default=list, size=None)),
                        ('money_cuts', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), default=list, size=None)),
                        ('recency_high', models.PositiveSmallIntegerField(default=4)),
                        ('frequency_high', models.PositiveSmallIntegerField(default=3)),
                        ('money_high', models.PositiveSmallIntegerField(default=3)),
                        ('group_names', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=12), default=list, size=None)),
                        ('price_cuts', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), default=list, size=None)),
                        ('new_days', models.PositiveSmallIntegerField(default=30)),
                        ('stage_days', django.contrib.postgres.fields.ArrayField(base_field=models.IntegerField(), default=list, size=None)),
                        ('version', models.PositiveIntegerField(default=1, editable=False)),
                        ('changed_at', models.DateTimeField(editable=False, null=True, verbose_name='修改时间')),
                        ('cuts_on', models.DateField(editable=False, null=True)),
                    ],
                    options={
                        'verbose_name': 'RFM 设置',
                        'verbose_name_plural': 'RFM 设置',
                        'constraints': [models.CheckConstraint(condition=models.Q(('pk', 1)), name='rfmsettings_one_row'), models.CheckConstraint(condition=models.Q(('frequency_cuts__len', 4), ('recency_cuts__len', 4), ('group_names__len', 8), ('money_cuts__len', 4), ('stage_days__len', 4)), name='rfmsettings_lists_are_whole')],
                    },
                ),
                migrations.CreateModel(
                    name='MemberMetrics',
                    fields=[
                        ('member', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='+', serialize=False, to='members.member', verbose_name='会员')),
                        ('computed_on', models.DateField(verbose_name='计算日期')),
                        ('first_on', models.DateField(null=True, verbose_name='首次消费')),
                        ('last_on', models.DateField(null=True, verbose_name='最近消费')),
                        ('order_count', models.PositiveIntegerField(default=0, verbose_name='累计订单')),
                        ('amount_fen', models.BigIntegerField(default=0, verbose_name='累计消费（分）')),
                        ('unit_count', models.PositiveIntegerField(default=0, verbose_name='累计件数')),
                        ('year_order_count', models.PositiveIntegerField(default=0, verbose_name='近 12 个月订单')),
                        ('year_amount_fen', models.BigIntegerField(default=0, verbose_name='近 12 个月消费（分）')),
                        ('year_unit_count', models.PositiveIntegerField(default=0, verbose_name='近 12 个月件数')),
                        ('kept_order_count', models.PositiveIntegerField(default=0, editable=False)),
                        ('kept_amount_fen', models.BigIntegerField(default=0, editable=False)),
                        ('basket_fen', models.BigIntegerField(default=0, verbose_name='客单价（分）')),
                        ('price_band', models.PositiveSmallIntegerField(null=True, verbose_name='价格带')),
                        ('categories', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=40), default=list, size=None, verbose_name='偏好类目')),
                        ('typical_days', models.PositiveIntegerField(null=True, verbose_name='通常间隔（天）')),
                        ('next_on', models.DateField(null=True, verbose_name='预计下次')),
                        ('hour', models.PositiveSmallIntegerField(null=True, verbose_name='常来时段')),
                        ('recency_score', models.PositiveSmallIntegerField(null=True, verbose_name='R')),
                        ('frequency_score', models.PositiveSmallIntegerField(null=True, verbose_name='F')),
                        ('money_score', models.PositiveSmallIntegerField(null=True, verbose_name='M')),
                        ('rfm_group', models.PositiveSmallIntegerField(null=True, verbose_name='RFM 客群')),
                        ('coming_group', models.PositiveSmallIntegerField(null=True, verbose_name='一个月后')),
                        ('before_group', models.PositiveSmallIntegerField(null=True, verbose_name='上月末')),
                        ('group_month_on', models.DateField(editable=False, null=True)),
                        ('stage', models.CharField(choices=[('unbought', '未消费'), ('new', '新客'), ('active', '活跃'), ('dormant_1', '沉睡 1 个月'), ('dormant_3', '沉睡 3 个月'), ('dormant_6', '沉睡 6 个月'), ('lost', '流失')], default='unbought', max_length=9, verbose_name='生命周期')),
                        ('interval_tier', models.CharField(choices=[('core', '核心（1 个月内）'), ('potential', '潜力（1 到 3 个月）'), ('ordinary', '普通（3 到 6 个月）'), ('unbought', '未购（超过 6 个月）')], default='unbought', max_length=9, verbose_name='购买间隔层级')),
                        ('store', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='guides.store', verbose_name='常去门店')),
                    ],
                    options={
                        'verbose_name': 'RFM 分析',
                        'verbose_name_plural': 'RFM 分析',
                        'indexes': [models.Index(condition=models.Q(('rfm_group__isnull', False)), fields=['recency_score', 'frequency_score', 'money_score'], name='membermetrics_by_scores'), models.Index(condition=models.Q(('rfm_group__isnull', False)), fields=['rfm_group', 'before_group', 'coming_group'], name='membermetrics_by_group')],
                        'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('last_on__isnull', True), ('order_count', 0), ('rfm_group__isnull', True)), models.Q(('last_on__isnull', False), ('order_count__gt', 0), ('rfm_group__lt', 8)), _connector='OR'), name='membermetrics_group_of_a_buyer')],
                    },
                ),
                migrations.CreateModel(
                    name='RfmMonth',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('month_on', models.DateField()),
                        ('rfm_group', models.PositiveSmallIntegerField()),
                        ('member_count', models.PositiveIntegerField()),
                        ('store', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='guides.store')),
                    ],
                    options={
                        'verbose_name': '月末客群',
                        'verbose_name_plural': '月末客群',
                        'constraints': [models.UniqueConstraint(fields=('month_on', 'store', 'rfm_group'), name='rfmmonth_once', nulls_distinct=False)],
                    },
                ),
                migrations.CreateModel(
                    name='TotalMove',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('booked_on', models.DateField()),
                        ('guide_ref', models.BigIntegerField(default=0)),
                        ('store_ref', models.BigIntegerField()),
                        ('metric', models.CharField(choices=[('sales_fen', '销售额'), ('order_count', '订单数'), ('unit_count', '件数'), ('return_fen', '退货额'), ('return_count', '退货单数'), ('first_purchase_count', '首购会员数'), ('repurchase_fen', '复购额'), ('new_member_count', '新增会员'), ('new_binding_count', '新增绑定'), ('redemption_count', '核销数'), ('share_count', '素材分享数'), ('task_count', '完成任务数')], max_length=20)),
                        ('value', models.BigIntegerField()),
                        ('written_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                    ],
                    options={
                        'verbose_name': '待汇总的业绩',
                        'verbose_name_plural': '待汇总的业绩',
                        'indexes': [models.Index(fields=['guide_ref', 'store_ref'], name='totalmove_by_guide')],
                    },
                ),
                migrations.CreateModel(
                    name='IntakeJob',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('public_id', models.CharField(default=core.codes.new_public_id, editable=False, max_length=16, unique=True)),
                        ('kind', models.CharField(choices=[('order', '销售订单'), ('return', '退货单')], max_length=6, verbose_name='内容')),
                        ('source', models.CharField(max_length=16, verbose_name='来源系统')),
                        ('file_name', models.CharField(max_length=120, verbose_name='文件名')),
                        ('stored_as', models.CharField(blank=True, editable=False, max_length=40)),
                        ('file_digest', models.CharField(db_index=True, editable=False, max_length=64)),
                        ('headings', models.JSONField(default=list, verbose_name='表头')),
                        ('mapping', models.JSONField(default=dict, verbose_name='列的对应')),
                        ('state', models.CharField(choices=[('uploaded', '待对应列'), ('checking', '检查中'), ('checked', '待导入'), ('running', '导入中'), ('paused', '已暂停'), ('finished', '已完成'), ('stopped', '已停止'), ('failed', '没能导入')], default='uploaded', max_length=10, verbose_name='状态')),
                        ('failure', models.CharField(blank=True, max_length=60, verbose_name='原因')),
                        ('failure_line', models.PositiveIntegerField(blank=True, editable=False, null=True, verbose_name='出错的行')),
                        ('read_count', models.PositiveIntegerField(default=0, verbose_name='已读取')),
                        ('row_count', models.PositiveIntegerField(default=0, verbose_name='行数')),
                        ('bad_count', models.PositiveIntegerField(default=0, verbose_name='有问题的行')),
                        ('total_count', models.PositiveIntegerField(default=0, verbose_name='单据数')),
                        ('done_count', models.PositiveIntegerField(default=0, verbose_name='已处理')),
                        ('done_place', models.PositiveIntegerField(default=0, editable=False)),
                        ('expected', models.JSONField(default=dict)),
                        ('counts', models.JSONField(default=dict)),
                        ('leased_until', models.DateTimeField(blank=True, editable=False, null=True)),
                        ('lease_holder', models.CharField(blank=True, editable=False, max_length=32)),
                        ('claim_count', models.PositiveSmallIntegerField(default=0, editable=False)),
                        ('created_at', models.DateTimeField(verbose_name='上传时间')),
                        ('phase_started_at', models.DateTimeField(editable=False, null=True)),
                        ('phase_from_count', models.PositiveIntegerField(default=0, editable=False)),
                        ('ended_at', models.DateTimeField(blank=True, null=True, verbose_name='结束时间')),
                        ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='上传人')),
                    ],
                    options={
                        'verbose_name': '订单导入',
                        'verbose_name_plural': '订单导入',
                        'indexes': [models.Index(condition=models.Q(('state__in', ['checking', 'running'])), fields=['leased_until'], name='intakejob_working')],
                    },
                ),
                migrations.CreateModel(
                    name='IntakeMapping',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('kind', models.CharField(choices=[('order', '销售订单'), ('return', '退货单')], max_length=6)),
                        ('headings_digest', models.CharField(max_length=64)),
                        ('mapping', models.JSONField(default=dict)),
                        ('changed_at', models.DateTimeField()),
                    ],
                    options={
                        'verbose_name': '记住的列对应',
                        'verbose_name_plural': '记住的列对应',
                        'constraints': [models.UniqueConstraint(fields=('kind', 'headings_digest'), name='intakemapping_once')],
                    },
                ),
                migrations.CreateModel(
                    name='CodeAlias',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('kind', models.CharField(choices=[('store', '门店编号'), ('guide', '导购工号')], max_length=5, verbose_name='类型')),
                        ('source', models.CharField(max_length=16, verbose_name='来源系统')),
                        ('code', models.CharField(max_length=20, verbose_name='单据里的编号')),
                        ('made_at', models.DateTimeField(verbose_name='设定时间')),
                        ('made_by', models.CharField(blank=True, max_length=90, verbose_name='操作者')),
                        ('guide', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='guides.guide', verbose_name='导购')),
                        ('store', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='guides.store', verbose_name='门店')),
                        ('forgotten_at', models.DateTimeField(blank=True, null=True, verbose_name='取消时间')),
                    ],
                    options={
                        'verbose_name': '编号对应',
                        'verbose_name_plural': '编号对应',
                        'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('guide__isnull', True), ('kind', 'store'), ('store__isnull', False)), models.Q(('guide__isnull', False), ('kind', 'guide'), ('store__isnull', True)), _connector='OR'), name='codealias_one_target_of_its_kind'), models.UniqueConstraint(condition=models.Q(('forgotten_at__isnull', True)), fields=('kind', 'source', 'code'), name='codealias_once')],
                    },
                ),
                migrations.CreateModel(
                    name='DeskJob',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('kind', models.CharField(choices=[('retry', '重试待处理单据'), ('trial', '试算归属规则')], max_length=5, verbose_name='内容')),
                        ('terms', models.JSONField(default=dict, encoder=django.core.serializers.json.DjangoJSONEncoder)),
                        ('words', models.CharField(blank=True, max_length=120, verbose_name='范围')),
                        ('state', models.CharField(choices=[('running', '进行中'), ('done', '已完成'), ('stopped', '已停止')], default='running', max_length=7, verbose_name='状态')),
                        ('asked_count', models.PositiveIntegerField(default=0, verbose_name='总数')),
                        ('done_count', models.PositiveIntegerField(default=0, verbose_name='已处理')),
                        ('last_id', models.BigIntegerField(default=0, editable=False)),
                        ('until_id', models.BigIntegerField(default=0, editable=False)),
                        ('result', models.JSONField(default=dict, encoder=django.core.serializers.json.DjangoJSONEncoder)),
                        ('started_at', models.DateTimeField(verbose_name='开始时间')),
                        ('ended_at', models.DateTimeField(blank=True, null=True, verbose_name='结束时间')),
                        ('staff', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='操作者')),
                    ],
                    options={
                        'verbose_name': '批量处理',
                        'verbose_name_plural': '批量处理',
                        'indexes': [models.Index(condition=models.Q(('state', 'running')), fields=['id'], name='deskjob_running')],
                        'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('ended_at__isnull', True), ('state', 'running')), models.Q(models.Q(('state', 'running'), _negated=True), ('ended_at__isnull', False)), _connector='OR'), name='deskjob_ended_has_a_time')],
                    },
                ),
                migrations.CreateModel(
                    name='MemberAlias',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('source', models.CharField(max_length=16, verbose_name='来源系统')),
                        ('member_index', models.CharField(editable=False, max_length=64)),
                        ('made_at', models.DateTimeField(verbose_name='设定时间')),
                        ('made_by', models.CharField(blank=True, max_length=90, verbose_name='操作者')),
                        ('member', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='members.member', verbose_name='会员')),
                    ],
                    options={
                        'verbose_name': '会员对应',
                        'verbose_name_plural': '会员对应',
                        'constraints': [models.UniqueConstraint(fields=('source', 'member_index'), name='memberalias_once')],
                    },
                ),
                migrations.CreateModel(
                    name='TotalsProof',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('since', models.DateField(verbose_name='从')),
                        ('until', models.DateField(verbose_name='到（不含）')),
                        ('ran_at', models.DateTimeField(verbose_name='核对时间')),
                        ('seconds', models.FloatField(verbose_name='耗时（秒）')),
                        ('period_count', models.PositiveIntegerField(verbose_name='核对的周期数')),
                        ('wrong_count', models.PositiveIntegerField(verbose_name='修正的汇总数')),
                        ('wrong_rows', models.JSONField(default=list, verbose_name='修正内容')),
                    ],
                    options={
                        'verbose_name': '业绩核对',
                        'verbose_name_plural': '业绩核对',
                        'constraints': [models.CheckConstraint(condition=models.Q(('seconds__gte', 0), ('until__gt', models.F('since'))), name='totalsproof_has_days')],
                    },
                ),
                migrations.CreateModel(
                    name='CareCursor',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('kind', models.CharField(max_length=6, unique=True)),
                        ('done_id', models.BigIntegerField(default=0)),
                    ],
                    options={
                        'verbose_name': '购后进度',
                        'verbose_name_plural': '购后进度',
                    },
                ),
                migrations.CreateModel(
                    name='PurchaseCare',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('news_hours', models.PositiveSmallIntegerField(default=48, help_text='更早成交的单据（例如导入去年的订单）不通知会员、不邀请评价、也不按规则送券', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(720)], verbose_name='多久以内成交的才通知（小时）')),
                        ('is_notice_on', models.BooleanField(default=True, verbose_name='购物后通知会员')),
                        ('is_return_notice_on', models.BooleanField(default=True, verbose_name='退货后通知会员')),
                        ('is_review_on', models.BooleanField(default=False, verbose_name='邀请会员评价')),
                        ('review_after_hours', models.PositiveSmallIntegerField(default=24, validators=[django.core.validators.MaxValueValidator(720)], verbose_name='成交多久后邀请（小时）')),
                        ('review_open_days', models.PositiveSmallIntegerField(default=14, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(90)], verbose_name='几天内可以评价')),
                        ('review_store_ids', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), blank=True, default=list, size=None, verbose_name='邀请评价的门店')),
                        ('review_region_ids', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), blank=True, default=list, size=None, verbose_name='邀请评价的区域')),
                        ('low_score', models.PositiveSmallIntegerField(default=2, help_text='满分 5 分；填 0 表示不转', validators=[django.core.validators.MaxValueValidator(4)], verbose_name='几分及以下转服务请求')),
                        ('low_score_kind', models.CharField(blank=True, max_length=16, verbose_name='转成哪种服务请求')),
                    ],
                    options={
                        'verbose_name': '购后设置',
                        'verbose_name_plural': '购后设置',
                        'constraints': [models.CheckConstraint(condition=models.Q(('pk', 1)), name='purchasecare_one_row'), models.CheckConstraint(condition=models.Q(('low_score__lte', 4), ('news_hours__range', (1, 720)), ('review_after_hours__lte', 720), ('review_open_days__range', (1, 90))), name='purchasecare_numbers_make_sense')],
                    },
                ),
                migrations.CreateModel(
                    name='BoardSize',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('place', models.BigIntegerField()),
                        ('metric', models.CharField(choices=[('sales_fen', '销售额'), ('order_count', '订单数'), ('unit_count', '件数'), ('return_fen', '退货额'), ('return_count', '退货单数'), ('first_purchase_count', '首购会员数'), ('repurchase_fen', '复购额'), ('new_member_count', '新增会员'), ('new_binding_count', '新增绑定'), ('redemption_count', '核销数'), ('share_count', '素材分享数'), ('task_count', '完成任务数')], max_length=20)),
                        ('period', models.CharField(choices=[('day', '日'), ('week', '周'), ('month', '月')], max_length=5)),
                        ('starts_on', models.DateField()),
                        ('added', models.IntegerField(default=0)),
                        ('marks', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), null=True, size=None)),
                        ('moved', models.IntegerField(default=0)),
                        ('reached', django.contrib.postgres.fields.ArrayField(base_field=models.IntegerField(), null=True, size=None)),
                    ],
                    options={
                        'verbose_name': '上榜人数',
                        'verbose_name_plural': '上榜人数',
                        'indexes': [models.Index(condition=models.Q(('marks__isnull', False)), fields=['period', 'starts_on', 'metric', 'place'], name='boardsize_watched'), models.Index(condition=models.Q(('marks__isnull', False), ('moved__gte', django.db.models.expressions.CombinedExpression(models.F('added'), '/', models.Value(4)))), fields=['id'], name='boardsize_to_mark')],
                        'constraints': [models.UniqueConstraint(fields=('period', 'starts_on', 'metric', 'place'), name='boardsize_once')],
                    },
                ),
                migrations.CreateModel(
                    name='BoardMove',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('place', models.BigIntegerField()),
                        ('metric', models.CharField(choices=[('sales_fen', '销售额'), ('order_count', '订单数'), ('unit_count', '件数'), ('return_fen', '退货额'), ('return_count', '退货单数'), ('first_purchase_count', '首购会员数'), ('repurchase_fen', '复购额'), ('new_member_count', '新增会员'), ('new_binding_count', '新增绑定'), ('redemption_count', '核销数'), ('share_count', '素材分享数'), ('task_count', '完成任务数')], max_length=20)),
                        ('period', models.CharField(choices=[('day', '日'), ('week', '周'), ('month', '月')], max_length=5)),
                        ('starts_on', models.DateField()),
                        ('befores', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(null=True), size=None)),
                        ('afters', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), size=None)),
                    ],
                    options={
                        'verbose_name': '排行变动',
                        'verbose_name_plural': '排行变动',
                        'indexes': [models.Index(fields=['period', 'starts_on', 'metric', 'place'], name='boardmove_of_board')],
                    },
                ),
                migrations.CreateModel(
                    name='GuideStoreTotal',
                    fields=[
                        ('pk', models.CompositePrimaryKey('period', 'starts_on', 'store_id', 'metric', 'guide_id', blank=True, editable=False, primary_key=True, serialize=False)),
                        ('metric', models.CharField(choices=[('sales_fen', '销售额'), ('order_count', '订单数'), ('unit_count', '件数'), ('return_fen', '退货额'), ('return_count', '退货单数'), ('first_purchase_count', '首购会员数'), ('repurchase_fen', '复购额'), ('new_member_count', '新增会员'), ('new_binding_count', '新增绑定'), ('redemption_count', '核销数'), ('share_count', '素材分享数'), ('task_count', '完成任务数')], max_length=20)),
                        ('period', models.CharField(choices=[('day', '日'), ('week', '周'), ('month', '月')], max_length=5)),
                        ('starts_on', models.DateField()),
                        ('value', models.BigIntegerField(default=0)),
                        ('guide', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='guides.guide')),
                        ('store', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='guides.store')),
                    ],
                    options={
                        'verbose_name': '导购门店业绩汇总',
                        'verbose_name_plural': '导购门店业绩汇总',
                    },
                ),
                migrations.CreateModel(
                    name='GuideTotal',
                    fields=[
                        ('pk', models.CompositePrimaryKey('period', 'starts_on', 'metric', 'guide_id', blank=True, editable=False, primary_key=True, serialize=False)),
                        ('metric', models.CharField(choices=[('sales_fen', '销售额'), ('order_count', '订单数'), ('unit_count', '件数'), ('return_fen', '退货额'), ('return_count', '退货单数'), ('first_purchase_count', '首购会员数'), ('repurchase_fen', '复购额'), ('new_member_count', '新增会员'), ('new_binding_count', '新增绑定'), ('redemption_count', '核销数'), ('share_count', '素材分享数'), ('task_count', '完成任务数')], max_length=20)),
                        ('period', models.CharField(choices=[('day', '日'), ('week', '周'), ('month', '月')], max_length=5)),
                        ('starts_on', models.DateField()),
                        ('value', models.BigIntegerField(default=0)),
                        ('guide', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='guides.guide')),
                    ],
                    options={
                        'verbose_name': '导购业绩汇总',
                        'verbose_name_plural': '导购业绩汇总',
                        'indexes': [models.Index(fields=['period', 'starts_on', 'metric', '-value', 'guide'], name='guidetotal_board')],
                    },
                ),
                migrations.CreateModel(
                    name='StoreTotal',
                    fields=[
                        ('pk', models.CompositePrimaryKey('period', 'starts_on', 'metric', 'store_id', blank=True, editable=False, primary_key=True, serialize=False)),
                        ('metric', models.CharField(choices=[('sales_fen', '销售额'), ('order_count', '订单数'), ('unit_count', '件数'), ('return_fen', '退货额'), ('return_count', '退货单数'), ('first_purchase_count', '首购会员数'), ('repurchase_fen', '复购额'), ('new_member_count', '新增会员'), ('new_binding_count', '新增绑定'), ('redemption_count', '核销数'), ('share_count', '素材分享数'), ('task_count', '完成任务数')], max_length=20)),
                        ('period', models.CharField(choices=[('day', '日'), ('week', '周'), ('month', '月')], max_length=5)),
                        ('starts_on', models.DateField()),
                        ('value', models.BigIntegerField(default=0)),
                        ('store', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='guides.store')),
                    ],
                    options={
                        'verbose_name': '门店业绩汇总',
                        'verbose_name_plural': '门店业绩汇总',
                        'indexes': [models.Index(fields=['period', 'starts_on', 'metric', '-value', 'store'], name='storetotal_board')],
                    },
                ),
                migrations.CreateModel(
                    name='PlaceTotal',
                    fields=[
                        ('pk', models.CompositePrimaryKey('period', 'starts_on', 'metric', 'guide_id', 'place', blank=True, editable=False, primary_key=True, serialize=False)),
                        ('metric', models.CharField(choices=[('sales_fen', '销售额'), ('order_count', '订单数'), ('unit_count', '件数'), ('return_fen', '退货额'), ('return_count', '退货单数'), ('first_purchase_count', '首购会员数'), ('repurchase_fen', '复购额'), ('new_member_count', '新增会员'), ('new_binding_count', '新增绑定'), ('redemption_count', '核销数'), ('share_count', '素材分享数'), ('task_count', '完成任务数')], max_length=20)),
                        ('period', models.CharField(choices=[('day', '日'), ('week', '周'), ('month', '月')], max_length=5)),
                        ('starts_on', models.DateField()),
                        ('value', models.BigIntegerField(default=0)),
                        ('place', models.BigIntegerField()),
                        ('guide', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='guides.guide')),
                    ],
                    options={
                        'verbose_name': '区域业绩汇总',
                        'verbose_name_plural': '区域业绩汇总',
                        'indexes': [models.Index(fields=['place', 'period', 'starts_on', 'metric', '-value', 'guide'], name='placetotal_board')],
                    },
                ),
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
                migrations.CreateModel(
                    name='Product',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('code', models.CharField(max_length=40, unique=True, verbose_name='商品编码')),
                        ('name', models.CharField(blank=True, max_length=80, verbose_name='商品名称')),
                        ('created_at', models.DateTimeField(verbose_name='登记时间')),
                        ('category', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='products', to='sales.category', verbose_name='类目')),
                        ('brand', models.CharField(blank=True, db_default='', default='', max_length=40, verbose_name='品牌')),
                    ],
                    options={
                        'verbose_name': '商品',
                        'verbose_name_plural': '商品',
                    },
                ),
                migrations.CreateModel(
                    name='BoardFreeze',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('subject', models.CharField(choices=[('guide', '导购'), ('store', '门店'), ('region', '区域'), ('dealer', '经销商')], max_length=6, verbose_name='排什么')),
                        ('period', models.CharField(choices=[('week', '周'), ('month', '月'), ('quarter', '季'), ('year', '年')], max_length=7, verbose_name='周期')),
                        ('starts_on', models.DateField(verbose_name='开始日期')),
                        ('ends_on', models.DateField(verbose_name='结束日期（不含）')),
                        ('frozen_at', models.DateTimeField(verbose_name='定格时间')),
                        ('thawed_at', models.DateTimeField(blank=True, null=True, verbose_name='解除时间')),
                        ('close', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='freezes', to='sales.periodclose', verbose_name='关账')),
                    ],
                    options={
                        'verbose_name': '定格的排行',
                        'verbose_name_plural': '排行榜',
                        'constraints': [models.UniqueConstraint(condition=models.Q(('thawed_at__isnull', True)), fields=('subject', 'period', 'starts_on'), name='boardfreeze_one_standing'), models.CheckConstraint(condition=models.Q(('ends_on__gt', models.F('starts_on'))), name='boardfreeze_has_days')],
                    },
                ),
                migrations.CreateModel(
                    name='Attribution',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('rule_words', models.CharField(blank=True, max_length=60, verbose_name='依据')),
                        ('made_at', models.DateTimeField(verbose_name='归属时间')),
                        ('made_by', models.CharField(blank=True, max_length=90, verbose_name='操作者')),
                        ('reason', models.CharField(blank=True, max_length=120, verbose_name='原因')),
                        ('request_key', models.CharField(blank=True, editable=False, max_length=80)),
                        ('ended_at', models.DateTimeField(blank=True, null=True, verbose_name='被替换时间')),
                        ('rule', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='sales.attributionrule', verbose_name='归属规则')),
                        ('sale', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='attributions', to='sales.sale', verbose_name='销售单')),
                    ],
                    options={
                        'verbose_name': '业绩归属',
                        'verbose_name_plural': '业绩归属',
                        'constraints': [models.UniqueConstraint(condition=models.Q(('ended_at__isnull', True)), fields=('sale',), name='attribution_one_live_per_sale'), models.UniqueConstraint(condition=models.Q(('request_key', ''), _negated=True), fields=('sale', 'request_key'), name='attribution_once_per_request')],
                    },
                ),
                migrations.CreateModel(
                    name='SaleCoupon',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('code', models.CharField(max_length=20, verbose_name='券码')),
                        ('discount_fen', models.BigIntegerField(verbose_name='优惠金额（分）')),
                        ('amount_fen', models.BigIntegerField(verbose_name='用券商品金额（分）')),
                        ('outcome', models.CharField(default='pending', max_length=40, verbose_name='核销结果')),
                        ('sale', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='coupons', to='sales.sale', verbose_name='销售单')),
                    ],
                    options={
                        'verbose_name': '订单用券',
                        'verbose_name_plural': '订单用券',
                        'constraints': [models.UniqueConstraint(fields=('sale', 'code'), name='salecoupon_once')],
                    },
                ),
                migrations.CreateModel(
                    name='SalePayment',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('method', models.CharField(max_length=16, verbose_name='支付方式')),
                        ('amount_fen', models.BigIntegerField(verbose_name='金额（分）')),
                        ('sale', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='payments', to='sales.sale', verbose_name='销售单')),
                    ],
                    options={
                        'verbose_name': '支付明细',
                        'verbose_name_plural': '支付明细',
                    },
                ),
                migrations.CreateModel(
                    name='SaleReturn',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('public_id', models.CharField(default=core.codes.new_public_id, editable=False, max_length=16, unique=True)),
                        ('source', models.CharField(max_length=16, verbose_name='来源系统')),
                        ('return_no', models.CharField(max_length=64, verbose_name='退货单号')),
                        ('digest', models.BinaryField(max_length=32)),
                        ('order_no', models.CharField(blank=True, max_length=64, verbose_name='原订单号')),
                        ('returned_at', models.DateTimeField(verbose_name='退货时间')),
                        ('business_on', models.DateField(verbose_name='营业日')),
                        ('amount_fen', models.BigIntegerField(verbose_name='退款金额（分）')),
                        ('unit_count', models.PositiveIntegerField(verbose_name='件数')),
                        ('recorded_at', models.DateTimeField(verbose_name='入账时间')),
                        ('member', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='members.member', verbose_name='会员')),
                        ('sale', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='returns', to='sales.sale', verbose_name='原销售单')),
                        ('store', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='guides.store', verbose_name='退货门店')),
                    ],
                    options={
                        'verbose_name': '退货单',
                        'verbose_name_plural': '退货单',
                        'indexes': [models.Index(fields=['store', 'business_on'], name='salereturn_of_store_by_day'), models.Index(condition=models.Q(('member__isnull', False)), fields=['member', 'returned_at'], name='salereturn_of_member')],
                        'constraints': [models.UniqueConstraint(fields=('source', 'return_no'), name='salereturn_once'), models.CheckConstraint(condition=models.Q(('amount_fen__gte', 0)), name='salereturn_amount_not_negative')],
                        'permissions': [('export_salereturn', '导出退货单')],
                    },
                ),
                migrations.CreateModel(
                    name='Review',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('public_id', models.CharField(default=core.codes.new_public_id, editable=False, max_length=16, unique=True)),
                        ('order_key', models.CharField(editable=False, max_length=40, unique=True)),
                        ('state', models.CharField(choices=[('planned', '等待邀请'), ('open', '等待评价'), ('answered', '已评价'), ('over', '过期未评'), ('dropped', '不再邀请')], default='planned', max_length=8, verbose_name='状态')),
                        ('due_at', models.DateTimeField(verbose_name='邀请时间')),
                        ('expires_at', models.DateTimeField(verbose_name='截止时间')),
                        ('score', models.PositiveSmallIntegerField(null=True, verbose_name='评分')),
                        ('words', core.fields.SealedTextField(blank=True, verbose_name='评价内容')),
                        ('answered_at', models.DateTimeField(null=True, verbose_name='评价时间')),
                        ('request_outcome', models.CharField(blank=True, max_length=60, verbose_name='服务请求')),
                        ('guide', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='guides.guide', verbose_name='导购')),
                        ('member', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='members.member', verbose_name='会员')),
                        ('sale', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='sales.sale', verbose_name='销售单')),
                        ('store', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='guides.store', verbose_name='门店')),
                    ],
                    options={
                        'verbose_name': '购物评价',
                        'verbose_name_plural': '购物评价',
                        'permissions': [('export_review', '导出购物评价')],
                        'indexes': [models.Index(condition=models.Q(('state', 'planned')), fields=['due_at'], name='review_due_queue'), models.Index(condition=models.Q(('state', 'open')), fields=['expires_at'], name='review_ends_queue'), models.Index(fields=['member', '-id'], name='review_of_member'), models.Index(models.OrderBy(models.F('answered_at'), descending=True, nulls_last=True), models.OrderBy(models.F('id'), descending=True), name='review_newest_said')],
                        'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('answered_at__isnull', False), ('score__range', (1, 5)), ('state', 'answered')), models.Q(models.Q(('state', 'answered'), _negated=True), ('answered_at__isnull', True), ('score__isnull', True)), _connector='OR'), name='review_answered_whole'), models.CheckConstraint(condition=models.Q(('expires_at__gt', models.F('due_at'))), name='review_expires_after_due')],
                    },
                ),
                migrations.CreateModel(
                    name='TargetChange',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('at', models.DateTimeField(verbose_name='时间')),
                        ('made_by', models.CharField(blank=True, max_length=90, verbose_name='操作者')),
                        ('origin', models.CharField(choices=[('hand', '手工填写'), ('file', '表格导入'), ('split', '按比例分解')], max_length=5, verbose_name='来源')),
                        ('from_value', models.BigIntegerField(null=True, verbose_name='原来（分）')),
                        ('to_value', models.BigIntegerField(null=True, verbose_name='改为（分）')),
                        ('target', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='changes', to='sales.target', verbose_name='业绩目标')),
                    ],
                    options={
                        'verbose_name': '目标修改记录',
                        'verbose_name_plural': '目标修改记录',
                    },
                ),
                migrations.CreateModel(
                    name='CommissionStatement',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('is_live', models.BooleanField(default=True, verbose_name='有效')),
                        ('sales_fen', models.BigIntegerField(verbose_name='计提业绩（分）')),
                        ('earned_fen', models.BigIntegerField(verbose_name='本月提成（分）')),
                        ('bonus_fen', models.BigIntegerField(verbose_name='奖励（分）')),
                        ('clawed_back_fen', models.BigIntegerField(verbose_name='追回和更正（分）')),
                        ('carried_in_fen', models.BigIntegerField(verbose_name='上月结转（分）')),
                        ('payable_fen', models.BigIntegerField(verbose_name='应发（分）')),
                        ('carried_out_fen', models.BigIntegerField(verbose_name='结转下月（分）')),
                        ('guide', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='guides.guide', verbose_name='导购')),
                        ('month', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='statements', to='sales.commissionmonth', verbose_name='月份')),
                        ('store', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='guides.store', verbose_name='门店')),
                    ],
                    options={
                        'verbose_name': '提成单',
                        'verbose_name_plural': '提成单',
                        'constraints': [models.UniqueConstraint(condition=models.Q(('is_live', True)), fields=('month', 'guide'), name='commissionstatement_one_live_per_guide'), models.CheckConstraint(condition=models.Q(('payable_fen', django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('earned_fen'), '+', models.F('bonus_fen')), '+', models.F('clawed_back_fen')), '+', models.F('carried_in_fen')), '-', models.F('carried_out_fen'))), ('carried_in_fen__lte', 0), ('carried_out_fen__lte', 0), ('payable_fen__gte', 0)), name='commissionstatement_adds_up')],
                    },
                ),
                migrations.CreateModel(
                    name='IntakeDocument',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('place', models.PositiveIntegerField()),
                        ('line', models.PositiveIntegerField()),
                        ('last_line', models.PositiveIntegerField()),
                        ('number', models.CharField(max_length=64)),
                        ('revision', models.PositiveIntegerField(default=0)),
                        ('digest', models.BinaryField(max_length=32)),
                        ('store_code', models.CharField(max_length=20)),
                        ('serving_guide', models.CharField(blank=True, max_length=20)),
                        ('sharing_guide', models.CharField(blank=True, max_length=20)),
                        ('member', core.fields.SealedTextField(blank=True)),
                        ('body', models.TextField()),
                        ('is_apart', models.BooleanField(default=False)),
                        ('job', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='sales.intakejob')),
                    ],
                    options={
                        'verbose_name': '待导入的单据',
                        'verbose_name_plural': '待导入的单据',
                        'indexes': [models.Index(condition=models.Q(('is_apart', True)), fields=['job', 'place'], name='intakedocument_apart')],
                        'constraints': [models.UniqueConstraint(fields=('job', 'place'), name='intakedocument_once_per_place')],
                    },
                ),
                migrations.CreateModel(
                    name='IntakeProblem',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('line', models.PositiveIntegerField(verbose_name='行')),
                        ('reasons', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=60), size=None, verbose_name='原因')),
                        ('job', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='sales.intakejob')),
                    ],
                    options={
                        'verbose_name': '导入有问题的行',
                        'verbose_name_plural': '导入有问题的行',
                        'constraints': [models.UniqueConstraint(fields=('job', 'line'), name='intakeproblem_once_per_line')],
                    },
                ),
                migrations.CreateModel(
                    name='SaleLine',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('number', models.PositiveSmallIntegerField(verbose_name='行号')),
                        ('category_code', models.CharField(blank=True, max_length=40, verbose_name='类目编码')),
                        ('quantity', models.PositiveIntegerField(verbose_name='数量')),
                        ('list_fen', models.BigIntegerField(verbose_name='吊牌金额（分）')),
                        ('amount_fen', models.BigIntegerField(verbose_name='成交金额（分）')),
                        ('returned_quantity', models.PositiveIntegerField(default=0, verbose_name='已退数量')),
                        ('returned_fen', models.BigIntegerField(default=0, verbose_name='已退金额（分）')),
                        ('product', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='sales.product', verbose_name='商品')),
                        ('sale', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='lines', to='sales.sale', verbose_name='销售单')),
                    ],
                    options={
                        'verbose_name': '销售明细',
                        'verbose_name_plural': '销售明细',
                        'constraints': [models.UniqueConstraint(fields=('sale', 'number'), name='saleline_once'), models.CheckConstraint(condition=models.Q(('amount_fen__gte', 0), ('quantity__gt', 0), ('returned_quantity__lte', models.F('quantity')), ('returned_fen__gte', 0), ('returned_fen__lte', models.F('amount_fen'))), name='saleline_returned_within_sold')],
                    },
                ),
                migrations.CreateModel(
                    name='FrozenPlace',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('metric', models.CharField(choices=[('sales_fen', '销售额'), ('order_count', '订单数'), ('unit_count', '件数'), ('return_fen', '退货额'), ('return_count', '退货单数'), ('first_purchase_count', '首购会员数'), ('repurchase_fen', '复购额'), ('new_member_count', '新增会员'), ('new_binding_count', '新增绑定'), ('redemption_count', '核销数'), ('share_count', '素材分享数'), ('task_count', '完成任务数')], max_length=20, verbose_name='指标')),
                        ('scope', models.CharField(choices=[('chain', '全公司'), ('region', '区域'), ('dealer', '经销商'), ('store', '门店')], max_length=6, verbose_name='范围')),
                        ('scope_ref', models.BigIntegerField(default=0, verbose_name='范围编号')),
                        ('rank', models.PositiveIntegerField(verbose_name='名次')),
                        ('subject_ref', models.BigIntegerField(verbose_name='编号')),
                        ('value', models.BigIntegerField(verbose_name='数值')),
                        ('freeze', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='places', to='sales.boardfreeze', verbose_name='定格的排行')),
                    ],
                    options={
                        'verbose_name': '定格的名次',
                        'verbose_name_plural': '定格的名次',
                        'indexes': [models.Index(fields=['freeze', 'metric', 'scope', 'scope_ref', '-value', 'subject_ref'], name='frozenplace_board')],
                        'constraints': [models.UniqueConstraint(fields=('freeze', 'metric', 'scope', 'scope_ref', 'subject_ref'), name='frozenplace_once')],
                    },
                ),
                migrations.CreateModel(
                    name='AttributionShare',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('place', models.PositiveSmallIntegerField()),
                        ('role', models.CharField(choices=[('serving', '接待导购'), ('exclusive', '专属导购'), ('sharing', '分享导购'), ('store', '门店')], max_length=9, verbose_name='身份')),
                        ('share_bp', models.PositiveIntegerField(verbose_name='占比（万分比）')),
                        ('attribution', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='shares', to='sales.attribution', verbose_name='业绩归属')),
                        ('guide', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='guides.guide', verbose_name='导购')),
                        ('store', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='guides.store', verbose_name='门店')),
                    ],
                    options={
                        'verbose_name': '归属份额',
                        'verbose_name_plural': '归属份额',
                        'constraints': [models.UniqueConstraint(fields=('attribution', 'place'), name='attributionshare_place_once'), models.CheckConstraint(condition=models.Q(('share_bp__range', (1, 10000))), name='attributionshare_part_of_the_whole'), models.CheckConstraint(condition=models.Q(models.Q(('guide__isnull', True), ('role', 'store')), models.Q(models.Q(('role', 'store'), _negated=True), ('guide__isnull', False)), _connector='OR'), name='attributionshare_guide_but_for_the_store')],
                    },
                ),
                migrations.CreateModel(
                    name='SaleReturnLine',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('number', models.PositiveSmallIntegerField(verbose_name='行号')),
                        ('sale_line_number', models.PositiveSmallIntegerField(blank=True, null=True, verbose_name='原行号')),
                        ('quantity', models.PositiveIntegerField(verbose_name='数量')),
                        ('amount_fen', models.BigIntegerField(verbose_name='退款金额（分）')),
                        ('product', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='sales.product', verbose_name='商品')),
                        ('sale_return', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='lines', to='sales.salereturn', verbose_name='退货单')),
                    ],
                    options={
                        'verbose_name': '退货明细',
                        'verbose_name_plural': '退货明细',
                        'constraints': [models.UniqueConstraint(fields=('sale_return', 'number'), name='salereturnline_once'), models.CheckConstraint(condition=models.Q(('amount_fen__gte', 0), ('quantity__gt', 0)), name='salereturnline_numbers_make_sense')],
                    },
                ),
                migrations.CreateModel(
                    name='CommissionLine',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('number', models.PositiveIntegerField(verbose_name='行号')),
                        ('kind', models.CharField(choices=[('sale', '销售'), ('return', '本期退货'), ('bounty', '按人奖励'), ('target', '目标奖'), ('claw_back', '退货追回'), ('correction', '更正')], max_length=10, verbose_name='事项')),
                        ('is_live', models.BooleanField(default=True)),
                        ('entry_ref', models.BigIntegerField(editable=False, null=True, verbose_name='业绩流水')),
                        ('sale_ref', models.BigIntegerField(editable=False, null=True, verbose_name='销售单')),
                        ('return_ref', models.BigIntegerField(editable=False, null=True, verbose_name='退货单')),
                        ('document_no', models.CharField(blank=True, max_length=64, verbose_name='单号')),
                        ('day_on', models.DateField(verbose_name='日期')),
                        ('category_code', models.CharField(blank=True, max_length=40, verbose_name='类目')),
                        ('share_bp', models.PositiveIntegerField(default=10000, verbose_name='归属占比（万分比）')),
                        ('base_fen', models.BigIntegerField(verbose_name='计提基数（分）')),
                        ('unit_count', models.IntegerField(default=0, verbose_name='人数')),
                        ('rate_bp', models.PositiveIntegerField(default=0, verbose_name='提成比例（万分比）')),
                        ('fen', models.BigIntegerField(verbose_name='提成（分）')),
                        ('rule_words', models.CharField(blank=True, max_length=120, verbose_name='依据')),
                        ('original', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='sales.commissionline', verbose_name='原明细')),
                        ('store', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='guides.store', verbose_name='门店')),
                        ('rule', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='sales.commissionrule', verbose_name='提成规则')),
                        ('statement', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='lines', to='sales.commissionstatement', verbose_name='提成单')),
                    ],
                    options={
                        'verbose_name': '提成明细',
                        'verbose_name_plural': '提成明细',
                        'indexes': [models.Index(condition=models.Q(('is_live', True)), fields=['entry_ref'], name='commissionline_of_entry'), models.Index(condition=models.Q(('is_live', True)), fields=['sale_ref'], name='commissionline_of_sale')],
                        'constraints': [models.UniqueConstraint(fields=('statement', 'number'), name='commissionline_number_once'), models.CheckConstraint(condition=models.Q(models.Q(('entry_ref__isnull', True), ('kind', 'target')), models.Q(models.Q(('kind', 'target'), _negated=True), ('entry_ref__isnull', False)), _connector='OR'), name='commissionline_rests_on_an_entry'), models.CheckConstraint(condition=models.Q(models.Q(('kind__in', ['claw_back', 'correction']), ('original__isnull', False)), models.Q(models.Q(('kind__in', ['claw_back', 'correction']), _negated=True), ('original__isnull', True)), _connector='OR'), name='commissionline_takes_back_a_line')],
                        'permissions': [('export_commissionline', '导出提成明细')],
                    },
                ),
            ],
        ),
        migrations.RunSQL(
            "ALTER TABLE sales_guidestoretotal SET (fillfactor = 70)",
            "ALTER TABLE sales_guidestoretotal RESET (fillfactor)",
        ),
        migrations.RunSQL(
            "INSERT INTO sales_carecursor (kind, done_id) VALUES ('sale', 0), ('return', 0)",
            migrations.RunSQL.noop,
        ),
        migrations.RunSQL(_FUNCTIONS, "DROP FUNCTION "
            "sales_commission_is_open, "
            "sales_commission_is_written_once, "
            "sales_share_close, "
            "sales_touched_by_coupons_redemption_insert, "
            "sales_touched_by_coupons_redemption_update, "
            "sales_touched_by_guides_binding_insert, "
            "sales_touched_by_guides_binding_update, "
            "sales_touched_by_guides_channelscan_insert, "
            "sales_touched_by_guides_channelscan_update, "
            "sales_touched_by_members_behaviour_delete, "
            "sales_touched_by_members_behaviour_insert, "
            "sales_touched_by_members_behaviour_update, "
            "sales_touched_by_sales_sale_insert, "
            "sales_touched_by_sales_sale_update "
            "CASCADE"),
        migrations.RunSQL(_TRIGGERS, migrations.RunSQL.noop),
    ]
