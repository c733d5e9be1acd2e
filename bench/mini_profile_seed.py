"""Members with a device each, beside as many others with devices and tokens as asked; prints access tokens as JSON."""

import json
import sys
from typing import Final

import django

from bench.private import FILLER

# Everybody is logged in once: an access and a refresh token each.
_LOGGED_IN: Final = (
    """
    INSERT INTO miniapp_device (public_id, member_id, app_id, openid, install_key, name, session_key, opened_at,
                                last_used_at, revoke_reason)
    SELECT 'd' || id, id, 'wxbenchmini00001', 'f' || id, '', '', '', now(), now(), '' FROM members_member
    """,
    """
    INSERT INTO miniapp_bearertoken (device_id, kind, digest, issued_at, expires_at)
    SELECT id, kind, encode(sha256((kind || id)::bytea), 'hex'), now(), now() + interval '1 day'
    FROM miniapp_device, (VALUES ('access'), ('refresh')) kinds (kind)
    """,
)


def main(count: int, others: int) -> None:
    django.setup()
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute(FILLER, {"count": others, "stage": "member"})
        for statement in _LOGGED_IN:
            cursor.execute(statement)
        cursor.execute("ANALYZE")
    from core import clock
    from core.actor import Actor
    from members import services as member_services
    from miniapp.models import Device
    from miniapp.services.tokens import issue_tokens

    at, actor, app_id = clock.now(), Actor.system("bench"), "wxbenchmini00001"
    tokens = []
    for number in range(count):
        member = member_services.register_member(
            name=f"会员{number}", phone=f"1380000{number:04d}", source="mini_program", actor=actor
        )
        device = Device.objects.create(
            member_id=member.id, app_id=app_id, openid=f"o{number}", opened_at=at, last_used_at=at
        )
        tokens.append(issue_tokens(device=device, at=at).access_token)
    print(json.dumps({"tokens": tokens}))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
