"""Each trigger that notes members has a function of its own, whose statement is planned once in a connection.

Until here one function put the statement together and had it planned at every change, which cost a claim half as much again
while somebody watched. A plan that is kept was made for few rows and must do for a file's as well: so no statement joins what
changed with what was before it, and the triggers of guides and places, which look for members through joins, stay as they are.
"""

from django.db import migrations

_PROFILE = "id, gender, birthday, stage, source, is_following, registered_at, merged_into_id"
_MOVED = f"SELECT id FROM (SELECT {_PROFILE} FROM new_rows EXCEPT SELECT {_PROFILE} FROM old_rows) moved"
_PICK = """
    SELECT tg.oid, tg.tgname, tg.tgrelid::regclass AS place, split_part(pg_get_triggerdef(tg.oid), ' EXECUTE FUNCTION ', 1) AS head,
           string_to_array(encode(tg.tgargs, 'escape'), '\\000') AS args
    FROM pg_trigger tg JOIN pg_proc pr ON pr.oid = tg.tgfoid
    WHERE NOT tg.tgisinternal AND tg.tgparentid = 0 AND tg.tgnargs = 2 AND pr.proname {which}
"""
_FORWARD = f"""
DO $do$
DECLARE found record; asked text;
BEGIN
    FOR found IN {_PICK.format(which="= 'campaigns_note_changed'")} LOOP
        asked := found.args[2];
        CONTINUE WHEN asked LIKE '%guides_binding%';
        IF found.tgname = 'members_member_note_update' THEN asked := '{_MOVED}'; END IF;
        EXECUTE format($f$
CREATE FUNCTION campaigns_noted_%s() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    IF EXISTS (SELECT FROM campaigns_segmentwatch WHERE fact = %L) THEN
        INSERT INTO campaigns_segmenttouch (fact, member_id) SELECT DISTINCT %L, changed.member_id
        FROM (%s) changed (member_id) WHERE changed.member_id IS NOT NULL;
    END IF;
    RETURN NULL;
END $body$ $f$, found.tgname, found.args[1], found.args[1], asked);
        EXECUTE format('DROP TRIGGER %I ON %s', found.tgname, found.place);
        EXECUTE format('%s EXECUTE FUNCTION campaigns_noted_%s(%L, %L)', found.head, found.tgname, found.args[1], found.args[2]);
    END LOOP;
END $do$
"""
_BACK = f"""
DO $do$
DECLARE found record;
BEGIN
    FOR found IN {_PICK.format(which="~ '^campaigns_noted_'")} LOOP
        EXECUTE format('DROP TRIGGER %I ON %s', found.tgname, found.place);
        EXECUTE format('DROP FUNCTION campaigns_noted_%s()', found.tgname);
        EXECUTE format('%s EXECUTE FUNCTION campaigns_note_changed(%L, %L)', found.head, found.args[1], found.args[2]);
    END LOOP;
END $do$
"""


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0021_care_topic")]

    operations = [migrations.RunSQL(_FORWARD, _BACK)]
