"""Which province, city and district an address names.

The administrative divisions are those of the npm package @vant/area-data (kept by Vant's makers, by the codes of
GB/T 2260). The matcher reads from the left: province, city, district, in full or as people shorten them. It names
nothing that it would have to guess: 朝阳北路 is a street, not 朝阳区; a district of which there are several in the
country is only taken when its city is known. What is not recognised stays in the street.
"""

import dataclasses
import functools
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from django.conf import settings

_ENTRY: Final = re.compile(r'\b([0-9]{6}):\s*"([^"]+)"')
_PROVINCE_ENDS: Final = re.compile(r"(?:省|市|(?:壮族|回族|维吾尔)?自治区|特别行政区)$")
_CITY_ENDS: Final = re.compile(r"(?:市|地区|盟)$")
# 大理白族自治州 is called 大理, 黔东南苗族侗族自治州 黔东南.
_PEOPLES: Final = re.compile(
    r"(?:(?:布依|朝鲜|傣|侗|哈尼|回|景颇|傈僳|蒙古|苗|羌|土家|彝|藏|壮|白|哈萨克|柯尔克孜)族?)+自治州$"
)
# A short name before one of these is the name of a street: 南京东路, 上海路.
_STREET: Final = re.compile(r"[东南西北中]?[一二三四]?(?:大?路|大?街|大道|巷|弄|里|村|小区|花园|大厦|广场)")
_FILLERS: Final = " \t\r\n\u3000,，、/-"
# What official lists put where a place has no city of its own.
_NO_CITY: Final = re.compile(r"^(?:市辖区|(?:省|自治区)?直辖县(?:级行政区划)?|县(?=.{2,}[县市区]))")
_NO_CITY_STARTS: Final = ("市辖区", "省", "自治区", "直辖县", "县")  # spares most addresses the search
_DIRECT: Final = "直辖县"
STREET_LENGTH: Final = 120


@dataclasses.dataclass(frozen=True, slots=True)
class Place:
    """What was recognised, by the full names; empty where nothing was. `street` is the rest."""

    province: str = ""
    city: str = ""
    district: str = ""
    street: str = ""


# First two characters → the names that begin so, the longest first, with their codes.
_Index = Mapping[str, Sequence[tuple[str, str]]]


@dataclasses.dataclass(frozen=True, slots=True)
class _Atlas:
    provinces: "_Index"  # by every name in use
    cities: Mapping[str, "_Index"]  # of a province, by every name in use
    districts: Mapping[str, "_Index"]  # of a city, by their full names
    cities_anywhere: "_Index"  # by their full names, where there is one of the name only
    districts_anywhere: "_Index"
    own_cities: Mapping[str, str]  # of 北京市 and the like: the one city, by the same name
    names: Mapping[str, str]


def find_place(text: str) -> Place:
    """The place at the beginning of an address, and the rest of it."""
    atlas = _atlas()
    rest = _trim(text)
    province, rest = _take(rest, atlas.provinces, atlas)
    city, rest = _take_city(rest, province, atlas)
    district, rest = _take_district(rest, province, city, atlas)
    if district and not city:
        city = district[:4] + "00"
    if city and not province:
        province = city[:2] + "0000"
    return Place(
        province=atlas.names.get(province, ""),
        city="" if _DIRECT in atlas.names.get(city, "") else atlas.names.get(city, ""),
        district=atlas.names.get(district, ""),
        street=_trim(rest),
    )


def _take_city(text: str, province: str, atlas: _Atlas) -> tuple[str, str]:
    if not province:
        return _take(text, atlas.cities_anywhere, atlas)
    code, rest = _take(_without_no_city(text), atlas.cities.get(province, {}), atlas)
    own = atlas.own_cities.get(province)
    return (own, _without_no_city(rest)) if not code and own else (code, rest)


def _take_district(text: str, province: str, city: str, atlas: _Atlas) -> tuple[str, str]:
    if city:
        return _take(_without_no_city(text), atlas.districts.get(city[:4], {}), atlas)
    code, rest = _take(text, atlas.districts_anywhere, atlas)
    return (code, rest) if not province or code[:2] == province[:2] else ("", text)


def _without_no_city(text: str) -> str:
    return _NO_CITY.sub("", text) if text.startswith(_NO_CITY_STARTS) else text


def _take(text: str, known: _Index, atlas: _Atlas) -> tuple[str, str]:
    """The longest known name at the beginning, and what follows; a shortened one must not begin a street."""
    for name, code in known.get(text[:2], ()):
        if text.startswith(name):
            rest = text[len(name) :]
            if atlas.names[code] == name or not _STREET.match(rest):
                return code, _trim(rest)
    return "", text


def _trim(text: str) -> str:
    return text.strip(_FILLERS)


@functools.lru_cache(maxsize=1)
def _atlas() -> _Atlas:
    names = _read(Path(settings.AREA_DATA))
    provinces = {name: code for code, name in names.items() if code.endswith("0000")}
    provinces |= {_PROVINCE_ENDS.sub("", name): code for name, code in list(provinces.items())}
    cities: dict[str, dict[str, str]] = {}
    districts: dict[str, dict[str, str]] = {}
    for code, name in names.items():
        if code.endswith("0000"):
            continue
        if code.endswith("00"):
            known = cities.setdefault(code[:2] + "0000", {})
            known[name] = code
            known.setdefault(_short_city(name), code)
        else:
            districts.setdefault(code[:4], {})[name] = code
    own_cities = {}
    for province, known in cities.items():
        own = known.get(names[province])
        if own is not None:
            own_cities[province] = own
            # Counties stand under a code of their own.
            for other in {code[:4] for code in known.values()} - {own[:4]}:
                districts.setdefault(own[:4], {}).update(districts.get(other, {}))
    return _Atlas(
        provinces=_index(provinces),
        cities={province: _index(known) for province, known in cities.items()},
        districts={city: _index(known) for city, known in districts.items()},
        cities_anywhere=_index(
            _unique((name, code) for code, name in names.items() if code.endswith("00") and code[2:4] != "00")
        ),
        districts_anywhere=_index(
            _unique((name, code) for code, name in names.items() if not code.endswith("00"))
        ),
        own_cities=own_cities,
        names=names,
    )


def _short_city(name: str) -> str:
    short = _PEOPLES.sub("", name) if name.endswith("自治州") else _CITY_ENDS.sub("", name)
    return short if len(short) >= 2 else name


def _index(known: Mapping[str, str]) -> _Index:
    index: dict[str, list[tuple[str, str]]] = {}
    for name in sorted(known, key=len, reverse=True):
        index.setdefault(name[:2], []).append((name, known[name]))
    return index


def _unique(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    for name, code in pairs:
        found.setdefault(name, []).append(code)
    return {name: codes[0] for name, codes in found.items() if len(codes) == 1}


def _read(path: Path) -> dict[str, str]:
    """The divisions by code. The package is a script whose lists are plain literals, one a line."""
    text = path.read_text(encoding="utf-8")
    return {
        code: name.encode().decode("unicode_escape") if "\\" in name else name
        for code, name in _ENTRY.findall(text)
    }
