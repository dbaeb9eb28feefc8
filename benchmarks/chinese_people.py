"""A Chinese set with its truth: what forms, clerks and keyboards make of the people of `chinese_world`.

`python -m benchmarks.chinese_people PEOPLE STRENGTH FILE` writes a labelled CSV: typos by sound and shape, titles for
names, shortened addresses, moved house, new and shared phones, missing birth dates; half, typical or harsh.
"""

from __future__ import annotations

import csv
import random
import sys
from collections import defaultdict
from pathlib import Path

from benchmarks.chinese_world import Person, World
from lakehouse.identity.normalise.sounds import syllable, syllables_of

COLUMNS = ("record_id", "person", "source", "name", "phone", "email", "address", "birth_date")
STRENGTHS = {"half": 0.5, "typical": 1.0, "harsh": 2.0}
_SOURCES = ("crm", "shop", "wechat", "service")
_LOOK_ALIKE = (
    "未末 土士 己已 日曰 明朋 杨扬 杭抗 晴睛 昊吴 宇字 峰锋 俊峻 "
    "玲铃 珍诊 娜那 琪棋 伟韦 菲非 静净 芳芬 微薇 永泳 汉汗 田由"
)


def write(path: Path, count: int, strength: float, *, seed: int = 12, extra: float = 1.5) -> int:
    """Write the records of so many people as CSV, one to six each, 1 + `extra` about; return how many there are."""
    rng = random.Random(seed)
    world = World(rng)
    clerk = Clerk(rng, world.characters, strength)
    lines = []
    for number, person in enumerate(world.people(count)):
        records = 1 + min(5, int(rng.expovariate(1 / extra)))
        lines += [(f"p{number}", rng.choice(_SOURCES), *clerk.record(person)) for _ in range(records)]
    rng.shuffle(lines)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows((f"r{at:07}", *line) for at, line in enumerate(lines))
    return len(lines)


class Clerk:
    """Writes down people, with as much damage as `strength` says."""

    def __init__(self, rng: random.Random, characters: list[str], strength: float) -> None:
        self.rng, self.strength = rng, strength
        self._by_sound: dict[str, list[str]] = defaultdict(list)
        for character in characters:
            self._by_sound[syllable(character)].append(character)

    def record(self, person: Person) -> tuple[str, str, str, str, str]:
        """Return name, phone, e-mail, address and birth date as some form has them."""
        return (
            self._name(person),
            self._phone(person),
            person.email if self.rng.random() < 0.5 else "",
            self._address(person),
            self._birth_date(person),
        )

    def _chance(self, share: float) -> bool:
        return self.rng.random() < share

    def _damaged(self, share: float) -> bool:
        return self._chance(share * self.strength)

    def _name(self, person: Person) -> str:
        rng, surname, given = self.rng, person.surname, person.given
        if self._damaged(0.05):
            return surname + ("女士" if person.woman else "先生")
        if self._damaged(0.06):
            given = self._misspelt(given, by_sound=True)
        elif self._damaged(0.02):
            given = self._misspelt(given, by_sound=False)
        if self._damaged(0.02):
            sounds = syllables_of(surname, given)
            family = "".join(sounds[: len(surname)])
            return f"{family} {''.join(sounds[len(surname) :])}".title()
        if self._chance(0.03):
            return f"{surname} {given}"
        if self._damaged(0.02) and len(given) > 1:
            return surname + rng.choice(given)
        return surname + given

    def _misspelt(self, given: str, *, by_sound: bool) -> str:
        at = self.rng.randrange(len(given))
        if by_sound:
            choices = [c for c in self._by_sound[syllable(given[at])] if c != given[at]]
        else:
            pairs = [pair for pair in _LOOK_ALIKE.split() if given[at] in pair]
            choices = [other for pair in pairs for other in pair if other != given[at]]
        return given if not choices else given[:at] + self.rng.choice(choices) + given[at + 1 :]

    def _phone(self, person: Person) -> str:
        if self._damaged(0.05):
            return ""
        phone = person.phones[-1] if len(person.phones) > 1 and self._damaged(0.4) else person.phones[0]
        if self._damaged(0.015):
            at = self.rng.randrange(3, 11)
            phone = phone[:at] + str(self.rng.randint(0, 9)) + phone[at + 1 :]
        return self.rng.choice((phone, phone, f"+86 {phone}", f"{phone[:3]}-{phone[3:7]}-{phone[7:]}"))

    def _birth_date(self, person: Person) -> str:
        if self._chance(0.25 + 0.15 * self.strength):
            return ""
        if self._damaged(0.01):
            return "1900-01-01"
        born = person.born.isoformat()
        if self._damaged(0.03):
            at = self.rng.choice((3, 6, 9))
            return born[:at] + str(self.rng.randint(0, 9)) + born[at + 1 :]
        if self._damaged(0.01):
            return f"{born[:4]}-{born[8:]}-{born[5:7]}"
        return born

    def _address(self, person: Person) -> str:
        rng = self.rng
        if self._chance(0.15 + 0.05 * self.strength):
            return ""
        home = person.newer_home if person.newer_home and self._damaged(0.4) else person.home
        province, city, district = home.region
        place = rng.choice(
            (province + city + district, city + district, _bare(province) + _bare(city) + district)
        )
        if self._damaged(0.15):
            place = rng.choice((district, city))
        if self._damaged(0.08):
            return place
        road = home.road
        if self._damaged(0.02):
            road = self._misspelt(road[:-1], by_sound=True) + road[-1] if road[0] in self._by_sound else road
        text = f"{place}{road}{home.number}号"
        if self._damaged(0.10):
            return text
        building, entrance, room = home.door
        door = rng.choice(
            (
                f"{building}栋{entrance}单元{room}室",
                f"{building}-{entrance}-{room}",
                f"{building}幢{entrance}单元{room}",
                f"{building}号楼{room}室",
            )
        )
        return text + home.estate + door


def _bare(name: str) -> str:
    return name.removesuffix("省").removesuffix("市")


if __name__ == "__main__":
    print(write(Path(sys.argv[3]), int(sys.argv[1]), STRENGTHS[sys.argv[2]]), "records")
