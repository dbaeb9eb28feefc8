"""From which share of a column's values on something is said of it, and what is shown of values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from lakehouse.policy import Policy


@dataclass(frozen=True)
class TypePolicy(Policy):
    """When a column's values make a type. Shares are 0 to 1, of the values that are no null words."""

    least_parsed: Annotated[
        float, "share of values that must parse as a type; what does not parse goes to quarantine"
    ] = 0.9
    most_decimals: Annotated[
        int,
        "digits behind the decimal point of a decimal; numbers with more are doubles, from binary fractions",
    ] = 12


@dataclass(frozen=True)
class DatePolicy(Policy):
    """Which texts and numbers are taken for days and moments."""

    first_year: Annotated[int, "first year of a date; earlier ones are no dates"] = 1800
    last_year: Annotated[int, "last year of a date; later ones are no dates"] = 2199
    first_serial_day: Annotated[
        int, "least number of a spreadsheet's day, in days since 1899-12-30 (1954)"
    ] = 20_000
    serial_day_end: Annotated[int, "a spreadsheet's day is below it, in days since 1899-12-30 (2064)"] = (
        60_000
    )
    first_epoch_second: Annotated[int, "least count of seconds since 1970 that is a moment (1990)"] = (
        631_152_000
    )
    epoch_second_end: Annotated[int, "a count of seconds since 1970 that is a moment is below it (2100)"] = (
        4_102_444_800
    )
    most_characters: Annotated[int, "characters of a written date; longer texts are not looked at"] = 60


@dataclass(frozen=True)
class DescriptionPolicy(Policy):
    """How much a column's description shows of its values."""

    masked_samples: Annotated[int, "masked samples of a column, the commonest first"] = 3
    masked_characters: Annotated[int, "characters of a masked value; longer ones end with …"] = 40
    formats: Annotated[int, "formats that are named, the commonest first"] = 8


@dataclass(frozen=True)
class PersonalDataPolicy(Policy):
    """The least share of values (0 to 1) that must fit for a kind of personal data to be said of a column.

    `…_hinted`: where the header hints at the kind; the others where it does not. 0: a single value is enough.
    """

    email: Annotated[float, "share of e-mail addresses, hinted or not"] = 0.0
    email_inside_text: Annotated[float, "share of texts with an e-mail address in them"] = 0.0
    phone_hinted: Annotated[float, "share of phone numbers in any format, below a header of phones"] = 0.0
    phone: Annotated[float, "share of phone numbers that are evident by themselves, below any header"] = 0.5
    phone_inside_text: Annotated[float, "share of texts with a Chinese mobile number in them"] = 0.0
    damaged_phone_hinted: Annotated[float, "share of numbers like 1.38E+10, below a header of phones"] = 0.0
    damaged_phone: Annotated[
        float, "share of what a spreadsheet leaves of a Chinese mobile, below any header"
    ] = 0.01
    chinese_id: Annotated[float, "share of Chinese identity numbers, hinted or not"] = 0.0
    name_hinted: Annotated[float, "share of what may be names of people, below a header of names"] = 0.5
    name: Annotated[float, "share of Chinese names with a common surname, below any header"] = 0.8
    address_hinted: Annotated[float, "share of postal addresses, below a header of addresses"] = 0.0
    address: Annotated[float, "share of postal addresses, below any header"] = 0.1
    ip_hinted: Annotated[float, "share of IP addresses, below a header of them"] = 0.0
    ip: Annotated[float, "share of IP addresses, below any header"] = 0.01
    wechat_id_hinted: Annotated[float, "share of WeChat ids, below a header of them"] = 0.0
    wechat_id: Annotated[float, "share of WeChat ids, below any header"] = 0.01
    birthday_hinted: Annotated[
        float, "share of days of birth, below a header of birthdays; never said without one"
    ] = 0.5
    oldest_birth_year: Annotated[int, "year before which nobody who is alive was born"] = 1900
    most_name_characters: Annotated[int, "characters of a name; longer texts are none"] = 60
    most_phone_characters: Annotated[int, "characters of a phone number; longer texts are none"] = 40
    most_address_characters: Annotated[int, "characters of a postal address; longer texts are letters"] = 300
    least_address_words: Annotated[
        int, "different signs such as 市 or 路 that make a Chinese text an address"
    ] = 2


@dataclass(frozen=True)
class EntityHintPolicy(Policy):
    """The least share of a column's values (0 to 1) that must look like a currency, a code, … for the hint."""

    currency: Annotated[float, "share of currencies"] = 0.5
    gender: Annotated[float, "share of words for a gender"] = 0.9
    url: Annotated[float, "share of page addresses"] = 0.5
    bank_card: Annotated[float, "share of card numbers; fewer are ids that fit the check digit by chance"] = (
        0.9
    )
    code: Annotated[float, "share of codes: one word with a digit in it, or in capitals"] = 0.8
    clock: Annotated[float, "share of durations like 00:05:30"] = 0.9
    country_code: Annotated[float, "share of codes of countries (ISO 3166-1 alpha-2)"] = 0.9
    region_code: Annotated[float, "share of codes of regions (ISO 3166-2)"] = 0.8
    most_code_characters: Annotated[int, "characters of a code; longer words are none"] = 40
