"""The cities the company has shops in; codes as GB/T 2260 and ISO 3166-2:CN have them, positions in degrees."""

from __future__ import annotations

from typing import Final, NamedTuple

from lakehouse.sample.purchases.names import words


class City(NamedTuple):
    """A city: `weight` is its share of customers, `rain` the chance of a rainy day."""

    name: str
    latin: str
    province: str
    province_code: str
    code: str
    latitude: float
    longitude: float
    weight: float
    rain: float
    districts: list[str]


class Store(NamedTuple):
    """A shop in a district of a city; `city` is the city's index in `CITIES`."""

    store_id: str
    name: str
    city: int
    district: str
    latitude: float
    longitude: float


CITIES = (
    City(
        "北京",
        "Beijing",
        "北京市",
        "CN-BJ",
        "110000",
        39.904,
        116.407,
        0.13,
        0.22,
        words("朝阳区 海淀区 西城区"),
    ),
    City(
        "上海",
        "Shanghai",
        "上海市",
        "CN-SH",
        "310000",
        31.230,
        121.474,
        0.15,
        0.35,
        words("浦东新区 徐汇区 静安区"),
    ),
    City(
        "广州",
        "Guangzhou",
        "广东省",
        "CN-GD",
        "440100",
        23.129,
        113.264,
        0.11,
        0.40,
        words("天河区 越秀区 海珠区"),
    ),
    City(
        "深圳",
        "Shenzhen",
        "广东省",
        "CN-GD",
        "440300",
        22.543,
        114.058,
        0.11,
        0.38,
        words("南山区 福田区 罗湖区"),
    ),
    City(
        "杭州",
        "Hangzhou",
        "浙江省",
        "CN-ZJ",
        "330100",
        30.274,
        120.155,
        0.09,
        0.38,
        words("西湖区 滨江区 拱墅区"),
    ),
    City(
        "南京",
        "Nanjing",
        "江苏省",
        "CN-JS",
        "320100",
        32.060,
        118.797,
        0.07,
        0.32,
        words("鼓楼区 玄武区 建邺区"),
    ),
    City(
        "成都",
        "Chengdu",
        "四川省",
        "CN-SC",
        "510100",
        30.573,
        104.067,
        0.08,
        0.36,
        words("锦江区 武侯区 青羊区"),
    ),
    City(
        "武汉",
        "Wuhan",
        "湖北省",
        "CN-HB",
        "420100",
        30.593,
        114.305,
        0.07,
        0.34,
        words("武昌区 江汉区 洪山区"),
    ),
    City(
        "西安",
        "Xi'an",
        "陕西省",
        "CN-SN",
        "610100",
        34.341,
        108.940,
        0.05,
        0.25,
        words("雁塔区 碑林区 未央区"),
    ),
    City(
        "重庆",
        "Chongqing",
        "重庆市",
        "CN-CQ",
        "500000",
        29.563,
        106.551,
        0.05,
        0.39,
        words("渝中区 江北区 沙坪坝区"),
    ),
    City(
        "青岛",
        "Qingdao",
        "山东省",
        "CN-SD",
        "370200",
        36.067,
        120.383,
        0.05,
        0.24,
        words("市南区 市北区 崂山区"),
    ),
    City(
        "长沙",
        "Changsha",
        "湖南省",
        "CN-HN",
        "430100",
        28.228,
        112.939,
        0.04,
        0.40,
        words("岳麓区 芙蓉区 天心区"),
    ),
)
CITY_NAMES = [city.name for city in CITIES]
PROVINCE_NAMES = [city.province for city in CITIES]
PROVINCE_CODES = [city.province_code for city in CITIES]  # CN-BJ
ROADS = words(
    "人民路 中山路 解放路 建设路 和平路 文化路 新华路 长江路 学府路 滨河路 花园路 迎宾大道 科技路 东风路"
)
STORES_A_CITY: Final = 3
_DEGREES_APART: Final = 0.04  # degrees between a city's shops


def make_stores() -> list[Store]:
    """Return every shop, a city's as neighbours: shop `3 * city + n` is the city's n-th."""
    return [
        _store(city_index, number) for city_index in range(len(CITIES)) for number in range(STORES_A_CITY)
    ]


def _store(city_index: int, number: int) -> Store:
    """Return the shop of one number in a city; shops lie on a line from north-west to south-east."""
    city = CITIES[city_index]
    north = _DEGREES_APART * (number - 1)
    return Store(
        store_id=f"ST{city_index * STORES_A_CITY + number:03d}",
        name=f"{city.name}{city.districts[number]}店",
        city=city_index,
        district=city.districts[number],
        latitude=round(city.latitude + north, 3),
        longitude=round(city.longitude - north, 3),
    )


STORES = make_stores()
STORE_IDS = [store.store_id for store in STORES]
