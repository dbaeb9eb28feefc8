/*
doc: "Products for reports, each version with the time in which it counts; of a sale before the first version, the first counts."
zh: "商品维度（缓慢变化）：每个版本及其适用时间；早于首个版本的销售取首个版本。"
kind: view
grain: "one row a version of a product"
key: [product_version]
columns:
  - {name: product_version, doc: "Identifies the version; facts name it", zh: "版本键，事实表以此关联"}
  - {name: product_key, doc: "Identifies the product: `source:product_id`", zh: "商品键"}
  - {name: source, doc: "Shop or ERP whose catalogue names it", zh: "商品目录所属来源"}
  - {name: product_id, doc: "Id or SKU in its source", zh: "商品编号或 SKU"}
  - {name: name, doc: "Name", zh: "商品名称"}
  - {name: category, doc: "Category, the levels divided by ' > '", zh: "类目，层级以“ > ”分隔"}
  - {name: brand, doc: "Brand", zh: "品牌"}
  - {name: unit, doc: "What one is: piece, kg, hour", zh: "计量单位"}
  - {name: list_price, type: "decimal(28,10)", doc: "Price before any discount, in `currency`", zh: "标价"}
  - {name: currency, doc: "ISO 4217", zh: "币种（ISO 4217）"}
  - {name: counts_from, type: timestamptz, doc: "From when facts name it; of the first version since ever", zh: "事实从何时起取此版本；首个版本自始"}
  - {name: counts_to, type: timestamptz, doc: "Until when; null of the last version", zh: "到何时为止；最后版本为空"}
  - {name: is_current, type: boolean, doc: "It holds now; false of what was deleted", zh: "当前有效；已删除的为否"}
*/
-- A source tells of a product from the day on that it was first exported, and sold it before: without the first line facts of
-- then would have no product. Between two versions that do not meet, the earlier one goes on.
WITH versions AS (
    SELECT *, row_number() OVER in_time AS n, lead(valid_from) OVER in_time AS next_from
    FROM core.products
    WHERE valid_from IS NOT NULL
    WINDOW in_time AS (PARTITION BY source, product_id ORDER BY valid_from)
)
SELECT md5(concat_ws(chr(31), source, product_id, epoch_us(valid_from))) AS product_version,
    concat_ws(':', source, product_id) AS product_key, source, product_id, name, category, brand, unit, list_price, currency,
    CASE WHEN n = 1 THEN CAST('0001-01-01 00:00:00+00' AS TIMESTAMPTZ) ELSE valid_from END AS counts_from,
    next_from AS counts_to, valid_to IS NULL AS is_current
FROM versions
