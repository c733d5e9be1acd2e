"""A claim costs the database less than half: see ADR 28."""

from django.db import migrations

# One piece of the batch is ours: the shard it was taken from, or NULL. Four shards are tried by their key, each taken
# at once where nobody holds it: reading and sorting all sixteen first cost more than the rest of the walk. Are all four
# held, the walk waits for one after the other; a shard that had no room after the wait is given up with its lock (the
# inner block is rolled back), so that nobody waits for one shard while holding another, and the last pieces sell.
_TAKE = """
CREATE OR REPLACE FUNCTION coupons_take(p_batch bigint, p_cost bigint) RETURNS smallint LANGUAGE plpgsql AS $$
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
END $$
"""

# One coupon for one member, as migration 0001 has it, but for two things. Whether there is room at all is asked of the
# first shard that has some; why there is none is found out only then. Her row is read by the statement that locks it; a
# row that was merged is found by the next one, without its lock.
_ISSUE = """
CREATE OR REPLACE FUNCTION coupons_issue(
    p_batch bigint, p_member bigint, p_key text, p_door text, p_code text, p_guide bigint, p_store bigint,
    p_source text, p_tier bigint, p_at timestamptz,
    OUT outcome text, OUT coupon_id bigint, OUT coupon_code text, OUT starts timestamptz, OUT ends timestamptz
) LANGUAGE plpgsql AS $$
DECLARE
    terms record;
    had int;
    place smallint;
    external text := '';
BEGIN
    SELECT * INTO terms FROM coupons_terms(p_batch, p_door, p_at);
    outcome := coalesce(
        terms.reason,
        CASE WHEN cardinality(terms.tiers) > 0 AND (p_tier IS NULL OR p_tier <> ALL (terms.tiers))
             THEN 'wrong_tier' END,
        CASE WHEN NOT EXISTS (
            SELECT FROM coupons_couponbatchshard piece
            WHERE piece.batch_id = p_batch AND coupons_room(piece, terms.cost) > 0)
            THEN coupons_no_room(p_batch, terms.cost) END);
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
    -- Her own requests wait for her row above; what they wrote is seen from here on.
    SELECT coupon.id, coupon.code, coupon.valid_from, coupon.valid_until
    INTO coupon_id, coupon_code, starts, ends
    FROM coupons_coupon coupon WHERE coupon.batch_id = p_batch AND coupon.request_key = p_key;
    IF FOUND THEN
        outcome := 'repeated';
        RETURN;
    ELSIF outcome IS NOT NULL THEN
        RETURN;
    END IF;
    SELECT coalesce(max(ordinal), 0) INTO had FROM coupons_coupon
    WHERE batch_id = p_batch AND received_by = p_member;
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
        ('coupons', '0007_issue_desk'),
    ]

    operations = [
        # The functions of 0001 take and answer the same, so going back needs nothing.
        migrations.RunSQL(_TAKE, migrations.RunSQL.noop),
        migrations.RunSQL(_ISSUE, migrations.RunSQL.noop),
    ]
