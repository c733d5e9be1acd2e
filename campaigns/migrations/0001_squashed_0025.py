"""Everything of this app up to 0025 at once: databases that have those migrations count this one as done."""

import core.codes
import core.fields
import core.migration_operations
import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


CAPS = (
    ("", "", "day", 5),
    ("", "marketing", "day", 2),
    ("", "marketing", "week", 5),
    ("sms", "", "week", 2),
    ("follow_up", "", "week", 3),
)


def write_policy(apps, schema_editor):
    policy, _is_new = apps.get_model("campaigns", "ReachPolicy").objects.get_or_create(
        pk=1, defaults={"quiet_from": "22:00", "quiet_until": "08:30"}
    )
    apps.get_model("campaigns", "FrequencyCap").objects.bulk_create(
        apps.get_model("campaigns", "FrequencyCap")(
            policy=policy, channel=channel, importance=importance, span=span, most=most
        )
        for channel, importance, span, most in CAPS
    )

_FUNCTIONS = r"""
CREATE FUNCTION campaigns_note_changed() RETURNS trigger LANGUAGE plpgsql AS $_$
BEGIN
    IF EXISTS (SELECT FROM campaigns_segmentwatch WHERE fact = TG_ARGV[0]) THEN
        EXECUTE 'INSERT INTO campaigns_segmenttouch (fact, member_id) SELECT DISTINCT $1, changed.member_id FROM ('
            || TG_ARGV[1] || ') changed (member_id) WHERE changed.member_id IS NOT NULL' USING TG_ARGV[0];
    END IF;
    RETURN NULL;
END $_$;

CREATE FUNCTION campaigns_note_did() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM campaigns_campaignbook WHERE frozen_at IS NULL) THEN 
INSERT INTO campaigns_outcometouch (member_id)
SELECT DISTINCT changed.member_id FROM (SELECT member_id FROM new_rows WHERE member_id IS NOT NULL) changed
WHERE EXISTS (SELECT FROM campaigns_campaignmember known WHERE known.member_id = changed.member_id);
 END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION campaigns_note_moment() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM campaigns_journeywatch WHERE family = TG_ARGV[0]) THEN
        EXECUTE 'INSERT INTO campaigns_journeymoment (event, member_id, key, at) '
            'SELECT found.event, found.member_id, found.key, clock_timestamp() FROM (' || TG_ARGV[1]
            || ') found (event, member_id, key) JOIN campaigns_journeywatch watch ON watch.event = found.event '
            'WHERE found.member_id IS NOT NULL ORDER BY found.member_id';
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION campaigns_note_redeemed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM campaigns_campaignbook WHERE frozen_at IS NULL) THEN 
INSERT INTO campaigns_outcometouch (member_id)
SELECT DISTINCT changed.member_id FROM (
    SELECT coupon.received_by AS member_id FROM new_rows JOIN coupons_coupon coupon ON coupon.id = new_rows.coupon_id) changed
WHERE EXISTS (SELECT FROM campaigns_campaignmember known WHERE known.member_id = changed.member_id);
 END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION campaigns_note_resold() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM campaigns_campaignbook WHERE frozen_at IS NULL) THEN
        INSERT INTO campaigns_outcometouch (member_id)
        SELECT DISTINCT changed.member_id FROM (
    (SELECT id, member_id, is_current, sold_at, amount_fen, unit_count, returned_fen, returned_unit_count FROM new_rows EXCEPT SELECT id, member_id, is_current, sold_at, amount_fen, unit_count, returned_fen, returned_unit_count FROM old_rows)
    UNION ALL (SELECT id, member_id, is_current, sold_at, amount_fen, unit_count, returned_fen, returned_unit_count FROM old_rows EXCEPT SELECT id, member_id, is_current, sold_at, amount_fen, unit_count, returned_fen, returned_unit_count FROM new_rows)) changed
        WHERE EXISTS (SELECT FROM campaigns_campaignmember known WHERE known.member_id = changed.member_id);
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION campaigns_note_sold() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM campaigns_campaignbook WHERE frozen_at IS NULL) THEN 
INSERT INTO campaigns_outcometouch (member_id)
SELECT DISTINCT changed.member_id FROM (SELECT member_id FROM new_rows WHERE member_id IS NOT NULL) changed
WHERE EXISTS (SELECT FROM campaigns_campaignmember known WHERE known.member_id = changed.member_id);
 END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION campaigns_noted_campaigns_inboxmessage_note_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM campaigns_segmentwatch WHERE fact = 'reaches') THEN
        INSERT INTO campaigns_segmenttouch (fact, member_id) SELECT DISTINCT 'reaches', changed.member_id
        FROM (SELECT member_id FROM old_rows) changed (member_id) WHERE changed.member_id IS NOT NULL;
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION campaigns_noted_campaigns_inboxmessage_note_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM campaigns_segmentwatch WHERE fact = 'reaches') THEN
        INSERT INTO campaigns_segmenttouch (fact, member_id) SELECT DISTINCT 'reaches', changed.member_id
        FROM (SELECT member_id FROM new_rows) changed (member_id) WHERE changed.member_id IS NOT NULL;
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION campaigns_noted_campaigns_inboxmessage_note_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM campaigns_segmentwatch WHERE fact = 'reaches') THEN
        INSERT INTO campaigns_segmenttouch (fact, member_id) SELECT DISTINCT 'reaches', changed.member_id
        FROM (SELECT member_id FROM old_rows UNION ALL SELECT member_id FROM new_rows) changed (member_id) WHERE changed.member_id IS NOT NULL;
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION campaigns_noted_campaigns_reach_note_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM campaigns_segmentwatch WHERE fact = 'reaches') THEN
        INSERT INTO campaigns_segmenttouch (fact, member_id) SELECT DISTINCT 'reaches', changed.member_id
        FROM (SELECT member_id FROM old_rows) changed (member_id) WHERE changed.member_id IS NOT NULL;
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION campaigns_noted_campaigns_reach_note_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM campaigns_segmentwatch WHERE fact = 'reaches') THEN
        INSERT INTO campaigns_segmenttouch (fact, member_id) SELECT DISTINCT 'reaches', changed.member_id
        FROM (SELECT member_id FROM new_rows) changed (member_id) WHERE changed.member_id IS NOT NULL;
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION campaigns_noted_campaigns_reach_note_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM campaigns_segmentwatch WHERE fact = 'reaches') THEN
        INSERT INTO campaigns_segmenttouch (fact, member_id) SELECT DISTINCT 'reaches', changed.member_id
        FROM (SELECT member_id FROM old_rows UNION ALL SELECT member_id FROM new_rows) changed (member_id) WHERE changed.member_id IS NOT NULL;
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION campaigns_noted_coupons_coupon_note_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM campaigns_segmentwatch WHERE fact = 'coupons') THEN
        INSERT INTO campaigns_segmenttouch (fact, member_id) SELECT DISTINCT 'coupons', changed.member_id
        FROM (SELECT member_id FROM old_rows) changed (member_id) WHERE changed.member_id IS NOT NULL;
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION campaigns_noted_coupons_coupon_note_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM campaigns_segmentwatch WHERE fact = 'coupons') THEN
        INSERT INTO campaigns_segmenttouch (fact, member_id) SELECT DISTINCT 'coupons', changed.member_id
        FROM (SELECT member_id FROM new_rows) changed (member_id) WHERE changed.member_id IS NOT NULL;
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION campaigns_noted_coupons_coupon_note_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM campaigns_segmentwatch WHERE fact = 'coupons') THEN
        INSERT INTO campaigns_segmenttouch (fact, member_id) SELECT DISTINCT 'coupons', changed.member_id
        FROM (SELECT member_id FROM old_rows UNION ALL SELECT member_id FROM new_rows) changed (member_id) WHERE changed.member_id IS NOT NULL;
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION campaigns_noted_guides_binding_note_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM campaigns_segmentwatch WHERE fact = 'binding') THEN
        INSERT INTO campaigns_segmenttouch (fact, member_id) SELECT DISTINCT 'binding', changed.member_id
        FROM (SELECT member_id FROM old_rows) changed (member_id) WHERE changed.member_id IS NOT NULL;
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION campaigns_noted_guides_binding_note_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM campaigns_segmentwatch WHERE fact = 'binding') THEN
        INSERT INTO campaigns_segmenttouch (fact, member_id) SELECT DISTINCT 'binding', changed.member_id
        FROM (SELECT member_id FROM new_rows) changed (member_id) WHERE changed.member_id IS NOT NULL;
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION campaigns_noted_guides_binding_note_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM campaigns_segmentwatch WHERE fact = 'binding') THEN
        INSERT INTO campaigns_segmenttouch (fact, member_id) SELECT DISTINCT 'binding', changed.member_id
        FROM (SELECT member_id FROM old_rows UNION ALL SELECT member_id FROM new_rows) changed (member_id) WHERE changed.member_id IS NOT NULL;
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION campaigns_noted_members_behaviour_note_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM campaigns_segmentwatch WHERE fact = 'behaviours') THEN
        INSERT INTO campaigns_segmenttouch (fact, member_id) SELECT DISTINCT 'behaviours', changed.member_id
        FROM (SELECT member_id FROM old_rows) changed (member_id) WHERE changed.member_id IS NOT NULL;
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION campaigns_noted_members_behaviour_note_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM campaigns_segmentwatch WHERE fact = 'behaviours') THEN
        INSERT INTO campaigns_segmenttouch (fact, member_id) SELECT DISTINCT 'behaviours', changed.member_id
        FROM (SELECT member_id FROM new_rows) changed (member_id) WHERE changed.member_id IS NOT NULL;
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION campaigns_noted_members_behaviour_note_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM campaigns_segmentwatch WHERE fact = 'behaviours') THEN
        INSERT INTO campaigns_segmenttouch (fact, member_id) SELECT DISTINCT 'behaviours', changed.member_id
        FROM (SELECT member_id FROM old_rows UNION ALL SELECT member_id FROM new_rows) changed (member_id) WHERE changed.member_id IS NOT NULL;
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION campaigns_noted_members_member_note_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM campaigns_segmentwatch WHERE fact = 'profile') THEN
        INSERT INTO campaigns_segmenttouch (fact, member_id) SELECT DISTINCT 'profile', changed.member_id
        FROM (SELECT id FROM new_rows) changed (member_id) WHERE changed.member_id IS NOT NULL;
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION campaigns_noted_members_member_note_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM campaigns_segmentwatch WHERE fact = 'profile') THEN
        INSERT INTO campaigns_segmenttouch (fact, member_id) SELECT DISTINCT 'profile', changed.member_id
        FROM (SELECT id FROM (SELECT id, gender, birthday, stage, source, is_following, registered_at, merged_into_id FROM new_rows EXCEPT SELECT id, gender, birthday, stage, source, is_following, registered_at, merged_into_id FROM old_rows) moved) changed (member_id) WHERE changed.member_id IS NOT NULL;
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION campaigns_noted_members_memberaddress_note_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM campaigns_segmentwatch WHERE fact = 'address') THEN
        INSERT INTO campaigns_segmenttouch (fact, member_id) SELECT DISTINCT 'address', changed.member_id
        FROM (SELECT member_id FROM old_rows) changed (member_id) WHERE changed.member_id IS NOT NULL;
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION campaigns_noted_members_memberaddress_note_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM campaigns_segmentwatch WHERE fact = 'address') THEN
        INSERT INTO campaigns_segmenttouch (fact, member_id) SELECT DISTINCT 'address', changed.member_id
        FROM (SELECT member_id FROM new_rows) changed (member_id) WHERE changed.member_id IS NOT NULL;
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION campaigns_noted_members_memberaddress_note_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM campaigns_segmentwatch WHERE fact = 'address') THEN
        INSERT INTO campaigns_segmenttouch (fact, member_id) SELECT DISTINCT 'address', changed.member_id
        FROM (SELECT member_id FROM old_rows UNION ALL SELECT member_id FROM new_rows) changed (member_id) WHERE changed.member_id IS NOT NULL;
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION campaigns_noted_members_membertag_note_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM campaigns_segmentwatch WHERE fact = 'tags') THEN
        INSERT INTO campaigns_segmenttouch (fact, member_id) SELECT DISTINCT 'tags', changed.member_id
        FROM (SELECT member_id FROM old_rows) changed (member_id) WHERE changed.member_id IS NOT NULL;
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION campaigns_noted_members_membertag_note_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM campaigns_segmentwatch WHERE fact = 'tags') THEN
        INSERT INTO campaigns_segmenttouch (fact, member_id) SELECT DISTINCT 'tags', changed.member_id
        FROM (SELECT member_id FROM new_rows) changed (member_id) WHERE changed.member_id IS NOT NULL;
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION campaigns_noted_members_membertag_note_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM campaigns_segmentwatch WHERE fact = 'tags') THEN
        INSERT INTO campaigns_segmenttouch (fact, member_id) SELECT DISTINCT 'tags', changed.member_id
        FROM (SELECT member_id FROM old_rows UNION ALL SELECT member_id FROM new_rows) changed (member_id) WHERE changed.member_id IS NOT NULL;
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION campaigns_noted_members_membertier_note_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM campaigns_segmentwatch WHERE fact = 'tier') THEN
        INSERT INTO campaigns_segmenttouch (fact, member_id) SELECT DISTINCT 'tier', changed.member_id
        FROM (SELECT member_id FROM old_rows) changed (member_id) WHERE changed.member_id IS NOT NULL;
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION campaigns_noted_members_membertier_note_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM campaigns_segmentwatch WHERE fact = 'tier') THEN
        INSERT INTO campaigns_segmenttouch (fact, member_id) SELECT DISTINCT 'tier', changed.member_id
        FROM (SELECT member_id FROM new_rows) changed (member_id) WHERE changed.member_id IS NOT NULL;
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION campaigns_noted_members_membertier_note_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM campaigns_segmentwatch WHERE fact = 'tier') THEN
        INSERT INTO campaigns_segmenttouch (fact, member_id) SELECT DISTINCT 'tier', changed.member_id
        FROM (SELECT member_id FROM old_rows UNION ALL SELECT member_id FROM new_rows) changed (member_id) WHERE changed.member_id IS NOT NULL;
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION campaigns_noted_members_pointsaccount_note_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM campaigns_segmentwatch WHERE fact = 'points') THEN
        INSERT INTO campaigns_segmenttouch (fact, member_id) SELECT DISTINCT 'points', changed.member_id
        FROM (SELECT member_id FROM old_rows) changed (member_id) WHERE changed.member_id IS NOT NULL;
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION campaigns_noted_members_pointsaccount_note_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM campaigns_segmentwatch WHERE fact = 'points') THEN
        INSERT INTO campaigns_segmenttouch (fact, member_id) SELECT DISTINCT 'points', changed.member_id
        FROM (SELECT member_id FROM new_rows) changed (member_id) WHERE changed.member_id IS NOT NULL;
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION campaigns_noted_members_pointsaccount_note_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM campaigns_segmentwatch WHERE fact = 'points') THEN
        INSERT INTO campaigns_segmenttouch (fact, member_id) SELECT DISTINCT 'points', changed.member_id
        FROM (SELECT member_id FROM old_rows UNION ALL SELECT member_id FROM new_rows) changed (member_id) WHERE changed.member_id IS NOT NULL;
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION campaigns_noted_members_pointslot_note_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM campaigns_segmentwatch WHERE fact = 'points') THEN
        INSERT INTO campaigns_segmenttouch (fact, member_id) SELECT DISTINCT 'points', changed.member_id
        FROM (SELECT a.member_id FROM new_rows r JOIN members_pointsaccount a ON a.id = r.account_id) changed (member_id) WHERE changed.member_id IS NOT NULL;
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION campaigns_noted_members_pointslot_note_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM campaigns_segmentwatch WHERE fact = 'points') THEN
        INSERT INTO campaigns_segmenttouch (fact, member_id) SELECT DISTINCT 'points', changed.member_id
        FROM (SELECT a.member_id FROM (SELECT account_id FROM old_rows UNION ALL SELECT account_id FROM new_rows) r JOIN members_pointsaccount a ON a.id = r.account_id) changed (member_id) WHERE changed.member_id IS NOT NULL;
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION campaigns_noted_sales_memberday_note_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM campaigns_segmentwatch WHERE fact = 'visits') THEN
        INSERT INTO campaigns_segmenttouch (fact, member_id) SELECT DISTINCT 'visits', changed.member_id
        FROM (SELECT member_id FROM old_rows) changed (member_id);
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION campaigns_noted_sales_memberday_note_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM campaigns_segmentwatch WHERE fact = 'visits') THEN
        INSERT INTO campaigns_segmenttouch (fact, member_id) SELECT DISTINCT 'visits', changed.member_id
        FROM (SELECT member_id FROM new_rows) changed (member_id);
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION campaigns_noted_sales_memberday_note_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM campaigns_segmentwatch WHERE fact = 'visits') THEN
        INSERT INTO campaigns_segmenttouch (fact, member_id) SELECT DISTINCT 'visits', changed.member_id
        FROM (SELECT member_id FROM old_rows UNION ALL SELECT member_id FROM new_rows) changed (member_id);
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION campaigns_noted_sales_membermetrics_note_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM campaigns_segmentwatch WHERE fact = 'metrics') THEN
        INSERT INTO campaigns_segmenttouch (fact, member_id) SELECT DISTINCT 'metrics', changed.member_id
        FROM (SELECT member_id FROM old_rows) changed (member_id) WHERE changed.member_id IS NOT NULL;
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION campaigns_noted_sales_membermetrics_note_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM campaigns_segmentwatch WHERE fact = 'metrics') THEN
        INSERT INTO campaigns_segmenttouch (fact, member_id) SELECT DISTINCT 'metrics', changed.member_id
        FROM (SELECT member_id FROM new_rows) changed (member_id) WHERE changed.member_id IS NOT NULL;
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION campaigns_noted_sales_membermetrics_note_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM campaigns_segmentwatch WHERE fact = 'metrics') THEN
        INSERT INTO campaigns_segmenttouch (fact, member_id) SELECT DISTINCT 'metrics', changed.member_id
        FROM (SELECT member_id FROM old_rows UNION ALL SELECT member_id FROM new_rows) changed (member_id) WHERE changed.member_id IS NOT NULL;
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION campaigns_noted_sales_sale_note_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM campaigns_segmentwatch WHERE fact = 'purchases') THEN
        INSERT INTO campaigns_segmenttouch (fact, member_id) SELECT DISTINCT 'purchases', changed.member_id
        FROM (SELECT member_id FROM old_rows) changed (member_id) WHERE changed.member_id IS NOT NULL;
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION campaigns_noted_sales_sale_note_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM campaigns_segmentwatch WHERE fact = 'purchases') THEN
        INSERT INTO campaigns_segmenttouch (fact, member_id) SELECT DISTINCT 'purchases', changed.member_id
        FROM (SELECT member_id FROM new_rows) changed (member_id) WHERE changed.member_id IS NOT NULL;
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION campaigns_noted_sales_sale_note_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM campaigns_segmentwatch WHERE fact = 'purchases') THEN
        INSERT INTO campaigns_segmenttouch (fact, member_id) SELECT DISTINCT 'purchases', changed.member_id
        FROM (SELECT member_id FROM old_rows UNION ALL SELECT member_id FROM new_rows) changed (member_id) WHERE changed.member_id IS NOT NULL;
    END IF;
    RETURN NULL;
END $$;
"""

_TRIGGERS = r"""
CREATE TRIGGER campaigns_inboxmessage_note_delete AFTER DELETE ON campaigns_inboxmessage
    REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT
    EXECUTE FUNCTION campaigns_noted_campaigns_inboxmessage_note_delete('reaches', 'SELECT member_id FROM old_rows');

CREATE TRIGGER campaigns_inboxmessage_note_insert AFTER INSERT ON campaigns_inboxmessage
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT
    EXECUTE FUNCTION campaigns_noted_campaigns_inboxmessage_note_insert('reaches', 'SELECT member_id FROM new_rows');

CREATE TRIGGER campaigns_inboxmessage_note_update AFTER UPDATE ON campaigns_inboxmessage
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT
    EXECUTE FUNCTION campaigns_noted_campaigns_inboxmessage_note_update('reaches', 'SELECT member_id FROM old_rows UNION ALL SELECT member_id FROM new_rows');

CREATE TRIGGER campaigns_reach_note_delete AFTER DELETE ON campaigns_reach
    REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT
    EXECUTE FUNCTION campaigns_noted_campaigns_reach_note_delete('reaches', 'SELECT member_id FROM old_rows');

CREATE TRIGGER campaigns_reach_note_insert AFTER INSERT ON campaigns_reach
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT
    EXECUTE FUNCTION campaigns_noted_campaigns_reach_note_insert('reaches', 'SELECT member_id FROM new_rows');

CREATE TRIGGER campaigns_reach_note_update AFTER UPDATE ON campaigns_reach
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT
    EXECUTE FUNCTION campaigns_noted_campaigns_reach_note_update('reaches', 'SELECT member_id FROM old_rows UNION ALL SELECT member_id FROM new_rows');

CREATE TRIGGER campaigns_segmentmove_moment_segments_insert AFTER INSERT ON campaigns_segmentmove
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT
    EXECUTE FUNCTION campaigns_note_moment('segments', 'SELECT CASE WHEN n.is_entry THEN ''in:'' ELSE ''out:'' END || s.public_id, n.member_id, ''move:'' || n.id FROM new_rows n JOIN campaigns_segment s ON s.id = n.segment_id');

CREATE TRIGGER coupons_coupon_moment_coupons_insert AFTER INSERT ON coupons_coupon
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT
    EXECUTE FUNCTION campaigns_note_moment('coupons', 'SELECT ''coupon_received'', n.member_id, ''coupon:'' || n.id FROM new_rows n');

CREATE TRIGGER coupons_coupon_note_delete AFTER DELETE ON coupons_coupon
    REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT
    EXECUTE FUNCTION campaigns_noted_coupons_coupon_note_delete('coupons', 'SELECT member_id FROM old_rows');

CREATE TRIGGER coupons_coupon_note_insert AFTER INSERT ON coupons_coupon
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT
    EXECUTE FUNCTION campaigns_noted_coupons_coupon_note_insert('coupons', 'SELECT member_id FROM new_rows');

CREATE TRIGGER coupons_coupon_note_update AFTER UPDATE ON coupons_coupon
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT
    EXECUTE FUNCTION campaigns_noted_coupons_coupon_note_update('coupons', 'SELECT member_id FROM old_rows UNION ALL SELECT member_id FROM new_rows');

CREATE TRIGGER coupons_redemption_moment_redemptions_insert AFTER INSERT ON coupons_redemption
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT
    EXECUTE FUNCTION campaigns_note_moment('redemptions', 'SELECT ''coupon_redeemed'', c.member_id, ''redemption:'' || n.id FROM new_rows n JOIN coupons_coupon c ON c.id = n.coupon_id');

CREATE TRIGGER coupons_redemption_outcome_insert AFTER INSERT ON coupons_redemption
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT
    EXECUTE FUNCTION campaigns_note_redeemed();

CREATE TRIGGER coupons_redemption_outcome_update AFTER UPDATE ON coupons_redemption
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT
    EXECUTE FUNCTION campaigns_note_redeemed();

CREATE TRIGGER guides_binding_moment_bindings_insert AFTER INSERT ON guides_binding
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT
    EXECUTE FUNCTION campaigns_note_moment('bindings', 'SELECT ''bound'', n.member_id, ''binding:'' || n.id FROM new_rows n WHERE n.ended_at IS NULL');

CREATE TRIGGER guides_binding_note_delete AFTER DELETE ON guides_binding
    REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT
    EXECUTE FUNCTION campaigns_noted_guides_binding_note_delete('binding', 'SELECT member_id FROM old_rows');

CREATE TRIGGER guides_binding_note_insert AFTER INSERT ON guides_binding
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT
    EXECUTE FUNCTION campaigns_noted_guides_binding_note_insert('binding', 'SELECT member_id FROM new_rows');

CREATE TRIGGER guides_binding_note_update AFTER UPDATE ON guides_binding
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT
    EXECUTE FUNCTION campaigns_noted_guides_binding_note_update('binding', 'SELECT member_id FROM old_rows UNION ALL SELECT member_id FROM new_rows');

CREATE TRIGGER guides_guide_note_update AFTER UPDATE ON guides_guide
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT
    EXECUTE FUNCTION campaigns_note_changed('binding', 'SELECT b.member_id FROM new_rows n JOIN old_rows o ON o.id = n.id JOIN guides_guide g ON g.id = n.id JOIN guides_binding b ON b.guide_id = g.id AND b.ended_at IS NULL WHERE (n.store_id, n.number) IS DISTINCT FROM (o.store_id, o.number)');

CREATE TRIGGER guides_region_note_update AFTER UPDATE ON guides_region
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT
    EXECUTE FUNCTION campaigns_note_changed('binding', 'SELECT b.member_id FROM new_rows n JOIN old_rows o ON o.id = n.id JOIN guides_store s ON s.region_id = n.id JOIN guides_guide g ON g.store_id = s.id JOIN guides_binding b ON b.guide_id = g.id AND b.ended_at IS NULL WHERE (n.path, n.id) IS DISTINCT FROM (o.path, o.id)');

CREATE TRIGGER guides_store_note_update AFTER UPDATE ON guides_store
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT
    EXECUTE FUNCTION campaigns_note_changed('binding', 'SELECT b.member_id FROM new_rows n JOIN old_rows o ON o.id = n.id JOIN guides_guide g ON g.store_id = n.id JOIN guides_binding b ON b.guide_id = g.id AND b.ended_at IS NULL WHERE (n.region_id, n.dealer_id, n.code) IS DISTINCT FROM (o.region_id, o.dealer_id, o.code)');

CREATE TRIGGER members_behaviour_moment_behaviours_insert AFTER INSERT ON members_behaviour
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT
    EXECUTE FUNCTION campaigns_note_moment('behaviours', 'SELECT ''did_'' || n.kind, n.member_id, ''did:'' || n.id FROM new_rows n WHERE n.happened_at > now() - interval ''1 day''');

CREATE TRIGGER members_behaviour_note_delete AFTER DELETE ON members_behaviour
    REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT
    EXECUTE FUNCTION campaigns_noted_members_behaviour_note_delete('behaviours', 'SELECT member_id FROM old_rows');

CREATE TRIGGER members_behaviour_note_insert AFTER INSERT ON members_behaviour
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT
    EXECUTE FUNCTION campaigns_noted_members_behaviour_note_insert('behaviours', 'SELECT member_id FROM new_rows');

CREATE TRIGGER members_behaviour_note_update AFTER UPDATE ON members_behaviour
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT
    EXECUTE FUNCTION campaigns_noted_members_behaviour_note_update('behaviours', 'SELECT member_id FROM old_rows UNION ALL SELECT member_id FROM new_rows');

CREATE TRIGGER members_behaviour_outcome_insert AFTER INSERT ON members_behaviour
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT
    EXECUTE FUNCTION campaigns_note_did();

CREATE TRIGGER members_behaviour_outcome_update AFTER UPDATE ON members_behaviour
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT
    EXECUTE FUNCTION campaigns_note_did();

CREATE TRIGGER members_member_moment_followed_insert AFTER INSERT ON members_member
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT
    EXECUTE FUNCTION campaigns_note_moment('followed', 'SELECT ''followed'', n.id, ''follow:'' || to_char(clock_timestamp(), ''YYYYMMDDHH24MISSUS'') FROM new_rows n WHERE n.is_following');

CREATE TRIGGER members_member_moment_followed_update AFTER UPDATE ON members_member
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT
    EXECUTE FUNCTION campaigns_note_moment('followed', 'SELECT CASE WHEN n.is_following THEN ''followed'' ELSE ''unfollowed'' END, n.id, ''follow:'' || to_char(clock_timestamp(), ''YYYYMMDDHH24MISSUS'') FROM new_rows n JOIN old_rows o ON o.id = n.id WHERE n.is_following <> o.is_following AND n.merged_into_id IS NULL AND n.stage <> ''erased''');

CREATE TRIGGER members_member_moment_joined_insert AFTER INSERT ON members_member
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT
    EXECUTE FUNCTION campaigns_note_moment('joined', 'SELECT ''joined'', n.id, ''joined'' FROM new_rows n WHERE n.stage = ''member'' AND n.source <> ''import''');

CREATE TRIGGER members_member_moment_joined_update AFTER UPDATE ON members_member
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT
    EXECUTE FUNCTION campaigns_note_moment('joined', 'SELECT ''joined'', n.id, ''joined'' FROM new_rows n JOIN old_rows o ON o.id = n.id WHERE n.stage = ''member'' AND o.stage <> ''member''');

CREATE TRIGGER members_member_moment_profile_insert AFTER INSERT ON members_member
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT
    EXECUTE FUNCTION campaigns_note_moment('profile', 'SELECT ''profile_completed'', n.id, ''profile'' FROM new_rows n WHERE n.profile_completed_at IS NOT NULL AND n.source <> ''import''');

CREATE TRIGGER members_member_moment_profile_update AFTER UPDATE ON members_member
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT
    EXECUTE FUNCTION campaigns_note_moment('profile', 'SELECT ''profile_completed'', n.id, ''profile'' FROM new_rows n JOIN old_rows o ON o.id = n.id WHERE n.profile_completed_at IS NOT NULL AND o.profile_completed_at IS NULL');

CREATE TRIGGER members_member_note_insert AFTER INSERT ON members_member
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT
    EXECUTE FUNCTION campaigns_noted_members_member_note_insert('profile', 'SELECT id FROM new_rows');

CREATE TRIGGER members_member_note_update AFTER UPDATE ON members_member
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT
    EXECUTE FUNCTION campaigns_noted_members_member_note_update('profile', 'SELECT n.id FROM new_rows n JOIN old_rows o ON o.id = n.id WHERE (n.gender, n.birthday, n.stage, n.source, n.is_following, n.registered_at, n.merged_into_id) IS DISTINCT FROM (o.gender, o.birthday, o.stage, o.source, o.is_following, o.registered_at, o.merged_into_id)');

CREATE TRIGGER members_memberaddress_note_delete AFTER DELETE ON members_memberaddress
    REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT
    EXECUTE FUNCTION campaigns_noted_members_memberaddress_note_delete('address', 'SELECT member_id FROM old_rows');

CREATE TRIGGER members_memberaddress_note_insert AFTER INSERT ON members_memberaddress
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT
    EXECUTE FUNCTION campaigns_noted_members_memberaddress_note_insert('address', 'SELECT member_id FROM new_rows');

CREATE TRIGGER members_memberaddress_note_update AFTER UPDATE ON members_memberaddress
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT
    EXECUTE FUNCTION campaigns_noted_members_memberaddress_note_update('address', 'SELECT member_id FROM old_rows UNION ALL SELECT member_id FROM new_rows');

CREATE TRIGGER members_membertag_note_delete AFTER DELETE ON members_membertag
    REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT
    EXECUTE FUNCTION campaigns_noted_members_membertag_note_delete('tags', 'SELECT member_id FROM old_rows');

CREATE TRIGGER members_membertag_note_insert AFTER INSERT ON members_membertag
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT
    EXECUTE FUNCTION campaigns_noted_members_membertag_note_insert('tags', 'SELECT member_id FROM new_rows');

CREATE TRIGGER members_membertag_note_update AFTER UPDATE ON members_membertag
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT
    EXECUTE FUNCTION campaigns_noted_members_membertag_note_update('tags', 'SELECT member_id FROM old_rows UNION ALL SELECT member_id FROM new_rows');

CREATE TRIGGER members_membertier_moment_tier_risk_update AFTER UPDATE ON members_membertier
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT
    EXECUTE FUNCTION campaigns_note_moment('tier_risk', 'SELECT ''tier_at_risk'', n.member_id, ''risk:'' || n.warned_for FROM new_rows n JOIN old_rows o ON o.id = n.id WHERE n.warned_for IS NOT NULL AND n.warned_for IS DISTINCT FROM o.warned_for');

CREATE TRIGGER members_membertier_note_delete AFTER DELETE ON members_membertier
    REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT
    EXECUTE FUNCTION campaigns_noted_members_membertier_note_delete('tier', 'SELECT member_id FROM old_rows');

CREATE TRIGGER members_membertier_note_insert AFTER INSERT ON members_membertier
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT
    EXECUTE FUNCTION campaigns_noted_members_membertier_note_insert('tier', 'SELECT member_id FROM new_rows');

CREATE TRIGGER members_membertier_note_update AFTER UPDATE ON members_membertier
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT
    EXECUTE FUNCTION campaigns_noted_members_membertier_note_update('tier', 'SELECT member_id FROM old_rows UNION ALL SELECT member_id FROM new_rows');

CREATE TRIGGER members_pointsaccount_note_delete AFTER DELETE ON members_pointsaccount
    REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT
    EXECUTE FUNCTION campaigns_noted_members_pointsaccount_note_delete('points', 'SELECT member_id FROM old_rows');

CREATE TRIGGER members_pointsaccount_note_insert AFTER INSERT ON members_pointsaccount
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT
    EXECUTE FUNCTION campaigns_noted_members_pointsaccount_note_insert('points', 'SELECT member_id FROM new_rows');

CREATE TRIGGER members_pointsaccount_note_update AFTER UPDATE ON members_pointsaccount
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT
    EXECUTE FUNCTION campaigns_noted_members_pointsaccount_note_update('points', 'SELECT member_id FROM old_rows UNION ALL SELECT member_id FROM new_rows');

CREATE TRIGGER members_pointslot_note_insert AFTER INSERT ON members_pointslot
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT
    EXECUTE FUNCTION campaigns_noted_members_pointslot_note_insert('points', 'SELECT a.member_id FROM new_rows r JOIN members_pointsaccount a ON a.id = r.account_id');

CREATE TRIGGER members_pointslot_note_update AFTER UPDATE ON members_pointslot
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT
    EXECUTE FUNCTION campaigns_noted_members_pointslot_note_update('points', 'SELECT a.member_id FROM (SELECT account_id FROM old_rows UNION ALL SELECT account_id FROM new_rows) r JOIN members_pointsaccount a ON a.id = r.account_id');

CREATE TRIGGER members_tierchange_moment_tiers_insert AFTER INSERT ON members_tierchange
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT
    EXECUTE FUNCTION campaigns_note_moment('tiers', 'SELECT CASE WHEN n.is_upgrade THEN ''tier_up'' ELSE ''tier_down'' END, n.member_id, ''tier:'' || n.id FROM new_rows n WHERE n.cause NOT IN (''merged'', ''unmerged'')');

CREATE TRIGGER sales_memberday_note_delete AFTER DELETE ON sales_memberday
    REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT
    EXECUTE FUNCTION campaigns_noted_sales_memberday_note_delete('visits', 'SELECT member_id FROM old_rows');

CREATE TRIGGER sales_memberday_note_insert AFTER INSERT ON sales_memberday
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT
    EXECUTE FUNCTION campaigns_noted_sales_memberday_note_insert('visits', 'SELECT member_id FROM new_rows');

CREATE TRIGGER sales_memberday_note_update AFTER UPDATE ON sales_memberday
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT
    EXECUTE FUNCTION campaigns_noted_sales_memberday_note_update('visits', 'SELECT member_id FROM old_rows UNION ALL SELECT member_id FROM new_rows');

CREATE TRIGGER sales_membermetrics_note_delete AFTER DELETE ON sales_membermetrics
    REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT
    EXECUTE FUNCTION campaigns_noted_sales_membermetrics_note_delete('metrics', 'SELECT member_id FROM old_rows');

CREATE TRIGGER sales_membermetrics_note_insert AFTER INSERT ON sales_membermetrics
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT
    EXECUTE FUNCTION campaigns_noted_sales_membermetrics_note_insert('metrics', 'SELECT member_id FROM new_rows');

CREATE TRIGGER sales_membermetrics_note_update AFTER UPDATE ON sales_membermetrics
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT
    EXECUTE FUNCTION campaigns_noted_sales_membermetrics_note_update('metrics', 'SELECT member_id FROM old_rows UNION ALL SELECT member_id FROM new_rows');

CREATE TRIGGER sales_sale_moment_sales_insert AFTER INSERT ON sales_sale
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT
    EXECUTE FUNCTION campaigns_note_moment('sales', 'SELECT ''bought'', n.member_id, ''sale:'' || n.id FROM new_rows n WHERE n.is_current AND n.revision = 0 AND n.sold_at > now() - interval ''7 days''');

CREATE TRIGGER sales_sale_note_delete AFTER DELETE ON sales_sale
    REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT
    EXECUTE FUNCTION campaigns_noted_sales_sale_note_delete('purchases', 'SELECT member_id FROM old_rows');

CREATE TRIGGER sales_sale_note_insert AFTER INSERT ON sales_sale
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT
    EXECUTE FUNCTION campaigns_noted_sales_sale_note_insert('purchases', 'SELECT member_id FROM new_rows');

CREATE TRIGGER sales_sale_note_update AFTER UPDATE ON sales_sale
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT
    EXECUTE FUNCTION campaigns_noted_sales_sale_note_update('purchases', 'SELECT member_id FROM old_rows UNION ALL SELECT member_id FROM new_rows');

CREATE TRIGGER sales_sale_outcome_insert AFTER INSERT ON sales_sale
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT
    EXECUTE FUNCTION campaigns_note_sold();

CREATE TRIGGER sales_sale_outcome_update AFTER UPDATE ON sales_sale
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT
    EXECUTE FUNCTION campaigns_note_resold();

CREATE TRIGGER sales_salereturn_moment_returns_insert AFTER INSERT ON sales_salereturn
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT
    EXECUTE FUNCTION campaigns_note_moment('returns', 'SELECT ''returned'', n.member_id, ''return:'' || n.id FROM new_rows n WHERE n.returned_at > now() - interval ''7 days''');
"""


class Migration(migrations.Migration):

    replaces = [('campaigns', '0001_first'), ('campaigns', '0002_first_policy'), ('campaigns', '0003_reach_export'), ('campaigns', '0004_segments'), ('campaigns', '0005_segment_notes'), ('campaigns', '0006_mass_messages'), ('campaigns', '0007_texts'), ('campaigns', '0008_behaviour_notes'), ('campaigns', '0009_reaches_not_sent'), ('campaigns', '0010_campaigns'), ('campaigns', '0011_segment_tags'), ('campaigns', '0012_webhooks'), ('campaigns', '0013_campaign_sending'), ('campaigns', '0014_campaign_policy'), ('campaigns', '0015_outcomes'), ('campaigns', '0016_outcome_notes'), ('campaigns', '0017_proof_pages'), ('campaigns', '0018_parts_costs_rounds'), ('campaigns', '0019_journeys'), ('campaigns', '0020_journey_moments'), ('campaigns', '0021_care_topic'), ('campaigns', '0022_notes_planned_once'), ('campaigns', '0023_contacts'), ('campaigns', '0024_resold_without_a_join'), ('campaigns', '0025_visits_noted')]

    initial = True

    dependencies = [
        ('coupons', '0001_squashed_0013'),
        ('core', '0001_squashed_0002'),
        ('guides', '0001_squashed_0012'),
        ('members', '0001_squashed_0017'),
        ('sales', '0001_squashed_0025'),
        ('sms', '0001_squashed_0003'),
        ('wechat', '0001_squashed_0012'),
    ]

    operations = [
        core.migration_operations.CreateModels(
            models=[
                migrations.CreateModel(
                    name='ReachPolicy',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('is_quiet_on', models.BooleanField(default=True, verbose_name='启用免打扰')),
                        ('quiet_from', models.TimeField(help_text='北京时间', verbose_name='免打扰开始')),
                        ('quiet_until', models.TimeField(help_text='这段时间里的通知到结束时再发；必须告知的不受限制', verbose_name='免打扰结束')),
                        ('mass_needs_second', models.BooleanField(default=True, help_text='群发收不回来：编写的人不能自己确认', verbose_name='群发要另一位员工确认')),
                    ],
                    options={
                        'verbose_name': '触达规则',
                        'verbose_name_plural': '触达规则',
                        'constraints': [models.CheckConstraint(condition=models.Q(('pk', 1)), name='reachpolicy_one_row'), models.CheckConstraint(condition=models.Q(('quiet_from', models.F('quiet_until')), _negated=True), name='reachpolicy_quiet_has_length')],
                    },
                ),
                migrations.CreateModel(
                    name='SubscriptionGrant',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('openid', models.CharField(max_length=64, verbose_name='用户')),
                        ('template_id', models.CharField(max_length=64, verbose_name='模板')),
                        ('count', models.PositiveIntegerField(default=0, verbose_name='剩余次数')),
                        ('account', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='wechat.account', verbose_name='账号')),
                    ],
                    options={
                        'verbose_name': '订阅授权',
                        'verbose_name_plural': '订阅授权',
                        'constraints': [models.UniqueConstraint(fields=('account', 'openid', 'template_id'), name='subscriptiongrant_one_per_person_and_template'), models.CheckConstraint(condition=models.Q(('count__gte', 0)), name='subscriptiongrant_not_negative')],
                    },
                ),
                migrations.CreateModel(
                    name='TopicRule',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('topic', models.CharField(choices=[('sale', '购物'), ('return', '退货'), ('review', '邀请评价'), ('points_changed', '积分变动'), ('points_expiring', '积分到期'), ('coupon_issued', '券到账'), ('coupon_expiring', '券到期'), ('tier_up', '升级'), ('tier_at_risk', '保级提醒'), ('guide_changed', '更换导购'), ('request_step', '服务请求进展'), ('task', '导购关怀'), ('care', '会员关怀'), ('marketing', '营销活动')], max_length=20, unique=True, verbose_name='事项')),
                        ('is_on', models.BooleanField(default=True, verbose_name='启用')),
                        ('importance', models.CharField(choices=[('must', '必须告知'), ('normal', '一般通知'), ('marketing', '营销')], max_length=9, verbose_name='重要程度')),
                        ('channels', models.CharField(max_length=80, verbose_name='通道')),
                    ],
                    options={
                        'verbose_name': '触达事项',
                        'verbose_name_plural': '触达事项',
                        'constraints': [models.CheckConstraint(condition=models.Q(('channels', ''), _negated=True), name='topicrule_has_a_channel')],
                    },
                ),
                migrations.CreateModel(
                    name='TopicTemplate',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('topic', models.CharField(choices=[('sale', '购物'), ('return', '退货'), ('review', '邀请评价'), ('points_changed', '积分变动'), ('points_expiring', '积分到期'), ('coupon_issued', '券到账'), ('coupon_expiring', '券到期'), ('tier_up', '升级'), ('tier_at_risk', '保级提醒'), ('guide_changed', '更换导购'), ('request_step', '服务请求进展'), ('task', '导购关怀'), ('care', '会员关怀'), ('marketing', '营销活动')], max_length=20, verbose_name='事项')),
                        ('kind', models.CharField(choices=[('subscription', '订阅消息'), ('template', '模板消息')], max_length=12, verbose_name='类型')),
                        ('template_id', models.CharField(max_length=64, verbose_name='模板')),
                        ('fields', models.JSONField(default=dict, verbose_name='字段')),
                        ('page', models.CharField(blank=True, help_text='小程序页面路径；不填用通知自己的页面', max_length=200, verbose_name='打开的页面')),
                        ('is_on', models.BooleanField(default=True, verbose_name='启用')),
                        ('account', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='wechat.account', verbose_name='账号')),
                    ],
                    options={
                        'verbose_name': '通知模板',
                        'verbose_name_plural': '通知模板',
                        'constraints': [models.UniqueConstraint(fields=('topic', 'account', 'kind'), name='topictemplate_one_per_topic_and_account')],
                    },
                ),
                migrations.CreateModel(
                    name='InboxMessage',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('public_id', models.CharField(default=core.codes.new_public_id, editable=False, max_length=16, unique=True)),
                        ('topic', models.CharField(choices=[('sale', '购物'), ('return', '退货'), ('review', '邀请评价'), ('points_changed', '积分变动'), ('points_expiring', '积分到期'), ('coupon_issued', '券到账'), ('coupon_expiring', '券到期'), ('tier_up', '升级'), ('tier_at_risk', '保级提醒'), ('guide_changed', '更换导购'), ('request_step', '服务请求进展'), ('task', '导购关怀'), ('care', '会员关怀'), ('marketing', '营销活动')], max_length=20, verbose_name='事项')),
                        ('title', models.CharField(max_length=60, verbose_name='标题')),
                        ('text', core.fields.SealedTextField(verbose_name='内容')),
                        ('page', models.CharField(blank=True, max_length=200, verbose_name='页面')),
                        ('reason_key', models.CharField(max_length=100, unique=True)),
                        ('sent_at', models.DateTimeField(verbose_name='时间')),
                        ('read_at', models.DateTimeField(null=True, verbose_name='已读时间')),
                        ('member', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='members.member', verbose_name='会员')),
                    ],
                    options={
                        'verbose_name': '站内信',
                        'verbose_name_plural': '站内信',
                        'indexes': [models.Index(fields=['member', '-id'], name='inboxmessage_of_member'), models.Index(condition=models.Q(('read_at__isnull', True)), fields=['member'], name='inboxmessage_unread')],
                    },
                ),
                migrations.CreateModel(
                    name='Reach',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('reason_key', models.CharField(max_length=100, unique=True, verbose_name='事由')),
                        ('topic', models.CharField(choices=[('sale', '购物'), ('return', '退货'), ('review', '邀请评价'), ('points_changed', '积分变动'), ('points_expiring', '积分到期'), ('coupon_issued', '券到账'), ('coupon_expiring', '券到期'), ('tier_up', '升级'), ('tier_at_risk', '保级提醒'), ('guide_changed', '更换导购'), ('request_step', '服务请求进展'), ('task', '导购关怀'), ('care', '会员关怀'), ('marketing', '营销活动')], max_length=20, verbose_name='事项')),
                        ('importance', models.CharField(choices=[('must', '必须告知'), ('normal', '一般通知'), ('marketing', '营销')], max_length=9, verbose_name='重要程度')),
                        ('content', core.fields.SealedTextField(blank=True, editable=False)),
                        ('channels', models.CharField(editable=False, max_length=80)),
                        ('step', models.PositiveSmallIntegerField(default=0, editable=False)),
                        ('state', models.CharField(choices=[('queued', '待发送'), ('sending', '发送中'), ('sent', '已发送'), ('delivered', '已送达'), ('failed', '没有送达'), ('skipped', '不发送'), ('uncertain', '结果未知')], default='queued', max_length=9, verbose_name='状态')),
                        ('channel', models.CharField(blank=True, choices=[('subscription', '订阅消息'), ('template', '模板消息'), ('service_message', '客服消息'), ('sms', '短信'), ('follow_up', '导购任务'), ('inbox', '站内信')], default='', max_length=15, verbose_name='通道')),
                        ('code', models.CharField(blank=True, max_length=60, verbose_name='原因')),
                        ('errcode', models.IntegerField(null=True, verbose_name='微信返回码')),
                        ('tries', models.JSONField(default=list, editable=False)),
                        ('attempt_count', models.PositiveSmallIntegerField(default=0, verbose_name='尝试次数')),
                        ('message_id', models.CharField(blank=True, max_length=80, verbose_name='对方消息号')),
                        ('queued_at', models.DateTimeField(verbose_name='创建时间')),
                        ('not_before', models.DateTimeField(verbose_name='最早发送')),
                        ('expires_at', models.DateTimeField(verbose_name='最晚发送')),
                        ('sent_at', models.DateTimeField(null=True, verbose_name='发送时间')),
                        ('finished_at', models.DateTimeField(null=True, verbose_name='完成时间')),
                        ('leased_until', models.DateTimeField(null=True)),
                        ('lease_holder', models.CharField(blank=True, max_length=32)),
                        ('member', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='members.member', verbose_name='会员')),
                        ('cost_hundredths', models.PositiveIntegerField(db_default=0, verbose_name='费用')),
                        ('segment_count', models.PositiveSmallIntegerField(db_default=0, verbose_name='计费条数')),
                    ],
                    options={
                        'verbose_name': '触达记录',
                        'verbose_name_plural': '触达记录',
                        'indexes': [models.Index(condition=models.Q(('state', 'queued')), fields=['importance', 'not_before', 'id'], name='reach_due_queue'), models.Index(condition=models.Q(('state', 'sending')), fields=['leased_until'], name='reach_in_flight'), models.Index(fields=['member', 'queued_at'], name='reach_of_member'), models.Index(condition=models.Q(('message_id', ''), _negated=True), fields=['message_id'], name='reach_by_message'), models.Index(condition=models.Q(('state__in', ['failed', 'skipped', 'uncertain'])), fields=['state', '-id'], name='reach_not_sent')],
                        'constraints': [models.CheckConstraint(condition=models.Q(('expires_at__gt', models.F('queued_at'))), name='reach_expires_after_queued'), models.CheckConstraint(condition=models.Q(models.Q(('finished_at__isnull', True), ('state__in', ['queued', 'sending'])), models.Q(models.Q(('state__in', ['queued', 'sending']), _negated=True), ('finished_at__isnull', False)), _connector='OR'), name='reach_finished_when_over')],
                        'permissions': [('export_reach', '导出触达记录')],
                    },
                ),
                migrations.CreateModel(
                    name='ReachBar',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('code', models.CharField(max_length=60, verbose_name='原因')),
                        ('barred_at', models.DateTimeField(verbose_name='时间')),
                        ('account', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='wechat.account', verbose_name='账号')),
                        ('member', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='members.member', verbose_name='会员')),
                    ],
                    options={
                        'verbose_name': '拒收记录',
                        'verbose_name_plural': '拒收记录',
                        'constraints': [models.UniqueConstraint(fields=('member', 'account'), name='reachbar_one_per_member_and_account')],
                    },
                ),
                migrations.CreateModel(
                    name='SegmentTouch',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('fact', models.CharField(max_length=12)),
                        ('member_id', models.BigIntegerField()),
                    ],
                    options={
                        'verbose_name': '待重算会员',
                        'verbose_name_plural': '待重算会员',
                    },
                ),
                migrations.CreateModel(
                    name='SegmentWatch',
                    fields=[
                        ('fact', models.CharField(max_length=12, primary_key=True, serialize=False)),
                    ],
                    options={
                        'verbose_name': '人群关注的变化',
                        'verbose_name_plural': '人群关注的变化',
                    },
                ),
                migrations.CreateModel(
                    name='Segment',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('public_id', models.CharField(default=core.codes.new_public_id, editable=False, max_length=16, unique=True)),
                        ('name', models.CharField(max_length=40, verbose_name='名称')),
                        ('note', models.CharField(blank=True, max_length=200, verbose_name='说明')),
                        ('kind', models.CharField(choices=[('living', '持续更新'), ('snapshot', '定格'), ('listed', '名单')], default='living', max_length=8, verbose_name='类型')),
                        ('rule', models.JSONField(default=dict, editable=False, verbose_name='条件')),
                        ('facts', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=12), default=list, editable=False, size=None)),
                        ('uses', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), default=list, editable=False, size=None)),
                        ('is_active', models.BooleanField(default=True, verbose_name='启用')),
                        ('version', models.PositiveIntegerField(default=1, editable=False, verbose_name='版本')),
                        ('member_count', models.PositiveIntegerField(default=0, editable=False, verbose_name='人数')),
                        ('due_at', models.DateTimeField(editable=False, null=True)),
                        ('quiet_xid', models.BigIntegerField(editable=False, null=True)),
                        ('filled_on', models.DateField(editable=False, null=True)),
                        ('filled_at', models.DateTimeField(editable=False, null=True, verbose_name='最近计算')),
                        ('fault', models.CharField(blank=True, editable=False, max_length=20)),
                        ('created_at', models.DateTimeField(editable=False, verbose_name='创建时间')),
                        ('changed_at', models.DateTimeField(editable=False, verbose_name='修改时间')),
                    ],
                    options={
                        'verbose_name': '人群',
                        'verbose_name_plural': '人群',
                        'constraints': [models.UniqueConstraint(condition=models.Q(('is_active', True)), fields=('name',), name='segment_one_active_per_name'), models.CheckConstraint(condition=models.Q(models.Q(('kind', 'listed'), ('rule', {})), models.Q(models.Q(('kind', 'listed'), _negated=True), models.Q(('rule', {}), _negated=True)), _connector='OR'), name='segment_rule_unless_listed')],
                    },
                ),
                migrations.CreateModel(
                    name='MassMessage',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('name', models.CharField(max_length=60, verbose_name='名称')),
                        ('kind', models.CharField(choices=[('text', '文字'), ('image', '图片'), ('article', '图文')], max_length=8, verbose_name='类型')),
                        ('text', models.TextField(blank=True, verbose_name='文字')),
                        ('picture', models.ImageField(blank=True, upload_to='mass/', verbose_name='图片')),
                        ('article_media_id', models.CharField(blank=True, max_length=200, verbose_name='图文素材编号')),
                        ('article_title', models.CharField(blank=True, max_length=200, verbose_name='图文标题')),
                        ('purpose', models.CharField(choices=[('marketing', '营销'), ('normal', '通知')], default='marketing', max_length=9, verbose_name='用途')),
                        ('audience', models.CharField(choices=[('all', '全部粉丝'), ('tag', '按标签'), ('list', '按名单')], max_length=4, verbose_name='发给谁')),
                        ('tag_id', models.BigIntegerField(null=True, verbose_name='微信标签编号')),
                        ('tag_name', models.CharField(blank=True, max_length=60, verbose_name='标签')),
                        ('list_name', models.CharField(blank=True, max_length=80, verbose_name='名单')),
                        ('bad_lines', models.JSONField(default=dict, editable=False)),
                        ('state', models.CharField(choices=[('draft', '草稿'), ('confirmed', '等待发送'), ('sending', '发送中'), ('sent', '微信已收下'), ('finished', '已发完'), ('rejected', '微信没有发出'), ('failed', '没有发出'), ('uncertain', '结果未知'), ('dropped', '已作废')], default='draft', max_length=9, verbose_name='状态')),
                        ('revision', models.PositiveIntegerField(default=1, editable=False)),
                        ('written_by_id', models.BigIntegerField(editable=False, null=True)),
                        ('written_by', models.CharField(max_length=80, verbose_name='编写人')),
                        ('written_at', models.DateTimeField(verbose_name='编写时间')),
                        ('previewed_revision', models.PositiveIntegerField(default=0, editable=False)),
                        ('confirmed_by_id', models.BigIntegerField(editable=False, null=True)),
                        ('confirmed_by', models.CharField(blank=True, max_length=80, verbose_name='确认人')),
                        ('confirmed_at', models.DateTimeField(null=True, verbose_name='确认时间')),
                        ('is_alone_allowed', models.BooleanField(default=False, editable=False)),
                        ('expected_count', models.PositiveIntegerField(null=True, verbose_name='预计人数')),
                        ('send_at', models.DateTimeField(null=True, verbose_name='发送时间')),
                        ('not_before', models.DateTimeField(editable=False, null=True)),
                        ('send_until', models.DateTimeField(editable=False, null=True)),
                        ('client_msg_id', models.CharField(blank=True, editable=False, max_length=64)),
                        ('lease_holder', models.CharField(blank=True, editable=False, max_length=32)),
                        ('leased_until', models.DateTimeField(editable=False, null=True)),
                        ('claim_count', models.PositiveIntegerField(default=0, editable=False)),
                        ('attempt_count', models.PositiveSmallIntegerField(default=0, verbose_name='尝试次数')),
                        ('first_tried_at', models.DateTimeField(null=True, verbose_name='首次尝试')),
                        ('sent_at', models.DateTimeField(null=True, verbose_name='收下时间')),
                        ('message_id', models.CharField(blank=True, max_length=40, verbose_name='微信消息号')),
                        ('code', models.CharField(blank=True, max_length=60, verbose_name='原因')),
                        ('errcode', models.IntegerField(null=True, verbose_name='微信返回码')),
                        ('total_count', models.PositiveIntegerField(null=True, verbose_name='目标人数')),
                        ('filtered_count', models.PositiveIntegerField(null=True, verbose_name='过滤后人数')),
                        ('reached_count', models.PositiveIntegerField(null=True, verbose_name='成功人数')),
                        ('error_count', models.PositiveIntegerField(null=True, verbose_name='失败人数')),
                        ('copyright_state', models.PositiveSmallIntegerField(default=0, editable=False)),
                        ('settled_at', models.DateTimeField(null=True, verbose_name='发完时间')),
                        ('deleted_at', models.DateTimeField(null=True, verbose_name='删除时间')),
                        ('account', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='wechat.account', verbose_name='公众号')),
                        ('part_count', models.PositiveSmallIntegerField(default=0, editable=False, verbose_name='分段')),
                        ('whole', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='parts', to='campaigns.massmessage')),
                    ],
                    options={
                        'verbose_name': '群发消息',
                        'verbose_name_plural': '群发消息',
                        'permissions': (('confirm_massmessage', '可以确认群发消息'),),
                        'indexes': [models.Index(condition=models.Q(('state__in', ['confirmed', 'sending', 'sent'])), fields=['not_before'], name='massmessage_due_queue'), models.Index(condition=models.Q(('message_id', ''), _negated=True), fields=['message_id'], name='massmessage_by_message')],
                        'constraints': [models.UniqueConstraint(condition=models.Q(('client_msg_id', ''), _negated=True), fields=('client_msg_id',), name='massmessage_one_per_client_msg_id'), models.CheckConstraint(condition=models.Q(('state__in', ['draft', 'failed', 'dropped']), models.Q(models.Q(('client_msg_id', ''), _negated=True), ('confirmed_at__isnull', False), ('send_until__isnull', False)), _connector='OR'), name='massmessage_leaves_confirmed'), models.CheckConstraint(condition=models.Q(('is_alone_allowed', True), ('confirmed_by_id__isnull', True), ('written_by_id__isnull', True), models.Q(('confirmed_by_id', models.F('written_by_id')), _negated=True), _connector='OR'), name='massmessage_second_person'), models.CheckConstraint(condition=models.Q(models.Q(('audience', 'tag'), _negated=True), ('tag_id__isnull', False), _connector='OR'), name='massmessage_tag_named')],
                    },
                ),
                migrations.CreateModel(
                    name='TopicText',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('topic', models.CharField(choices=[('sale', '购物'), ('return', '退货'), ('review', '邀请评价'), ('points_changed', '积分变动'), ('points_expiring', '积分到期'), ('coupon_issued', '券到账'), ('coupon_expiring', '券到期'), ('tier_up', '升级'), ('tier_at_risk', '保级提醒'), ('guide_changed', '更换导购'), ('request_step', '服务请求进展'), ('task', '导购关怀'), ('care', '会员关怀'), ('marketing', '营销活动')], max_length=20, unique=True, verbose_name='事项')),
                        ('fields', models.JSONField(default=dict, verbose_name='变量')),
                        ('is_on', models.BooleanField(default=True, verbose_name='启用')),
                        ('template', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='sms.smstemplate', verbose_name='短信模板')),
                    ],
                    options={
                        'verbose_name': '短信内容',
                        'verbose_name_plural': '短信内容',
                    },
                ),
                migrations.CreateModel(
                    name='WebhookEndpoint',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('code', models.CharField(max_length=40, unique=True, validators=[django.core.validators.RegexValidator('^[a-z0-9][a-z0-9_-]*$')], verbose_name='代号')),
                        ('name', models.CharField(max_length=40, verbose_name='名称')),
                        ('url', models.URLField(max_length=300, verbose_name='地址')),
                        ('secret', core.fields.SealedTextField(editable=False)),
                        ('is_active', models.BooleanField(default=True, verbose_name='启用')),
                        ('created_at', models.DateTimeField(editable=False, verbose_name='创建时间')),
                        ('changed_at', models.DateTimeField(editable=False, verbose_name='修改时间')),
                    ],
                    options={
                        'verbose_name': '外部系统',
                        'verbose_name_plural': '外部系统',
                    },
                ),
                migrations.CreateModel(
                    name='CampaignPolicy',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('may_regions', models.BooleanField(default=True, verbose_name='区域可以办自己的活动')),
                        ('may_stores', models.BooleanField(default=True, verbose_name='门店可以办自己的活动')),
                        ('approvers', models.CharField(choices=[('head_office', '只由总部审批'), ('regions', '本区域的负责人也可以审批')], default='head_office', help_text='任何人都不能审批自己写的活动', max_length=11, verbose_name='区域和门店的活动由谁审批')),
                        ('most_recipients', models.PositiveIntegerField(blank=True, default=5000, help_text='区域负责人能审批的最多人数；不填不限制', null=True, validators=[django.core.validators.MinValueValidator(1)], verbose_name='超过多少人要总部审批')),
                        ('campaign_budget_fen', models.BigIntegerField(blank=True, null=True, verbose_name='每个活动的预算上限（分）')),
                        ('month_budget_fen', models.BigIntegerField(blank=True, null=True, verbose_name='每月的预算上限（分）')),
                        ('acts', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=10), blank=True, default=list, size=None, verbose_name='可以做什么')),
                        ('channels', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=15), blank=True, default=list, size=None, verbose_name='可以用的通道')),
                        ('least_holdout_bp', models.PositiveSmallIntegerField(default=0)),
                        ('most_holdout_bp', models.PositiveSmallIntegerField(default=3000)),
                        ('earliest', models.TimeField(verbose_name='最早几点起发')),
                        ('latest', models.TimeField(verbose_name='最晚几点停')),
                        ('month_days', django.contrib.postgres.fields.ArrayField(base_field=models.PositiveSmallIntegerField(validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(31)]), blank=True, default=list, size=None, verbose_name='每月几号是会员日')),
                        ('week_days', django.contrib.postgres.fields.ArrayField(base_field=models.PositiveSmallIntegerField(validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(7)]), blank=True, default=list, size=None, verbose_name='每周几是会员日')),
                    ],
                    options={
                        'verbose_name': '活动规则',
                        'verbose_name_plural': '活动规则',
                        'constraints': [models.CheckConstraint(condition=models.Q(('pk', 1)), name='campaignpolicy_one_row'), models.CheckConstraint(condition=models.Q(('least_holdout_bp__lte', models.F('most_holdout_bp')), ('most_holdout_bp__lte', 5000)), name='campaignpolicy_holdout_in_order'), models.CheckConstraint(condition=models.Q(('earliest__lt', models.F('latest'))), name='campaignpolicy_hours_in_order')],
                    },
                ),
                migrations.CreateModel(
                    name='OutcomeTouch',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('member_id', models.BigIntegerField()),
                        ('run_id', models.BigIntegerField(null=True)),
                    ],
                    options={
                        'verbose_name': '待重算活动会员',
                        'verbose_name_plural': '待重算活动会员',
                    },
                ),
                migrations.CreateModel(
                    name='JourneyVersion',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('number', models.PositiveIntegerField(verbose_name='版本号')),
                        ('definition', models.JSONField(editable=False)),
                        ('events', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=32), default=list, editable=False, size=None)),
                        ('entry_events', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=32), default=list, editable=False, size=None)),
                        ('exit_events', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=32), default=list, editable=False, size=None)),
                        ('goal_events', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=32), default=list, editable=False, size=None)),
                        ('published_at', models.DateTimeField(verbose_name='发布时间')),
                        ('journey', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='versions', to='campaigns.journey', verbose_name='旅程')),
                    ],
                    options={
                        'verbose_name': '旅程版本',
                        'verbose_name_plural': '旅程版本',
                        'constraints': [models.UniqueConstraint(fields=('journey', 'number'), name='journeyversion_once_per_number')],
                    },
                ),
                migrations.CreateModel(
                    name='JourneyTally',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('version_id', models.BigIntegerField()),
                        ('step', models.CharField(max_length=20)),
                        ('way', models.CharField(max_length=8)),
                        ('count', models.IntegerField()),
                    ],
                    options={
                        'verbose_name': '旅程计数（待合并）',
                        'verbose_name_plural': '旅程计数（待合并）',
                    },
                ),
                migrations.CreateModel(
                    name='JourneyMoment',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('event', models.CharField(max_length=32)),
                        ('member_id', models.BigIntegerField()),
                        ('key', models.CharField(max_length=60)),
                        ('at', models.DateTimeField()),
                    ],
                    options={
                        'verbose_name': '旅程待处理事件',
                        'verbose_name_plural': '旅程待处理事件',
                        'indexes': [models.Index(fields=['member_id'], name='journeymoment_of_member')],
                    },
                ),
                migrations.CreateModel(
                    name='JourneyWatch',
                    fields=[
                        ('event', models.CharField(max_length=32, primary_key=True, serialize=False)),
                        ('family', models.CharField(max_length=12)),
                    ],
                    options={
                        'verbose_name': '旅程关注的事件',
                        'verbose_name_plural': '旅程关注的事件',
                        'indexes': [models.Index(fields=['family'], name='journeywatch_by_family')],
                    },
                ),
                migrations.CreateModel(
                    name='ContactMonth',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('month_on', models.DateField(unique=True, verbose_name='月份')),
                        ('counted_at', models.DateTimeField(null=True, verbose_name='统计时间')),
                    ],
                    options={
                        'verbose_name': '沟通矩阵',
                        'verbose_name_plural': '沟通矩阵',
                    },
                ),
                migrations.CreateModel(
                    name='FrequencyCap',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('channel', models.CharField(blank=True, choices=[('subscription', '订阅消息'), ('template', '模板消息'), ('service_message', '客服消息'), ('sms', '短信'), ('follow_up', '导购任务')], help_text='不选：所有通道合计', max_length=15, verbose_name='通道')),
                        ('importance', models.CharField(blank=True, choices=[('normal', '一般通知'), ('marketing', '营销')], help_text='不选：一般通知和营销合计', max_length=9, verbose_name='重要程度')),
                        ('span', models.CharField(choices=[('day', '每天'), ('week', '每 7 天')], default='day', max_length=4, verbose_name='周期')),
                        ('most', models.PositiveSmallIntegerField(validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(100)], verbose_name='最多几条')),
                        ('policy', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='caps', to='campaigns.reachpolicy')),
                    ],
                    options={
                        'verbose_name': '频次上限',
                        'verbose_name_plural': '频次上限',
                        'ordering': ('channel', 'importance', 'span'),
                        'constraints': [models.UniqueConstraint(fields=('policy', 'channel', 'importance', 'span'), name='frequencycap_one_of_a_kind'), models.CheckConstraint(condition=models.Q(('most__range', (1, 100))), name='frequencycap_some_but_few')],
                    },
                ),
                migrations.CreateModel(
                    name='GrantEntry',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('delta', models.IntegerField(verbose_name='变动')),
                        ('reason', models.CharField(choices=[('accepted', '会员同意'), ('sent', '发送'), ('returned', '没有发出，退回'), ('spent', '微信回答已用完'), ('refused', '会员关闭订阅')], max_length=8, verbose_name='原因')),
                        ('source_key', models.CharField(max_length=80, unique=True)),
                        ('echo_key', models.CharField(max_length=80, null=True, unique=True)),
                        ('at', models.DateTimeField(verbose_name='时间')),
                        ('grant', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='entries', to='campaigns.subscriptiongrant')),
                    ],
                    options={
                        'verbose_name': '订阅授权流水',
                        'verbose_name_plural': '订阅授权流水',
                    },
                ),
                migrations.CreateModel(
                    name='SegmentMove',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('is_entry', models.BooleanField(verbose_name='进入')),
                        ('at', models.DateTimeField(verbose_name='时间')),
                        ('member', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='members.member', verbose_name='会员')),
                        ('segment', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='campaigns.segment', verbose_name='人群')),
                    ],
                    options={
                        'verbose_name': '人群进出',
                        'verbose_name_plural': '人群进出',
                    },
                ),
                migrations.CreateModel(
                    name='SegmentMember',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('entered_at', models.DateTimeField(verbose_name='进入时间')),
                        ('member', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='members.member', verbose_name='会员')),
                        ('segment', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='campaigns.segment', verbose_name='人群')),
                    ],
                    options={
                        'verbose_name': '人群会员',
                        'verbose_name_plural': '人群会员',
                        'permissions': [('export_segmentmember', '导出人群会员')],
                        'indexes': [models.Index(fields=['member'], name='segmentmember_of_member')],
                        'constraints': [models.UniqueConstraint(fields=('segment', 'member'), name='segmentmember_once')],
                    },
                ),
                migrations.CreateModel(
                    name='SegmentSize',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('day', models.DateField(verbose_name='日期')),
                        ('member_count', models.PositiveIntegerField(verbose_name='人数')),
                        ('entered_count', models.PositiveIntegerField(default=0, verbose_name='进入')),
                        ('left_count', models.PositiveIntegerField(default=0, verbose_name='离开')),
                        ('segment', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='campaigns.segment', verbose_name='人群')),
                    ],
                    options={
                        'verbose_name': '人群人数',
                        'verbose_name_plural': '人群人数',
                        'constraints': [models.UniqueConstraint(fields=('segment', 'day'), name='segmentsize_once_a_day')],
                    },
                ),
                migrations.CreateModel(
                    name='Campaign',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('public_id', models.CharField(default=core.codes.new_public_id, editable=False, max_length=16, unique=True)),
                        ('name', models.CharField(max_length=40, verbose_name='名称')),
                        ('note', models.CharField(blank=True, max_length=200, verbose_name='说明')),
                        ('kind', models.CharField(choices=[('reach', '消息触达'), ('coupon', '发券'), ('follow_up', '导购任务')], max_length=9, verbose_name='类型')),
                        ('goal', models.CharField(choices=[('purchase', '购买'), ('redemption', '核销活动券'), ('visit', '访问小程序'), ('second_purchase', '二次购买'), ('wake_up', '沉睡唤醒'), ('win_back', '流失挽回')], default='purchase', max_length=15, verbose_name='目标')),
                        ('measure', models.JSONField(default=dict, editable=False)),
                        ('window_days', models.PositiveSmallIntegerField(default=14, help_text='发出后多少天内的购买算这次活动的', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(90)], verbose_name='统计天数')),
                        ('holdout_bp', models.PositiveSmallIntegerField(default=1000, verbose_name='对照组比例')),
                        ('seed', models.CharField(default=core.codes.new_public_id, editable=False, max_length=16)),
                        ('starts_at', models.DateTimeField(null=True, verbose_name='开始时间')),
                        ('ends_at', models.DateTimeField(null=True, verbose_name='截止时间')),
                        ('recurrence', models.JSONField(default=dict, editable=False)),
                        ('next_run_at', models.DateTimeField(editable=False, null=True, verbose_name='下次执行')),
                        ('send_from', models.TimeField(verbose_name='每天几点起发')),
                        ('send_until', models.TimeField(verbose_name='每天几点停')),
                        ('budget_fen', models.BigIntegerField(blank=True, null=True, verbose_name='预算（分）')),
                        ('spent_fen', models.BigIntegerField(default=0, editable=False, verbose_name='已用（分）')),
                        ('state', models.CharField(choices=[('draft', '草稿'), ('submitted', '待审批'), ('approved', '已通过，待开始'), ('running', '进行中'), ('paused', '已暂停'), ('ended', '已结束')], default='draft', max_length=9, verbose_name='状态')),
                        ('code', models.CharField(blank=True, editable=False, max_length=40, verbose_name='原因')),
                        ('revision', models.PositiveIntegerField(default=1, editable=False)),
                        ('created_at', models.DateTimeField(editable=False, verbose_name='创建时间')),
                        ('changed_at', models.DateTimeField(editable=False, verbose_name='修改时间')),
                        ('ended_at', models.DateTimeField(editable=False, null=True, verbose_name='结束时间')),
                        ('author', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='编写人')),
                        ('excluded_segment', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='campaigns.segment', verbose_name='排除哪个人群')),
                        ('region', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='guides.region', verbose_name='区域')),
                        ('segment', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='campaigns.segment', verbose_name='发给哪个人群')),
                        ('store', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='guides.store', verbose_name='门店')),
                        ('expected_count', models.PositiveIntegerField(editable=False, null=True, verbose_name='预计人数')),
                        ('expected_fen', models.BigIntegerField(editable=False, null=True, verbose_name='预计费用（分）')),
                        ('writers', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), default=list, editable=False, size=None)),
                    ],
                    options={
                        'verbose_name': '营销活动',
                        'verbose_name_plural': '营销活动',
                        'permissions': [('approve_campaign', '审批营销活动'), ('export_campaign', '导出营销活动')],
                        'indexes': [models.Index(condition=models.Q(('state__in', ['approved', 'running'])), fields=['next_run_at'], name='campaign_due')],
                        'constraints': [models.CheckConstraint(condition=models.Q(('region__isnull', True), ('store__isnull', True), _connector='OR'), name='campaign_region_or_store'), models.CheckConstraint(condition=models.Q(('holdout_bp__lte', 5000)), name='campaign_holdout_at_most_half'), models.CheckConstraint(condition=models.Q(('window_days__range', (1, 90))), name='campaign_window_days'), models.CheckConstraint(condition=models.Q(('send_from__lt', models.F('send_until'))), name='campaign_hours_in_order'), models.CheckConstraint(condition=models.Q(('budget_fen__isnull', True), ('spent_fen__lte', models.F('budget_fen')), _connector='OR'), name='campaign_within_budget'), models.CheckConstraint(condition=models.Q(models.Q(('ended_at__isnull', False), ('state', 'ended')), models.Q(models.Q(('state', 'ended'), _negated=True), ('ended_at__isnull', True)), _connector='OR'), name='campaign_ended_at_when_ended')],
                    },
                ),
                migrations.CreateModel(
                    name='SegmentTag',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('bound_at', models.DateTimeField(verbose_name='开始时间')),
                        ('segment', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='campaigns.segment', verbose_name='人群')),
                        ('tag', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='members.tag', verbose_name='标签')),
                    ],
                    options={
                        'verbose_name': '跟随人群的标签',
                        'verbose_name_plural': '跟随人群的标签',
                    },
                ),
                migrations.CreateModel(
                    name='MassRecipient',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('openid', models.CharField(max_length=64)),
                        ('left_out', models.CharField(blank=True, max_length=40)),
                        ('message', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='recipients', to='campaigns.massmessage')),
                    ],
                    options={
                        'verbose_name': '群发名单',
                        'verbose_name_plural': '群发名单',
                        'indexes': [models.Index(fields=['openid'], name='massrecipient_of_person')],
                        'constraints': [models.UniqueConstraint(fields=('message', 'openid'), name='massrecipient_once_on_a_list')],
                    },
                ),
                migrations.CreateModel(
                    name='WebhookDelivery',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('key', models.CharField(max_length=80, unique=True, verbose_name='事由')),
                        ('content', core.fields.SealedTextField(blank=True, editable=False)),
                        ('state', models.CharField(choices=[('waiting', '待发送'), ('sending', '发送中'), ('delivered', '已送达'), ('failed', '失败'), ('skipped', '不发送')], default='waiting', max_length=9, verbose_name='状态')),
                        ('attempt_count', models.PositiveSmallIntegerField(default=0, verbose_name='尝试次数')),
                        ('not_before', models.DateTimeField(verbose_name='下次发送')),
                        ('leased_until', models.DateTimeField(editable=False, null=True)),
                        ('lease_holder', models.CharField(blank=True, editable=False, max_length=32)),
                        ('code', models.CharField(blank=True, max_length=40, verbose_name='原因')),
                        ('status_code', models.PositiveSmallIntegerField(null=True, verbose_name='HTTP 状态')),
                        ('created_at', models.DateTimeField(verbose_name='创建时间')),
                        ('finished_at', models.DateTimeField(null=True, verbose_name='完成时间')),
                        ('member', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='members.member', verbose_name='会员')),
                        ('endpoint', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='campaigns.webhookendpoint', verbose_name='外部系统')),
                    ],
                    options={
                        'verbose_name': '外部通知',
                        'verbose_name_plural': '外部通知',
                        'indexes': [models.Index(condition=models.Q(('state', 'waiting')), fields=['endpoint', 'not_before', 'id'], name='webhookdelivery_due'), models.Index(condition=models.Q(('state', 'sending')), fields=['leased_until'], name='webhookdelivery_in_flight')],
                        'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('finished_at__isnull', True), ('state__in', ['waiting', 'sending'])), models.Q(models.Q(('state__in', ['waiting', 'sending']), _negated=True), ('finished_at__isnull', False)), _connector='OR'), name='webhookdelivery_finished_when_over')],
                    },
                ),
                migrations.CreateModel(
                    name='Journey',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('public_id', models.CharField(default=core.codes.new_public_id, editable=False, max_length=16, unique=True)),
                        ('name', models.CharField(max_length=40, verbose_name='名称')),
                        ('note', models.CharField(blank=True, max_length=200, verbose_name='说明')),
                        ('made_as', models.CharField(blank=True, editable=False, max_length=30)),
                        ('state', models.CharField(choices=[('draft', '未启用'), ('running', '运行中'), ('paused', '已暂停'), ('ended', '已结束')], default='draft', max_length=7, verbose_name='状态')),
                        ('draft', models.JSONField(default=dict, editable=False)),
                        ('revision', models.PositiveIntegerField(default=1, editable=False)),
                        ('looked_on', models.DateField(editable=False, null=True)),
                        ('created_at', models.DateTimeField(editable=False, verbose_name='创建时间')),
                        ('changed_at', models.DateTimeField(editable=False, verbose_name='修改时间')),
                        ('started_at', models.DateTimeField(editable=False, null=True, verbose_name='启用时间')),
                        ('version', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='campaigns.journeyversion', verbose_name='版本')),
                    ],
                    options={
                        'verbose_name': '自动化旅程',
                        'verbose_name_plural': '自动化旅程',
                        'permissions': [('export_journey', '导出自动化旅程')],
                        'constraints': [models.UniqueConstraint(condition=models.Q(('state', 'ended'), _negated=True), fields=('name',), name='journey_one_live_per_name'), models.UniqueConstraint(condition=models.Q(models.Q(('made_as', ''), _negated=True), models.Q(('state', 'ended'), _negated=True)), fields=('made_as',), name='journey_ready_made_once'), models.CheckConstraint(condition=models.Q(('state__in', ['draft', 'ended']), ('version__isnull', False), _connector='OR'), name='journey_runs_a_version')],
                    },
                ),
                migrations.CreateModel(
                    name='JourneyCount',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('step', models.CharField(blank=True, max_length=20, verbose_name='步骤')),
                        ('way', models.CharField(max_length=8, verbose_name='去向')),
                        ('count', models.BigIntegerField(default=0, verbose_name='人次')),
                        ('version', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='campaigns.journeyversion', verbose_name='版本')),
                    ],
                    options={
                        'verbose_name': '旅程计数',
                        'verbose_name_plural': '旅程计数',
                        'constraints': [models.UniqueConstraint(fields=('version', 'step', 'way'), name='journeycount_once_per_way')],
                    },
                ),
                migrations.CreateModel(
                    name='ContactCell',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('channel', models.CharField(blank=True, max_length=15)),
                        ('importance', models.CharField(blank=True, max_length=9)),
                        ('rfm_group', models.SmallIntegerField()),
                        ('stage', models.CharField(max_length=9)),
                        ('band', models.PositiveSmallIntegerField()),
                        ('member_count', models.PositiveIntegerField()),
                        ('message_count', models.PositiveIntegerField()),
                        ('reader_count', models.PositiveIntegerField()),
                        ('buyer_count', models.PositiveIntegerField()),
                        ('barred_count', models.PositiveIntegerField()),
                        ('month', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='cells', to='campaigns.contactmonth', verbose_name='月份')),
                    ],
                    options={
                        'verbose_name': '沟通矩阵的格子',
                        'verbose_name_plural': '沟通矩阵的格子',
                        'constraints': [models.UniqueConstraint(fields=('month', 'channel', 'importance', 'rfm_group', 'stage', 'band'), name='contactcell_once')],
                    },
                ),
                migrations.CreateModel(
                    name='CampaignMove',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('from_state', models.CharField(blank=True, choices=[('draft', '草稿'), ('submitted', '待审批'), ('approved', '已通过，待开始'), ('running', '进行中'), ('paused', '已暂停'), ('ended', '已结束')], max_length=9, verbose_name='从')),
                        ('to_state', models.CharField(choices=[('draft', '草稿'), ('submitted', '待审批'), ('approved', '已通过，待开始'), ('running', '进行中'), ('paused', '已暂停'), ('ended', '已结束')], max_length=9, verbose_name='到')),
                        ('revision', models.PositiveIntegerField()),
                        ('actor', models.CharField(max_length=80, verbose_name='谁')),
                        ('actor_id', models.BigIntegerField(null=True)),
                        ('note', models.CharField(blank=True, max_length=200, verbose_name='备注')),
                        ('at', models.DateTimeField(verbose_name='时间')),
                        ('campaign', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='moves', to='campaigns.campaign', verbose_name='营销活动')),
                        ('content', models.JSONField(editable=False, null=True)),
                    ],
                    options={
                        'verbose_name': '活动流转',
                        'verbose_name_plural': '活动流转',
                    },
                ),
                migrations.CreateModel(
                    name='CampaignRun',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('number', models.PositiveIntegerField(verbose_name='第几次')),
                        ('due_at', models.DateTimeField(verbose_name='应开始时间')),
                        ('state', models.CharField(choices=[('due', '等待开始'), ('releasing', '发放中'), ('released', '已发完'), ('stopped', '已停止')], default='due', max_length=9, verbose_name='状态')),
                        ('member_count', models.PositiveIntegerField(default=0, verbose_name='人数')),
                        ('control_count', models.PositiveIntegerField(default=0, verbose_name='对照组人数')),
                        ('done_count', models.PositiveIntegerField(default=0, verbose_name='已发放')),
                        ('refused_count', models.PositiveIntegerField(default=0, verbose_name='未发放')),
                        ('spent_fen', models.BigIntegerField(default=0, verbose_name='已用（分）')),
                        ('launched_at', models.DateTimeField(null=True, verbose_name='开始时间')),
                        ('released_at', models.DateTimeField(null=True, verbose_name='发完时间')),
                        ('window_ends_at', models.DateTimeField(null=True, verbose_name='统计截止')),
                        ('campaign', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='runs', to='campaigns.campaign', verbose_name='营销活动')),
                        ('clicked_count', models.PositiveIntegerField(default=0, verbose_name='打开人数')),
                        ('code', models.CharField(blank=True, editable=False, max_length=40, verbose_name='原因')),
                        ('paces', models.JSONField(default=list, editable=False)),
                    ],
                    options={
                        'verbose_name': '活动执行',
                        'verbose_name_plural': '活动执行',
                        'indexes': [models.Index(condition=models.Q(('state__in', ['due', 'releasing'])), fields=['id'], name='campaignrun_open')],
                        'constraints': [models.UniqueConstraint(fields=('campaign', 'number'), name='campaignrun_once_per_number'), models.UniqueConstraint(fields=('campaign', 'due_at'), name='campaignrun_once_per_moment'), models.CheckConstraint(condition=models.Q(models.Q(('released_at__isnull', False), ('state__in', ['released', 'stopped'])), models.Q(('released_at__isnull', True), ('state__in', ['due', 'releasing'])), _connector='OR'), name='campaignrun_released_at_when_over')],
                    },
                ),
                migrations.CreateModel(
                    name='CampaignVariant',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('letter', models.CharField(max_length=1, verbose_name='版本')),
                        ('weight', models.PositiveSmallIntegerField(default=1, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(100)], verbose_name='比例')),
                        ('acts', models.JSONField(default=list, editable=False)),
                        ('campaign', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='variants', to='campaigns.campaign', verbose_name='营销活动')),
                    ],
                    options={
                        'verbose_name': '活动版本',
                        'verbose_name_plural': '活动版本',
                        'constraints': [models.UniqueConstraint(fields=('campaign', 'letter'), name='campaignvariant_once_per_letter'), models.CheckConstraint(condition=models.Q(('weight__range', (1, 100))), name='campaignvariant_weight')],
                    },
                ),
                migrations.CreateModel(
                    name='Enrolment',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('entry_key', models.CharField(max_length=80, verbose_name='进入缘由')),
                        ('state', models.CharField(choices=[('waiting', '进行中'), ('done', '走完'), ('achieved', '达成目标'), ('exited', '退出'), ('failed', '出错停住')], default='waiting', max_length=8, verbose_name='状态')),
                        ('step', models.CharField(max_length=20, verbose_name='当前步骤')),
                        ('due_at', models.DateTimeField(verbose_name='下一步时间')),
                        ('waiting_for', models.CharField(blank=True, default='', max_length=32)),
                        ('is_woken', models.BooleanField(default=False)),
                        ('heard', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=32), default=list, editable=False, size=None)),
                        ('values', models.JSONField(default=dict, editable=False)),
                        ('moved_count', models.PositiveIntegerField(default=0, verbose_name='已走步数')),
                        ('round_count', models.PositiveSmallIntegerField(default=0)),
                        ('attempt_count', models.PositiveSmallIntegerField(default=0, verbose_name='重试次数')),
                        ('code', models.CharField(blank=True, default='', max_length=60, verbose_name='原因')),
                        ('entered_at', models.DateTimeField(verbose_name='进入时间')),
                        ('ended_at', models.DateTimeField(null=True, verbose_name='结束时间')),
                        ('leased_until', models.DateTimeField(null=True)),
                        ('lease_holder', models.CharField(blank=True, default='', max_length=32)),
                        ('member', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='members.member', verbose_name='会员')),
                        ('journey', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='campaigns.journey', verbose_name='旅程')),
                        ('version', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='campaigns.journeyversion', verbose_name='版本')),
                    ],
                    options={
                        'verbose_name': '旅程会员',
                        'verbose_name_plural': '旅程会员',
                        'permissions': [('export_enrolment', '导出旅程会员')],
                        'indexes': [models.Index(condition=models.Q(('state', 'waiting')), fields=['journey', 'due_at', 'id'], name='enrolment_due_queue'), models.Index(fields=['member', 'journey'], name='enrolment_of_member'), models.Index(condition=models.Q(('state__in', ['waiting', 'failed'])), fields=['version', 'step', 'state'], name='enrolment_at_step')],
                        'constraints': [models.UniqueConstraint(condition=models.Q(('state__in', ['waiting', 'failed'])), fields=('journey', 'member'), name='enrolment_one_live_per_member'), models.UniqueConstraint(fields=('journey', 'entry_key', 'member'), name='enrolment_once_per_key'), models.CheckConstraint(condition=models.Q(models.Q(('ended_at__isnull', True), ('state__in', ['waiting', 'failed'])), models.Q(models.Q(('state__in', ['waiting', 'failed']), _negated=True), ('ended_at__isnull', False)), _connector='OR'), name='enrolment_ended_when_over')],
                    },
                ),
                migrations.CreateModel(
                    name='CampaignMember',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('letter', models.CharField(blank=True, max_length=1, verbose_name='版本')),
                        ('state', models.CharField(choices=[('control', '对照组'), ('waiting', '待发放'), ('done', '已发放'), ('refused', '未发放'), ('stopped', '已停止')], max_length=7, verbose_name='状态')),
                        ('code', models.CharField(blank=True, default='', max_length=40, verbose_name='原因')),
                        ('guide_id', models.BigIntegerField(null=True)),
                        ('store_id', models.BigIntegerField(null=True)),
                        ('tier_id', models.BigIntegerField(null=True)),
                        ('reach_id', models.BigIntegerField(null=True)),
                        ('coupon_id', models.BigIntegerField(null=True)),
                        ('follow_up_id', models.BigIntegerField(null=True)),
                        ('released_at', models.DateTimeField(null=True, verbose_name='发放时间')),
                        ('member', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='members.member', verbose_name='会员')),
                        ('run', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='campaigns.campaignrun', verbose_name='活动执行')),
                        ('clicked_at', models.DateTimeField(null=True, verbose_name='打开时间')),
                        ('not_before', models.DateTimeField(null=True)),
                        ('try_count', models.PositiveSmallIntegerField(default=0)),
                    ],
                    options={
                        'verbose_name': '活动会员',
                        'verbose_name_plural': '活动会员',
                        'permissions': [('export_campaignmember', '导出活动会员')],
                        'indexes': [models.Index(fields=['member'], name='campaignmember_of_member'), models.Index(fields=['run', 'guide_id'], name='campaignmember_of_guide'), models.Index(condition=models.Q(('not_before__isnull', True), ('state', 'waiting')), fields=['run', 'id'], name='campaignmember_waiting'), models.Index(condition=models.Q(('not_before__isnull', False), ('state', 'waiting')), fields=['run', 'not_before'], name='campaignmember_put_off')],
                        'constraints': [models.UniqueConstraint(fields=('run', 'member'), name='campaignmember_once_per_run'), models.CheckConstraint(condition=models.Q(models.Q(('letter', ''), ('state', 'control')), models.Q(models.Q(('state', 'control'), _negated=True), models.Q(('letter', ''), _negated=True)), _connector='OR'), name='campaignmember_letter_unless_control')],
                    },
                ),
                migrations.CreateModel(
                    name='CampaignBook',
                    fields=[
                        ('run', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='+', serialize=False, to='campaigns.campaignrun', verbose_name='活动执行')),
                        ('opened_at', models.DateTimeField()),
                        ('begun_at', models.DateTimeField(null=True)),
                        ('counted_until', models.DateTimeField(null=True)),
                        ('counted_at', models.DateTimeField(null=True)),
                        ('delivered_at', models.DateTimeField(null=True)),
                        ('is_stale', models.BooleanField(default=False)),
                        ('summed_at', models.DateTimeField(null=True, verbose_name='数据更新到')),
                        ('sums', models.JSONField(default=dict)),
                        ('frozen_at', models.DateTimeField(null=True)),
                        ('repeat_count', models.PositiveIntegerField(default=0)),
                    ],
                    options={
                        'verbose_name': '活动效果',
                        'verbose_name_plural': '活动效果',
                        'indexes': [models.Index(condition=models.Q(('frozen_at__isnull', True)), fields=['run'], name='campaignbook_open')],
                        'constraints': [models.CheckConstraint(condition=models.Q(('frozen_at__isnull', True), ('begun_at__isnull', False), _connector='OR'), name='campaignbook_frozen_after_begun')],
                        'permissions': [('export_campaignbook', '导出活动效果')],
                    },
                ),
                migrations.CreateModel(
                    name='CampaignOutcome',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('letter', models.CharField(blank=True, max_length=1, verbose_name='版本')),
                        ('guide_id', models.BigIntegerField(default=0, verbose_name='导购')),
                        ('store_id', models.BigIntegerField(default=0, verbose_name='门店')),
                        ('tier_id', models.BigIntegerField(default=0, verbose_name='等级')),
                        ('orders_before', models.PositiveIntegerField(default=0, verbose_name='此前订单')),
                        ('stage_before', models.CharField(default='unbought', max_length=9, verbose_name='此前阶段')),
                        ('is_aimed', models.BooleanField(default=True, verbose_name='目标对象')),
                        ('first_at', models.DateTimeField(null=True, verbose_name='首次购买')),
                        ('order_count', models.PositiveIntegerField(default=0, verbose_name='订单')),
                        ('unit_count', models.PositiveIntegerField(default=0, verbose_name='件数')),
                        ('amount_fen', models.BigIntegerField(default=0, verbose_name='金额（分）')),
                        ('visited_at', models.DateTimeField(null=True, verbose_name='访问时间')),
                        ('goal_at', models.DateTimeField(null=True, verbose_name='达成时间')),
                        ('is_done', models.BooleanField(default=False, verbose_name='已发放')),
                        ('is_sent', models.BooleanField(default=False, verbose_name='已发送')),
                        ('is_delivered', models.BooleanField(default=False, verbose_name='已送达')),
                        ('is_seen', models.BooleanField(default=False, verbose_name='已看')),
                        ('is_clicked', models.BooleanField(default=False, verbose_name='已点开')),
                        ('is_given', models.BooleanField(default=False, verbose_name='拿到券')),
                        ('redeemed_at', models.DateTimeField(null=True, verbose_name='核销时间')),
                        ('discount_fen', models.BigIntegerField(default=0, verbose_name='核销优惠（分）')),
                        ('cost_hundredths', models.BigIntegerField(default=0, verbose_name='短信费用')),
                        ('member', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='members.member', verbose_name='会员')),
                        ('run', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='campaigns.campaignrun', verbose_name='活动执行')),
                    ],
                    options={
                        'verbose_name': '会员的活动效果',
                        'verbose_name_plural': '会员的活动效果',
                        'indexes': [models.Index(fields=['member'], name='campaignoutcome_of_member'), models.Index(condition=models.Q(('goal_at__isnull', False)), fields=['run', 'goal_at'], include=('letter', 'store_id'), name='campaignoutcome_by_day'), models.Index(condition=models.Q(('order_count__gt', 0)), fields=['run', 'member'], include=('letter', 'store_id'), name='campaignoutcome_bought')],
                        'constraints': [models.UniqueConstraint(fields=('run', 'member'), name='campaignoutcome_once_per_run'), models.CheckConstraint(condition=models.Q(models.Q(('first_at__isnull', True), ('order_count', 0)), models.Q(('first_at__isnull', False), ('order_count__gt', 0)), _connector='OR'), name='campaignoutcome_first_when_bought'), models.CheckConstraint(condition=models.Q(('goal_at__isnull', True), ('is_aimed', True), _connector='OR'), name='campaignoutcome_goal_of_the_aimed')],
                    },
                ),
                migrations.CreateModel(
                    name='CampaignTotal',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('letter', models.CharField(blank=True, max_length=1)),
                        ('store_id', models.BigIntegerField()),
                        ('guide_id', models.BigIntegerField()),
                        ('tier_id', models.BigIntegerField()),
                        ('member_count', models.BigIntegerField(default=0)),
                        ('done_count', models.BigIntegerField(default=0)),
                        ('sent_count', models.BigIntegerField(default=0)),
                        ('delivered_count', models.BigIntegerField(default=0)),
                        ('seen_count', models.BigIntegerField(default=0)),
                        ('clicked_count', models.BigIntegerField(default=0)),
                        ('given_count', models.BigIntegerField(default=0)),
                        ('redeemed_count', models.BigIntegerField(default=0)),
                        ('aimed_count', models.BigIntegerField(default=0)),
                        ('goal_count', models.BigIntegerField(default=0)),
                        ('buyer_count', models.BigIntegerField(default=0)),
                        ('order_count', models.BigIntegerField(default=0)),
                        ('unit_count', models.BigIntegerField(default=0)),
                        ('amount_fen', models.BigIntegerField(default=0)),
                        ('amount_squares', models.DecimalField(decimal_places=0, default=0, max_digits=38)),
                        ('discount_fen', models.BigIntegerField(default=0)),
                        ('cost_hundredths', models.BigIntegerField(default=0)),
                        ('once_count', models.BigIntegerField(default=0)),
                        ('second_count', models.BigIntegerField(default=0)),
                        ('asleep_count', models.BigIntegerField(default=0)),
                        ('woken_count', models.BigIntegerField(default=0)),
                        ('lost_count', models.BigIntegerField(default=0)),
                        ('won_back_count', models.BigIntegerField(default=0)),
                        ('run', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='campaigns.campaignrun')),
                    ],
                    options={
                        'verbose_name': '活动效果汇总',
                        'verbose_name_plural': '活动效果汇总',
                        'indexes': [models.Index(fields=['store_id', 'run'], name='campaigntotal_of_store')],
                        'constraints': [models.UniqueConstraint(fields=('run', 'letter', 'store_id', 'guide_id', 'tier_id'), name='campaigntotal_once')],
                    },
                ),
                migrations.CreateModel(
                    name='EnrolmentStep',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('step', models.CharField(max_length=20, verbose_name='步骤')),
                        ('at', models.DateTimeField(verbose_name='时间')),
                        ('way', models.CharField(max_length=8, verbose_name='去向')),
                        ('code', models.CharField(blank=True, max_length=60, verbose_name='原因')),
                        ('ref', models.CharField(blank=True, max_length=80, verbose_name='结果')),
                        ('enrolment', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name='steps', to='campaigns.enrolment', verbose_name='旅程会员')),
                    ],
                    options={
                        'verbose_name': '旅程足迹',
                        'verbose_name_plural': '旅程足迹',
                    },
                ),
            ],
        ),
        migrations.RunPython(write_policy, migrations.RunPython.noop),
        migrations.RunSQL(_FUNCTIONS, "DROP FUNCTION "
            "campaigns_note_changed, "
            "campaigns_note_did, "
            "campaigns_note_moment, "
            "campaigns_note_redeemed, "
            "campaigns_note_resold, "
            "campaigns_note_sold, "
            "campaigns_noted_campaigns_inboxmessage_note_delete, "
            "campaigns_noted_campaigns_inboxmessage_note_insert, "
            "campaigns_noted_campaigns_inboxmessage_note_update, "
            "campaigns_noted_campaigns_reach_note_delete, "
            "campaigns_noted_campaigns_reach_note_insert, "
            "campaigns_noted_campaigns_reach_note_update, "
            "campaigns_noted_coupons_coupon_note_delete, "
            "campaigns_noted_coupons_coupon_note_insert, "
            "campaigns_noted_coupons_coupon_note_update, "
            "campaigns_noted_guides_binding_note_delete, "
            "campaigns_noted_guides_binding_note_insert, "
            "campaigns_noted_guides_binding_note_update, "
            "campaigns_noted_members_behaviour_note_delete, "
            "campaigns_noted_members_behaviour_note_insert, "
            "campaigns_noted_members_behaviour_note_update, "
            "campaigns_noted_members_member_note_insert, "
            "campaigns_noted_members_member_note_update, "
            "campaigns_noted_members_memberaddress_note_delete, "
            "campaigns_noted_members_memberaddress_note_insert, "
            "campaigns_noted_members_memberaddress_note_update, "
            "campaigns_noted_members_membertag_note_delete, "
            "campaigns_noted_members_membertag_note_insert, "
            "campaigns_noted_members_membertag_note_update, "
            "campaigns_noted_members_membertier_note_delete, "
            "campaigns_noted_members_membertier_note_insert, "
            "campaigns_noted_members_membertier_note_update, "
            "campaigns_noted_members_pointsaccount_note_delete, "
            "campaigns_noted_members_pointsaccount_note_insert, "
            "campaigns_noted_members_pointsaccount_note_update, "
            "campaigns_noted_members_pointslot_note_insert, "
            "campaigns_noted_members_pointslot_note_update, "
            "campaigns_noted_sales_memberday_note_delete, "
            "campaigns_noted_sales_memberday_note_insert, "
            "campaigns_noted_sales_memberday_note_update, "
            "campaigns_noted_sales_membermetrics_note_delete, "
            "campaigns_noted_sales_membermetrics_note_insert, "
            "campaigns_noted_sales_membermetrics_note_update, "
            "campaigns_noted_sales_sale_note_delete, "
            "campaigns_noted_sales_sale_note_insert, "
            "campaigns_noted_sales_sale_note_update "
            "CASCADE"),
        migrations.RunSQL(_TRIGGERS, migrations.RunSQL.noop),
    ]
