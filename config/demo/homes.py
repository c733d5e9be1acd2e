"""Where the demo's members live: most in the city of the store that they belong to, some nearby, many have not said."""

import datetime as dt
import random
from typing import Final

from django.apps import apps

from core.actor import Actor

_DICE_SEED: Final = 83
_TOLD_SHARE: Final = 0.42
_NEARBY_SHARE: Final = 0.12
# By store: her province, her city with some of its districts, and where people come from to shop there.
_HOMES: Final[dict[str, tuple[str, str, tuple[str, ...], tuple[str, str]]]] = {
    "S01": ("上海市", "上海市", ("黄浦区", "静安区", "虹口区"), ("江苏省", "昆山市")),
    "S02": ("上海市", "上海市", ("徐汇区", "长宁区", "闵行区"), ("浙江省", "嘉兴市")),
    "S03": ("浙江省", "杭州市", ("上城区", "西湖区", "拱墅区"), ("浙江省", "绍兴市")),
    "S04": ("江苏省", "苏州市", ("姑苏区", "吴中区", "虎丘区"), ("江苏省", "无锡市")),
    "S05": ("江苏省", "南京市", ("玄武区", "鼓楼区", "秦淮区"), ("安徽省", "马鞍山市")),
    "S06": ("北京市", "北京市", ("东城区", "西城区"), ("河北省", "廊坊市")),
    "S07": ("北京市", "北京市", ("朝阳区", "海淀区"), ("河北省", "廊坊市")),
    "S08": ("天津市", "天津市", ("和平区", "河西区"), ("河北省", "唐山市")),
    "S09": ("山东省", "济南市", ("历下区", "市中区"), ("山东省", "泰安市")),
    "S10": ("广东省", "广州市", ("天河区", "越秀区", "海珠区"), ("广东省", "佛山市")),
    "S11": ("广东省", "深圳市", ("福田区", "南山区", "罗湖区"), ("广东省", "东莞市")),
    "S12": ("福建省", "厦门市", ("思明区", "湖里区"), ("福建省", "泉州市")),
}


def seed_homes(*, at: dt.datetime, actor: Actor) -> int:
    """Members of guides have told their place. Seeds once; how many this call wrote."""
    homes = apps.get_model("members", "MemberAddress")
    if homes.objects.exists():
        return 0
    dice = random.Random(_DICE_SEED)  # noqa: S311  (invents places, keeps no secret)
    live = apps.get_model("guides", "Binding").objects.filter(ended_at=None, member__stage="member")
    told = live.order_by("member_id").values_list(
        "member_id", "guide__store__code", "member__source", "member__registered_at"
    )
    rows = []
    for member_id, store, source, moment in told:
        if dice.random() > _TOLD_SHARE:
            continue
        province, city, districts, nearby = _HOMES[store]
        district = dice.choice(districts)
        if dice.random() < _NEARBY_SHARE:
            province, city, district = *nearby, ""
        rows.append(
            homes(
                member_id=member_id, province=province, city=city, district=district, changed_at=moment,
                given_through="import" if source == "import" else "pos" if source == "pos" else "mini_program",
            )
        )  # fmt: skip
    return len(homes.objects.bulk_create(rows))
