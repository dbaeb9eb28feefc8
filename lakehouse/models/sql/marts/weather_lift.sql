/*
doc: "What sells better or worse in which weather, against all other goods of the same city and month, with an interval of 95 %."
zh: "天气对各类目销售的影响：与同城同月其他类目相比，含 95% 区间。"
grain: "one row a kind of weather and category"
key: [weather, category]
sort: [weather, category]
columns:
  - {name: weather, type: string, doc: "rain (any rain or snow), heat (30 °C or more), frost (below 0 °C)", zh: "天气：rain 降水、heat 高温（30℃ 及以上）、frost 零下"}
  - {name: category, type: string, doc: "Category of the product", zh: "商品类目"}
  - {name: orders_with, type: long, doc: "Orders with the category on such days, in the city of the delivery", zh: "该天气下含该类目的订单数（收货城市）"}
  - {name: orders_without, type: long, doc: "Orders with it on other days", zh: "其他日子含该类目的订单数"}
  - {name: others_with, type: long, doc: "Orders with each other category on such days", zh: "该天气下含其他类目的订单数（每类计一次）"}
  - {name: others_without, type: long, doc: "Orders with each other category on other days", zh: "其他日子含其他类目的订单数（每类计一次）"}
  - {name: lift, type: double, doc: "How much more of it is sold on such days, as a part: 0.3 is 30 % more; null where nothing can be compared", zh: "提升比例：0.3 即多 30%；无法比较时为空"}
  - {name: low, type: double, doc: "Lower end of the interval", zh: "区间下限"}
  - {name: high, type: double, doc: "Upper end of the interval", zh: "区间上限"}
audits:
  - {name: "the interval holds the lift", condition: "low <= lift AND lift <= high"}
*/
-- The rows of marts.sales_lift that are of weather.
SELECT occasion AS weather, category, orders_with, orders_without, others_with, others_without, lift, low, high
FROM marts.sales_lift
WHERE kind = 'weather'
