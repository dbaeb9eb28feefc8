/*
doc: "Days from 2000 to 2049 for reports: facts name a day by `day`, in the zone of the business."
zh: "日期维度（2000 至 2049 年）：事实表以业务时区的日期关联。"
kind: view
only_on: duckdb
grain: "one row a day"
key: [day]
columns:
  - {name: day, type: date, doc: "Day", zh: "日期"}
  - {name: year, type: int, doc: "Year", zh: "年"}
  - {name: quarter, type: int, doc: "Quarter, 1 to 4", zh: "季度"}
  - {name: month, type: int, doc: "Month, 1 to 12", zh: "月"}
  - {name: month_on, type: date, doc: "First day of the month", zh: "当月第一天"}
  - {name: week_on, type: date, doc: "Monday of the week", zh: "当周周一"}
  - {name: iso_year, type: int, doc: "Year that the ISO week belongs to", zh: "ISO 周所属年份"}
  - {name: iso_week, type: int, doc: "ISO week, 1 to 53", zh: "ISO 周"}
  - {name: weekday, type: int, doc: "1 Monday to 7 Sunday", zh: "星期（1 为周一）"}
  - {name: is_weekend, type: boolean, doc: "Saturday or Sunday", zh: "是否周末"}
*/
WITH days AS (
    SELECT CAST(unnest(generate_series(CAST('2000-01-01' AS DATE), CAST('2049-12-31' AS DATE), INTERVAL 1 DAY)) AS DATE) AS day
)
SELECT day, year(day) AS year, quarter(day) AS quarter, month(day) AS month, CAST(date_trunc('month', day) AS DATE) AS month_on,
    CAST(date_trunc('week', day) AS DATE) AS week_on, isoyear(day) AS iso_year, weekofyear(day) AS iso_week,
    isodow(day) AS weekday, isodow(day) >= 6 AS is_weekend
FROM days
