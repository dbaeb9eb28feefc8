/*
doc: "Tracked messages for reports: who, when, what, on which page, by which campaign, with what device; without what they say of persons."
zh: "事件事实：何人、何时、何事、页面、推广来源与设备；不含个人信息。"
kind: view
only_on: duckdb
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
  - {name: page_host, doc: "Host of the page it happened on", zh: "所在页面的域名"}
  - {name: page_path, doc: "Path of that page; without what stands behind ?", zh: "所在页面的路径；不含 ? 之后的部分"}
  - {name: page_title, doc: "Title of that page", zh: "页面标题"}
  - {name: referrer, doc: "Host of the page that this one was come to from", zh: "来源页面的域名"}
  - {name: campaign_source, doc: "utm_source of the campaign that it names", zh: "utm_source"}
  - {name: campaign_medium, doc: "utm_medium", zh: "utm_medium"}
  - {name: campaign_name, doc: "utm_campaign", zh: "utm_campaign"}
  - {name: campaign_content, doc: "utm_content", zh: "utm_content"}
  - {name: campaign_term, doc: "utm_term", zh: "utm_term"}
  - {name: click_id, doc: "Kind of click id in the page's address: gclid, fbclid, msclkid, ttclid, bd_vid, …", zh: "点击编号的种类"}
  - {name: click_id_value, pii: true, doc: "The click id itself, as its platform wants it back", zh: "点击编号，回传给平台时使用"}
  - {name: browser, doc: "Family of the browser or program: `core.user_agents`", zh: "浏览器或程序"}
  - {name: os, doc: "System, by the user agent, else as an app says it", zh: "操作系统"}
  - {name: device_type, doc: "desktop, mobile, tablet, tv, console or watch; of an app on a telephone's system: mobile", zh: "设备类型"}
  - {name: is_bot, type: boolean, doc: "A robot sent it; no session counts it", zh: "是否由机器人发出；不计入会话"}
  - {name: screen_width, type: int, doc: "Width of the screen, pixels as the page counts them", zh: "屏幕宽度"}
  - {name: screen_height, type: int, doc: "Height of the screen", zh: "屏幕高度"}
  - {name: locale, doc: "Language and region, such as zh-CN", zh: "语言与地区"}
  - {name: time_zone, doc: "Zone of the device, such as Asia/Shanghai", zh: "设备时区"}
*/
WITH said AS (
    SELECT *, coalesce(context->>'$.page.url', CASE WHEN type <> 'screen' THEN properties->>'$.url' END) AS address,
        link_parts(campaign_links(context, properties)) AS parts,
        CASE WHEN contains(context, '"campaign"') THEN context->'$.campaign' END AS campaign
    FROM core.events
),
named AS (SELECT *, campaign_said(parts, campaign) AS brought_by FROM said)
SELECT e.message_id, CAST(e.timestamp AT TIME ZONE getvariable('time_zone') AS DATE) AS day, e.timestamp, e.received_at,
    e.customer_id, e.type, e.event, e.name,
    address_host(e.address) AS page_host,
    address_path(coalesce(e.context->>'$.page.path', CASE WHEN e.type <> 'screen' THEN e.properties->>'$.path' END, e.address))
        AS page_path,
    coalesce(e.context->>'$.page.title', CASE WHEN e.type = 'page' THEN e.properties->>'$.title' END) AS page_title,
    address_host(coalesce(e.context->>'$.page.referrer', e.properties->>'$.referrer')) AS referrer,
    e.brought_by.source AS campaign_source, e.brought_by.medium AS campaign_medium, e.brought_by.name AS campaign_name,
    e.brought_by.content AS campaign_content, e.brought_by.term AS campaign_term,
    split_part(e.brought_by.click, '=', 1) AS click_id,
    substr(e.brought_by.click, length(split_part(e.brought_by.click, '=', 1)) + 2) AS click_id_value,
    a.browser, coalesce(a.os, e.context->>'$.os.name') AS os,
    coalesce(a.device_type,
        CASE WHEN NOT coalesce(a.is_bot, false) AND lower(e.context->>'$.device.type') IN ('ios', 'android') THEN 'mobile' END)
        AS device_type,
    coalesce(a.is_bot, false) AS is_bot,
    TRY_CAST(e.context->>'$.screen.width' AS INTEGER) AS screen_width,
    TRY_CAST(e.context->>'$.screen.height' AS INTEGER) AS screen_height,
    e.context->>'$.locale' AS locale, e.context->>'$.timezone' AS time_zone
FROM named AS e
LEFT JOIN core.user_agents AS a ON a.user_agent = e.user_agent
