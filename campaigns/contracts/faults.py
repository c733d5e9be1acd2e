"""What can be wrong with the JSON that marketers and partners write: rules and acts."""

import dataclasses
from collections.abc import Mapping
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

MOST_FAULTS: Final = 50

FAULTS: Final[Mapping[str, str | Promise]] = {
    "not_json": _("不是可以读的 JSON"),
    "not_an_object": _("这里应该是一个对象"),
    "not_a_node": _("这里应该是 all、any、none 中的一个，或者一个条件（is）"),
    "not_a_list": _("这里应该是一个列表"),
    "unknown_field": _("没有这个字段"),
    "missing_field": _("还没有填写"),
    "several_ways": _("时间只能选一种写法"),
    "empty_group": _("这一组里还没有条件"),
    "empty_list": _("至少选一个"),
    "too_deep": _("条件组最多套 %(most)s 层"),
    "too_large": _("一个人群最多 %(most)s 个条件"),
    "too_many": _("最多选 %(most)s 个"),
    "unknown_condition": _("没有这种条件"),
    "not_a_number": _("这里应该是整数，数字不要加引号"),
    "out_of_range": _("应在 %(least)s 到 %(most)s 之间"),
    "upside_down": _("开始不能大于结束"),
    "unknown_choice": _("没有这个选项"),
    "unknown_row": _("找不到“%(key)s”"),
    "not_a_day": _("日期要写成 2026-11-28 这样"),
    "not_a_text": _("这里应该是 1 到 64 个字的文字"),
    "segment_cycle": _("人群不能绕一圈用到自己"),
    "tag_cycle": _("这里的标签跟随着这个人群，不能拿它当条件"),
    "unknown_act": _("没有这种动作"),
    "unknown_placeholder": _("没有“{%(name)s}”这个变量"),
    "line_unusable": _("这里应该是 1 到 %(most)s 个字，不能换行"),
    "words_unusable": _("这里应该是 1 到 %(most)s 个字"),
    "not_a_time": _("时间要写成 09:30 这样"),
    "not_a_moment": _("这里应该是一个日期和时间"),
    "in_the_past": _("这个时间已经过去了"),
    "no_moment": _("这段时间里没有一个可以发送的时刻，请检查日期、每天的发送时间和重复的日子"),
    "too_long": _("最长 %(most)s 天"),
    "outside_hours": _("应在每天的发送时间 %(earliest)s 到 %(latest)s 之内"),
    "no_members_days": _("总部还没有在“活动规则”里设会员日"),
    "twice_in_a_variant": _("同一个版本里“%(act)s”只能有一个"),
    "no_act_of_kind": _("活动类型是“%(kind)s”，至少一个版本里要有“%(act)s”"),
    "only_marketing": _("活动的消息都是营销消息，不能选别的事项"),
    "nobody": _("这个范围里，人群现在一个会员也没有，请先改人群条件、名单或活动范围"),
    "same_segment": _("排除的人群不能和发给的人群是同一个"),
    "not_for_parts": _("总部没有让区域和门店自己用“%(name)s”"),
    "no_own_campaigns": _("总部没有让区域或门店自己办活动"),
    "over_budget_limit": _("总部规定每个活动的预算不超过 %(most)s 元"),
    "needs_budget": _("有发券或短信的区域、门店活动要填预算"),
    "one_place": _("区域和门店只能选一个"),
    "unknown_trigger": _("没有这种开始方式"),
    "unknown_step_kind": _("没有这种步骤"),
    "unknown_step": _("没有叫“%(name)s”的步骤"),
    "step_name_unusable": _("步骤名用 1 到 20 个小写字母、数字或下划线，以字母开头"),
    "no_steps": _("还没有步骤"),
    "too_many_steps": _("最多 %(most)s 个步骤"),
    "unreachable_step": _("从开始走不到这个步骤"),
    "no_way": _("这种步骤没有另一条路"),
    "loop_without_wait": _("一圈里至少要有一个等待，否则会一直转下去"),
    "unknown_moment": _("没有这种事件"),
    "wait_too_long": _("最多等 %(most)s 天"),
    "time_without_days": _("按天等才能定到那天几点"),
    "unknown_ending": _("这里应该是一个事件（on）或者一个条件（rule）"),
    "several_endings": _("事件和条件只能写一个"),
    "re_entry_days": _("请写隔几天，1 到 3650"),
    "page_unusable": _("页面填小程序里的路径，如 pages/coupons"),
}


@dataclasses.dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a rule or an act, and where: a JSON pointer ("/all/0/with/tags/1")."""

    path: str
    code: str
    details: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def words(self) -> str:
        return str(FAULTS[self.code]) % self.details


def pointer_part(name: object) -> str:
    """A name as RFC 6901 wants it, and no longer than anybody reads."""
    return str(name)[:40].replace("~", "~0").replace("/", "~1")
