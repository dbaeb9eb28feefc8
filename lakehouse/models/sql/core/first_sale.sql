/*
doc: "The day of the first sale that is known: before its month nothing is known; it is not that nothing was sold."
zh: "已知的首笔销售日期：此前各月无数据，而非没有销售。"
grain: one row in all, once something was sold
key: [day]
columns:
  - {name: day, type: date, doc: Day of the sale in the zone of the business, zh: 销售日（业务时区）}
*/
SELECT min(day) AS day FROM core.sales_ledger HAVING min(day) IS NOT NULL
