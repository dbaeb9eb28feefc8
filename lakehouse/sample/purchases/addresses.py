"""E-mail addresses and phone numbers, one person's never another's, and the ways people type them.

E-mail domains are the ones RFC 2606 reserves. US numbers are of the fictional 555-01xx block. China reserves
no mobile numbers for fiction: never call or text a number of the sample.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lakehouse.sample.purchases.names import words
from lakehouse.sample.purchases.policy import HubspotPolicy

if TYPE_CHECKING:
    import random

    from lakehouse.sample.purchases.names import Name

DOMAINS = (
    "example.com",
    "example.org",
    "example.net",
    "mail.example.com",
    "post.example.org",
    "cn.example.net",
)
US_AREA_CODES = words(
    "201 202 203 205 206 207 208 209 210 212 213 214 215 216 217 218 219 224 225 228 229 231 234 239 "
    "240 248 251 252 253 254 256 260 262 267 269 270 276 281 301 302 303 304 305 307 308 309 310 312 "
    "313 314 315 316 317 318 319 320 321 323 325 330 331 334 336 337 339 347 351 352 360 361 385 386 "
    "401 402 404 405 406 407 408 409 410 412 413 414 415 417 419 423 424 425 430 432 434 435 440 443 "
    "469 470 475 478 479 480 484 501 502 503 504 505 507 508 509 510 512 513 515 516 517 518 520 530 "
    "540 541 551 559 561 562 563 567 570 571 573 574 575 580 585 586 601 602 603 605 606 607 608 609 "
    "610 612 614 615 616 617 618 619 620 623 626 630 631 636 641 646 650 651"
)
CHINA, UNITED_STATES = "+86", "+1"
MALFORMED_EMAILS = ("foo@", "a b@example.com", "none", "@example.org", "wang.example.com", "no-email")
MALFORMED_PHONES = ("12345", "n/a", "138-1234", "000", "call me", "???")

_CHINESE_FORMATS = (
    "{0}-{1}-{2}",
    "{0}{1}{2}",
    "{0} {1} {2}",
    "+86 {0} {1} {2}",
    "+86{0}{1}{2}",
    "(+86){0}{1}{2}",
    "0086 {0} {1} {2}",
    "86-{0}-{1}-{2}",
)
_AMERICAN_FORMATS = (
    "({0}) {1}-{2}",
    "{0}-{1}-{2}",
    "{0}.{1}.{2}",
    "+1 {0} {1} {2}",
    "+1{0}{1}{2}",
    "+1 ({0}) {1}-{2}",
)
_FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")
_LINES_AN_AREA: Final = 100  # 555-0100 to 555-0199


class AddressBook:
    """Hands out e-mail addresses and phone numbers (E.164), none of them twice."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._taken: set[str] = set()
        self._american = list(range(len(US_AREA_CODES) * _LINES_AN_AREA))
        rng.shuffle(self._american)

    def email(self, name: Name) -> str:
        """Return a new address that fits the name; no two differ by dots or domain alone."""
        given, family = name.latin_given, name.latin_family
        local_part = self._rng.choice(
            (
                f"{given}.{family}",
                f"{family}{given}",
                f"{given[0]}{family}",
                f"{given}_{family}",
                f"{family}.{given}",
            )
        )
        letters = local_part.replace(".", "").replace("_", "")
        suffix = ""
        while letters + suffix in self._taken:
            suffix = str(self._rng.randrange(50, 10_000))
        self._taken.add(letters + suffix)
        return f"{local_part}{suffix}@{self._rng.choice(DOMAINS)}"

    def phone(self, *, chinese: bool) -> str:
        """Return a new mobile number of China, or a new fictional number of the United States."""
        return self._chinese_mobile() if chinese else self._american_number()

    def _american_number(self) -> str:
        area, line = divmod(self._american.pop(), _LINES_AN_AREA)
        return f"{UNITED_STATES}{US_AREA_CODES[area]}55501{line:02d}"

    def _chinese_mobile(self) -> str:
        while True:
            number = f"{CHINA}13{self._rng.randrange(10**9):09d}"
            if number not in self._taken:
                self._taken.add(number)
                return number


def typed_phone(rng: random.Random, number: str) -> str:
    """Return an E.164 number as people type it; it is the same number when read in its own country."""
    if number.startswith(UNITED_STATES):
        return rng.choice(_AMERICAN_FORMATS).format(number[2:5], number[5:8], number[8:])
    if rng.random() < HubspotPolicy.phone_full_width:
        return number[3:].translate(_FULL_WIDTH)
    return rng.choice(_CHINESE_FORMATS).format(number[3:6], number[6:10], number[10:])
