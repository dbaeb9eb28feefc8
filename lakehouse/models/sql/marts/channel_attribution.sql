/*
doc: "Which channels bring orders and money, month by month, by four rules of giving credit; each rule comes to all revenue."
zh: "按月统计各渠道带来的订单与净收入，含四种归因规则；每种规则的合计等于全部净收入。"
grain: "one row a month and channel with a visit, a sale or a refund"
key: [month, channel]
sort: [month, channel]
columns:
  - {name: month, type: date, doc: "First day of the month of the sale, refund or visit, in the zone of the business", zh: "销售、退还或访问所在月份的第一天（业务时区）"}
  - {name: channel, type: string, doc: "As in `marts.sessions`; `none`: orders before which no visit is known, such as those of a store", zh: "渠道，同 marts.sessions；none 为没有已知访问的订单（如门店）"}
  - {name: visits, type: long, doc: "Sessions that the channel brought in the month", zh: "当月该渠道带来的会话数"}
  - {name: orders_first, type: double, doc: "Orders of the month, of which something is left, credited to the first visit", zh: "首次归因的订单数（尚有剩余的订单）"}
  - {name: orders_last, type: double, doc: "Credited to the last visit", zh: "末次归因的订单数"}
  - {name: orders_position, type: double, doc: "Credited by position: 40 % first, 40 % last, the rest between", zh: "位置归因的订单数"}
  - {name: orders_data, type: double, doc: "Credited by what would be lost without the channel", zh: "数据驱动归因的订单数"}
  - {name: net_first, type: "decimal(18,2)", doc: "Sales less refunds of the month, each on its own day, credited to the first visit, in the home currency", zh: "首次归因的净收入：当月销售减当月退还（本位币）"}
  - {name: net_last, type: "decimal(18,2)", doc: "Credited to the last visit", zh: "末次归因的净收入"}
  - {name: net_position, type: "decimal(18,2)", doc: "Credited by position", zh: "位置归因的净收入"}
  - {name: net_data, type: "decimal(18,2)", doc: "Credited by what would be lost without the channel", zh: "数据驱动归因的净收入"}
audits:
  - {name: "nobody visits or orders less than never", condition: "visits >= 0 AND orders_first >= 0 AND orders_last >= 0 AND orders_position >= 0 AND orders_data >= 0"}
*/
-- The rules are those of core.order_credits. Over all channels of a month each rule's net is the month's revenue. A visit of one
-- month may be credited with an order of the next: return on what was spent in a month is in marts.return_on_ad_spend.
WITH credited AS (
    SELECT CAST(date_trunc('month', day) AS DATE) AS month, channel, 0 AS visits,
        CASE WHEN is_order AND coalesce(taken_back_on > getvariable('as_of'), true) THEN 1 ELSE 0 END AS counts,
        first_share, last_share, position_share, data_share, first_value, last_value, position_value, data_value
    FROM core.order_credits
    WHERE day <= getvariable('as_of')
    UNION ALL
    SELECT CAST(date_trunc('month', started_on) AS DATE), channel, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0
    FROM marts.sessions
    WHERE started_on <= getvariable('as_of')
)
SELECT month, channel, sum(visits) AS visits, sum(counts * first_share) AS orders_first, sum(counts * last_share) AS orders_last,
    CAST(sum(CAST(counts * position_share AS DECIMAL(28, 12))) AS DOUBLE) AS orders_position,
    CAST(sum(CAST(counts * data_share AS DECIMAL(28, 12))) AS DOUBLE) AS orders_data,
    coalesce(sum(first_value), 0) AS net_first, coalesce(sum(last_value), 0) AS net_last,
    coalesce(sum(position_value), 0) AS net_position, coalesce(sum(data_value), 0) AS net_data
FROM credited
GROUP BY month, channel
