"""What one system holds of a chunk, and what each of them knows of a contact before it writes it down its own way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.sample.company import text_columns
from lakehouse.sample.company.random_arrays import Flags, Ints
from lakehouse.sample.company.world.chunk import CHUNKS_A_TEAM, PEOPLE
from lakehouse.sample.company.world.contacts import HOMOPHONE, MAIN, NONE, TITLE
from lakehouse.sample.company.world.shopping import APP, SITE, STORE
from lakehouse.sample.purchases import names

if TYPE_CHECKING:
    from lakehouse.sample.company.world.chunk import Chunk

_HOMOPHONES = dict(
    pair.split(":")
    for pair in names.words(
        "伟:炜 芳:方 娜:那 敏:闵 静:婧 丽:莉 强:墙 磊:垒 军:君 洋:阳 勇:永 艳:燕 杰:洁 娟:捐 涛:滔 明:铭 超:朝 秀:绣 "
        "霞:侠 平:萍 刚:钢 桂:贵 英:瑛 华:桦 玉:钰 梅:玫 建:健 国:帼 文:雯 辉:晖 红:虹 云:芸 飞:菲 鹏:朋 宇:羽 浩:昊 "
        "欣:新 怡:宜 佳:嘉 俊:骏 雪:鳕 琳:林 晨:辰 思:斯 志:智 海:嗨 春:椿 兰:岚 宁:柠 婷:亭 凯:楷 博:搏 晓:小 东:冬 "
        "燕:艳 莉:丽 峰:锋"
    )
)
# Which CRMs' offices have their leads in a system: some fill a form, since their CRM has no place for leads.
LEADS = {
    "salesforce": ("salesforce",),
    "zoho": ("zoho",),
    "crm": ("crm",),
    "jiandaoyun": ("hubspot", "wukong", "huoban"),
}
_RANK = {STORE: 0, SITE: 1, APP: 2}  # which of the shops has the orders of a channel
_GIVEN = [given for given, _ in names.GIVEN_CHARACTERS]


class Part:
    """The records of those people whom a system is used for.

    Columns are those of the `Chunk`, of these records alone; a place in another table that stands in one of them is
    still a place in the whole table.
    """

    def __init__(self, chunk: Chunk, mine: Flags, rows: dict[str, Ints] | None = None) -> None:
        """Take the chunk, which of its people are the system's, and the rows of tables of which it holds fewer."""
        self.chunk, self._mine, self._rows = chunk, mine, rows or {}

    @property
    def none(self) -> bool:
        """No office works with the system."""
        return not self._mine.any()

    @property
    def begins_team(self) -> bool:
        """Users are written with their team's first customers."""
        return self.chunk.number % CHUNKS_A_TEAM == 0

    def rows(self, table: str) -> Ints:
        """Return where the system's records stand in a table."""
        if table not in self._rows:
            person = self.chunk.of(table, "person") - self.chunk.number * PEOPLE
            self._rows[table] = np.flatnonzero(self._mine[person])
        return self._rows[table]

    def only(self, table: str, of: Flags) -> Part:
        """Return the part with some of its records of one table, told by a flag for each it has."""
        return Part(self.chunk, self._mine, self._rows | {table: self.rows(table)[of]})

    def of(self, table: str, column: str) -> Any:
        """Return a column as a numpy array."""
        return self.chunk.of(table, column)[self.rows(table)]

    def texts(self, table: str, column: str) -> pa.Array:
        """Return a column as an Arrow array."""
        return self.chunk.texts(table, column, self.rows(table))

    def persons(self, table: str, column: str) -> pa.Array:
        """Return what is true of the person behind each record."""
        return self.chunk.texts("persons", column, self.of(table, "row"))

    def user(self, table: str, column: str, by: str = "owner") -> pa.Array:
        """Return what is known of the user who looks after each record."""
        return self.chunk.texts("staff", column, self.of(table, by))


def held_by(chunk: Chunk, *systems: str) -> Part:
    """Return what these systems hold: the office of each city works with one CRM."""
    crms = chunk.frame.crms
    used = np.array([crm in systems for crm in crms])
    return Part(chunk, used[chunk.of("persons", "city") % len(crms)])


def sold_by(chunk: Chunk, system: str) -> Flags:
    """Tell which orders a shop's system has."""
    shops = chunk.frame.shops
    has = np.array([shops[min(_RANK[channel], len(shops) - 1)] == system for channel in range(len(_RANK))])
    found: Flags = has[chunk.of("orders", "channel")]
    return found


def family_names(part: Part) -> pa.Array:
    """Return the family name of each contact."""
    return part.persons("contacts", "family")


def given_names(part: Part) -> pa.Array:
    """Return how each contact's record spells the rest of the name: right, by ear, or a title instead."""
    row, spelling = part.of("contacts", "row"), part.of("contacts", "spelling")
    first, second = part.persons("contacts", "given_first"), part.persons("contacts", "given_second")
    by_ear = text_columns.pick([_HOMOPHONES[given] for given in _GIVEN], pc.index_in(first, pa.array(_GIVEN)))
    title = text_columns.pick(("女士", "先生"), part.chunk.of("persons", "male")[row].astype(np.int64))
    title = pc.if_else(pa.array(part.chunk.of("persons", "planted")[row] > 0), "先生", title)
    given = pc.if_else(pa.array(spelling == HOMOPHONE), by_ear, first)
    return pc.if_else(pa.array(spelling == TITLE), title, text_columns.joined(given, second))


def true_names(chunk: Chunk, row: Ints) -> pa.Array:
    """Return the names of people, as they write them themselves."""
    return text_columns.joined(
        *(chunk.texts("persons", column, row) for column in ("family", "given_first", "given_second"))
    )


def full_names(part: Part, table: str) -> pa.Array:
    """Return the true names of the people behind records that they filled in themselves."""
    return true_names(part.chunk, part.of(table, "row"))


def phones(part: Part) -> pa.Array:
    """Return the phone that each contact's record has, or null."""
    which = part.of("contacts", "phone")
    main, second = part.persons("contacts", "phone"), part.persons("contacts", "second_phone")
    return text_columns.blank(pc.if_else(pa.array(which == MAIN), main, second), which == NONE)


def emails(part: Part) -> pa.Array:
    """Return the e-mail address that each contact's record has, or null."""
    return text_columns.blank(part.persons("contacts", "email"), ~part.of("contacts", "email"))


def first_contacts(chunk: Chunk, row: Ints) -> Ints:
    """Return the first contact of each person as a row of `contacts`, -1 where the CRM has none."""
    known = chunk.of("contacts", "row")
    first = np.full(len(chunk.tables["persons"]), -1, np.int64)
    first[known[::-1]] = np.arange(len(known))[::-1]
    found: Ints = first[row]
    return found


def or_null(ids: pa.Array, index: Ints) -> pa.Array:
    """Return the id at each place, null at -1."""
    return pa.concat_arrays([ids, pa.nulls(1, pa.string())]).take(
        pa.array(np.where(index < 0, len(ids), index))
    )


def last_stages(chunk: Chunk) -> Ints:
    """Return the stage that each deal is in now, as `stages` counts them."""
    last = np.zeros(len(chunk.tables["deals"]), np.int64)
    last[chunk.of("stages", "deal")] = chunk.of("stages", "stage")  # in order: the last of a deal stays
    return last


def stage_moments(chunk: Chunk, stages: int) -> Ints:
    """Return when each deal entered each stage, of shape (deals, stages); -1 where it never did."""
    moments = np.full((len(chunk.tables["deals"]), stages), -1, np.int64)
    moments[chunk.of("stages", "deal"), chunk.of("stages", "stage")] = chunk.of("stages", "entered_at")
    return moments
