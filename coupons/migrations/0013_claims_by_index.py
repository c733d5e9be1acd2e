"""A claim reads by the right indexes from a connection's first call on, whatever is known of the tables: see ADR 28."""

import django.db.models.deletion
from django.db import migrations, models

# As migration 0008 has it, with fewer statements, and with plans that cannot go wrong. A connection plans each statement
# here once and keeps the plan. Made while `coupons_coupon` was new and had no statistics, it read the whole batch for each
# claim, until the next ANALYZE: all plans cost the same where there is nothing. So the settings leave only indexes, and
# each read is in the order of the one index that answers it.
_ISSUE = """
CREATE OR REPLACE FUNCTION coupons_issue(
    p_batch bigint, p_member bigint, p_key text, p_door text, p_code text, p_guide bigint, p_store bigint,
    p_source text, p_tier bigint, p_at timestamptz,
    OUT outcome text, OUT coupon_id bigint, OUT coupon_code text, OUT starts timestamptz, OUT ends timestamptz
) LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off AS $$
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
END $$
"""


class Migration(migrations.Migration):

    dependencies = [
        ('coupons', '0012_numbers_by_month'),
    ]

    operations = [
        # The function before it takes and answers the same, so going back needs nothing.
        migrations.RunSQL(_ISSUE, migrations.RunSQL.noop),
        # `couponbatchshard_once` begins with the batch too.
        migrations.AlterField(
            model_name='couponbatchshard',
            name='batch',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='shards', to='coupons.couponbatch', verbose_name='券批次'),
        ),
    ]
