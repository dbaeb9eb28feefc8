"""Columns that several systems write alike: names, phones, cities, states of leads, deals and tickets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.sample.company import text_columns as text
from lakehouse.sample.company.policy import LOSS_REASONS
from lakehouse.sample.company.random_arrays import Flags, Ints
from lakehouse.sample.company.world.contacts import HOMOPHONE, MAIN, NONE, TITLE
from lakehouse.sample.company.world.people import ORDINARY
from lakehouse.sample.company.world.places import CITY_NAMES, PROVINCE_CODES, PROVINCE_NAMES
from lakehouse.sample.company.world.selling import LOST, OPEN
from lakehouse.sample.company.world.service import NOT_RATED
from lakehouse.sample.company.writers import ids
from lakehouse.sample.company.writers.system_records import is_sold_by
from lakehouse.sample.purchases import names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lakehouse.sample.company.world.chunk import Chunk
    from lakehouse.sample.company.writers.system_records import SystemRecords

NO_CONTACT: Final = -1
_NEVER_ENTERED: Final = -1
_NAME_CHARACTERS = ("family", "given_first", "given_second")
_HOMOPHONES = dict(
    pair.split(":")
    for pair in names.words(
        "伟:炜 芳:方 娜:那 敏:闵 静:婧 丽:莉 强:墙 磊:垒 军:君 洋:阳 勇:永 艳:燕 杰:洁 娟:捐 涛:滔 明:铭 超:朝 秀:绣 "
        "霞:侠 平:萍 刚:钢 桂:贵 英:瑛 华:桦 玉:钰 梅:玫 建:健 国:帼 文:雯 辉:晖 红:虹 云:芸 飞:菲 鹏:朋 宇:羽 浩:昊 "
        "欣:新 怡:宜 佳:嘉 俊:骏 雪:鳕 琳:林 晨:辰 思:斯 志:智 海:嗨 春:椿 兰:岚 宁:柠 婷:亭 凯:楷 博:搏 晓:小 东:冬 "
        "燕:艳 莉:丽 峰:锋"
    )
)
_GIVEN = [given for given, _ in names.GIVEN_CHARACTERS]


def order_numbers(chunk: Chunk, order: Ints) -> pa.Array:
    """Return the number of each order as the shop that sold it has it, which its customers name in tickets."""
    order_ids = chunk.column("orders", "order_id", order)
    is_of_woocommerce = pa.array(is_sold_by(chunk, "woocommerce")[order])
    return pc.if_else(is_of_woocommerce, ids.woocommerce_orders(order_ids), order_ids)


def family_names(records: SystemRecords) -> pa.Array:
    """Return the family name of each contact."""
    return records.person_column("contacts", "family")


def given_names(records: SystemRecords) -> pa.Array:
    """Return how each contact's record spells the rest of the name: right, by ear, or a title instead."""
    spelling = records.array("contacts", "spelling")
    first = records.person_column("contacts", "given_first")
    second = records.person_column("contacts", "given_second")
    homophone = text.pick([_HOMOPHONES[given] for given in _GIVEN], pc.index_in(first, pa.array(_GIVEN)))
    first_as_spelt = pc.if_else(pa.array(spelling == HOMOPHONE), homophone, first)
    is_planted = records.person_array("contacts", "planted") != ORDINARY  # planted people are called 先生
    title = text.either(records.person_array("contacts", "male") | is_planted, "先生", "女士")
    return pc.if_else(pa.array(spelling == TITLE), title, text.joined(first_as_spelt, second))


def spelt_names(records: SystemRecords) -> pa.Array:
    """Return how each contact's record spells the name."""
    return text.joined(family_names(records), given_names(records))


def true_names(chunk: Chunk, row: Ints | None = None) -> pa.Array:
    """Return the names of people, as they write them themselves; of all, or of some rows of `persons`."""
    return text.joined(*(chunk.column("persons", column, row) for column in _NAME_CHARACTERS))


def full_names(records: SystemRecords, table: str) -> pa.Array:
    """Return the true names of the people behind records that they filled in themselves."""
    return true_names(records.chunk, records.array(table, "row"))


def phones(records: SystemRecords) -> pa.Array:
    """Return the phone that each contact's record has, or null."""
    which = records.array("contacts", "phone")
    main = records.person_column("contacts", "phone")
    second = records.person_column("contacts", "second_phone")
    return text.null_where(pc.if_else(pa.array(which == MAIN), main, second), which == NONE)


def emails(records: SystemRecords) -> pa.Array:
    """Return the e-mail address that each contact's record has, or null."""
    return text.null_where(records.person_column("contacts", "email"), ~records.array("contacts", "email"))


def refuses_marketing(records: SystemRecords) -> Flags:
    """Return which contacts said no to marketing."""
    return text_equals(records.column("contacts", "consent"), "no")


def city_names(records: SystemRecords, table: str) -> pa.Array:
    """Return the city of the person behind each record."""
    return text.pick(CITY_NAMES, records.person_array(table, "city"))


def province_names(records: SystemRecords, table: str) -> pa.Array:
    """Return the province of the person behind each record."""
    return text.pick(PROVINCE_NAMES, records.person_array(table, "city"))


def province_codes(records: SystemRecords, table: str) -> pa.Array:
    """Return the province of the person behind each record as ISO 3166-2 has it: CN-BJ."""
    return text.pick(PROVINCE_CODES, records.person_array(table, "city"))


def first_contacts(chunk: Chunk, row: Ints) -> Ints:
    """Return the first contact of each person as a row of `contacts`, NO_CONTACT where the CRM has none."""
    person_row = chunk.array("contacts", "row")
    first = np.full(len(chunk.tables["persons"]), NO_CONTACT, np.int64)
    first[person_row[::-1]] = np.arange(len(person_row))[::-1]  # the last that is written stays: the first
    contacts: Ints = first[row]
    return contacts


def is_converted(records: SystemRecords) -> Flags:
    """Return which leads became contacts."""
    return text_equals(records.column("leads", "status"), "converted")


def converted_contacts(records: SystemRecords) -> Ints:
    """Return the contact that each lead became, as a row of `contacts`, or NO_CONTACT."""
    contact: Ints = first_contacts(records.chunk, records.array("leads", "row"))
    return np.where(is_converted(records), contact, NO_CONTACT)


def deal_titles(chunk: Chunk, rows: Ints | None = None) -> pa.Array:
    """Return the titles of deals; of all, or of some rows of `deals`."""
    return text.joined(chunk.column("deals", "product", rows), " ", chunk.column("deals", "deal_id", rows))


def loss_reasons(records: SystemRecords, labels: Sequence[str] = LOSS_REASONS) -> pa.Array:
    """Return why each deal was lost, null for deals that were not."""
    reason = np.maximum(records.array("deals", "reason"), 0)
    return text.null_where(text.pick(labels, reason), records.array("deals", "outcome") != LOST)


def last_stages(records: SystemRecords) -> Ints:
    """Return the stage that each deal is in now, as `stages` counts them."""
    chunk = records.chunk
    last: Ints = np.zeros(len(chunk.tables["deals"]), np.int64)
    last[chunk.array("stages", "deal")] = chunk.array("stages", "stage")  # in order: the last of a deal stays
    return last[records.row_numbers("deals")]


def stage_moments(records: SystemRecords, stages: int) -> Ints:
    """Return when each deal entered each stage, of shape (deals, stages); -1 where it never did."""
    chunk = records.chunk
    moments: Ints = np.full((len(chunk.tables["deals"]), stages), _NEVER_ENTERED, np.int64)
    entered = chunk.array("stages", "deal"), chunk.array("stages", "stage")
    moments[entered] = chunk.array("stages", "entered_at")
    return moments[records.row_numbers("deals")]


def deals_updated(records: SystemRecords) -> Ints:
    """Return when each deal was last changed, where the history of stages is no change: made, or closed."""
    created: Ints = records.array("deals", "created_at")
    is_open = records.array("deals", "outcome") == OPEN
    return np.where(is_open, created, records.array("deals", "closed_at"))


def ticket_kinds(records: SystemRecords) -> pa.Array:
    """Return whether each ticket is a question or a complaint."""
    return text.either(records.array("tickets", "complaint"), "complaint", "question")


def satisfaction(records: SystemRecords) -> pa.Array:
    """Return how satisfied customers were, from 1 to 5, null where they did not say."""
    ratings = records.array("tickets", "satisfaction")
    return text.null_where(text.integers(ratings), ratings == NOT_RATED)


def tickets_updated(records: SystemRecords) -> Ints:
    """Return when each ticket was last changed: made, or solved."""
    created: Ints = records.array("tickets", "created_at")
    is_open = records.array("tickets", "open")
    return np.where(is_open, created, records.array("tickets", "resolved_at"))


def text_equals(texts: pa.Array, word: str) -> Flags:
    """Return which texts are the word."""
    flags: Flags = pc.equal(texts, word).to_numpy(zero_copy_only=False)
    return flags
