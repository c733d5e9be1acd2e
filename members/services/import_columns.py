"""What a column of a file may be read as, which one a heading means, and whether a mapping is complete."""

import dataclasses
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core.errors import InvalidInput
from core.imports.columns import by_word, guess_columns, usable_columns
from members.errors import ImportMappingUnusable, TagNameUnusable
from members.services.tags import usable_tag_name

# Target → what people call it, in the order in which the desk offers them.
TARGETS: Final = {
    "phone": _("手机号"),
    "card": _("会员卡号"),
    "name": _("姓名"),
    "gender": _("性别"),
    "birthday": _("生日"),
    "registered": _("注册时间"),
    "points": _("积分余额"),
    "tags": _("标签"),
    "address": _("地址（自动分出省市区）"),
    "province": _("省"),
    "city": _("市"),
    "district": _("区县"),
    "street": _("详细地址"),
    "unionid": _("unionid"),
    "openid": _("公众号 openid"),
    "mini_openid": _("小程序 openid"),
}
IDENTITIES: Final = ("phone", "card", "unionid", "openid", "mini_openid")
_MAY_REPEAT: Final = frozenset({"tags"})
_PLACES: Final = frozenset({"province", "city", "district", "street"})
# Headings as they are found in exports of tills, shops and mini-programs; compared without blanks and signs.
_SYNONYMS: Final = {
    "phone": "手机号 手机 手机号码 电话 联系电话 电话号码 会员手机 会员手机号 移动电话 绑定手机 "
    "联系方式 手机电话 "
    "phone mobile mobilephone phonenumber tel telephone cellphone",
    "card": "会员卡号 卡号 会员编号 会员号 会员卡 会员编码 会员卡编号 vip卡号 vip号 "
    "card cardno cardnumber membercard memberno membercode memberid vipno",
    "name": "姓名 会员姓名 名字 客户姓名 顾客姓名 会员名称 名称 真实姓名 客户名称 name fullname membername customername",
    "gender": "性别 会员性别 称呼 gender sex",
    "birthday": "生日 出生日期 出生年月日 会员生日 阳历生日 公历生日 birthday birthdate dateofbirth dob birth",
    "registered": "注册时间 注册日期 入会时间 入会日期 开卡时间 开卡日期 办卡日期 办卡时间 加入时间 "
    "创建时间 建档日期 建档时间 成为会员时间 "
    "registered registeredat registrationdate joindate joined createdat createtime",
    "points": "积分 积分余额 可用积分 剩余积分 当前积分 会员积分 账户积分 points pointsbalance balance score",
    "tags": "标签 会员标签 客户标签 tag tags label labels",
    "address": "地址 联系地址 收货地址 家庭地址 通讯地址 完整地址 address fulladdress",
    "province": "省 省份 所在省 所在省份 province state",
    "city": "市 城市 所在市 所在城市 地级市 city",
    "district": "区 区县 县 县区 所在区 所在区县 市区 district county area",
    "street": "详细地址 街道地址 街道 门牌 street streetaddress addressline",
    "unionid": "unionid 微信unionid wxunionid",
    "openid": "openid 公众号openid 微信openid wxopenid 服务号openid",
    "mini_openid": "小程序openid miniopenid maopenid",
}
_APP_ID: Final = re.compile(r"wx[0-9a-zA-Z]{8,38}")


@dataclasses.dataclass(frozen=True, slots=True)
class ColumnPlan:
    """A usable mapping: the columns of each target, and what a person chose beside them."""

    columns: Mapping[str, tuple[int, ...]]
    newer_wins: bool
    tag_group: str
    app_id: str
    mini_app_id: str

    def first(self, target: str) -> int | None:
        """The one column of a target that may not repeat."""
        return next(iter(self.columns.get(target, ())), None)


def suggest_mapping(headings: Sequence[str]) -> dict[str, Any]:
    """What the headings of a file most likely mean, and options to begin with."""
    columns = guess_columns(headings, words=_BY_WORD, targets=TARGETS, may_repeat=_MAY_REPEAT)
    _read_beside_places(columns)
    return {"columns": columns, "newer_wins": False, "tag_group": "", "app_id": "", "mini_app_id": ""}


def _read_beside_places(columns: dict[str, str]) -> None:
    """地址 beside columns of 省, 市 and 区 is the street; with a street of its own it says all of it once more."""
    if not _PLACES & set(columns.values()):
        return
    for place, target in list(columns.items()):
        if target == "address" and "street" in columns.values():
            del columns[place]
        elif target == "address":
            columns[place] = "street"


def usable_mapping(*, mapping: Mapping[str, Any], width: int) -> ColumnPlan:
    """The mapping in its checked form, for a file of `width` columns.

    Refuses a column or target that does not exist, a target twice, no identity at all (a row of nothing else
    could not be told from another), a whole address beside its parts, and options that a column needs.
    """
    columns = usable_columns(
        mapping, width=width, targets=TARGETS, refusal=ImportMappingUnusable, may_repeat=_MAY_REPEAT
    )
    if not any(target in columns for target in IDENTITIES):
        raise ImportMappingUnusable(
            _now("至少要有手机号、会员卡号、unionid 或 openid 中的一列，才能认出是谁"), field="columns"
        )
    if "address" in columns and _PLACES & columns.keys():
        raise ImportMappingUnusable(_now("地址一列和省、市、区县、详细地址请只选一种"), field="columns")
    return ColumnPlan(
        columns=columns,
        newer_wins=bool(mapping.get("newer_wins")),
        tag_group=_group_of(mapping, columns),
        app_id=_app_of(mapping, columns, "openid", "app_id"),
        mini_app_id=_app_of(mapping, columns, "mini_openid", "mini_app_id"),
    )


def _group_of(mapping: Mapping[str, Any], columns: Mapping[str, Sequence[int]]) -> str:
    if "tags" not in columns:
        return ""
    try:
        return usable_tag_name(str(mapping.get("tag_group") or ""))
    except TagNameUnusable:
        raise ImportMappingUnusable(_now("请填写标签放进哪个标签组"), field="tag_group") from None


def usable_app_id(mapping: Mapping[str, Any], *, option: str, refusal: type[InvalidInput]) -> str:
    """The account whose openids stand in the file. Raises the refusal when it is none."""
    app_id = str(mapping.get(option) or "").strip()
    if not _APP_ID.fullmatch(app_id):
        raise refusal(_now("请填写这些 openid 属于哪个账号，AppID 以 wx 开头"), field=option)
    return app_id


def _app_of(
    mapping: Mapping[str, Any], columns: Mapping[str, Sequence[int]], target: str, option: str
) -> str:
    if target not in columns:
        return ""
    return usable_app_id(mapping, option=option, refusal=ImportMappingUnusable)


_BY_WORD: Final = by_word(_SYNONYMS)
