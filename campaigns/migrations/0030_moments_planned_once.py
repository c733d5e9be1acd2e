"""Each trigger that notes moments for journeys has a function of its own, whose statement is planned once in a connection.

Until here one function put the statement together and had it planned at every change that somebody listens to, which cost a
till's order more than all else that is noted of it. A plan that is kept was made for the first change, be it of one row or of a
file's thousands, and must do for the other: so no statement joins what changed with what was before it, and what else it needs is
looked up row by row. Only the risk of losing a tier, which a job notes once a day, stays as it is.
"""

from django.db import migrations

_DAY = "to_char(clock_timestamp(), 'YYYYMMDDHH24MISSUS')"
# Triggers whose query is another than the one function of all was told.
_OTHERS = {
    "members_member_moment_followed_update": (
        f"SELECT CASE WHEN is_following THEN 'followed' ELSE 'unfollowed' END, id, 'follow:' || {_DAY} FROM ("
        "SELECT id, is_following FROM new_rows WHERE merged_into_id IS NULL AND stage <> 'erased'"
        " EXCEPT SELECT id, is_following FROM old_rows) turned"
    ),
    "members_member_moment_joined_update": (
        "SELECT 'joined', id, 'joined' FROM (SELECT id FROM new_rows WHERE stage = 'member'"
        " EXCEPT SELECT id FROM old_rows WHERE stage = 'member') came"
    ),
    "members_member_moment_profile_update": (
        "SELECT 'profile_completed', id, 'profile' FROM (SELECT id FROM new_rows WHERE profile_completed_at IS NOT NULL"
        " EXCEPT SELECT id FROM old_rows WHERE profile_completed_at IS NOT NULL) completed"
    ),
    "coupons_redemption_moment_redemptions_insert": (
        "SELECT 'coupon_redeemed', (SELECT c.member_id FROM coupons_coupon c WHERE c.id = n.coupon_id), 'redemption:' || n.id"
        " FROM new_rows n"
    ),
    "campaigns_segmentmove_moment_segments_insert": (
        "SELECT CASE WHEN n.is_entry THEN 'in:' ELSE 'out:' END"
        " || (SELECT s.public_id FROM campaigns_segment s WHERE s.id = n.segment_id), n.member_id, 'move:' || n.id FROM new_rows n"
    ),
}
_STAYS = "members_membertier_moment_tier_risk_update"
_PICK = """
    SELECT tg.oid, tg.tgname, tg.tgrelid::regclass AS place, split_part(pg_get_triggerdef(tg.oid), ' EXECUTE FUNCTION ', 1) AS head,
           string_to_array(encode(tg.tgargs, 'escape'), '\\000') AS args
    FROM pg_trigger tg JOIN pg_proc pr ON pr.oid = tg.tgfoid
    WHERE NOT tg.tgisinternal AND tg.tgparentid = 0 AND tg.tgnargs = 2 AND pr.proname {which}
"""
_WHEN = "\n".join(f"            WHEN '{name}' THEN $q${query}$q$" for name, query in _OTHERS.items())
_FORWARD = f"""
DO $do$
DECLARE found record; asked text;
BEGIN
    FOR found IN {_PICK.format(which=f"= 'campaigns_note_moment' AND tg.tgname <> '{_STAYS}'")} LOOP
        asked := CASE found.tgname
{_WHEN}
            ELSE found.args[2] END;
        EXECUTE format($f$
CREATE FUNCTION campaigns_moment_%s() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    IF EXISTS (SELECT FROM campaigns_journeywatch WHERE family = %L) THEN
        INSERT INTO campaigns_journeymoment (event, member_id, key, at)
        SELECT found.event, found.member_id, found.key, clock_timestamp() FROM (%s) found (event, member_id, key)
        WHERE found.member_id IS NOT NULL AND EXISTS (SELECT FROM campaigns_journeywatch watch WHERE watch.event = found.event)
        ORDER BY found.member_id;
    END IF;
    RETURN NULL;
END $body$ $f$, found.tgname, found.args[1], asked);
        EXECUTE format('DROP TRIGGER %I ON %s', found.tgname, found.place);
        EXECUTE format('%s EXECUTE FUNCTION campaigns_moment_%s(%L, %L)', found.head, found.tgname, found.args[1], found.args[2]);
    END LOOP;
END $do$
"""
_BACK = f"""
DO $do$
DECLARE found record;
BEGIN
    FOR found IN {_PICK.format(which="~ '^campaigns_moment_'")} LOOP
        EXECUTE format('DROP TRIGGER %I ON %s', found.tgname, found.place);
        EXECUTE format('DROP FUNCTION campaigns_moment_%s()', found.tgname);
        EXECUTE format('%s EXECUTE FUNCTION campaigns_note_moment(%L, %L)', found.head, found.args[1], found.args[2]);
    END LOOP;
END $do$
"""


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0029_outcome_passes")]

    operations = [migrations.RunSQL(_FORWARD, _BACK)]
