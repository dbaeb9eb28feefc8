"""What customers live in: places, days, weather, devices, and what money is worth."""

from __future__ import annotations

from lakehouse.tables.contract import Contract, Migration, bilingual, partitions

PLACES = Contract(
    name="core.places",
    doc="Shops, warehouses, sites and areas: a slowly changing dimension with each version's time.",
    zh="地点：门店、仓库、场地与区域，每个版本带有有效时间",
    grain="one row a version of a place",
    key=("source", "place_id", "valid_from"),
    sort=("place_id", "valid_from"),
    columns=bilingual(
        ("place_id", "string", "Id in its source", "地点编号"),
        ("source", "string", "System that holds it", "来源系统"),
        ("name", "string", "Name", "名称"),
        ("kind", "string", "store, warehouse, site or area", "类型：门店、仓库、场地、区域"),
        ("address", "string", "Address", "地址"),
        ("city", "string", "City", "城市"),
        ("region_code", "string", "ISO 3166-2 of the province or state", "省份代码（ISO 3166-2）"),
        ("country_code", "string", "ISO 3166-1 alpha-2", "国家代码（ISO 3166-1）"),
        ("latitude", "double", "Degrees north, WGS 84", "纬度（WGS 84）"),
        ("longitude", "double", "Degrees east, WGS 84", "经度（WGS 84）"),
        ("time_zone", "string", "IANA zone", "时区（IANA）"),
        ("opened_on", "date", "First day", "开业日期"),
        ("closed_on", "date", "Last day; null while open", "停业日期；营业中为空"),
        ("updated_at", "timestamptz", "Last change in the source", "更新时间"),
        ("valid_from", "timestamptz", "From when this version held", "版本生效时间"),
        ("valid_to", "timestamptz", "Until when; null while it holds", "版本失效时间；仍有效时为空"),
    ),
)

CALENDAR = Contract(
    name="core.calendar",
    doc="What kind of day it is where: holidays, days worked instead, school holidays, sales.",
    zh="日历：节假日、调休、寒暑假、促销日",
    grain="one row a day, region and kind",
    key=("source", "region_code", "day", "kind"),
    sort=("day", "region_code"),
    columns=bilingual(
        ("day", "date", "Day there", "日期"),
        ("region_code", "string", "ISO 3166-1 alpha-2 or 3166-2", "地区代码（ISO 3166）"),
        (
            "kind",
            "string",
            "holiday, workday, school_holiday or sale",
            "类型：节假日、调休上班、寒暑假、促销",
        ),
        ("source", "string", "System that holds it", "来源系统"),
        ("name", "string", "Name", "名称"),
        ("is_working_day", "boolean", "People work", "是否工作日"),
        ("updated_at", "timestamptz", "Last change in the source", "更新时间"),
    ),
)

WEATHER = Contract(
    name="core.weather",
    doc="Weather of a place by day.",
    zh="天气：各地每日天气",
    grain="one row a place and day",
    key=("source", "place_id", "day"),
    sort=("day", "place_id"),
    columns=bilingual(
        ("day", "date", "Day there", "日期"),
        ("place_id", "string", "Place, city or station", "地点、城市或站点编号"),
        ("source", "string", "System that holds it", "来源系统"),
        ("temperature_max_c", "double", "Highest, °C", "最高气温（℃）"),
        ("temperature_min_c", "double", "Lowest, °C", "最低气温（℃）"),
        ("precipitation_mm", "double", "Rain and snow, mm", "降水量（毫米）"),
        ("wind_max_ms", "double", "Strongest wind, m/s", "最大风速（米/秒）"),
        ("condition", "string", "In words, as the source has it", "天气状况"),
        ("updated_at", "timestamptz", "Last change in the source", "更新时间"),
    ),
)

READINGS = Contract(
    name="core.readings",
    doc="What devices measured: doors, meters, scales, machines, wearables.",
    zh="设备读数：客流计、仪表、体重秤、设备、可穿戴",
    grain="one row a device, measure and time",
    key=("source", "device_id", "measure", "measured_at"),
    partition=partitions("month(measured_at)"),
    sort=("measured_at", "device_id"),
    columns=bilingual(
        ("device_id", "string", "Device", "设备编号"),
        ("measure", "string", "What is measured", "指标"),
        ("measured_at", "timestamptz", "When, UTC", "测量时间（UTC）"),
        ("source", "string", "System that collects it", "来源系统"),
        ("customer_id", "string", "Customer whose device it is, where known", "设备所属客户；未知时为空"),
        ("place_id", "string", "Where the device is", "地点编号"),
        ("value", "double", "Value in `unit`", "数值"),
        ("unit", "string", "Unit, as UCUM writes it where it can", "单位"),
        ("updated_at", "timestamptz", "Last change in the source", "更新时间"),
    ),
)

EXCHANGE_RATES = Contract(
    name="core.exchange_rates",
    doc="What one unit of a currency was worth in another.",
    zh="汇率",
    grain="one row a pair of currencies and day",
    key=("source", "currency", "quote", "day"),
    sort=("day", "currency"),
    columns=bilingual(
        ("day", "date", "Day", "日期"),
        ("currency", "string", "ISO 4217 of what is priced", "币种（ISO 4217）"),
        ("quote", "string", "ISO 4217 of what it is priced in", "计价币种（ISO 4217）"),
        ("source", "string", "System that holds it", "来源系统"),
        ("updated_at", "timestamptz", "Last change in the source", "更新时间"),
        (
            "rate",
            "decimal(38,18)",
            "Units of `quote` for one of `currency`",
            "汇率：1 单位币种折合的计价币种",
        ),
    ),
    migrations=(Migration(1, "rates have more than eight digits behind the point", drop={"rate": 5}),),
)

ALL = (PLACES, CALENDAR, WEATHER, READINGS, EXCHANGE_RATES)
