"""Everything of this app up to 0013 at once: databases that have those migrations count this one as done."""

import core.codes
import core.fields
import core.migration_operations
import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import django.db.models.expressions
from django.conf import settings
from django.db import migrations, models


_FUNCTIONS = r"""
CREATE FUNCTION coupons_code_of(raw bytea) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
SELECT substr('23456789ABCDEFGHJKMNPQRSTVWXY', (get_byte(raw, 0) % 29) + 1, 1) || substr('23456789ABCDEFGHJKMNPQRSTVWXY', (get_byte(raw, 1) % 29) + 1, 1) || substr('23456789ABCDEFGHJKMNPQRSTVWXY', (get_byte(raw, 2) % 29) + 1, 1) || substr('23456789ABCDEFGHJKMNPQRSTVWXY', (get_byte(raw, 3) % 29) + 1, 1) || substr('23456789ABCDEFGHJKMNPQRSTVWXY', (get_byte(raw, 4) % 29) + 1, 1) || substr('23456789ABCDEFGHJKMNPQRSTVWXY', (get_byte(raw, 5) % 29) + 1, 1) || substr('23456789ABCDEFGHJKMNPQRSTVWXY', (get_byte(raw, 7) % 29) + 1, 1) || substr('23456789ABCDEFGHJKMNPQRSTVWXY', (get_byte(raw, 8) % 29) + 1, 1) || substr('23456789ABCDEFGHJKMNPQRSTVWXY', (get_byte(raw, 9) % 29) + 1, 1) || substr('23456789ABCDEFGHJKMNPQRSTVWXY', (get_byte(raw, 10) % 29) + 1, 1) || substr('23456789ABCDEFGHJKMNPQRSTVWXY', (get_byte(raw, 11) % 29) + 1, 1) || substr('23456789ABCDEFGHJKMNPQRSTVWXY', (get_byte(raw, 12) % 29) + 1, 1) || substr('23456789ABCDEFGHJKMNPQRSTVWXY', (get_byte(raw, 13) % 29) + 1, 1) || substr('23456789ABCDEFGHJKMNPQRSTVWXY', (get_byte(raw, 14) % 29) + 1, 1) || substr('23456789ABCDEFGHJKMNPQRSTVWXY', (get_byte(raw, 15) % 29) + 1, 1)
       || substr('23456789ABCDEFGHJKMNPQRSTVWXY', (2 * (get_byte(raw, 0) % 29) + 3 * (get_byte(raw, 1) % 29) + 4 * (get_byte(raw, 2) % 29) + 5 * (get_byte(raw, 3) % 29) + 6 * (get_byte(raw, 4) % 29) + 7 * (get_byte(raw, 5) % 29) + 8 * (get_byte(raw, 7) % 29) + 9 * (get_byte(raw, 8) % 29) + 10 * (get_byte(raw, 9) % 29) + 11 * (get_byte(raw, 10) % 29) + 12 * (get_byte(raw, 11) % 29) + 13 * (get_byte(raw, 12) % 29) + 14 * (get_byte(raw, 13) % 29) + 15 * (get_byte(raw, 14) % 29) + 16 * (get_byte(raw, 15) % 29)) % 29 + 1, 1)
$$;

CREATE FUNCTION coupons_day_start(at timestamp with time zone) RETURNS timestamp with time zone LANGUAGE sql STABLE AS $$
SELECT date_trunc('day', at AT TIME ZONE 'Asia/Shanghai') AT TIME ZONE 'Asia/Shanghai'
$$;

CREATE FUNCTION coupons_room(piece coupons_couponbatchshard, p_cost bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
SELECT greatest(0, CASE WHEN piece.budget_fen IS NULL OR p_cost = 0 THEN (piece.quota - piece.issued_count)::bigint
                        ELSE least(piece.quota - piece.issued_count,
                                   (piece.budget_fen - piece.reserved_fen) / p_cost) END)
$$;

CREATE FUNCTION coupons_no_room(p_batch bigint, p_cost bigint) RETURNS text LANGUAGE sql STABLE AS $$
SELECT CASE WHEN bool_or(coupons_room(piece, p_cost) > 0) THEN NULL
            WHEN bool_or(piece.issued_count < piece.quota) THEN 'budget_spent'
            ELSE 'sold_out' END
FROM coupons_couponbatchshard piece WHERE piece.batch_id = p_batch
$$;


SET default_tablespace = '';

SET default_table_access_method = heap;

CREATE FUNCTION coupons_take(p_batch bigint, p_cost bigint) RETURNS smallint LANGUAGE plpgsql AS $$
DECLARE
    begin_at int := floor(random() * 16);
    free bigint;
    taken smallint;
BEGIN
    FOR step IN 0..3 LOOP
        SELECT id INTO free FROM coupons_couponbatchshard piece
        WHERE batch_id = p_batch AND shard = (begin_at + 5 * step) % 16 AND coupons_room(piece, p_cost) > 0
        FOR NO KEY UPDATE SKIP LOCKED;
        IF FOUND THEN
            UPDATE coupons_couponbatchshard
            SET issued_count = issued_count + 1, reserved_fen = reserved_fen + p_cost
            WHERE id = free RETURNING shard INTO taken;
            RETURN taken;
        END IF;
    END LOOP;
    FOR place IN 0..15 LOOP
        CONTINUE WHEN NOT EXISTS (
            SELECT FROM coupons_couponbatchshard piece
            WHERE batch_id = p_batch AND shard = (begin_at + place) % 16 AND coupons_room(piece, p_cost) > 0);
        BEGIN
            UPDATE coupons_couponbatchshard piece
            SET issued_count = issued_count + 1, reserved_fen = reserved_fen + p_cost
            WHERE batch_id = p_batch AND shard = (begin_at + place) % 16 AND coupons_room(piece, p_cost) > 0
            RETURNING shard INTO taken;
            IF taken IS NOT NULL THEN
                RETURN taken;
            END IF;
            RAISE EXCEPTION USING ERRCODE = 'XC001';
        EXCEPTION WHEN SQLSTATE 'XC001' THEN
            NULL;
        END;
    END LOOP;
    RETURN NULL;
END $$;

CREATE FUNCTION coupons_terms(p_batch bigint, p_door text, p_at timestamp with time zone, OUT reason text, OUT cost bigint, OUT member_limit integer, OUT daily_limit integer, OUT guide_quota integer, OUT period_start date, OUT starts timestamp with time zone, OUT ends timestamp with time zone, OUT tiers bigint[], OUT has_codes boolean) RETURNS record LANGUAGE plpgsql STABLE AS $$
DECLARE
    row record;
    today timestamp := date_trunc('day', p_at AT TIME ZONE 'Asia/Shanghai');
BEGIN
    SELECT batch.*, template.state AS template_state, template.tier_ids, template.validity, template.valid_days,
           template.valid_from, template.valid_until
    INTO row
    FROM coupons_couponbatch batch JOIN coupons_coupontemplate template ON template.id = batch.template_id
    WHERE batch.id = p_batch;
    IF NOT FOUND THEN
        reason := 'no_batch';
        RETURN;
    END IF;
    cost := row.cost_fen;
    member_limit := row.member_limit;
    daily_limit := row.member_daily_limit;
    guide_quota := row.guide_quota;
    tiers := row.tier_ids;
    has_codes := row.has_partner_codes;
    period_start := CASE row.guide_quota_period
        WHEN 'day' THEN today::date
        WHEN 'week' THEN date_trunc('week', today)::date
        WHEN 'month' THEN date_trunc('month', today)::date
        ELSE DATE '1970-01-01' END;
    starts := CASE row.validity
        WHEN 'fixed' THEN row.valid_from
        WHEN 'from_tomorrow' THEN (today + interval '1 day') AT TIME ZONE 'Asia/Shanghai'
        ELSE p_at END;
    ends := CASE row.validity
        WHEN 'fixed' THEN row.valid_until
        WHEN 'from_today' THEN (today + make_interval(days => row.valid_days)) AT TIME ZONE 'Asia/Shanghai'
        WHEN 'from_tomorrow' THEN (today + make_interval(days => row.valid_days + 1)) AT TIME ZONE 'Asia/Shanghai'
        ELSE (date_trunc('month', today) + interval '1 month') AT TIME ZONE 'Asia/Shanghai' END;
    reason := CASE
        WHEN row.state = 'draft' THEN 'draft'
        WHEN row.state = 'paused' THEN 'paused'
        WHEN row.state = 'ended' OR row.template_state = 'retired' THEN 'ended'
        WHEN p_at < row.opens_at THEN 'not_started'
        WHEN p_at >= row.closes_at OR p_at >= ends THEN 'ended'
        WHEN p_door <> ALL (row.doors) THEN 'wrong_door' END;
END $$;

CREATE FUNCTION coupons_issue(p_batch bigint, p_member bigint, p_key text, p_door text, p_code text, p_guide bigint, p_store bigint, p_source text, p_tier bigint, p_at timestamp with time zone, OUT outcome text, OUT coupon_id bigint, OUT coupon_code text, OUT starts timestamp with time zone, OUT ends timestamp with time zone) RETURNS record LANGUAGE plpgsql SET plan_cache_mode TO 'force_generic_plan' SET enable_seqscan TO 'off' SET enable_bitmapscan TO 'off' AS $$
DECLARE
    terms record;
    had int;
    place smallint;
    external text := '';
BEGIN
    SELECT *, EXISTS (SELECT FROM coupons_couponbatchshard piece
                      WHERE piece.batch_id = p_batch AND coupons_room(piece, asked.cost) > 0) AS has_room
    INTO terms FROM coupons_terms(p_batch, p_door, p_at) asked;
    outcome := CASE
        WHEN terms.reason IS NOT NULL THEN terms.reason
        WHEN cardinality(terms.tiers) > 0 AND (p_tier IS NULL OR p_tier <> ALL (terms.tiers)) THEN 'wrong_tier'
        WHEN NOT terms.has_room THEN coupons_no_room(p_batch, terms.cost) END;
    IF outcome IS NULL THEN
        PERFORM FROM members_member WHERE id = p_member AND merged_into_id IS NULL AND stage <> 'erased'
        FOR NO KEY UPDATE;
        IF NOT FOUND THEN
            -- Also a row whose merge was undone just now: the caller looks for the living row and asks again.
            PERFORM FROM members_member WHERE id = p_member AND stage <> 'erased';
            outcome := CASE WHEN FOUND THEN 'merged' ELSE 'no_member' END;
            RETURN;
        END IF;
    END IF;
    -- Her own requests wait for her row above; what they wrote is seen from here on. The next key in order is asked for,
    -- because only the index of keys is in that order: see the note above.
    SELECT again.id, again.code, again.valid_from, again.valid_until, own.had
    INTO coupon_id, coupon_code, starts, ends, had
    FROM (SELECT coalesce(max(ordinal), 0) AS had FROM coupons_coupon
          WHERE batch_id = p_batch AND received_by = p_member) own
    LEFT JOIN (SELECT * FROM coupons_coupon WHERE batch_id = p_batch AND request_key >= p_key
               ORDER BY request_key LIMIT 1) again ON again.request_key = p_key;
    IF coupon_id IS NOT NULL THEN
        outcome := 'repeated';
        RETURN;
    ELSIF outcome IS NOT NULL THEN
        RETURN;
    END IF;
    IF had >= terms.member_limit THEN
        outcome := 'over_limit';
        RETURN;
    END IF;
    IF terms.daily_limit IS NOT NULL AND terms.daily_limit <= (
        SELECT count(*) FROM coupons_coupon
        WHERE batch_id = p_batch AND received_by = p_member AND issued_at >= coupons_day_start(p_at))
    THEN
        outcome := 'over_daily_limit';
        RETURN;
    END IF;
    IF p_guide IS NOT NULL AND terms.guide_quota IS NOT NULL AND p_door IN ('guide', 'face_to_face') THEN
        INSERT INTO coupons_guideallowance AS own (batch_id, guide_id, period_start, allowed_count, used_count)
        VALUES (p_batch, p_guide, terms.period_start, terms.guide_quota, 1)
        ON CONFLICT (batch_id, guide_id, period_start) DO UPDATE
        SET used_count = own.used_count + 1, allowed_count = excluded.allowed_count
        WHERE own.used_count < excluded.allowed_count;
        IF NOT FOUND THEN
            outcome := 'guide_quota_spent';
            RETURN;
        END IF;
    END IF;
    place := coupons_take(p_batch, terms.cost);
    IF place IS NULL THEN
        UPDATE coupons_guideallowance SET used_count = used_count - 1
        WHERE batch_id = p_batch AND guide_id = p_guide AND period_start = terms.period_start
          AND terms.guide_quota IS NOT NULL AND p_door IN ('guide', 'face_to_face');
        outcome := coalesce(coupons_no_room(p_batch, terms.cost), 'sold_out');
        RETURN;
    END IF;
    IF terms.has_codes THEN
        UPDATE coupons_partnercode SET is_taken = true
        WHERE id = (
            SELECT id FROM coupons_partnercode WHERE batch_id = p_batch AND shard = place AND NOT is_taken
            ORDER BY id LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED)
        RETURNING code INTO STRICT external;
    END IF;
    INSERT INTO coupons_coupon (
        code, batch_id, shard, member_id, received_by, ordinal, state, valid_from, valid_until, request_key,
        source_key, door, issued_by_guide_id, issued_store_id, issued_at, partner_code, lock_key, gifted_count)
    VALUES (
        p_code, p_batch, place, p_member, p_member, had + 1, 'issued', terms.starts, terms.ends, p_key,
        p_source, p_door, p_guide, p_store, p_at, external, '', 0)
    RETURNING id INTO coupon_id;
    outcome := 'issued';
    coupon_code := p_code;
    starts := terms.starts;
    ends := terms.ends;
END $$;

CREATE FUNCTION coupons_issue_slice(p_slice bigint, p_at timestamp with time zone, OUT stop text, OUT issued integer, OUT refused jsonb, OUT merged bigint[], OUT missed jsonb) RETURNS record LANGUAGE plpgsql AS $$
DECLARE
    job record;
    terms record;
    most bigint;
    why text;
BEGIN
    SELECT whole.id, whole.batch_id, whole.door, whole.issued_by_guide_id AS guide_id,
           whole.issued_store_id AS store_id, whole.source_key, slice.member_ids
    INTO job
    FROM coupons_issueslice slice JOIN coupons_issuejob whole ON whole.id = slice.job_id WHERE slice.id = p_slice;
    SELECT * INTO terms FROM coupons_terms(job.batch_id, job.door, p_at);
    stop := terms.reason;
    IF stop IS NOT NULL THEN
        RETURN;
    END IF;
    PERFORM 1 FROM members_member WHERE id = ANY (job.member_ids) ORDER BY id FOR NO KEY UPDATE;
    IF job.guide_id IS NOT NULL AND terms.guide_quota IS NOT NULL AND job.door IN ('guide', 'face_to_face') THEN
        INSERT INTO coupons_guideallowance (batch_id, guide_id, period_start, allowed_count, used_count)
        VALUES (job.batch_id, job.guide_id, terms.period_start, terms.guide_quota, 0) ON CONFLICT DO NOTHING;
        SELECT greatest(0, terms.guide_quota - used_count) INTO most FROM coupons_guideallowance
        WHERE batch_id = job.batch_id AND guide_id = job.guide_id AND period_start = terms.period_start
        FOR NO KEY UPDATE;
    END IF;
    PERFORM 1 FROM coupons_couponbatchshard WHERE batch_id = job.batch_id ORDER BY shard FOR NO KEY UPDATE;
    WITH person AS MATERIALIZED (
        SELECT member.id, member.merged_into_id, member.stage,
               coalesce((SELECT max(ordinal) FROM coupons_coupon coupon
                         WHERE coupon.batch_id = job.batch_id AND coupon.received_by = member.id), 0) AS had,
               CASE WHEN terms.daily_limit IS NULL THEN 0 ELSE (
                   SELECT count(*) FROM coupons_coupon coupon
                   WHERE coupon.batch_id = job.batch_id AND coupon.received_by = member.id
                     AND coupon.issued_at >= coupons_day_start(p_at)) END AS today
        FROM members_member member WHERE member.id = ANY (job.member_ids)
    ), judged AS (
        SELECT id, had, CASE
            WHEN merged_into_id IS NOT NULL THEN 'merged'
            WHEN stage = 'erased' THEN 'erased'
            WHEN had >= terms.member_limit THEN 'over_limit'
            WHEN today >= terms.daily_limit THEN 'over_daily_limit' END AS reason
        FROM person
    ), fit AS (
        SELECT id, had, row_number() OVER (ORDER BY id) AS turn FROM judged WHERE reason IS NULL
    ), room AS (
        SELECT shard, sum(free) OVER (ORDER BY shard) - free AS after, sum(free) OVER (ORDER BY shard) AS until
        FROM (SELECT one.shard, coupons_room(one, terms.cost) AS free
              FROM coupons_couponbatchshard one WHERE one.batch_id = job.batch_id) free
    ), placed AS MATERIALIZED (
        SELECT fit.id, fit.had, CASE WHEN most IS NULL OR fit.turn <= most THEN room.shard END AS shard
        FROM fit LEFT JOIN room ON fit.turn > room.after AND fit.turn <= room.until
    ), made AS (
        INSERT INTO coupons_coupon (
            code, batch_id, shard, member_id, received_by, ordinal, state, valid_from, valid_until, request_key,
            source_key, door, issued_by_guide_id, issued_store_id, issued_at, partner_code, lock_key, gifted_count)
        SELECT coupons_code_of(raw), job.batch_id, shard, id, id, had + 1, 'issued', terms.starts, terms.ends,
               'job:' || job.id || ':' || id, job.source_key, job.door, job.guide_id, job.store_id, p_at, '', '', 0
        FROM (
            SELECT id, had, shard, uuid_send(gen_random_uuid()) AS raw FROM placed WHERE shard IS NOT NULL
        ) winner
        RETURNING shard
    ), counted AS (
        UPDATE coupons_couponbatchshard one
        SET issued_count = one.issued_count + taken.n, reserved_fen = one.reserved_fen + taken.n * terms.cost
        FROM (SELECT shard, count(*) AS n FROM made GROUP BY shard) taken
        WHERE one.batch_id = job.batch_id AND one.shard = taken.shard
    ), unlucky AS (
        SELECT id, CASE WHEN most < (SELECT sum(until - after) FROM room) THEN 'guide_quota_spent'
                        ELSE 'no_room' END AS reason
        FROM placed WHERE shard IS NULL
        UNION ALL SELECT id, reason FROM judged WHERE reason IS NOT NULL AND reason <> 'merged'
        UNION ALL SELECT id, 'no_member' FROM (
            SELECT unnest(job.member_ids) AS id EXCEPT SELECT id FROM person) nobody
    ), told AS (SELECT reason, array_agg(id ORDER BY id) AS ids FROM unlucky GROUP BY reason)
    SELECT (SELECT count(*) FROM made),
           (SELECT coalesce(jsonb_object_agg(reason, cardinality(ids)), '{}') FROM told),
           (SELECT array_agg(id ORDER BY id) FROM judged WHERE reason = 'merged'),
           (SELECT coalesce(jsonb_object_agg(reason, to_jsonb(ids)), '{}') FROM told)
    INTO issued, refused, merged, missed;
    IF refused ? 'no_room' THEN
        -- Asked now: before the insert there may have been room for some.
        why := coalesce(coupons_no_room(job.batch_id, terms.cost), 'sold_out');
        refused := (refused - 'no_room') || jsonb_build_object(why, refused -> 'no_room');
        missed := (missed - 'no_room') || jsonb_build_object(why, missed -> 'no_room');
    END IF;
    IF most IS NOT NULL THEN
        UPDATE coupons_guideallowance SET used_count = used_count + issued, allowed_count = terms.guide_quota
        WHERE batch_id = job.batch_id AND guide_id = job.guide_id AND period_start = terms.period_start
          AND used_count + issued <= terms.guide_quota;
    END IF;
END $$;

CREATE FUNCTION coupons_line_is_open() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    found_state text;
BEGIN
    IF TG_OP <> 'INSERT' THEN
        SELECT state INTO found_state FROM coupons_settlementmonth WHERE month = OLD.month FOR SHARE;
        IF found_state = 'closed' THEN
            RAISE EXCEPTION 'the month is closed' USING ERRCODE = 'check_violation',
                CONSTRAINT = 'settlementline_closed_month_is_frozen';
        END IF;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        SELECT state INTO found_state FROM coupons_settlementmonth WHERE month = NEW.month FOR SHARE;
        IF found_state = 'closed' THEN
            RAISE EXCEPTION 'the month is closed' USING ERRCODE = 'check_violation',
                CONSTRAINT = 'settlementline_closed_month_is_frozen';
        END IF;
        RETURN NEW;
    END IF;
    RETURN OLD;
END $$;

CREATE FUNCTION coupons_spread(p_batch bigint, p_more integer, p_budget bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM coupons_couponbatchshard WHERE batch_id = p_batch ORDER BY shard FOR NO KEY UPDATE;
    UPDATE coupons_couponbatchshard shard
    SET quota = shard.issued_count + (total.room + 15 - shard.shard) / 16,
        budget_fen = CASE WHEN total.budget IS NULL THEN NULL
            WHEN total.cost = 0 THEN shard.reserved_fen
            ELSE shard.reserved_fen + total.cost * ((total.pieces + 15 - shard.shard) / 16) END
    FROM (
        SELECT sum(one.quota - one.issued_count) + p_more AS room, p_budget AS budget, batch.cost_fen AS cost,
               CASE WHEN batch.cost_fen > 0
                    THEN greatest(0, (p_budget - sum(one.reserved_fen))::bigint / batch.cost_fen) END AS pieces
        FROM coupons_couponbatchshard one JOIN coupons_couponbatch batch ON batch.id = one.batch_id
        WHERE one.batch_id = p_batch GROUP BY batch.cost_fen
    ) total
    WHERE shard.batch_id = p_batch;
END $$;
"""

_TRIGGERS = r"""
CREATE TRIGGER settlementline_closed_month_is_frozen BEFORE INSERT OR DELETE OR UPDATE ON coupons_settlementline
    FOR EACH ROW
    EXECUTE FUNCTION coupons_line_is_open();
"""


class Migration(migrations.Migration):

    replaces = [('coupons', '0001_first'), ('coupons', '0002_orders_and_returns'), ('coupons', '0003_exchange_codes_and_unlocks'), ('coupons', '0004_doors'), ('coupons', '0005_guides_give_by_hand'), ('coupons', '0006_statistics_and_settlement'), ('coupons', '0007_issue_desk'), ('coupons', '0008_quicker_claims'), ('coupons', '0009_void_jobs'), ('coupons', '0010_chosen_voidings'), ('coupons', '0011_purchase_gifts'), ('coupons', '0012_numbers_by_month'), ('coupons', '0013_claims_by_index')]

    initial = True

    dependencies = [
        ('core', '0001_squashed_0002'),
        ('guides', '0001_squashed_0012'),
        ('members', '0001_squashed_0017'),
    ]

    operations = [
        core.migration_operations.CreateModels(
            models=[
                migrations.CreateModel(
                    name='CouponTemplate',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('public_id', models.CharField(default=core.codes.new_public_id, editable=False, max_length=16, unique=True)),
                        ('series', models.CharField(default=core.codes.new_public_id, editable=False, max_length=16)),
                        ('version', models.PositiveIntegerField(default=1, editable=False, verbose_name='版本')),
                        ('title', models.CharField(max_length=20, verbose_name='券名称')),
                        ('usage_words', models.CharField(blank=True, max_length=500, verbose_name='使用说明')),
                        ('colour', models.CharField(choices=[('red', '红'), ('orange', '橙'), ('gold', '金'), ('green', '绿'), ('blue', '蓝'), ('purple', '紫')], default='red', max_length=8, verbose_name='卡片颜色')),
                        ('kind', models.CharField(choices=[('cash_off', '满减券'), ('percent', '折扣券'), ('exchange', '兑换券'), ('fixed_price', '一口价券'), ('gift', '赠品券')], max_length=12, verbose_name='类型')),
                        ('off_fen', models.BigIntegerField(blank=True, null=True, verbose_name='减多少（分）')),
                        ('per_fen', models.BigIntegerField(blank=True, null=True, verbose_name='每满多少减一次（分）')),
                        ('rate_bp', models.PositiveIntegerField(blank=True, null=True, verbose_name='折扣（万分比）')),
                        ('cap_fen', models.BigIntegerField(blank=True, null=True, verbose_name='最多优惠（分）')),
                        ('price_fen', models.BigIntegerField(blank=True, null=True, verbose_name='一口价（分）')),
                        ('units', models.PositiveIntegerField(blank=True, null=True, verbose_name='件数')),
                        ('gift_name', models.CharField(blank=True, max_length=40, verbose_name='赠品')),
                        ('gift_value_fen', models.BigIntegerField(blank=True, null=True, verbose_name='赠品价值（分）')),
                        ('min_spend_fen', models.BigIntegerField(default=0, verbose_name='满多少可用（分）')),
                        ('min_quantity', models.PositiveIntegerField(default=0, verbose_name='满几件可用')),
                        ('store_ids', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), blank=True, default=list, size=None, verbose_name='适用门店')),
                        ('region_ids', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), blank=True, default=list, size=None, verbose_name='适用区域')),
                        ('dealer_ids', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), blank=True, default=list, size=None, verbose_name='适用经销商')),
                        ('tier_ids', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), blank=True, default=list, size=None, verbose_name='适用会员等级')),
                        ('channels', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=16), blank=True, default=list, size=None, verbose_name='适用渠道')),
                        ('include_products', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=40), blank=True, default=list, size=None, verbose_name='适用商品')),
                        ('include_categories', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=40), blank=True, default=list, size=None, verbose_name='适用类目')),
                        ('exclude_products', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=40), blank=True, default=list, size=None, verbose_name='排除商品')),
                        ('exclude_categories', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=40), blank=True, default=list, size=None, verbose_name='排除类目')),
                        ('weekdays', django.contrib.postgres.fields.ArrayField(base_field=models.PositiveSmallIntegerField(), blank=True, default=list, size=None, verbose_name='可用日子')),
                        ('hours', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=11), blank=True, default=list, size=None, verbose_name='可用时段')),
                        ('validity', models.CharField(choices=[('fixed', '固定日期'), ('from_today', '领取当天起若干天'), ('from_tomorrow', '领取次日起若干天'), ('month_end', '到当月最后一天')], max_length=13, verbose_name='有效期')),
                        ('valid_from', models.DateTimeField(blank=True, null=True, verbose_name='可用开始')),
                        ('valid_until', models.DateTimeField(blank=True, null=True, verbose_name='可用结束')),
                        ('valid_days', models.PositiveIntegerField(blank=True, null=True, verbose_name='有效天数')),
                        ('stacking_group', models.CharField(blank=True, max_length=20, verbose_name='叠加组')),
                        ('is_exclusive', models.BooleanField(default=False, verbose_name='不与其他券同用')),
                        ('max_per_order', models.PositiveIntegerField(blank=True, null=True, verbose_name='每单最多用几张')),
                        ('gifting', models.CharField(choices=[('nobody', '不可转赠'), ('first', '只有领取人可以转赠一次'), ('anyone', '收到的人也可以再转赠')], default='nobody', max_length=8, verbose_name='转赠')),
                        ('state', models.CharField(choices=[('active', '使用中'), ('retired', '已停用')], default='active', max_length=8, verbose_name='状态')),
                        ('frozen_at', models.DateTimeField(editable=False, null=True, verbose_name='开始发放')),
                        ('created_at', models.DateTimeField(verbose_name='创建时间')),
                    ],
                    options={
                        'verbose_name': '券模板',
                        'verbose_name_plural': '券模板',
                        'constraints': [models.UniqueConstraint(fields=('series', 'version'), name='coupontemplate_version_once'), models.CheckConstraint(condition=models.Q(models.Q(('kind', 'cash_off'), ('off_fen__isnull', False), ('gift_value_fen__isnull', True), ('price_fen__isnull', True), ('rate_bp__isnull', True), ('units__isnull', True)), models.Q(('kind', 'percent'), ('rate_bp__isnull', False), ('gift_value_fen__isnull', True), ('off_fen__isnull', True), ('per_fen__isnull', True), ('price_fen__isnull', True), ('units__isnull', True)), models.Q(('kind', 'exchange'), ('units__isnull', False), ('gift_value_fen__isnull', True), ('off_fen__isnull', True), ('per_fen__isnull', True), ('price_fen__isnull', True), ('rate_bp__isnull', True)), models.Q(('kind', 'fixed_price'), ('price_fen__isnull', False), ('units__isnull', False), ('cap_fen__isnull', True), ('gift_value_fen__isnull', True), ('off_fen__isnull', True), ('per_fen__isnull', True), ('rate_bp__isnull', True)), models.Q(('gift_value_fen__isnull', False), ('kind', 'gift'), ('cap_fen__isnull', True), ('off_fen__isnull', True), ('per_fen__isnull', True), ('price_fen__isnull', True), ('rate_bp__isnull', True), ('units__isnull', True)), _connector='OR'), name='coupontemplate_kind_has_its_numbers'), models.CheckConstraint(condition=models.Q(models.Q(('off_fen__isnull', True), ('off_fen__gt', 0), _connector='OR'), models.Q(('per_fen__isnull', True), ('per_fen__gte', models.F('off_fen')), _connector='OR'), models.Q(('rate_bp__isnull', True), ('rate_bp__range', (1, 9999)), _connector='OR'), models.Q(('cap_fen__isnull', True), ('cap_fen__gt', 0), _connector='OR'), models.Q(('price_fen__isnull', True), ('price_fen__gte', 0), _connector='OR'), models.Q(('units__isnull', True), ('units__gt', 0), _connector='OR'), models.Q(models.Q(('gift_value_fen__isnull', True), ('gift_name', '')), models.Q(('gift_value_fen__gte', 0), models.Q(('gift_name', ''), _negated=True)), _connector='OR'), ('min_spend_fen__gte', 0)), name='coupontemplate_numbers_make_sense'), models.CheckConstraint(condition=models.Q(models.Q(('valid_days__isnull', True), ('valid_from__isnull', False), ('valid_until__gt', models.F('valid_from')), ('validity', 'fixed')), models.Q(('valid_days__range', (1, 3650)), ('valid_from__isnull', True), ('valid_until__isnull', True), ('validity__in', ['from_today', 'from_tomorrow'])), models.Q(('valid_days__isnull', True), ('valid_from__isnull', True), ('valid_until__isnull', True), ('validity', 'month_end')), _connector='OR'), name='coupontemplate_validity_whole'), models.CheckConstraint(condition=models.Q(('max_per_order__isnull', True), ('max_per_order__gt', 0), _connector='OR'), name='coupontemplate_max_per_order_positive')],
                    },
                ),
                migrations.CreateModel(
                    name='CouponOrder',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('public_id', models.CharField(default=core.codes.new_public_id, editable=False, max_length=16, unique=True)),
                        ('request_id', models.CharField(editable=False, max_length=80)),
                        ('request_digest', models.CharField(editable=False, max_length=64)),
                        ('order_no', models.CharField(max_length=64, verbose_name='订单号')),
                        ('amount_fen', models.BigIntegerField(verbose_name='原价（分）')),
                        ('discount_fen', models.BigIntegerField(verbose_name='券优惠（分）')),
                        ('points', models.BigIntegerField(default=0, verbose_name='使用积分')),
                        ('points_fen', models.BigIntegerField(default=0, verbose_name='积分抵扣（分）')),
                        ('payable_fen', models.BigIntegerField(verbose_name='应付（分）')),
                        ('redeemed_at', models.DateTimeField(verbose_name='核销时间')),
                        ('ended_at', models.DateTimeField(blank=True, null=True, verbose_name='全部退回时间')),
                        ('member', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='members.member', verbose_name='会员')),
                        ('store', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='guides.store', verbose_name='门店')),
                    ],
                    options={
                        'verbose_name': '用券订单',
                        'verbose_name_plural': '用券订单',
                        'indexes': [models.Index(fields=['store', 'order_no', '-id'], name='couponorder_by_number')],
                        'constraints': [models.UniqueConstraint(fields=('request_id',), name='couponorder_once_per_request'), models.UniqueConstraint(condition=models.Q(('ended_at__isnull', True)), fields=('store', 'order_no'), name='couponorder_one_live_per_number'), models.CheckConstraint(condition=models.Q(('amount_fen', django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('discount_fen'), '+', models.F('points_fen')), '+', models.F('payable_fen'))), ('discount_fen__gte', 0), ('payable_fen__gte', 0), ('points__gte', 0), ('points_fen__gte', 0)), name='couponorder_adds_up'), models.CheckConstraint(condition=models.Q(models.Q(('points', 0), ('points_fen', 0)), ('member__isnull', False), _connector='OR'), name='couponorder_points_have_an_owner')],
                    },
                ),
                migrations.CreateModel(
                    name='PointsPayment',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('is_active', models.BooleanField(default=False, verbose_name='开放积分抵扣')),
                        ('step', models.PositiveIntegerField(default=100, help_text='积分按这个数的整数倍使用', verbose_name='每次用多少积分')),
                        ('fen_per_step', models.PositiveIntegerField(default=100, help_text='例如 100 积分抵 1 元，填 100', verbose_name='抵多少钱（分）')),
                        ('max_share_bp', models.PositiveIntegerField(default=5000, help_text='5000 是一半，10000 是全部', verbose_name='最多抵用券后的比例（万分比）')),
                        ('max_points', models.PositiveIntegerField(blank=True, help_text='留空表示不限', null=True, verbose_name='每单最多用多少积分')),
                    ],
                    options={
                        'verbose_name': '积分抵扣设置',
                        'verbose_name_plural': '积分抵扣设置',
                        'constraints': [models.CheckConstraint(condition=models.Q(('pk', 1)), name='pointspayment_one_row'), models.CheckConstraint(condition=models.Q(('fen_per_step__gt', 0), ('max_share_bp__range', (1, 10000)), ('step__gt', 0)), name='pointspayment_numbers_make_sense')],
                    },
                ),
                migrations.CreateModel(
                    name='ExchangeTally',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('who', models.CharField(editable=False, max_length=64)),
                        ('hour', models.DateTimeField(editable=False)),
                        ('try_count', models.PositiveIntegerField(default=0)),
                    ],
                    options={
                        'verbose_name': '兑换尝试',
                        'verbose_name_plural': '兑换尝试',
                        'constraints': [models.UniqueConstraint(fields=('who', 'hour'), name='exchangetally_once_per_hour')],
                    },
                ),
                migrations.CreateModel(
                    name='FactCursor',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('source', models.CharField(choices=[('coupons', '发放'), ('events', '券记录'), ('entries', '核销流水'), ('settlement', '结算')], max_length=12, unique=True, verbose_name='来源')),
                        ('last_id', models.BigIntegerField(default=0)),
                        ('read_until', models.DateTimeField(null=True)),
                    ],
                    options={
                        'verbose_name': '统计进度',
                        'verbose_name_plural': '统计进度',
                    },
                ),
                migrations.CreateModel(
                    name='CouponDay',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('issued_count', models.BigIntegerField(default=0, verbose_name='发放')),
                        ('redeemed_count', models.BigIntegerField(default=0, verbose_name='核销')),
                        ('reversed_count', models.BigIntegerField(default=0, verbose_name='撤销核销')),
                        ('voided_count', models.BigIntegerField(default=0, verbose_name='作废')),
                        ('expired_count', models.BigIntegerField(default=0, verbose_name='过期')),
                        ('discount_fen', models.BigIntegerField(default=0, verbose_name='优惠金额（分）')),
                        ('sales_fen', models.BigIntegerField(default=0, verbose_name='带动销售（分）')),
                        ('day', models.DateField(verbose_name='日期')),
                        ('batch_id', models.BigIntegerField(verbose_name='券批次')),
                        ('door', models.CharField(choices=[('claim', '自己领取'), ('guide', '导购发放'), ('face_to_face', '面对面领取'), ('system', '系统发放'), ('code', '兑换码'), ('share', '分享裂变'), ('partner', '合作方发放')], max_length=12, verbose_name='发放渠道')),
                        ('guide_id', models.BigIntegerField(verbose_name='发券导购')),
                        ('issued_store_id', models.BigIntegerField(verbose_name='发券门店')),
                        ('redeemed_store_id', models.BigIntegerField(verbose_name='核销门店')),
                        ('redeemed_guide_id', models.BigIntegerField(verbose_name='核销导购')),
                    ],
                    options={
                        'verbose_name': '券数据',
                        'verbose_name_plural': '券数据',
                        'indexes': [models.Index(fields=['batch_id', 'day'], name='couponday_of_batch'), models.Index(condition=models.Q(('guide_id', 0), _negated=True), fields=['guide_id', 'day'], name='couponday_of_guide'), models.Index(condition=models.Q(('issued_store_id', 0), _negated=True), fields=['issued_store_id', 'day'], name='couponday_of_issuer'), models.Index(condition=models.Q(('redeemed_store_id', 0), _negated=True), fields=['redeemed_store_id', 'day'], name='couponday_of_redeemer'), models.Index(condition=models.Q(('redeemed_guide_id', 0), _negated=True), fields=['redeemed_guide_id', 'day'], name='couponday_of_till')],
                        'constraints': [models.UniqueConstraint(fields=('day', 'batch_id', 'door', 'guide_id', 'issued_store_id', 'redeemed_store_id', 'redeemed_guide_id'), name='couponday_once')],
                    },
                ),
                migrations.CreateModel(
                    name='CouponDayTotal',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('issued_count', models.BigIntegerField(default=0, verbose_name='发放')),
                        ('redeemed_count', models.BigIntegerField(default=0, verbose_name='核销')),
                        ('reversed_count', models.BigIntegerField(default=0, verbose_name='撤销核销')),
                        ('voided_count', models.BigIntegerField(default=0, verbose_name='作废')),
                        ('expired_count', models.BigIntegerField(default=0, verbose_name='过期')),
                        ('discount_fen', models.BigIntegerField(default=0, verbose_name='优惠金额（分）')),
                        ('sales_fen', models.BigIntegerField(default=0, verbose_name='带动销售（分）')),
                        ('day', models.DateField(verbose_name='日期')),
                        ('batch_id', models.BigIntegerField(verbose_name='券批次')),
                        ('door', models.CharField(choices=[('claim', '自己领取'), ('guide', '导购发放'), ('face_to_face', '面对面领取'), ('system', '系统发放'), ('code', '兑换码'), ('share', '分享裂变'), ('partner', '合作方发放')], max_length=12, verbose_name='发放渠道')),
                        ('first_coupon_id', models.BigIntegerField(null=True)),
                        ('last_coupon_id', models.BigIntegerField(null=True)),
                    ],
                    options={
                        'verbose_name': '券数据（全国）',
                        'verbose_name_plural': '券数据（全国）',
                        'indexes': [models.Index(fields=['batch_id', 'day'], name='coupondaytotal_of_batch')],
                        'constraints': [models.UniqueConstraint(fields=('day', 'batch_id', 'door'), name='coupondaytotal_once')],
                    },
                ),
                migrations.CreateModel(
                    name='CouponDue',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('last_day', models.DateField(verbose_name='最后一天')),
                        ('batch_id', models.BigIntegerField(verbose_name='券批次')),
                        ('door', models.CharField(choices=[('claim', '自己领取'), ('guide', '导购发放'), ('face_to_face', '面对面领取'), ('system', '系统发放'), ('code', '兑换码'), ('share', '分享裂变'), ('partner', '合作方发放')], max_length=12, verbose_name='发放渠道')),
                        ('guide_id', models.BigIntegerField(verbose_name='发券导购')),
                        ('issued_store_id', models.BigIntegerField(verbose_name='发券门店')),
                        ('unused_count', models.BigIntegerField(default=0, verbose_name='未使用')),
                    ],
                    options={
                        'verbose_name': '即将到期的券',
                        'verbose_name_plural': '即将到期的券',
                        'constraints': [models.UniqueConstraint(fields=('last_day', 'batch_id', 'door', 'guide_id', 'issued_store_id'), name='coupondue_once')],
                    },
                ),
                migrations.CreateModel(
                    name='SettlementMonth',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('month', models.DateField(unique=True, verbose_name='月份')),
                        ('state', models.CharField(choices=[('open', '未关账'), ('closed', '已关账')], default='open', max_length=6, verbose_name='状态')),
                        ('version', models.PositiveIntegerField(default=0, verbose_name='关账次数')),
                        ('closed_at', models.DateTimeField(blank=True, null=True, verbose_name='关账时间')),
                        ('reopen_reason', models.CharField(blank=True, max_length=120, verbose_name='重新打开的原因')),
                    ],
                    options={
                        'verbose_name': '跨店结算',
                        'verbose_name_plural': '跨店结算',
                        'permissions': [('close_settlement', '可以关账和重新打开')],
                        'constraints': [models.CheckConstraint(condition=models.Q(('month__day', 1)), name='settlementmonth_first_day'), models.CheckConstraint(condition=models.Q(('state', 'open'), models.Q(('closed_at__isnull', False), ('state', 'closed'), ('version__gt', 0)), _connector='OR'), name='settlementmonth_closed_has_a_time')],
                    },
                ),
                migrations.CreateModel(
                    name='StatsProof',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('day', models.DateField(db_index=True, verbose_name='日期')),
                        ('ran_at', models.DateTimeField(verbose_name='时间')),
                        ('seconds', models.FloatField(verbose_name='耗时（秒）')),
                        ('row_count', models.BigIntegerField(verbose_name='核对的行数')),
                        ('wrong_count', models.BigIntegerField(verbose_name='修正的行数')),
                        ('wrong_rows', models.JSONField(default=list, verbose_name='修正内容')),
                    ],
                    options={
                        'verbose_name': '数据核对',
                        'verbose_name_plural': '数据核对',
                        'constraints': [models.CheckConstraint(condition=models.Q(('row_count__gte', 0), ('wrong_count__gte', 0)), name='statsproof_counts')],
                    },
                ),
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
                migrations.CreateModel(
                    name='CouponBatch',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('public_id', models.CharField(default=core.codes.new_public_id, editable=False, max_length=16, unique=True)),
                        ('name', models.CharField(max_length=40, verbose_name='批次名称')),
                        ('state', models.CharField(choices=[('draft', '未开始发放'), ('open', '发放中'), ('paused', '已暂停'), ('ended', '已结束')], default='draft', max_length=8, verbose_name='状态')),
                        ('quota', models.PositiveIntegerField(verbose_name='总数量')),
                        ('member_limit', models.PositiveIntegerField(blank=True, null=True, verbose_name='每人限领')),
                        ('member_daily_limit', models.PositiveIntegerField(blank=True, null=True, verbose_name='每人每天限领')),
                        ('opens_at', models.DateTimeField(blank=True, null=True, verbose_name='发放开始')),
                        ('closes_at', models.DateTimeField(blank=True, null=True, verbose_name='发放结束')),
                        ('doors', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('claim', '自己领取'), ('guide', '导购发放'), ('face_to_face', '面对面领取'), ('system', '系统发放'), ('code', '兑换码'), ('share', '分享裂变'), ('partner', '合作方发放')], max_length=12), size=None, verbose_name='发放渠道')),
                        ('guide_quota', models.PositiveIntegerField(blank=True, null=True, verbose_name='每位导购可发')),
                        ('guide_quota_period', models.CharField(choices=[('day', '每天'), ('week', '每周'), ('month', '每月'), ('whole', '整个批次')], default='whole', max_length=5, verbose_name='导购额度周期')),
                        ('cost_fen', models.BigIntegerField(default=0, verbose_name='单张最高成本（分）')),
                        ('budget_fen', models.BigIntegerField(blank=True, null=True, verbose_name='预算（分）')),
                        ('has_partner_codes', models.BooleanField(default=False, verbose_name='使用合作方券码')),
                        ('partner_name', models.CharField(blank=True, max_length=40, verbose_name='合作方')),
                        ('created_at', models.DateTimeField(verbose_name='创建时间')),
                        ('template', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='batches', to='coupons.coupontemplate', verbose_name='券模板')),
                    ],
                    options={
                        'verbose_name': '券批次',
                        'verbose_name_plural': '券批次',
                        'constraints': [models.CheckConstraint(condition=models.Q(('opens_at__isnull', True), ('closes_at__isnull', True), ('closes_at__gt', models.F('opens_at')), _connector='OR'), name='couponbatch_closes_after_it_opens'), models.CheckConstraint(condition=models.Q(('cost_fen__gte', 0), models.Q(('budget_fen__isnull', True), models.Q(('budget_fen__gte', 0), ('cost_fen__gt', 0)), _connector='OR')), name='couponbatch_budget_has_a_cost'), models.CheckConstraint(condition=models.Q(models.Q(('member_limit__isnull', True), ('member_limit__gt', 0), _connector='OR'), models.Q(('member_daily_limit__isnull', True), ('member_daily_limit__gt', 0), _connector='OR'), models.Q(('guide_quota__isnull', True), ('guide_quota__gt', 0), _connector='OR')), name='couponbatch_limits_positive')],
                    },
                ),
                migrations.CreateModel(
                    name='CouponOrderLine',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('key', models.CharField(max_length=40, verbose_name='行号')),
                        ('product', models.CharField(blank=True, max_length=40, verbose_name='商品编码')),
                        ('quantity', models.PositiveIntegerField(verbose_name='件数')),
                        ('amount_fen', models.BigIntegerField(verbose_name='原价（分）')),
                        ('points', models.BigIntegerField(default=0, verbose_name='使用积分')),
                        ('points_fen', models.BigIntegerField(default=0, verbose_name='积分抵扣（分）')),
                        ('payable_fen', models.BigIntegerField(verbose_name='应付（分）')),
                        ('order', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='lines', to='coupons.couponorder', verbose_name='用券订单')),
                    ],
                    options={
                        'verbose_name': '用券订单商品',
                        'verbose_name_plural': '用券订单商品',
                        'constraints': [models.UniqueConstraint(fields=('order', 'key'), name='couponorderline_key_once'), models.CheckConstraint(condition=models.Q(('amount_fen__gte', 0), ('payable_fen__gte', 0), ('points_fen__gte', 0), ('quantity__gt', 0)), name='couponorderline_not_negative')],
                    },
                ),
                migrations.CreateModel(
                    name='CouponReturn',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('public_id', models.CharField(default=core.codes.new_public_id, editable=False, max_length=16, unique=True)),
                        ('return_key', models.CharField(editable=False, max_length=80)),
                        ('request_digest', models.CharField(editable=False, max_length=64)),
                        ('is_undo', models.BooleanField(default=False, verbose_name='整单撤销')),
                        ('reason', models.CharField(max_length=120, verbose_name='原因')),
                        ('refund_fen', models.BigIntegerField(verbose_name='退款（分）')),
                        ('discount_fen', models.BigIntegerField(verbose_name='收回优惠（分）')),
                        ('points', models.BigIntegerField(default=0, verbose_name='退回积分')),
                        ('voided_count', models.PositiveIntegerField(default=0, verbose_name='作废赠券')),
                        ('returned_at', models.DateTimeField(verbose_name='退货时间')),
                        ('actor', models.CharField(max_length=90, verbose_name='操作者')),
                        ('order', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='returns', to='coupons.couponorder', verbose_name='用券订单')),
                    ],
                    options={
                        'verbose_name': '用券订单退货',
                        'verbose_name_plural': '用券订单退货',
                        'constraints': [models.UniqueConstraint(fields=('order', 'return_key'), name='couponreturn_once_per_request'), models.CheckConstraint(condition=models.Q(('discount_fen__gte', 0), ('points__gte', 0), ('refund_fen__gte', 0)), name='couponreturn_not_negative')],
                    },
                ),
                migrations.CreateModel(
                    name='SettlementStatement',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('version', models.PositiveIntegerField(verbose_name='关账次数')),
                        ('line_count', models.PositiveIntegerField(verbose_name='笔数')),
                        ('owed_fen', models.BigIntegerField(verbose_name='应付（分）')),
                        ('correction_fen', models.BigIntegerField(verbose_name='其中更正（分）')),
                        ('creditor', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='guides.dealer', verbose_name='收款方')),
                        ('debtor', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='guides.dealer', verbose_name='付款方')),
                        ('month', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='statements', to='coupons.settlementmonth', verbose_name='月份')),
                    ],
                    options={
                        'verbose_name': '结算单',
                        'verbose_name_plural': '结算单',
                        'constraints': [models.UniqueConstraint(fields=('month', 'version', 'debtor', 'creditor'), name='settlementstatement_once', nulls_distinct=False)],
                    },
                ),
                migrations.CreateModel(
                    name='Coupon',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('code', models.CharField(max_length=16, verbose_name='券码')),
                        ('shard', models.PositiveSmallIntegerField(editable=False)),
                        ('received_by', models.BigIntegerField(editable=False)),
                        ('ordinal', models.PositiveIntegerField(editable=False)),
                        ('state', models.CharField(choices=[('issued', '可用'), ('locked', '下单占用中'), ('gifting', '转赠中'), ('redeemed', '已核销'), ('expired', '已过期'), ('voided', '已作废')], default='issued', max_length=8, verbose_name='状态')),
                        ('valid_from', models.DateTimeField(verbose_name='可用开始')),
                        ('valid_until', models.DateTimeField(verbose_name='可用结束')),
                        ('request_key', models.CharField(editable=False, max_length=100)),
                        ('source_key', models.CharField(blank=True, max_length=80, verbose_name='来源单号')),
                        ('door', models.CharField(choices=[('claim', '自己领取'), ('guide', '导购发放'), ('face_to_face', '面对面领取'), ('system', '系统发放'), ('code', '兑换码'), ('share', '分享裂变'), ('partner', '合作方发放')], max_length=12, verbose_name='发放渠道')),
                        ('issued_at', models.DateTimeField(verbose_name='发放时间')),
                        ('partner_code', models.CharField(blank=True, max_length=64, verbose_name='合作方券码')),
                        ('lock_key', models.CharField(blank=True, editable=False, max_length=80)),
                        ('locked_until', models.DateTimeField(blank=True, editable=False, null=True, verbose_name='占用到')),
                        ('gifted_count', models.PositiveSmallIntegerField(default=0, editable=False, verbose_name='转赠次数')),
                        ('told_at', models.DateTimeField(blank=True, editable=False, null=True, verbose_name='到期提醒时间')),
                        ('issued_by_guide', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='guides.guide', verbose_name='发券导购')),
                        ('issued_store', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='guides.store', verbose_name='发券门店')),
                        ('member', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='members.member', verbose_name='持有人')),
                        ('batch', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='coupons', to='coupons.couponbatch', verbose_name='券批次')),
                    ],
                    options={
                        'verbose_name': '券',
                        'verbose_name_plural': '券',
                        'indexes': [models.Index(fields=['member', '-id'], name='coupon_of_member'), models.Index(condition=models.Q(('state__in', ['issued', 'locked', 'gifting'])), fields=['valid_until', 'id'], name='coupon_due'), models.Index(condition=models.Q(('source_key', ''), _negated=True), fields=['source_key'], name='coupon_by_source'), models.Index(condition=models.Q(('state', 'locked')), fields=['locked_until'], name='coupon_locked'), models.Index(condition=models.Q(('issued_by_guide__isnull', False)), fields=['issued_by_guide', '-id'], name='coupon_of_guide')],
                        'constraints': [models.UniqueConstraint(fields=('code',), name='coupon_code_once'), models.UniqueConstraint(fields=('batch', 'request_key'), name='coupon_once_per_request'), models.UniqueConstraint(fields=('batch', 'received_by', 'ordinal'), name='coupon_ordinal_once'), models.CheckConstraint(condition=models.Q(('valid_until__gt', models.F('valid_from'))), name='coupon_ends_after_it_begins'), models.CheckConstraint(condition=models.Q(models.Q(('locked_until__isnull', False), ('state', 'locked'), models.Q(('lock_key', ''), _negated=True)), models.Q(models.Q(('state', 'locked'), _negated=True), ('lock_key', ''), ('locked_until__isnull', True)), _connector='OR'), name='coupon_locked_has_key_and_end')],
                        'permissions': [('see_code', '查看完整券码'), ('export_coupon', '导出券')],
                    },
                ),
                migrations.CreateModel(
                    name='CouponBatchShard',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('shard', models.PositiveSmallIntegerField()),
                        ('quota', models.IntegerField(default=0)),
                        ('issued_count', models.IntegerField(default=0)),
                        ('budget_fen', models.BigIntegerField(null=True)),
                        ('reserved_fen', models.BigIntegerField(default=0)),
                        ('redeemed_count', models.IntegerField(default=0)),
                        ('voided_count', models.IntegerField(default=0)),
                        ('expired_count', models.IntegerField(default=0)),
                        ('discount_fen', models.BigIntegerField(default=0)),
                        ('sales_fen', models.BigIntegerField(default=0)),
                        ('batch', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='shards', to='coupons.couponbatch', verbose_name='券批次')),
                    ],
                    options={
                        'verbose_name': '批次计数',
                        'verbose_name_plural': '批次计数',
                        'constraints': [models.UniqueConstraint(fields=('batch', 'shard'), name='couponbatchshard_once'), models.CheckConstraint(condition=models.Q(('issued_count__gte', 0), ('issued_count__lte', models.F('quota'))), name='couponbatchshard_issued_within_quota'), models.CheckConstraint(condition=models.Q(('reserved_fen__gte', 0), models.Q(('budget_fen__isnull', True), ('reserved_fen__lte', models.F('budget_fen')), _connector='OR')), name='couponbatchshard_reserved_within_budget')],
                    },
                ),
                migrations.CreateModel(
                    name='GuideAllowance',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('period_start', models.DateField(verbose_name='周期开始')),
                        ('allowed_count', models.PositiveIntegerField(verbose_name='可发数量')),
                        ('used_count', models.PositiveIntegerField(default=0, verbose_name='已发数量')),
                        ('batch', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='coupons.couponbatch', verbose_name='券批次')),
                        ('guide', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='guides.guide', verbose_name='导购')),
                    ],
                    options={
                        'verbose_name': '导购发券额度',
                        'verbose_name_plural': '导购发券额度',
                        'constraints': [models.UniqueConstraint(fields=('batch', 'guide', 'period_start'), name='guideallowance_once_per_period'), models.CheckConstraint(condition=models.Q(('used_count__lte', models.F('allowed_count'))), name='guideallowance_used_within_allowed')],
                    },
                ),
                migrations.CreateModel(
                    name='IssueJob',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('public_id', models.CharField(default=core.codes.new_public_id, editable=False, max_length=16, unique=True)),
                        ('key', models.CharField(max_length=80, unique=True, verbose_name='任务编号')),
                        ('door', models.CharField(choices=[('claim', '自己领取'), ('guide', '导购发放'), ('face_to_face', '面对面领取'), ('system', '系统发放'), ('code', '兑换码'), ('share', '分享裂变'), ('partner', '合作方发放')], max_length=12, verbose_name='发放渠道')),
                        ('source_key', models.CharField(blank=True, editable=False, max_length=80)),
                        ('state', models.CharField(choices=[('draft', '待确认'), ('running', '进行中'), ('paused', '已暂停'), ('done', '已完成'), ('stopped', '已停止')], default='running', max_length=8, verbose_name='状态')),
                        ('stop_reason', models.CharField(blank=True, max_length=40, verbose_name='停止原因')),
                        ('asked_count', models.PositiveIntegerField(default=0, verbose_name='应发人数')),
                        ('started_at', models.DateTimeField(verbose_name='开始时间')),
                        ('finished_at', models.DateTimeField(blank=True, null=True, verbose_name='完成时间')),
                        ('started_by', models.CharField(blank=True, max_length=90, verbose_name='操作者')),
                        ('batch', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='coupons.couponbatch', verbose_name='券批次')),
                        ('issued_by_guide', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='guides.guide', verbose_name='发券导购')),
                        ('issued_store', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='guides.store', verbose_name='发券门店')),
                        ('audience_words', models.CharField(blank=True, max_length=300, verbose_name='发给谁')),
                        ('bad_lines', models.JSONField(default=dict, editable=False)),
                        ('file_name', models.CharField(blank=True, max_length=120, verbose_name='名单文件')),
                        ('staff', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='后台账号')),
                        ('stored_as', models.CharField(blank=True, editable=False, max_length=16)),
                    ],
                    options={
                        'verbose_name': '批量发券',
                        'verbose_name_plural': '批量发券',
                        'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('finished_at__isnull', True), ('state__in', ['draft', 'running', 'paused'])), models.Q(('finished_at__isnull', False), ('state__in', ['done', 'stopped'])), _connector='OR'), name='issuejob_finished_has_a_time')],
                    },
                ),
                migrations.CreateModel(
                    name='PartnerCode',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('code', models.CharField(max_length=64, verbose_name='合作方券码')),
                        ('shard', models.PositiveSmallIntegerField(editable=False)),
                        ('is_taken', models.BooleanField(default=False, verbose_name='已发出')),
                        ('batch', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='coupons.couponbatch', verbose_name='券批次')),
                    ],
                    options={
                        'verbose_name': '合作方券码',
                        'verbose_name_plural': '合作方券码',
                        'indexes': [models.Index(condition=models.Q(('is_taken', False)), fields=['batch', 'shard', 'id'], name='partnercode_free')],
                        'constraints': [models.UniqueConstraint(fields=('batch', 'code'), name='partnercode_once_per_batch')],
                    },
                ),
                migrations.CreateModel(
                    name='ExchangeSet',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('public_id', models.CharField(default=core.codes.new_public_id, editable=False, max_length=16, unique=True)),
                        ('name', models.CharField(max_length=40, verbose_name='名称')),
                        ('kind', models.CharField(choices=[('generated', '系统生成，一码一券'), ('imported', '导入，一码一券'), ('shared', '通用口令')], max_length=9, verbose_name='方式')),
                        ('state', models.CharField(choices=[('open', '可兑换'), ('voided', '已作废')], default='open', max_length=6, verbose_name='状态')),
                        ('opens_at', models.DateTimeField(blank=True, null=True, verbose_name='兑换开始')),
                        ('closes_at', models.DateTimeField(blank=True, null=True, verbose_name='兑换截止')),
                        ('code_count', models.PositiveIntegerField(default=0, verbose_name='兑换码数量')),
                        ('use_limit', models.PositiveIntegerField(blank=True, null=True, verbose_name='口令最多兑换次数')),
                        ('used_count', models.PositiveIntegerField(default=0, editable=False, verbose_name='口令已兑换次数')),
                        ('key_mark', models.CharField(editable=False, max_length=64)),
                        ('created_at', models.DateTimeField(verbose_name='创建时间')),
                        ('taken_at', models.DateTimeField(blank=True, editable=False, null=True, verbose_name='下载时间')),
                        ('batch', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='exchange_sets', to='coupons.couponbatch', verbose_name='券批次')),
                    ],
                    options={
                        'verbose_name': '兑换码',
                        'verbose_name_plural': '兑换码',
                        'constraints': [models.CheckConstraint(condition=models.Q(('opens_at__isnull', True), ('closes_at__isnull', True), ('closes_at__gt', models.F('opens_at')), _connector='OR'), name='exchangeset_closes_after_it_opens'), models.CheckConstraint(condition=models.Q(models.Q(('use_limit__isnull', True), ('used_count', 0)), models.Q(('kind', 'shared'), ('use_limit__gt', 0), ('used_count__lte', models.F('use_limit'))), _connector='OR'), name='exchangeset_used_within_limit')],
                    },
                ),
                migrations.CreateModel(
                    name='UnlockOffer',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('public_id', models.CharField(default=core.codes.new_public_id, editable=False, max_length=16, unique=True)),
                        ('name', models.CharField(max_length=40, verbose_name='活动名称')),
                        ('needed_count', models.PositiveSmallIntegerField(default=3, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(100)], verbose_name='需要几位好友')),
                        ('lasts_hours', models.PositiveSmallIntegerField(default=24, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(720)], verbose_name='几小时内完成')),
                        ('new_members_only', models.BooleanField(default=False, help_text='只有在她发起分享之后才第一次来的人算数，老会员不能助力', verbose_name='只算新朋友')),
                        ('opens_at', models.DateTimeField(blank=True, null=True, verbose_name='活动开始')),
                        ('closes_at', models.DateTimeField(blank=True, null=True, verbose_name='活动结束')),
                        ('state', models.CharField(choices=[('open', '进行中'), ('paused', '已暂停'), ('ended', '已结束')], default='open', max_length=6, verbose_name='状态')),
                        ('created_at', models.DateTimeField(verbose_name='创建时间')),
                        ('batch', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='coupons.couponbatch', verbose_name='分享人得到的券')),
                        ('friend_batch', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='coupons.couponbatch', verbose_name='好友得到的券')),
                    ],
                    options={
                        'verbose_name': '分享裂变',
                        'verbose_name_plural': '分享裂变',
                        'constraints': [models.CheckConstraint(condition=models.Q(('lasts_hours__range', (1, 720)), ('needed_count__range', (1, 100))), name='unlockoffer_numbers_make_sense'), models.CheckConstraint(condition=models.Q(('opens_at__isnull', True), ('closes_at__isnull', True), ('closes_at__gt', models.F('opens_at')), _connector='OR'), name='unlockoffer_closes_after_it_opens')],
                    },
                ),
                migrations.CreateModel(
                    name='FaceToFaceOffer',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('public_id', models.CharField(default=core.codes.new_public_id, editable=False, max_length=16, unique=True)),
                        ('request_key', models.CharField(editable=False, max_length=80)),
                        ('opened_at', models.DateTimeField(verbose_name='出示时间')),
                        ('expires_at', models.DateTimeField(verbose_name='到期时间')),
                        ('closed_at', models.DateTimeField(blank=True, null=True, verbose_name='提前结束时间')),
                        ('batch', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='coupons.couponbatch', verbose_name='券批次')),
                        ('channel_code', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='guides.channelcode', verbose_name='渠道码')),
                        ('guide', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='guides.guide', verbose_name='导购')),
                        ('store', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='guides.store', verbose_name='门店')),
                    ],
                    options={
                        'verbose_name': '面对面发券',
                        'verbose_name_plural': '面对面发券',
                        'indexes': [models.Index(fields=['opened_at'], name='facetofaceoffer_by_time')],
                        'constraints': [models.UniqueConstraint(fields=('guide', 'request_key'), name='facetofaceoffer_once_per_request'), models.CheckConstraint(condition=models.Q(('expires_at__gt', models.F('opened_at'))), name='facetofaceoffer_ends_after_it_begins')],
                    },
                ),
                migrations.CreateModel(
                    name='StandingRule',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('public_id', models.CharField(default=core.codes.new_public_id, editable=False, max_length=16, unique=True)),
                        ('name', models.CharField(max_length=40, verbose_name='规则名称')),
                        ('occasion', models.CharField(choices=[('first_bound', '第一次绑定导购'), ('bound', '每次新绑定导购'), ('joined', '成为会员'), ('profile_completed', '完善资料'), ('birthday', '生日'), ('tier_reached', '升到指定等级'), ('tier_monthly', '指定等级每月一次'), ('purchase', '购物之后')], max_length=20, verbose_name='什么时候发')),
                        ('days_before', models.PositiveSmallIntegerField(default=0, verbose_name='提前几天')),
                        ('store_ids', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), blank=True, default=list, size=None, verbose_name='门店')),
                        ('region_ids', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), blank=True, default=list, size=None, verbose_name='区域')),
                        ('tier_ids', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), blank=True, default=list, size=None, verbose_name='会员等级')),
                        ('sources', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=16), blank=True, default=list, size=None, verbose_name='会员来源')),
                        ('starts_at', models.DateTimeField(blank=True, null=True, verbose_name='开始时间')),
                        ('ends_at', models.DateTimeField(blank=True, null=True, verbose_name='结束时间')),
                        ('state', models.CharField(choices=[('off', '未开启'), ('on', '已开启')], default='off', max_length=3, verbose_name='状态')),
                        ('switched_on_at', models.DateTimeField(blank=True, editable=False, null=True, verbose_name='开启时间')),
                        ('looked_at', models.DateTimeField(blank=True, editable=False, null=True)),
                        ('created_at', models.DateTimeField(verbose_name='创建时间')),
                        ('batch', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='coupons.couponbatch', verbose_name='券批次')),
                        ('tier', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='members.tier', verbose_name='等级')),
                        ('category_codes', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=40), blank=True, default=list, size=None, verbose_name='商品类目')),
                        ('is_first_only', models.BooleanField(default=False, verbose_name='只限首单')),
                        ('least_fen', models.PositiveBigIntegerField(default=0, verbose_name='满多少元（分）')),
                    ],
                    options={
                        'verbose_name': '自动发券规则',
                        'verbose_name_plural': '自动发券规则',
                        'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('occasion__in', ['tier_reached', 'tier_monthly']), ('tier__isnull', False)), models.Q(models.Q(('occasion__in', ['tier_reached', 'tier_monthly']), _negated=True), ('tier__isnull', True)), _connector='OR'), name='standingrule_tier_where_asked'), models.CheckConstraint(condition=models.Q(('days_before', 0), models.Q(('days_before__lte', 60), ('occasion', 'birthday')), _connector='OR'), name='standingrule_days_before_birthday'), models.CheckConstraint(condition=models.Q(('starts_at__isnull', True), ('ends_at__isnull', True), ('ends_at__gt', models.F('starts_at')), _connector='OR'), name='standingrule_ends_after_it_begins'), models.CheckConstraint(condition=models.Q(('state', 'off'), ('switched_on_at__isnull', False), _connector='OR'), name='standingrule_on_since_when'), models.CheckConstraint(condition=models.Q(('occasion', 'purchase'), models.Q(('category_codes', []), ('is_first_only', False), ('least_fen', 0)), _connector='OR'), name='standingrule_purchase_where_asked')],
                    },
                ),
                migrations.CreateModel(
                    name='DirectedIssue',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('public_id', models.CharField(default=core.codes.new_public_id, editable=False, max_length=16, unique=True)),
                        ('request_key', models.CharField(editable=False, max_length=80)),
                        ('member_ids', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), size=None, verbose_name='会员')),
                        ('refused', models.JSONField(default=dict, editable=False)),
                        ('asked_at', models.DateTimeField(verbose_name='发放时间')),
                        ('finished_at', models.DateTimeField(blank=True, null=True, verbose_name='完成时间')),
                        ('batch', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='coupons.couponbatch', verbose_name='券批次')),
                        ('guide', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='guides.guide', verbose_name='发券导购')),
                        ('store', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='guides.store', verbose_name='发券门店')),
                    ],
                    options={
                        'verbose_name': '导购定向发券',
                        'verbose_name_plural': '导购定向发券',
                        'constraints': [models.UniqueConstraint(fields=('guide', 'request_key'), name='directedissue_once_per_request'), models.CheckConstraint(condition=models.Q(('member_ids__len__range', (1, 50))), name='directedissue_few_members')],
                    },
                ),
                migrations.CreateModel(
                    name='SettlementPolicy',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('series', models.CharField(blank=True, editable=False, max_length=16)),
                        ('issuer_bp', models.PositiveIntegerField(verbose_name='发券方承担（万分比）')),
                        ('redeemer_bp', models.PositiveIntegerField(verbose_name='核销方承担（万分比）')),
                        ('chain_bp', models.PositiveIntegerField(verbose_name='总部承担（万分比）')),
                        ('batch', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='coupons.couponbatch', verbose_name='券批次')),
                        ('template', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='coupons.coupontemplate', verbose_name='券模板')),
                    ],
                    options={
                        'verbose_name': '结算规则',
                        'verbose_name_plural': '结算规则',
                        'constraints': [models.CheckConstraint(condition=models.Q(('issuer_bp', django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.Value(10000), '-', models.F('redeemer_bp')), '-', models.F('chain_bp')))), name='settlementpolicy_whole'), models.CheckConstraint(condition=models.Q(models.Q(('series', ''), ('template__isnull', True)), models.Q(('batch__isnull', True), ('template__isnull', False), models.Q(('series', ''), _negated=True)), _connector='OR'), name='settlementpolicy_one_subject'), models.UniqueConstraint(condition=models.Q(('batch__isnull', False)), fields=('batch',), name='settlementpolicy_once_per_batch'), models.UniqueConstraint(condition=models.Q(('series', ''), _negated=True), fields=('series',), name='settlementpolicy_once_per_series'), models.UniqueConstraint(condition=models.Q(('batch__isnull', True), ('template__isnull', True)), fields=('series',), name='settlementpolicy_one_default')],
                    },
                ),
                migrations.CreateModel(
                    name='VoidJob',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('key', models.CharField(max_length=80, unique=True, verbose_name='任务编号')),
                        ('reason', models.CharField(max_length=120, verbose_name='原因')),
                        ('asked_count', models.PositiveIntegerField(default=0, verbose_name='张数')),
                        ('started_at', models.DateTimeField(verbose_name='开始时间')),
                        ('finished_at', models.DateTimeField(blank=True, null=True, verbose_name='完成时间')),
                        ('actor_kind', models.CharField(editable=False, max_length=8)),
                        ('actor_id', models.BigIntegerField(editable=False, null=True)),
                        ('actor_label', models.CharField(blank=True, max_length=90, verbose_name='操作者')),
                        ('batch', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='coupons.couponbatch', verbose_name='券批次')),
                    ],
                    options={
                        'verbose_name': '作废任务',
                        'verbose_name_plural': '作废任务',
                        'indexes': [models.Index(condition=models.Q(('finished_at__isnull', True)), fields=['id'], name='voidjob_running')],
                    },
                ),
                migrations.CreateModel(
                    name='CouponReturnPart',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('quantity', models.PositiveIntegerField(default=0, verbose_name='件数')),
                        ('amount_fen', models.BigIntegerField(default=0, verbose_name='金额（分）')),
                        ('line', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='coupons.couponorderline', verbose_name='商品')),
                        ('part_of', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='parts', to='coupons.couponreturn', verbose_name='退货')),
                    ],
                    options={
                        'verbose_name': '退货商品',
                        'verbose_name_plural': '退货商品',
                        'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('amount_fen', 0), ('quantity__gt', 0)), models.Q(('amount_fen__gt', 0), ('quantity', 0)), _connector='OR'), name='couponreturnpart_units_or_money')],
                    },
                ),
                migrations.CreateModel(
                    name='CouponEvent',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('at', models.DateTimeField(verbose_name='时间')),
                        ('from_state', models.CharField(choices=[('issued', '可用'), ('locked', '下单占用中'), ('gifting', '转赠中'), ('redeemed', '已核销'), ('expired', '已过期'), ('voided', '已作废')], max_length=8, verbose_name='原状态')),
                        ('to_state', models.CharField(choices=[('issued', '可用'), ('locked', '下单占用中'), ('gifting', '转赠中'), ('redeemed', '已核销'), ('expired', '已过期'), ('voided', '已作废')], max_length=8, verbose_name='新状态')),
                        ('what', models.CharField(max_length=24, verbose_name='事项')),
                        ('reason', models.CharField(blank=True, max_length=120, verbose_name='原因')),
                        ('actor', models.CharField(blank=True, max_length=90, verbose_name='操作者')),
                        ('coupon', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='events', to='coupons.coupon', verbose_name='券')),
                    ],
                    options={
                        'verbose_name': '券记录',
                        'verbose_name_plural': '券记录',
                    },
                ),
                migrations.CreateModel(
                    name='CouponGift',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('token_digest', models.CharField(editable=False, max_length=64, unique=True)),
                        ('request_key', models.CharField(editable=False, max_length=80)),
                        ('state', models.CharField(choices=[('open', '等待领取'), ('accepted', '已被领取'), ('returned', '已退回')], default='open', max_length=8, verbose_name='状态')),
                        ('offered_at', models.DateTimeField(verbose_name='发起时间')),
                        ('expires_at', models.DateTimeField(verbose_name='退回时间')),
                        ('ended_at', models.DateTimeField(blank=True, null=True, verbose_name='结束时间')),
                        ('coupon', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='gifts', to='coupons.coupon', verbose_name='券')),
                        ('from_member', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='members.member', verbose_name='赠送人')),
                        ('to_member', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='members.member', verbose_name='领取人')),
                    ],
                    options={
                        'verbose_name': '转赠',
                        'verbose_name_plural': '转赠',
                        'indexes': [models.Index(condition=models.Q(('state', 'open')), fields=['expires_at'], name='coupongift_due')],
                        'constraints': [models.UniqueConstraint(condition=models.Q(('state', 'open')), fields=('coupon',), name='coupongift_one_open_per_coupon'), models.UniqueConstraint(fields=('coupon', 'request_key'), name='coupongift_once_per_request'), models.CheckConstraint(condition=models.Q(models.Q(('ended_at__isnull', False), ('state', 'accepted'), ('to_member__isnull', False)), models.Q(('ended_at__isnull', True), ('state', 'open'), ('to_member__isnull', True)), models.Q(('ended_at__isnull', False), ('state', 'returned'), ('to_member__isnull', True)), _connector='OR'), name='coupongift_state_whole')],
                    },
                ),
                migrations.CreateModel(
                    name='CouponToken',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('code_index', models.CharField(editable=False, max_length=64, unique=True)),
                        ('expires_at', models.DateTimeField(verbose_name='失效时间')),
                        ('used_at', models.DateTimeField(blank=True, null=True, verbose_name='读取时间')),
                        ('used_by_request', models.CharField(blank=True, editable=False, max_length=80)),
                        ('coupon', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='coupons.coupon', verbose_name='券')),
                    ],
                    options={
                        'verbose_name': '动态券码',
                        'verbose_name_plural': '动态券码',
                    },
                ),
                migrations.CreateModel(
                    name='Redemption',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('request_id', models.CharField(max_length=80, verbose_name='请求编号')),
                        ('till', models.CharField(blank=True, max_length=40, verbose_name='收银台')),
                        ('channel', models.CharField(max_length=16, verbose_name='渠道')),
                        ('order_no', models.CharField(max_length=64, verbose_name='订单号')),
                        ('amount_fen', models.BigIntegerField(verbose_name='订单金额（分）')),
                        ('discount_fen', models.BigIntegerField(verbose_name='优惠金额（分）')),
                        ('redeemed_at', models.DateTimeField(verbose_name='核销时间')),
                        ('recorded_at', models.DateTimeField(verbose_name='记录时间')),
                        ('reversed_at', models.DateTimeField(blank=True, null=True, verbose_name='撤销时间')),
                        ('reversal_key', models.CharField(blank=True, editable=False, max_length=80)),
                        ('reversal_reason', models.CharField(blank=True, max_length=120, verbose_name='撤销原因')),
                        ('coupon', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='redemptions', to='coupons.coupon', verbose_name='券')),
                        ('redeemed_by_guide', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='guides.guide', verbose_name='核销导购')),
                        ('store', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='guides.store', verbose_name='核销门店')),
                        ('returned_discount_fen', models.BigIntegerField(default=0, verbose_name='已收回优惠（分）')),
                        ('returned_fen', models.BigIntegerField(default=0, verbose_name='已退货金额（分）')),
                        ('order', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='redemptions', to='coupons.couponorder', verbose_name='用券订单')),
                    ],
                    options={
                        'verbose_name': '核销记录',
                        'verbose_name_plural': '核销记录',
                        'indexes': [models.Index(fields=['store', '-redeemed_at'], name='redemption_of_store'), models.Index(fields=['store', 'order_no'], name='redemption_by_order')],
                        'constraints': [models.UniqueConstraint(fields=('request_id',), name='redemption_once_per_request'), models.UniqueConstraint(condition=models.Q(('reversed_at__isnull', True)), fields=('coupon',), name='redemption_one_live_per_coupon'), models.CheckConstraint(condition=models.Q(('amount_fen__gte', 0), ('discount_fen__gte', 0), ('discount_fen__lte', models.F('amount_fen'))), name='redemption_discount_within_amount'), models.CheckConstraint(condition=models.Q(('returned_discount_fen__gte', 0), ('returned_discount_fen__lte', models.F('discount_fen')), ('returned_fen__gte', 0), ('returned_fen__lte', models.F('amount_fen'))), name='redemption_returned_within_redeemed')],
                        'permissions': [('reverse_redemption', '撤销核销'), ('export_redemption', '导出核销记录')],
                    },
                ),
                migrations.CreateModel(
                    name='CouponReferral',
                    fields=[
                        ('coupon', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='+', serialize=False, to='coupons.coupon', verbose_name='券')),
                        ('scene', models.CharField(blank=True, max_length=64, verbose_name='渠道码')),
                        ('article', models.CharField(blank=True, max_length=40, verbose_name='文章')),
                        ('claimed_at', models.DateTimeField(verbose_name='领取时间')),
                        ('batch', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='coupons.couponbatch', verbose_name='券批次')),
                        ('guide', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='guides.guide', verbose_name='分享导购')),
                        ('sharer', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='members.member', verbose_name='分享会员')),
                        ('store', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='guides.store', verbose_name='分享门店')),
                    ],
                    options={
                        'verbose_name': '领券来源',
                        'verbose_name_plural': '领券来源',
                        'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('scene', ''), _negated=True), models.Q(('article', ''), _negated=True), ('sharer__isnull', False), _connector='OR'), name='couponreferral_says_something')],
                    },
                ),
                migrations.CreateModel(
                    name='IssueSlice',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('number', models.PositiveIntegerField()),
                        ('member_ids', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), size=None)),
                        ('is_done', models.BooleanField(default=False)),
                        ('issued_count', models.PositiveIntegerField(default=0)),
                        ('refused', models.JSONField(default=dict)),
                        ('job', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='slices', to='coupons.issuejob')),
                        ('done_at', models.DateTimeField(null=True)),
                        ('missed', models.JSONField(default=dict)),
                    ],
                    options={
                        'verbose_name': '批量发券分段',
                        'verbose_name_plural': '批量发券分段',
                        'indexes': [models.Index(condition=models.Q(('is_done', False)), fields=['job', 'number'], name='issueslice_waiting')],
                        'constraints': [models.UniqueConstraint(fields=('job', 'number'), name='issueslice_once'), models.CheckConstraint(condition=models.Q(('number__gte', 0), models.Q(('is_done', True), ('issued_count', 0), _connector='OR')), name='issueslice_counts_when_done')],
                    },
                ),
                migrations.CreateModel(
                    name='ExchangeCode',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('number', models.PositiveIntegerField(verbose_name='序号')),
                        ('code_index', models.CharField(editable=False, max_length=64)),
                        ('plain', core.fields.SealedTextField(blank=True, editable=False)),
                        ('state', models.CharField(choices=[('free', '未兑换'), ('used', '已兑换'), ('voided', '已作废')], default='free', max_length=6, verbose_name='状态')),
                        ('used_at', models.DateTimeField(blank=True, null=True, verbose_name='兑换时间')),
                        ('request_key', models.CharField(blank=True, editable=False, max_length=80)),
                        ('coupon', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='coupons.coupon', verbose_name='券')),
                        ('used_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='members.member', verbose_name='兑换人')),
                        ('exchange_set', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='codes', to='coupons.exchangeset', verbose_name='兑换码批号')),
                    ],
                    options={
                        'verbose_name': '单个兑换码',
                        'verbose_name_plural': '单个兑换码',
                        'indexes': [models.Index(models.OrderBy(models.F('used_at'), descending=True, nulls_last=True), models.OrderBy(models.F('id'), descending=True), name='exchangecode_by_use')],
                        'constraints': [models.UniqueConstraint(fields=('code_index',), name='exchangecode_once'), models.UniqueConstraint(fields=('exchange_set', 'number'), name='exchangecode_number_once'), models.CheckConstraint(condition=models.Q(models.Q(('coupon__isnull', False), ('state', 'used'), ('used_at__isnull', False), ('used_by__isnull', False)), models.Q(models.Q(('state', 'used'), _negated=True), ('coupon__isnull', True), ('request_key', ''), ('used_at__isnull', True), ('used_by__isnull', True)), _connector='OR'), name='exchangecode_used_says_by_whom')],
                    },
                ),
                migrations.CreateModel(
                    name='UnlockShare',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('public_id', models.CharField(default=core.codes.new_public_id, editable=False, max_length=16, unique=True)),
                        ('state', models.CharField(choices=[('collecting', '助力中'), ('unlocked', '已解锁'), ('expired', '未完成')], default='collecting', max_length=10, verbose_name='状态')),
                        ('needed_count', models.PositiveSmallIntegerField(verbose_name='需要几位好友')),
                        ('helper_count', models.PositiveSmallIntegerField(default=0, verbose_name='已有几位好友')),
                        ('started_at', models.DateTimeField(verbose_name='发起时间')),
                        ('expires_at', models.DateTimeField(verbose_name='截止时间')),
                        ('unlocked_at', models.DateTimeField(blank=True, null=True, verbose_name='解锁时间')),
                        ('why_not', models.CharField(blank=True, editable=False, max_length=40, verbose_name='没有发出的原因')),
                        ('coupon', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='coupons.coupon', verbose_name='她的券')),
                        ('member', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='members.member', verbose_name='分享人')),
                        ('offer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='shares', to='coupons.unlockoffer', verbose_name='分享裂变')),
                    ],
                    options={
                        'verbose_name': '助力',
                        'verbose_name_plural': '助力',
                        'indexes': [models.Index(condition=models.Q(('state', 'collecting')), fields=['expires_at'], name='unlockshare_due'), models.Index(condition=models.Q(('coupon__isnull', True), ('state', 'unlocked')), fields=['unlocked_at'], name='unlockshare_unreleased')],
                        'constraints': [models.UniqueConstraint(condition=models.Q(('state', 'expired'), _negated=True), fields=('offer', 'member'), name='unlockshare_one_live_per_member'), models.CheckConstraint(condition=models.Q(('helper_count__lte', models.F('needed_count')), models.Q(models.Q(('helper_count', models.F('needed_count')), ('state', 'unlocked'), ('unlocked_at__isnull', False)), models.Q(models.Q(('state', 'unlocked'), _negated=True), ('coupon__isnull', True), ('helper_count__lt', models.F('needed_count')), ('unlocked_at__isnull', True)), _connector='OR')), name='unlockshare_unlocked_by_the_last_friend')],
                    },
                ),
                migrations.CreateModel(
                    name='FaceToFaceClaim',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('outcome', models.CharField(choices=[('issued', '领到'), ('repeated', '已领过，再次扫码'), ('refused', '没有领到'), ('late', '已结束后扫码')], max_length=8, verbose_name='结果')),
                        ('reason', models.CharField(blank=True, max_length=60, verbose_name='原因')),
                        ('at', models.DateTimeField(verbose_name='时间')),
                        ('coupon', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='coupons.coupon', verbose_name='券')),
                        ('member', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='members.member', verbose_name='会员')),
                        ('scan', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='guides.channelscan', verbose_name='扫码记录')),
                        ('offer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='claims', to='coupons.facetofaceoffer', verbose_name='面对面发券')),
                    ],
                    options={
                        'verbose_name': '面对面领取',
                        'verbose_name_plural': '面对面领取',
                        'constraints': [models.UniqueConstraint(condition=models.Q(('outcome', 'issued')), fields=('coupon',), name='facetofaceclaim_brought_once'), models.CheckConstraint(condition=models.Q(models.Q(('coupon__isnull', False), ('outcome__in', ['issued', 'repeated']), ('reason', '')), models.Q(('coupon__isnull', True), ('outcome', 'refused'), models.Q(('reason', ''), _negated=True)), models.Q(('coupon__isnull', True), ('outcome', 'late'), ('reason', '')), _connector='OR'), name='facetofaceclaim_outcome_whole')],
                    },
                ),
                migrations.CreateModel(
                    name='StandingRound',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('started_at', models.DateTimeField()),
                        ('settled_at', models.DateTimeField(null=True)),
                        ('job', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='coupons.issuejob')),
                        ('rule', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='rounds', to='coupons.standingrule')),
                    ],
                    options={
                        'verbose_name': '自动发券批次',
                        'verbose_name_plural': '自动发券批次',
                    },
                ),
                migrations.CreateModel(
                    name='VoidSlice',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('number', models.PositiveIntegerField()),
                        ('coupon_ids', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), size=None)),
                        ('is_done', models.BooleanField(default=False)),
                        ('coupon_count', models.PositiveIntegerField(default=0)),
                        ('done_at', models.DateTimeField(null=True)),
                        ('job', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='slices', to='coupons.voidjob')),
                        ('batch', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='coupons.couponbatch')),
                    ],
                    options={
                        'verbose_name': '作废分段',
                        'verbose_name_plural': '作废分段',
                        'constraints': [models.UniqueConstraint(fields=('job', 'number'), name='voidslice_once')],
                    },
                ),
                migrations.CreateModel(
                    name='RedemptionShare',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('discount_fen', models.BigIntegerField(verbose_name='优惠（分）')),
                        ('line', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='shares', to='coupons.couponorderline', verbose_name='商品')),
                        ('redemption', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='shares', to='coupons.redemption', verbose_name='核销记录')),
                    ],
                    options={
                        'verbose_name': '优惠分摊',
                        'verbose_name_plural': '优惠分摊',
                        'constraints': [models.UniqueConstraint(fields=('redemption', 'line'), name='redemptionshare_once'), models.CheckConstraint(condition=models.Q(('discount_fen__gte', 0)), name='redemptionshare_not_negative')],
                    },
                ),
                migrations.CreateModel(
                    name='RedemptionEntry',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('what', models.CharField(choices=[('redeemed', '核销'), ('returned', '部分退货'), ('reversed', '撤销核销')], max_length=8, verbose_name='事项')),
                        ('day', models.DateField(verbose_name='计入日期')),
                        ('at', models.DateTimeField(verbose_name='时间')),
                        ('sales_fen', models.BigIntegerField(verbose_name='销售额（分）')),
                        ('discount_fen', models.BigIntegerField(verbose_name='优惠金额（分）')),
                        ('redemption', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='entries', to='coupons.redemption', verbose_name='核销记录')),
                    ],
                    options={
                        'verbose_name': '核销流水',
                        'verbose_name_plural': '核销流水',
                        'indexes': [models.Index(fields=['day', 'id'], name='redemptionentry_of_day')],
                        'constraints': [models.UniqueConstraint(condition=models.Q(('what', 'redeemed')), fields=('redemption',), name='redemptionentry_redeemed_once'), models.UniqueConstraint(condition=models.Q(('what', 'reversed')), fields=('redemption',), name='redemptionentry_reversed_once'), models.CheckConstraint(condition=models.Q(models.Q(('discount_fen__gte', 0), ('sales_fen__gte', 0), ('what', 'redeemed')), models.Q(models.Q(('what', 'redeemed'), _negated=True), ('discount_fen__lte', 0), ('sales_fen__lte', 0)), _connector='OR'), name='redemptionentry_signs')],
                    },
                ),
                migrations.CreateModel(
                    name='UnlockHelp',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('is_counted', models.BooleanField(verbose_name='算数')),
                        ('helped_at', models.DateTimeField(verbose_name='助力时间')),
                        ('coupon', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='coupons.coupon', verbose_name='好友的券')),
                        ('helper', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='members.member', verbose_name='好友')),
                        ('offer', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='coupons.unlockoffer', verbose_name='分享裂变')),
                        ('share', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='helps', to='coupons.unlockshare', verbose_name='助力')),
                    ],
                    options={
                        'verbose_name': '好友助力',
                        'verbose_name_plural': '好友助力',
                        'constraints': [models.UniqueConstraint(fields=('offer', 'helper'), name='unlockhelp_once_per_offer')],
                    },
                ),
                migrations.CreateModel(
                    name='StandingIssue',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('occasion_key', models.CharField(max_length=40, verbose_name='由头')),
                        ('state', models.CharField(choices=[('waiting', '等待发放'), ('given', '已发放'), ('refused', '没有发到')], default='waiting', max_length=8, verbose_name='结果')),
                        ('reason', models.CharField(blank=True, max_length=60, verbose_name='原因')),
                        ('noted_at', models.DateTimeField(verbose_name='记录时间')),
                        ('settled_at', models.DateTimeField(blank=True, null=True, verbose_name='发放时间')),
                        ('coupon', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='coupons.coupon', verbose_name='券')),
                        ('member', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='members.member', verbose_name='会员')),
                        ('round', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='issues', to='coupons.standinground')),
                        ('rule', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='issues', to='coupons.standingrule', verbose_name='规则')),
                        ('withdrawal', models.CharField(blank=True, choices=[('voided', '退货，券已作废'), ('kept', '退货，券已用掉')], max_length=6, verbose_name='收回')),
                    ],
                    options={
                        'verbose_name': '自动发券记录',
                        'verbose_name_plural': '自动发券记录',
                        'indexes': [models.Index(condition=models.Q(('state', 'waiting')), fields=['rule', 'round', 'member', 'id'], name='standingissue_waiting'), models.Index(fields=['rule', '-id'], name='standingissue_of_rule'), models.Index(condition=models.Q(('occasion_key__startswith', 'sale:')), fields=['occasion_key'], name='standingissue_of_purchase')],
                        'constraints': [models.UniqueConstraint(fields=('rule', 'member', 'occasion_key'), name='standingissue_once_per_occasion'), models.CheckConstraint(condition=models.Q(models.Q(('coupon__isnull', True), ('settled_at__isnull', True), ('state', 'waiting')), models.Q(('coupon__isnull', False), ('reason', ''), ('settled_at__isnull', False), ('state', 'given')), models.Q(('coupon__isnull', True), ('settled_at__isnull', False), ('state', 'refused'), models.Q(('reason', ''), _negated=True)), _connector='OR'), name='standingissue_state_whole'), models.CheckConstraint(condition=models.Q(('withdrawal', ''), ('state', 'given'), _connector='OR'), name='standingissue_withdrawn_after_given')],
                    },
                ),
                migrations.CreateModel(
                    name='SettlementLine',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('month', models.DateField(verbose_name='结算月份')),
                        ('redeemed_on', models.DateField(verbose_name='核销日期')),
                        ('issuer_bp', models.PositiveIntegerField()),
                        ('redeemer_bp', models.PositiveIntegerField()),
                        ('discount_fen', models.BigIntegerField(verbose_name='优惠金额（分）')),
                        ('issuer_fen', models.BigIntegerField(verbose_name='发券方承担（分）')),
                        ('redeemer_fen', models.BigIntegerField(verbose_name='核销方承担（分）')),
                        ('chain_fen', models.BigIntegerField(verbose_name='总部承担（分）')),
                        ('is_correction', models.BooleanField(default=False, verbose_name='更正以前月份')),
                        ('batch', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='coupons.couponbatch', verbose_name='券批次')),
                        ('entry', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='coupons.redemptionentry', verbose_name='核销流水')),
                        ('issued_store', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='guides.store', verbose_name='发券门店')),
                        ('issuer', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='guides.dealer', verbose_name='发券方')),
                        ('redeemed_store', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='guides.store', verbose_name='核销门店')),
                        ('redeemer', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='guides.dealer', verbose_name='核销方')),
                    ],
                    options={
                        'verbose_name': '结算明细',
                        'verbose_name_plural': '结算明细',
                        'indexes': [models.Index(fields=['month', 'id'], name='settlementline_of_month')],
                        'constraints': [models.CheckConstraint(condition=models.Q(('discount_fen', django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('issuer_fen'), '+', models.F('redeemer_fen')), '+', models.F('chain_fen')))), name='settlementline_shares_add_up'), models.CheckConstraint(condition=models.Q(('month__day', 1), ('issuer_bp__lte', django.db.models.expressions.CombinedExpression(models.Value(10000), '-', models.F('redeemer_bp')))), name='settlementline_whole')],
                    },
                ),
            ],
        ),
        migrations.RunSQL(
            "ALTER TABLE coupons_couponbatchshard SET (fillfactor = 20)",
            "ALTER TABLE coupons_couponbatchshard RESET (fillfactor)",
        ),
        migrations.RunSQL(_FUNCTIONS, "DROP FUNCTION "
            "coupons_code_of, "
            "coupons_day_start, "
            "coupons_room, "
            "coupons_no_room, "
            "coupons_take, "
            "coupons_terms, "
            "coupons_issue, "
            "coupons_issue_slice, "
            "coupons_line_is_open, "
            "coupons_spread "
            "CASCADE"),
        migrations.RunSQL(_TRIGGERS, migrations.RunSQL.noop),
    ]
