"""What one system holds of a chunk, and what each of them knows of a contact before it writes it down its own way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.sample.company import text_columns as text
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


class SystemRecords:
    """The records of those people whom a system is used for.

    Columns are those of the `Chunk`, of these records alone; a place in another table that stands in one of them is
    still a place in the whole table.
    """

    def __init__(self, chunk: Chunk, mine: Flags, rows: dict[str, Ints] | None = None) -> None:
        """Take the chunk, which of its people are the system's, and the rows of tables of which it holds fewer."""
        self.chunk, self._mine, self._rows = chunk, mine, rows or {}

    @property
    def is_empty(self) -> bool:
        """No office works with the system."""
        return not self._mine.any()

    @property
    def starts_team(self) -> bool:
        """Users are written with their team's first customers."""
        return self.chunk.number % CHUNKS_A_TEAM == 0

    def row_numbers(self, table: str) -> Ints:
        """Return where the system's records stand in a table."""
        if table not in self._rows:
            person = self.chunk.array(table, "person") - self.chunk.number * PEOPLE
            self._rows[table] = np.flatnonzero(self._mine[person])
        return self._rows[table]

    def filtered(self, table: str, of: Flags) -> SystemRecords:
        """Return the records with some of its records of one table, told by a flag for each it has."""
        return SystemRecords(self.chunk, self._mine, self._rows | {table: self.row_numbers(table)[of]})

    def array(self, table: str, column: str) -> Any:
        """Return a column as a numpy array."""
        return self.chunk.array(table, column)[self.row_numbers(table)]

    def column(self, table: str, column: str) -> pa.Array:
        """Return a column as an Arrow array."""
        return self.chunk.column(table, column, self.row_numbers(table))

    def person_column(self, table: str, column: str) -> pa.Array:
        """Return what is true of the person behind each record."""
        return self.chunk.column("persons", column, self.array(table, "row"))

    def user_column(self, table: str, column: str, by: str = "owner") -> pa.Array:
        """Return what is known of the user who looks after each record."""
        return self.chunk.column("staff", column, self.array(table, by))


def records_of(chunk: Chunk, *systems: str) -> SystemRecords:
    """Return what these systems hold: the office of each city works with one CRM."""
    crms = chunk.scenario.crms
    used = np.array([crm in systems for crm in crms])
    return SystemRecords(chunk, used[chunk.array("persons", "city") % len(crms)])


def is_sold_by(chunk: Chunk, system: str) -> Flags:
    """Tell which orders a shop's system has."""
    shops = chunk.scenario.shops
    has = np.array([shops[min(_RANK[channel], len(shops) - 1)] == system for channel in range(len(_RANK))])
    found: Flags = has[chunk.array("orders", "channel")]
    return found


def family_names(records: SystemRecords) -> pa.Array:
    """Return the family name of each contact."""
    return records.person_column("contacts", "family")


def given_names(records: SystemRecords) -> pa.Array:
    """Return how each contact's record spells the rest of the name: right, by ear, or a title instead."""
    row, spelling = records.array("contacts", "row"), records.array("contacts", "spelling")
    first, second = (
        records.person_column("contacts", "given_first"),
        records.person_column("contacts", "given_second"),
    )
    by_ear = text.pick([_HOMOPHONES[given] for given in _GIVEN], pc.index_in(first, pa.array(_GIVEN)))
    title = text.either(records.chunk.array("persons", "male")[row], "先生", "女士")
    title = pc.if_else(pa.array(records.chunk.array("persons", "planted")[row] > 0), "先生", title)
    given = pc.if_else(pa.array(spelling == HOMOPHONE), by_ear, first)
    return pc.if_else(pa.array(spelling == TITLE), title, text.joined(given, second))


def true_names(chunk: Chunk, row: Ints) -> pa.Array:
    """Return the names of people, as they write them themselves."""
    return text.joined(
        *(chunk.column("persons", column, row) for column in ("family", "given_first", "given_second"))
    )


def full_names(records: SystemRecords, table: str) -> pa.Array:
    """Return the true names of the people behind records that they filled in themselves."""
    return true_names(records.chunk, records.array(table, "row"))


def phones(records: SystemRecords) -> pa.Array:
    """Return the phone that each contact's record has, or null."""
    which = records.array("contacts", "phone")
    main, second = (
        records.person_column("contacts", "phone"),
        records.person_column("contacts", "second_phone"),
    )
    return text.null_where(pc.if_else(pa.array(which == MAIN), main, second), which == NONE)


def emails(records: SystemRecords) -> pa.Array:
    """Return the e-mail address that each contact's record has, or null."""
    return text.null_where(records.person_column("contacts", "email"), ~records.array("contacts", "email"))


def first_contacts(chunk: Chunk, row: Ints) -> Ints:
    """Return the first contact of each person as a row of `contacts`, -1 where the CRM has none."""
    known = chunk.array("contacts", "row")
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
    last[chunk.array("stages", "deal")] = chunk.array("stages", "stage")  # in order: the last of a deal stays
    return last


def stage_moments(chunk: Chunk, stages: int) -> Ints:
    """Return when each deal entered each stage, of shape (deals, stages); -1 where it never did."""
    moments = np.full((len(chunk.tables["deals"]), stages), -1, np.int64)
    moments[chunk.array("stages", "deal"), chunk.array("stages", "stage")] = chunk.array(
        "stages", "entered_at"
    )
    return moments
