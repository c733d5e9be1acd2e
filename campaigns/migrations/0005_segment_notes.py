"""Whoever's rows change is noted for living segments, in the transaction of the change, whatever code made it.

The function asks once a statement whether any living segment rests on the fact; where none does it costs a look into
a table of at most nine rows.
"""

from django.db import migrations

_FUNCTION = """
CREATE FUNCTION campaigns_note_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM campaigns_segmentwatch WHERE fact = TG_ARGV[0]) THEN
        EXECUTE 'INSERT INTO campaigns_segmenttouch (fact, member_id) SELECT DISTINCT $1, changed.member_id FROM ('
            || TG_ARGV[1] || ') changed (member_id) WHERE changed.member_id IS NOT NULL' USING TG_ARGV[0];
    END IF;
    RETURN NULL;
END $$
"""
_NEW, _OLD = "SELECT {key} FROM new_rows", "SELECT {key} FROM old_rows"
_BOTH = _OLD + " UNION ALL " + _NEW
_DIFFERENT = (
    "SELECT n.{key} FROM new_rows n JOIN old_rows o ON o.id = n.id WHERE ({new}) IS DISTINCT FROM ({old})"
)
_BOUND = (
    "SELECT b.member_id FROM new_rows n JOIN old_rows o ON o.id = n.id {way}"
    " JOIN guides_binding b ON b.guide_id = g.id AND b.ended_at IS NULL"
    " WHERE ({new}) IS DISTINCT FROM ({old})"
)
_PROFILE = ("gender", "birthday", "stage", "source", "is_following", "registered_at", "merged_into_id")


def _columns(alias: str, names: tuple[str, ...]) -> str:
    return ", ".join(f"{alias}.{name}" for name in names)


def _different(key: str, names: tuple[str, ...]) -> str:
    return _DIFFERENT.format(key=key, new=_columns("n", names), old=_columns("o", names))


def _bound(way: str, names: tuple[str, ...]) -> str:
    return _BOUND.format(way=way, new=_columns("n", names), old=_columns("o", names))


_TRANSITIONS = {
    "INSERT": "NEW TABLE AS new_rows",
    "UPDATE": "OLD TABLE AS old_rows NEW TABLE AS new_rows",
    "DELETE": "OLD TABLE AS old_rows",
}


def _plain(table: str, fact: str, key: str = "member_id") -> list[tuple[str, str, str, str]]:
    """All three kinds of statement, with the key of who had the row and of who has it."""
    return [
        (table, "INSERT", fact, _NEW.format(key=key)),
        (table, "UPDATE", fact, _BOTH.format(key=key)),
        (table, "DELETE", fact, _OLD.format(key=key)),
    ]


_LOT = "SELECT a.member_id FROM {rows} r JOIN members_pointsaccount a ON a.id = r.account_id"
_TRIGGERS = [
    ("members_member", "INSERT", "profile", _NEW.format(key="id")),
    ("members_member", "UPDATE", "profile", _different("id", _PROFILE)),
    *_plain("members_memberaddress", "address"),
    *_plain("members_membertag", "tags"),
    *_plain("members_membertier", "tier"),
    *_plain("members_pointsaccount", "points"),
    ("members_pointslot", "INSERT", "points", _LOT.format(rows="new_rows")),
    (
        "members_pointslot",
        "UPDATE",
        "points",
        _LOT.format(rows="(SELECT account_id FROM old_rows UNION ALL SELECT account_id FROM new_rows)"),
    ),
    *_plain("guides_binding", "binding"),
    ("guides_guide", "UPDATE", "binding", _bound("JOIN guides_guide g ON g.id = n.id", ("store_id", "number"))),
    (
        "guides_store",
        "UPDATE",
        "binding",
        _bound("JOIN guides_guide g ON g.store_id = n.id", ("region_id", "dealer_id", "code")),
    ),
    (
        "guides_region",
        "UPDATE",
        "binding",
        _bound("JOIN guides_store s ON s.region_id = n.id JOIN guides_guide g ON g.store_id = s.id", ("path", "id")),
    ),
    *_plain("sales_membermetrics", "metrics"),
    *_plain("sales_sale", "purchases"),
    *_plain("coupons_coupon", "coupons"),
    *_plain("campaigns_reach", "reaches"),
    *_plain("campaigns_inboxmessage", "reaches"),
]


def _create(table: str, event: str, fact: str, query: str) -> str:
    return (
        f"CREATE TRIGGER {table}_note_{event.lower()} AFTER {event} ON {table} REFERENCING {_TRANSITIONS[event]}"
        f" FOR EACH STATEMENT EXECUTE FUNCTION campaigns_note_changed('{fact}', '{query}')"
    )


class Migration(migrations.Migration):
    dependencies = [
        ("campaigns", "0004_segments"),
        ("members", "0013_source_sync"),
        ("guides", "0009_follow_up_rounds"),
        ("sales", "0020_share_close"),
        ("coupons", "0013_claims_by_index"),
    ]

    operations = [
        migrations.RunSQL(_FUNCTION, "DROP FUNCTION campaigns_note_changed() CASCADE"),
        *(
            migrations.RunSQL(_create(*trigger), f"DROP TRIGGER {trigger[0]}_note_{trigger[1].lower()} ON {trigger[0]}")
            for trigger in _TRIGGERS
        ),
    ]
