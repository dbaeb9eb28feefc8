"""What a person's name is, once it has been read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class PersonName:
    """A person's name as it is compared. Everything is folded: NFKC, lower case, no accents; empty where not known.

    `words`: its words in the order written, without titles and particles; of a Chinese name one, or several around a
    middle dot. `family` and `given`: where they are known, so not of `Wei Zhang`; `family` alone is a form of address
    (张先生, Ms Holt) or a field of its own, as `given` alone is. `han`: written in Chinese characters. `syllables`:
    its toneless pinyin, sorted. `title`: as written; `gender`: what that says, m or f; `generation`: which of several
    of one name, 1 for the eldest (Sr, Jr, III).
    """

    words: tuple[str, ...] = ()
    family: str = ""
    given: str = ""
    han: bool = False
    syllables: tuple[str, ...] = ()
    title: str = ""
    gender: str = ""
    generation: str = ""

    @property
    def full(self) -> bool:
        """Return whether it names one person rather than a family or half a person: family and given name."""
        if self.han:
            return bool(self.family and self.given) or len(self.words) > 1
        return len(self.words) > 1

    @property
    def form(self) -> str:
        """Return the name as text that two spellings share: words in alphabetical order."""
        return " ".join(sorted(self.words))

    @property
    def sound(self) -> str:
        """Return the pinyin key: sorted syllables, the same for a Chinese name and its romanised form; '' for none."""
        return " ".join(self.syllables)

    @property
    def initials(self) -> str:
        """Return the sorted first letters of the words, of a Chinese name those of its syllables."""
        return "".join(sorted(part[0] for part in (self.syllables if self.han else self.words)))


NO_NAME: Final = PersonName()
