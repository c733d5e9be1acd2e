"""Whatever the code writes into the audit trail has Chinese words: each action, each name of a detail, each code.

What is recorded is found by reading the code: calls that are given an `action`, in Python or in SQL.
"""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.test import RequestFactory

from core.admin import audit_words
from core.admin.base import BaseAdmin
from core.admin.service_forms import ServiceForms
from core.models import AuditEntry, StaffAccount
from guides.models import RequestAct

ROOT = Path(settings.BASE_DIR)
APPS = (
    "core",
    "members",
    "wechat",
    "sms",
    "guides",
    "coupons",
    "sales",
    "campaigns",
    "assistant",
    "miniapp",
    "openapi",
)
# What an expression in the name of an action can be.
EXPRESSIONS = {
    "guides.request_{act.value}": [f"guides.request_{act.value}" for act in RequestAct],
    "guides.request_kind_{('created' if is_new else 'changed')}": [
        "guides.request_kind_created",
        "guides.request_kind_changed",
    ],
    "wechat.{model._meta.model_name}s.sync": ["wechat.messagetemplates.sync", "wechat.followertags.sync"],
    "{self.sort.name}_{verb}": [
        f"{name}_{verb}"
        for name in ("members.import", "sales.intake")
        for verb in ("uploaded", "mapped", "started", "paused", "resumed", "stopped", "forgotten")
    ],
    "{self.opts.app_label}.{self.opts.model_name}_exported": [
        "coupons.coupon_exported",
        "coupons.redemption_exported",
        "campaigns.reach_exported",
        "campaigns.campaign_exported",
    ],
}
# Built from the page's model; test_every_page_that_saves_a_form_has_words reads the pages instead.
BY_PAGE = {"{self.opts.app_label}.{self.opts.model_name}.{('change' if change else 'add')}"}
# A call with one of these says nothing to the audit trail.
_NOT_AUDIT = {"add_argument", "filter", "create", "Q"}
_OWN = {
    "action", "subject", "subjects", "actor", "at", "actor_kind", "actor_id", "actor_label", "subject_kind", "subject_id",
    "details",
}  # fmt: skip
# Details that hold what people typed, called or counted: names of tiers, paths of regions, codes they gave.
SPOKEN = {"from_tier", "to_tier", "from_path", "to_path", "code"}
# Here a reason is a sentence that somebody typed, and a tag is told by its name; elsewhere they are codes.
SPOKEN_IN = {
    ("campaigns", "tag"),
    ("coupons", "reason"),
    ("wechat", "reason"),
    ("sales", "filters"),
    ("sales", "reason"),
    ("sales", "month"),
    ("sales", "examples"),
}
_COUNTED = re.compile(
    r".*_(?:id|count|fen|bp)|(?:is|has|may)_.*|count|delta|(?:from_)?version|members|points|quota|more|risen|fallen|kept|graced|ended|"
    r"replaced|added|changed|deleted"
)


class Recorded:
    """One place that records: the action's expression, the names of its details."""

    def __init__(self, path: Path, module: ast.Module, call: ast.Call) -> None:
        self.where = f"{path.relative_to(ROOT)}:{call.lineno}"
        self.app = path.relative_to(ROOT).parts[0]
        self.module = module
        given = {word.arg: word.value for word in call.keywords}
        self.action = given["action"]
        self.details = {name for name in given if name is not None and name not in _OWN}
        if isinstance(given.get("details"), ast.Dict):
            self.details |= set(_keys(given["details"]))
        whole = given.get(None)
        if isinstance(whole, ast.Name):
            self.details |= _spread(module, call, whole.id)
        elif whole is not None:
            self.details |= set(_keys(whole))

    def actions(self) -> list[str]:
        """All codes the expression can be. A name stands for every code of the app that the module holds."""
        if isinstance(self.action, ast.Constant):
            return [str(self.action.value)]
        if isinstance(self.action, ast.IfExp):
            either = (self.action.body, self.action.orelse)
            return [str(node.value) for node in either if isinstance(node, ast.Constant)]
        if isinstance(self.action, ast.JoinedStr):
            text = ast.unparse(self.action)[2:-1]
            return [] if text in BY_PAGE else EXPRESSIONS[text]
        return sorted(_codes(self.module, self.app))


def _keys(node: ast.AST) -> Iterator[str]:
    for key in getattr(node, "keys", []):
        if isinstance(key, ast.Constant) and isinstance(key.value, str):
            yield key.value


def _codes(module: ast.Module, app: str) -> set[str]:
    """Codes of the app in a module, but for what is logged, sealed or called by Celery under such a name."""
    other = {
        id(found)
        for node in ast.walk(module)
        if (
            isinstance(node, ast.Call)
            and _called(node) in {"exception", "warning", "error", "info", "shared_task"}
        )
        or (isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "_CONTEXT")
        for found in ast.walk(node)
    }
    return {
        node.value
        for node in ast.walk(module)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and re.fullmatch(rf"{app}\.[a-z_]+[a-z]", node.value)
        and id(node) not in other
    }


def _called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _spread(module: ast.Module, call: ast.Call, name: str) -> set[str]:
    """What `**name` brings: the keys of the dictionary it is, or what callers of the function give."""
    around = [
        node
        for node in ast.walk(module)
        if isinstance(node, ast.FunctionDef) and any(found is call for found in ast.walk(node))
    ][-1]  # the innermost is walked last
    keys: set[str] = set()
    for node in ast.walk(around):
        if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Dict):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(getattr(target, "id", "") == name for target in targets):
                keys |= set(_keys(node.value))
    if around.args.kwarg is not None and around.args.kwarg.arg == name:
        own = {arg.arg for arg in (*around.args.args, *around.args.kwonlyargs)}
        for node in ast.walk(module):
            if isinstance(node, ast.Call) and _called(node) == around.name:
                keys |= {word.arg for word in node.keywords if word.arg} - own
                for word in node.keywords:
                    if word.arg is None and isinstance(word.value, ast.Name):
                        keys |= _spread(module, node, word.value.id)
    assert keys, f"nothing is known of **{name} in {around.name}"
    return keys


@cache
def recorded() -> list[Recorded]:
    found = []
    for app in APPS:
        for path in sorted((ROOT / app).rglob("*.py")):
            if "migrations" in path.parts or path.name == "audit.py":
                continue
            module = ast.parse(path.read_text())
            for node in ast.walk(module):
                if not isinstance(node, ast.Call) or _called(node) in _NOT_AUDIT:
                    continue
                if any(word.arg == "action" for word in node.keywords):
                    found.append(Recorded(path, module, node))
    return found


def in_sql() -> set[str]:
    """Names of details that statements write."""
    return {
        name
        for app in APPS
        for path in (ROOT / app).rglob("*.py")
        if "migrations" not in path.parts
        for name in re.findall(r"jsonb_build_object\('([a-z_]+)'", path.read_text())
    }


def is_chinese(words: object) -> bool:
    return re.search("[\u4e00-\u9fff]", str(words)) is not None


def test_the_reading_finds_what_there_is() -> None:
    actions = {code for place in recorded() for code in place.actions()}
    assert len(actions) > 90
    assert {
        "members.merged",
        "members.tier_retired",
        "guides.request_finished",
        "coupons.redeemed",
    } <= actions
    assert {"risen", "kept", "account_count", "to_member_id"} <= {
        name for place in recorded() for name in place.details
    }
    assert in_sql() >= {"source", "fields"}


def test_every_action_has_a_name() -> None:
    unnamed = {
        f"{place.where}: {code}"
        for place in recorded()
        for code in place.actions()
        if not is_chinese(audit_words.action_words(code))
    }
    assert not unnamed, "name them with core.admin.name_actions:\n" + "\n".join(sorted(unnamed))


def test_every_detail_has_a_name() -> None:
    named = audit_words._details
    unnamed = {
        f"{place.where}: {name}"
        for place in recorded()
        for name in place.details
        if not is_chinese(named.get(name))
    } | {name for name in in_sql() if not is_chinese(named.get(name))}
    assert not unnamed, "name them with core.admin.name_details:\n" + "\n".join(sorted(unnamed))


def test_every_code_under_a_detail_has_words() -> None:
    """A detail that is no number holds codes: named, or a choice of the field of that name in a table of the app."""
    unnamed = {
        f"{place.where}: {name}"
        for place in recorded()
        for name in place.details
        if name != "fields"
        and name not in SPOKEN
        and (place.app, name) not in SPOKEN_IN
        and not _COUNTED.fullmatch(name)
        and not _has_words(place, name)
    }
    assert not unnamed, "name them with core.admin.name_values:\n" + "\n".join(sorted(unnamed))


def _has_words(place: Recorded, name: str) -> bool:
    if place.app in apps.app_configs:
        for model in apps.get_app_config(place.app).get_models():
            if any(
                getattr(field, "flatchoices", None)
                for field in model._meta.get_fields()
                if field.name == name
            ):
                return True
    spoken = audit_words._values.get(name, [])
    return all(any(code.startswith(within) for within, _words in spoken) for code in place.actions())


def test_every_page_that_saves_a_form_has_words() -> None:
    request = RequestFactory().get("/")
    request.user = StaffAccount(is_superuser=True, is_active=True, is_staff=True)
    saving = {
        model._meta.label_lower
        for model, page in admin.site._registry.items()
        if isinstance(page, BaseAdmin)
        and not isinstance(page, ServiceForms)
        and page.has_change_permission(request)
    }
    assert {"members.privacysettings", "members.earningrule", "wechat.replyrule"} <= saving
    codes = {f"{label}.{verb}" for label in saving for verb in ("add", "change", "inline")}
    assert {code for code in codes if not is_chinese(audit_words.action_words(code))} == set()


@pytest.mark.parametrize(
    "label",
    [
        "coupons.CouponBatch", "coupons.CouponTemplate", "guides.RequestKind", "guides.Store", "members.ConsentKind",
        "members.TagGroup", "members.Tier", "members.TierSettings",
    ],
)  # fmt: skip
def test_columns_that_services_name_under_fields_have_words(label: str) -> None:
    columns = [field for field in apps.get_model(label)._meta.concrete_fields if not field.primary_key]
    assert [field.name for field in columns if field.editable and not is_chinese(field.verbose_name)] == []


@pytest.mark.parametrize(
    ("action", "subject", "details", "words"),
    [
        ("members.merged", "members.member", {"how": "phone", "filled": ["name", "following"]},
         "依据 手机号相同，改动 姓名、关注公众号"),
        ("members.profile_corrected", "members.member", {"fields": ["birthday", "address"]}, "改动 生日、地址"),
        ("members.profile_changed", "members.member", {"fields": ["name", "name_tokens", "name_given_through"]}, "改动 姓名"),
        ("members.address_changed", "members.member", {"fields": ["city", "street"]}, "改动 市、详细地址"),
        ("members.registered", "members.member", {"source": "mini_program"}, "来源 小程序"),
        ("members.identity_linked", "members.member", {"kind": "mini_openid"}, "类型 小程序 openid"),
        ("members.phone_verified", "members.member", {"how": "sms", "has_joined": True}, "依据 短信验证码，由此成为会员 是"),
        ("members.erased", "members.member", {"reason": "staff", "counts": ["points:8", "tags:1"]},
         "原因 后台按规定删除，条数 积分 8、标签 1"),
        ("members.phone_reveal_refused", "members.member", {"reason": "visit", "limit": "doer_day"},
         "原因 回访老会员，超过的限制 本人 24 小时次数"),
        ("members.data_request_done", "members.datarequest", {"kind": "export"}, "类型 查询复制资料"),
        ("members.consent_agreed", "members.consententry", {"kind": "marketing", "version": 2, "door": "pos"},
         "类型 营销信息，版本 2，渠道 门店收银"),
        ("guides.request_accepted", "guides.servicerequest", {"was": "open", "state": "accepted", "guide_id": None},
         "之前 待接单，状态 已接单"),
        ("guides.guide_hired", "guides.guide", {"role": "manager"}, "岗位 店长"),
        ("members.tier_settings_changed", "members.tiersettings", {"fields": ["period", "rules_changed_at"]}, "改动 统计周期"),
        ("members.privacysettings.change", "members.privacysettings", {"fields": ["phone_rest_days"]},
         "改动 手机号多久可能换主人（天）"),
    ],
)  # fmt: skip
def test_entries_read_as_chinese(action: str, subject: str, details: dict[str, Any], words: str) -> None:
    entry = AuditEntry(
        action=action,
        subject_kind=subject,
        subject_id=1,
        actor_kind="system",
        actor_label="a_job",
        details=details,
    )
    line = audit_words.describe(entry)
    assert (line.details, line.who, is_chinese(line.what)) == (words, "系统", True)


def test_a_name_that_nobody_gave_is_seen_to_be_missing() -> None:
    """The twin: an unnamed code stays as it is, which is what the tests above look for."""
    assert audit_words.action_words("members.no_such_thing_done") == "members.no_such_thing_done"
    entry = AuditEntry(
        action="members.merged", subject_kind="members.member", details={"how": "unheard_of", "x": 1}
    )
    assert audit_words.describe(entry).details == "依据 unheard_of，x 1"
