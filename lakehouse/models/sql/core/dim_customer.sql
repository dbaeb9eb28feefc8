/*
doc: "Customers for reports, without personal data: where they are, what they bought, what they are called by RFM, stage and tags."
zh: "客户维度（不含个人数据）：地区、购买概况、RFM 分组、阶段与标签。"
kind: view
grain: "one row a customer"
key: [customer_id]
columns:
  - {name: customer_id, doc: "Customer; facts name it", zh: "客户编号，事实表以此关联"}
  - {name: country, doc: "ISO 3166-1 alpha-2; as the CRM has it where no such country is known", zh: "国家代码（ISO 3166-1）"}
  - {name: city, doc: "City", zh: "城市"}
  - {name: language, doc: "Preferred language", zh: "首选语言"}
  - {name: first_seen_at, type: timestamptz, doc: "First seen anywhere", zh: "首次出现时间"}
  - {name: first_order_on, type: date, doc: "Day of the first order of which something is left", zh: "首单日"}
  - {name: last_order_on, type: date, doc: "Day of the last one", zh: "末单日"}
  - {name: orders, type: long, doc: "Orders of which something is left", zh: "订单数"}
  - {name: revenue, type: "decimal(18,2)", doc: "Net, in the home currency", zh: "净收入（本位币）"}
  - {name: rfm_segment, doc: "Name of the RFM cell; null without an order", zh: "RFM 分组名；无订单时为空"}
  - {name: stage, doc: "Where the customer stands: see `marts.lifecycle`", zh: "生命周期阶段"}
  - {name: tags, doc: "Names of its tags, with commas between; null without one", zh: "标签名，逗号分隔；没有时为空"}
*/
WITH tagged AS (
    SELECT customer_id, string_agg(tag, ',' ORDER BY tag) AS tags FROM marts.customer_tags GROUP BY customer_id
)
SELECT c.customer_id, c.country, c.city, c.language, c.first_seen_at, m.first_order_on, m.last_order_on,
    coalesce(m.orders, 0) AS orders, coalesce(m.revenue, 0) AS revenue, r.segment AS rfm_segment, l.stage, t.tags
FROM core.customers AS c
LEFT JOIN marts.customer_360 AS m USING (customer_id)
LEFT JOIN marts.rfm AS r USING (customer_id)
LEFT JOIN marts.lifecycle AS l USING (customer_id)
LEFT JOIN tagged AS t USING (customer_id)
