"""The demo's gateway accounts, reply rules, key for text messages and staff logins."""

from typing import Any

from django.apps import apps
from django.conf import settings

from config.demo.texts import seed_texts

APP_ID = "wx7e1f0c5a2b9d4836"
SECRETS = {
    "app_secret": "demo-secret-0f5d2c7a9b31",
    "push_token": "XiaoerDemoToken",
    "aes_key": "k3F9sQ1vYt7LmZ0xWc5RbN8uHgJ2dPaE4iOoTqVyB6M",
}
ORIGINAL_ID = "gh_5a1e0c7d9f36"
SLUG = "main"
MINI_APP_ID = "wx5b2e9d4c7a1f0836"
MINI_SECRETS = {
    "app_secret": "demo-secret-7c41e9b20d58",
    "push_token": "XiaoerDemoMini",
    "aes_key": "ZGVtby1taW5pLXByb2dyYW0tYWVzLWtleS0wMDAwMDE",
}
MINI_ORIGINAL_ID = "gh_2c9b7e41d085"
MINI_SLUG = "mini"
# The provider of text messages, which the sandbox plays too.
SMS_APP_ID = "1400000001"
SMS_KEY_ID = "demo-sms"
SMS_KEY_SECRET = "demo-sms-secret-51d0"  # noqa: S105  (the demo is on loopback only)
SMS_CALLBACK_KEY = "demo-callback-8f3b61c02d"


def seed_accounts() -> None:
    """The official account in safe mode, with rules that show each kind of trigger, the mini-program, and what is said by
    text message. Written once."""
    seed_texts()
    account_model = apps.get_model("wechat", "Account")
    _seed_mini_program(account_model)
    account, is_new = account_model.objects.get_or_create(
        slug=SLUG,
        defaults={
            "name": settings.BRAND_NAME,
            "kind": "official",
            "app_id": APP_ID,
            "original_id": ORIGINAL_ID,
            "push_mode": "safe",
            **SECRETS,
        },
    )
    if not is_new:
        return
    apps.get_model("wechat", "PermanentCodeBudget").objects.get_or_create(account=account)
    _seed_replies(account)


def _seed_replies(account: Any) -> None:
    """A rule for each kind of trigger."""
    _rule(
        account,
        {"name": "关注欢迎语", "trigger": "follow"},
        {"text": "欢迎来到素衣。天然面料，从容剪裁。\n回复“门店”查看附近门店，回复“会员”了解会员权益。"},
    )
    _rule(
        account,
        {"name": "门店", "trigger": "keyword", "keyword": "门店", "keyword_match": "contains"},
        {
            "text": "素衣在上海、杭州、南京等地有 12 家门店，营业时间 10:00–22:00。"
            "到店前跟您的专属导购说一声，她会提前为您准备。"
        },
    )
    _rule(
        account,
        {"name": "会员权益", "trigger": "keyword", "keyword": "会员"},
        {
            "kind": "article",
            "title": "素衣会员权益一览",
            "description": "专属导购、生日礼、新品试穿，一次看明白。",
            "url": f"{settings.PUBLIC_BASE_URL}/a/",
            "picture_url": f"{settings.PUBLIC_BASE_URL}/static/demo/cover.png",
        },
        {
            "text": "在小程序里可以看到您的积分和券："
            f'<a data-miniprogram-appid="{MINI_APP_ID}" data-miniprogram-path="pages/me/index" '
            f'href="{settings.PUBLIC_BASE_URL}/">打开会员中心</a>'
        },
    )
    _rule(
        account,
        {
            "name": "退换货",
            "trigger": "keyword",
            "keyword": "(退|换).{0,6}(货|钱|款|码)",
            "keyword_match": "pattern",
        },
        {"text": "七天内未穿着、吊牌完整都可以退换，带上小票到任意一家门店就行。"},
    )
    _rule(
        account,
        {"name": "收到图片", "trigger": "message", "message_kind": "image"},
        {"text": "图片收到了，导购看过以后会给您搭配建议。"},
    )
    _rule(
        account,
        {"name": "默认回复", "trigger": "default", "pause_minutes": 60},
        {"text": "消息收到了。需要帮忙的话，您的专属导购会尽快联系您。"},
    )


def _rule(account: Any, rule: dict[str, Any], *parts: dict[str, Any]) -> None:
    made = apps.get_model("wechat", "ReplyRule").objects.create(account=account, **rule)
    part_model = apps.get_model("wechat", "ReplyPart")
    for position, part in enumerate(parts, start=1):
        part_model.objects.create(rule=made, position=position, **part)


def _seed_mini_program(account_model: Any) -> None:
    account_model.objects.get_or_create(
        slug=MINI_SLUG,
        defaults={
            "name": "素衣会员",
            "kind": "mini_program",
            "app_id": MINI_APP_ID,
            "original_id": MINI_ORIGINAL_ID,
            "push_mode": "safe",
            **MINI_SECRETS,
        },
    )


def seed_staff(admin_name: str, regional_name: str, password: str) -> None:
    """Head office, and one account that sees the first region only. Existing accounts keep their password."""
    staff_model = apps.get_model("core", "StaffAccount")
    admin, is_new = staff_model.objects.get_or_create(
        username=admin_name,
        defaults={"is_staff": True, "is_superuser": True, "first_name": "总部", "email": "admin@example.com"},
    )
    if is_new:
        admin.set_password(password)
        admin.save(update_fields=["password"])
        # One person plays the whole head office.
        apps.get_model("campaigns", "ReachPolicy").objects.update(mass_needs_second=False)
    _seed_regional(staff_model, regional_name, password)


def _seed_regional(staff_model: type, name: str, password: str) -> None:
    staff, is_new = staff_model._default_manager.get_or_create(  # type: ignore[attr-defined]
        username=name, defaults={"is_staff": True, "first_name": "华东区"}
    )
    if is_new:
        staff.set_password(password)
        staff.save(update_fields=["password"])
        region = (
            apps.get_model("guides", "Region").objects.filter(parent__isnull=False).order_by("pk").first()
        )
        apps.get_model("guides", "StaffScope").objects.create(staff=staff, region=region)
    # Each time: a demo of an earlier version has an account that knows less.
    permission = apps.get_model("auth", "Permission").objects
    campaigns = permission.filter(codename__in=["view_campaign", "add_campaign", "change_campaign"])
    seen = permission.filter(
        content_type__app_label__in=["members", "guides", "coupons"], codename__startswith="view_"
    )
    staff.user_permissions.add(*seen, *campaigns)
