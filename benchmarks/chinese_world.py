"""People, families and namesakes of a Chinese town that there is not: what is true, before anybody writes it down.

Names are drawn as often as they are borne. `chinese_names.csv` counts the characters of given names (from the package
ngender, MIT; see chinese_names_LICENSE); the surnames' shares are those of the census.
"""

from __future__ import annotations

import csv
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from importlib.resources import files
from itertools import accumulate

_NAMESAKES = 0.5  # pairs of namesakes a person, at least
_PROVINCES = {"11", "31", "33", "32", "44", "51", "42", "37"}
# surnames and how many of ten thousand people bear them; the rest are spread over the less common ones
_SURNAMES = (
    "王710李700张670刘530陈450杨310黄245赵210吴205周200徐145孙140马129朱126胡125郭115何113林112高104罗100郑95梁90谢86宋81唐79"
    "许75邓72韩71冯70曹68彭66曾62肖60田55董53袁51潘51于50蒋49蔡48余46杜45叶45程44苏43魏43吕42丁41任41沈40姚38卢37姜36崔36钟36"
    "谭35陆34汪34范33金32石30廖30贾29夏28韦27付27方27白26邹26孟25熊24秦24邱23江23尹22薛22闫21段21雷20侯20龙19史19陶18黎18贺18"
    "顾17毛17郝17龚16邵16万16钱15严15覃14武14戴14莫13孔13向12汤12"
)
_ROADS = (
    "人民路 解放路 中山路 建设路 文化路 和平路 新华路 胜利路 长江路 黄河路 北京路 南京路 "
    "滨江大道 迎宾大道 世纪大道 学院路 文三路 体育路 光明路 友谊路 团结路 朝阳街 兴华街 府前街 "
    "东风路 红旗路 青年路 花园路 湖滨路 科技路 创业路 环城北路 环城南路 西湖路 东湖路 南湖路 "
    "天府大道 天山路 泰山路 华山路 嵩山路 松江路 龙江路 珠江路 复兴路 振兴路 工业路 农业路 "
    "商业街 健康路 平安路 幸福路 永安路 长安街 太平路 安定路"
)
_ESTATES = (
    "阳光花园 锦绣家园 金色家园 万科城 碧桂园 恒大名都 绿城桂花园 世纪花园 翡翠湾 江南春城 "
    "东方明珠 学府苑 书香门第 水岸华庭 中央公馆 紫金苑"
)
_PREFIXES = "135 136 137 138 139 150 151 152 158 159 182 183 187 188 130 131 132 155 156 186 133 153 180 189"
_MAILBOXES = ("qq.com", "163.com", "126.com", "sina.com", "foxmail.com", "139.com")
_ONE_CHARACTER = 0.17  # share of given names


@dataclass(slots=True)
class Home:
    """A door: the region's names from the province down, road, number, estate; building, entrance and room."""

    region: tuple[str, str, str]
    road: str
    number: int
    estate: str
    door: tuple[int, int, int]


@dataclass(slots=True)
class Person:
    """One person with what is true; a second phone and a newer home have come later."""

    surname: str
    given: str
    woman: bool
    born: date
    home: Home
    phones: list[str] = field(default_factory=list)
    email: str = ""
    newer_home: Home | None = None


class World:
    """Draws people from a seed."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        counted = dict(_counts(_SURNAMES))
        rows = table("lakehouse.identity.normalise", "surnames.csv")
        rare = [row["surname"] for row in rows if row["surname"] not in counted]
        rest = (10_000 - sum(counted.values())) / len(rare)
        self._surnames = [*counted, *rare]
        self._shares = list(accumulate([*counted.values(), *[rest] * len(rare)]))
        rows = table("benchmarks", "chinese_names.csv")
        self.characters = [row["character"] for row in rows]
        self._weights = {
            woman: list(accumulate(int(row["women" if woman else "men"]) for row in rows))
            for woman in (True, False)
        }
        self._regions = list(_regions())

    def people(self, count: int) -> list[Person]:
        """Return so many people, with half as many pairs of namesakes at least; a tenth of the added ones live near."""
        people: list[Person] = []
        while len(people) < count:
            people.extend(self._household())
        people = people[:count]
        names = Counter(person.surname + person.given for person in people)
        pairs = sum(n * (n - 1) // 2 for n in names.values())
        while pairs < count * _NAMESAKES:
            one, other = self.rng.sample(people, 2)
            names[other.surname + other.given] -= 1
            pairs -= names[other.surname + other.given]
            other.surname, other.given, other.woman = one.surname, one.given, one.woman
            pairs += names[one.surname + one.given]
            names[one.surname + one.given] += 1
            if self.rng.random() < 0.1:
                other.home = self._home(near=one.home)
                other.home.region = one.home.region
        return people

    def _household(self) -> list[Person]:
        """Return one to four people behind a door: a couple of two surnames, children with the father's."""
        rng, home = self.rng, self._home()
        size = rng.choices((1, 2, 3, 4), weights=(50, 25, 18, 7))[0]
        decade = rng.randint(1945, 1988)
        family = [self._person(self._surname(), home, decade) for _ in range(min(size, 2))]
        for _ in range(size - 2):
            child = self._person(family[0].surname, home, decade + 25)
            if (
                len(family) > 2 and rng.random() < 0.5
            ):  # a generation's character, as brothers and sisters share it
                child.given = family[-1].given[0] + self._given_name(child.woman)[-1]
            family.append(child)
        for member in family[1:]:
            if rng.random() < 0.3:  # one phone for two
                member.phones = [family[0].phones[0]]
        return family

    def _person(self, surname: str, home: Home, decade: int) -> Person:
        rng = self.rng
        woman = rng.random() < 0.5
        born = date(decade, 1, 1) + timedelta(days=rng.randint(0, 4_000))
        person = Person(surname, self._given_name(woman), woman, born, home, [self._phone()])
        if rng.random() < 0.4:
            mailbox = f"{rng.choice(('u', 'hi', 'wo', ''))}{rng.randint(10_000, 99_999_999)}"
            person.email = f"{mailbox}@{rng.choice(_MAILBOXES)}"
        if rng.random() < 0.3:
            person.phones.append(self._phone())
        if rng.random() < 0.3:
            person.newer_home = self._home(near=home)
        return person

    def _given_name(self, woman: bool) -> str:
        length = 1 if self.rng.random() < _ONE_CHARACTER else 2
        return "".join(self.rng.choices(self.characters, cum_weights=self._weights[woman], k=length))

    def _surname(self) -> str:
        return self.rng.choices(self._surnames, cum_weights=self._shares)[0]

    def _home(self, near: Home | None = None) -> Home:
        rng = self.rng
        region = near.region if near and rng.random() < 0.6 else rng.choice(self._regions)
        estate = rng.choice(_ESTATES.split()) if rng.random() < 0.4 else ""
        door = (rng.randint(1, 40), rng.randint(1, 4), rng.randint(1, 33) * 100 + rng.randint(1, 4))
        return Home(region, rng.choice(_ROADS.split()), rng.randint(1, 900), estate, door)

    def _phone(self) -> str:
        return f"{self.rng.choice(_PREFIXES.split())}{self.rng.randint(0, 99_999_999):08}"


def table(package: str, name: str) -> list[dict[str, str]]:
    """Return the rows of a CSV that a package carries."""
    return list(csv.DictReader((files(package) / name).read_text("utf-8").splitlines()))


def _counts(text: str) -> Iterator[tuple[str, int]]:
    """Yield the surnames and numbers of a text in which they take turns."""
    name, digits = text[0], ""
    for character in f"{text[1:]}x":
        if character.isdigit():
            digits += character
        else:
            yield name, int(digits)
            name, digits = character, ""


def _regions() -> Iterator[tuple[str, str, str]]:
    """Yield the names of province, city and district of the districts in eight provinces."""
    names = {row["code"]: row["name"] for row in table("lakehouse.identity.normalise", "regions.csv")}
    for code, district in names.items():
        city, province = names.get(f"{code[:4]}00"), names.get(f"{code[:2]}0000", "")
        if city and code[:2] in _PROVINCES and not code.endswith("00") and district.endswith("区"):
            yield ("" if province == city else province), city, district
