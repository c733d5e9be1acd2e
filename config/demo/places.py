"""The demo chain's places. Addresses look real; house and phone numbers are invented."""

import dataclasses

ROOT = "全国"
REGIONS = ("华东大区", "华北大区", "华南大区")
DEALERS = {"D01": ("苏杭衣品商贸有限公司", "沈国平"), "D02": ("鹭岛风尚服饰有限公司", "林志远")}


@dataclasses.dataclass(frozen=True, slots=True)
class Place:
    """One store; position in WGS-84 degrees."""

    code: str
    name: str
    region: str
    dealer: str | None
    address: str
    latitude: float
    longitude: float
    phone: str
    weekdays: str = "10:00-22:00"
    weekend: str = "10:00-22:30"

    @property
    def opening_hours(self) -> list[str]:
        return [self.weekdays] * 5 + [self.weekend] * 2


_EAST, _NORTH, _SOUTH = REGIONS
PLACES = (
    Place(
        "S01",
        "南京东路店",
        _EAST,
        None,
        "上海市黄浦区南京东路 318 号 2 层",
        31.236510,
        121.481720,
        "021-6322 0118",
    ),
    Place(
        "S02",
        "徐家汇店",
        _EAST,
        None,
        "上海市徐汇区虹桥路 26 号 3 层",
        31.194380,
        121.433910,
        "021-6407 0126",
    ),
    Place(
        "S03",
        "杭州湖滨店",
        _EAST,
        "D01",
        "杭州市上城区东坡路 57 号 1 层",
        30.255820,
        120.160470,
        "0571-8706 0157",
    ),
    Place(
        "S04",
        "苏州观前街店",
        _EAST,
        "D01",
        "苏州市姑苏区观前街 83 号",
        31.312250,
        120.621830,
        "0512-6727 0183",
    ),
    Place(
        "S05",
        "南京新街口店",
        _EAST,
        None,
        "南京市秦淮区中山南路 19 号 4 层",
        32.041740,
        118.780260,
        "025-8472 0119",
    ),
    Place(
        "S06",
        "王府井店",
        _NORTH,
        None,
        "北京市东城区王府井大街 142 号 3 层",
        39.911930,
        116.405420,
        "010-6528 0142",
    ),
    Place(
        "S07",
        "三里屯店",
        _NORTH,
        None,
        "北京市朝阳区三里屯路 21 号 1 层",
        39.933960,
        116.448650,
        "010-6417 0121",
    ),
    Place(
        "S08",
        "天津滨江道店",
        _NORTH,
        None,
        "天津市和平区滨江道 205 号",
        39.119870,
        117.190530,
        "022-2711 0205",
    ),
    Place(
        "S09",
        "济南泉城路店",
        _NORTH,
        "D02",
        "济南市历下区泉城路 176 号 2 层",
        36.665190,
        117.018640,
        "0531-8602 0176",
    ),
    Place(
        "S10",
        "广州天河路店",
        _SOUTH,
        None,
        "广州市天河区天河路 233 号 4 层",
        23.133570,
        113.322190,
        "020-3833 0233",
    ),
    Place(
        "S11",
        "深圳华强北店",
        _SOUTH,
        None,
        "深圳市福田区华强北路 68 号 2 层",
        22.545860,
        114.082740,
        "0755-8320 0168",
    ),
    Place(
        "S12",
        "厦门中山路店",
        _SOUTH,
        "D02",
        "厦门市思明区中山路 112 号",
        24.455310,
        118.076980,
        "0592-2029 0112",
    ),
)
