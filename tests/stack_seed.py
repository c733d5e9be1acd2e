"""Migrates a stack's database and lays down a small chain; prints what tests need to know as JSON."""

import json


def seed() -> None:
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    from core.actor import Actor
    from guides import selectors as guide_selectors
    from guides import services as guide_services
    from tests.stack import SLUG
    from tests.wechat import push_kit
    from wechat.models import Account, PermanentCodeBudget

    account = Account.objects.create(
        slug=SLUG,
        name="素衣",
        kind="official",
        app_id=push_kit.APP_ID,
        original_id=push_kit.ORIGINAL_ID,
        app_secret="planted-app-secret",
        push_token=push_kit.TOKEN,
        push_mode="safe",
        aes_key=push_kit.AES_KEY,
    )
    PermanentCodeBudget.objects.get_or_create(account=account)
    actor = Actor.system("stack")
    region = guide_services.open_region(name="华东", actor=actor)
    store = guide_services.open_store(code="S1", name="南京东路店", region_id=region.id, actor=actor)
    guides = [
        guide_services.hire_guide(number=f"G{n}", name=name, store_id=store.id, actor=actor)
        for n, name in enumerate(("李娜", "王芳", "陈静"), start=1)
    ]
    codes = [guide_selectors.get_guide_code(guide.id).code for guide in guides]
    print(
        json.dumps(
            {"account_id": account.pk, "guides": [g.id for g in guides], "codes": codes, "store": store.id}
        )
    )
