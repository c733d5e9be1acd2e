"""What happens to members is noted for journeys, in the transaction of the change, whatever code made it.

The function asks once a statement whether any journey listens to the family; where none does it costs a look into a small
table by its index. Moments that nobody listens to are not written. What is old news is no moment: a file of last year's orders
brings none.
"""

from django.db import migrations

_FUNCTION = """
CREATE FUNCTION campaigns_note_moment() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM campaigns_journeywatch WHERE family = TG_ARGV[0]) THEN
        EXECUTE 'INSERT INTO campaigns_journeymoment (event, member_id, key, at) '
            'SELECT found.event, found.member_id, found.key, clock_timestamp() FROM (' || TG_ARGV[1]
            || ') found (event, member_id, key) JOIN campaigns_journeywatch watch ON watch.event = found.event '
            'WHERE found.member_id IS NOT NULL ORDER BY found.member_id';
    END IF;
    RETURN NULL;
END $$
"""
_INSERT = "NEW TABLE AS new_rows"
_UPDATE = "OLD TABLE AS old_rows NEW TABLE AS new_rows"
_PAIRS = "new_rows n JOIN old_rows o ON o.id = n.id"
_DAY = "to_char(clock_timestamp(), ''YYYYMMDDHH24MISSUS'')"
# Table, statement, family, query.
_TRIGGERS = (
    (
        "members_member", "UPDATE", "followed",
        "SELECT CASE WHEN n.is_following THEN ''followed'' ELSE ''unfollowed'' END, n.id, ''follow:'' || " + _DAY
        + f" FROM {_PAIRS} WHERE n.is_following <> o.is_following AND n.merged_into_id IS NULL AND n.stage <> ''erased''",
    ),
    (
        "members_member", "INSERT", "followed",
        "SELECT ''followed'', n.id, ''follow:'' || " + _DAY + " FROM new_rows n WHERE n.is_following",
    ),
    (
        "members_member", "UPDATE", "joined",
        f"SELECT ''joined'', n.id, ''joined'' FROM {_PAIRS} WHERE n.stage = ''member'' AND o.stage <> ''member''",
    ),
    (
        "members_member", "INSERT", "joined",
        "SELECT ''joined'', n.id, ''joined'' FROM new_rows n WHERE n.stage = ''member'' AND n.source <> ''import''",
    ),
    (
        "members_member", "UPDATE", "profile",
        f"SELECT ''profile_completed'', n.id, ''profile'' FROM {_PAIRS}"
        " WHERE n.profile_completed_at IS NOT NULL AND o.profile_completed_at IS NULL",
    ),
    (
        "members_member", "INSERT", "profile",
        "SELECT ''profile_completed'', n.id, ''profile'' FROM new_rows n"
        " WHERE n.profile_completed_at IS NOT NULL AND n.source <> ''import''",
    ),
    (
        "members_membertier", "UPDATE", "tier_risk",
        f"SELECT ''tier_at_risk'', n.member_id, ''risk:'' || n.warned_for FROM {_PAIRS}"
        " WHERE n.warned_for IS NOT NULL AND n.warned_for IS DISTINCT FROM o.warned_for",
    ),
    (
        "members_tierchange", "INSERT", "tiers",
        "SELECT CASE WHEN n.is_upgrade THEN ''tier_up'' ELSE ''tier_down'' END, n.member_id, ''tier:'' || n.id FROM new_rows n"
        " WHERE n.cause NOT IN (''merged'', ''unmerged'')",
    ),
    (
        "sales_sale", "INSERT", "sales",
        "SELECT ''bought'', n.member_id, ''sale:'' || n.id FROM new_rows n"
        " WHERE n.is_current AND n.revision = 0 AND n.sold_at > now() - interval ''7 days''",
    ),
    (
        "sales_salereturn", "INSERT", "returns",
        "SELECT ''returned'', n.member_id, ''return:'' || n.id FROM new_rows n"
        " WHERE n.returned_at > now() - interval ''7 days''",
    ),
    (
        "coupons_coupon", "INSERT", "coupons",
        "SELECT ''coupon_received'', n.member_id, ''coupon:'' || n.id FROM new_rows n",
    ),
    (
        "coupons_redemption", "INSERT", "redemptions",
        "SELECT ''coupon_redeemed'', c.member_id, ''redemption:'' || n.id FROM new_rows n"
        " JOIN coupons_coupon c ON c.id = n.coupon_id",
    ),
    (
        "guides_binding", "INSERT", "bindings",
        "SELECT ''bound'', n.member_id, ''binding:'' || n.id FROM new_rows n WHERE n.ended_at IS NULL",
    ),
    (
        "members_behaviour", "INSERT", "behaviours",
        "SELECT ''did_'' || n.kind, n.member_id, ''did:'' || n.id FROM new_rows n"
        " WHERE n.happened_at > now() - interval ''1 day''",
    ),
    (
        "campaigns_segmentmove", "INSERT", "segments",
        "SELECT CASE WHEN n.is_entry THEN ''in:'' ELSE ''out:'' END || s.public_id, n.member_id, ''move:'' || n.id FROM new_rows n"
        " JOIN campaigns_segment s ON s.id = n.segment_id",
    ),
)  # fmt: skip


def _name(table: str, family: str, event: str) -> str:
    return f"{table}_moment_{family}_{event.lower()}"


def _create(table: str, event: str, family: str, query: str) -> str:
    rows = _INSERT if event == "INSERT" else _UPDATE
    return (
        f"CREATE TRIGGER {_name(table, family, event)} AFTER {event} ON {table} REFERENCING {rows}"
        f" FOR EACH STATEMENT EXECUTE FUNCTION campaigns_note_moment('{family}', '{query}')"
    )


class Migration(migrations.Migration):
    dependencies = [
        ("campaigns", "0019_journeys"),
        ("members", "0016_behaviours"),
        ("guides", "0009_follow_up_rounds"),
        ("sales", "0020_share_close"),
        ("coupons", "0013_claims_by_index"),
    ]

    operations = [
        migrations.RunSQL(_FUNCTION, "DROP FUNCTION campaigns_note_moment() CASCADE"),
        *(
            migrations.RunSQL(
                _create(*trigger), f"DROP TRIGGER {_name(trigger[0], trigger[2], trigger[1])} ON {trigger[0]}"
            )
            for trigger in _TRIGGERS
        ),
    ]
