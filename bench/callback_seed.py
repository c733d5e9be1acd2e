"""Migrates the bench's database and opens an account in plain and one in safe mode; prints them as JSON."""

import json

import django

from tests.wechat import push_kit


def main() -> None:
    django.setup()
    from django.apps import apps
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    accounts = {}
    for number, mode in enumerate(("plain", "safe"), start=1):
        account = apps.get_model("wechat", "Account").objects.create(
            slug=mode,
            name=mode,
            kind="official",
            app_id=f"wxbench{number:011d}",
            original_id=push_kit.ORIGINAL_ID,
            app_secret="bench-app-secret",
            push_token=push_kit.TOKEN,
            push_mode=mode,
            aes_key=push_kit.AES_KEY,
        )
        accounts[mode] = {"id": account.pk, "app_id": account.app_id}
    print(json.dumps(accounts))


if __name__ == "__main__":
    main()
