"""Members with a device each; prints their access tokens as JSON."""

import json
import sys

import django


def main(count: int) -> None:
    django.setup()
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
    main(int(sys.argv[1]))
