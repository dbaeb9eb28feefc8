/*
doc: "Tracked messages for reports: who, when, what; without what they say of devices and persons."
zh: "事件事实：何人、何时、何事；不含设备与个人信息。"
kind: view
grain: "one row a tracked message"
key: [message_id]
columns:
  - {name: message_id, doc: "The sender's id of the message", zh: "消息编号"}
  - {name: day, type: date, doc: "Day in the zone of the business: `core.dim_date`", zh: "日期（业务时区）"}
  - {name: timestamp, type: timestamptz, doc: "When it happened, by the server's clock", zh: "发生时间"}
  - {name: received_at, type: timestamptz, doc: "When it was received", zh: "接收时间"}
  - {name: customer_id, doc: "Customer: `core.dim_customer`; null while unknown", zh: "客户；未知时为空"}
  - {name: type, doc: "track, page, screen, identify, group or alias", zh: "消息类型"}
  - {name: event, doc: "Name of a tracked event", zh: "事件名"}
  - {name: name, doc: "Name of a page or screen", zh: "页面或屏幕名"}
*/
SELECT message_id, CAST(timestamp AT TIME ZONE getvariable('time_zone') AS DATE) AS day, timestamp, received_at, customer_id, type,
    event, name
FROM core.events
