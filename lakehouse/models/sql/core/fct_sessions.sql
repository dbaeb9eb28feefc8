/*
doc: "Visits of site and app for reports: see `marts.sessions`."
zh: "会话事实，见 marts.sessions。"
kind: view
grain: "one row a session"
key: [session_id]
columns:
  - {name: session_id, doc: "Identifies the session", zh: "会话编号"}
  - {name: day, type: date, doc: "Day of the first message: `core.dim_date`", zh: "首条消息的日期"}
  - {name: started_at, type: timestamptz, doc: "First message, UTC", zh: "首条消息时间（UTC）"}
  - {name: customer_id, doc: "Customer: `core.dim_customer`; null while unknown", zh: "客户；未知时为空"}
  - {name: is_app, type: boolean, doc: "An app sent it", zh: "来自 App"}
  - {name: campaign_source, doc: "utm_source of the campaign that brought it", zh: "推广来源"}
  - {name: campaign_name, doc: "utm_campaign", zh: "推广名称"}
  - {name: seconds, type: double, doc: "From the first message to the last", zh: "首末消息相隔秒数"}
  - {name: events, type: long, doc: "Messages of what somebody did", zh: "行为消息数"}
  - {name: pages, type: long, doc: "Pages and screens among them", zh: "页面与屏幕数"}
  - {name: has_view, type: boolean, doc: "A product was viewed", zh: "浏览过商品"}
  - {name: has_cart, type: boolean, doc: "A product was put into the cart", zh: "加入过购物车"}
  - {name: has_order, type: boolean, doc: "An order was made, as the site or app tells it", zh: "下过单"}
*/
SELECT session_id, started_on AS day, started_at, customer_id, is_app, campaign_source, campaign_name, seconds, events, pages,
    viewed_at IS NOT NULL AS has_view, added_at IS NOT NULL AS has_cart, ordered_at IS NOT NULL AS has_order
FROM marts.sessions
