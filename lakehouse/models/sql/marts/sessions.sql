/*
doc: "Visits of site and app: the messages of one device without 30 minutes of silence, of one person and one campaign."
zh: "会话：同一设备上 30 分钟内不间断、属于同一人、同一推广来源的一串消息。"
only_on: duckdb
grain: "one row a session"
key: [session_id]
partition: [month(started_at)]
sort: [started_at, session_id]
columns:
  - {name: session_id, type: string, doc: "Made of the device and the first message: it stays, unless an earlier message comes", zh: "会话编号：由设备与首条消息得出；有更早的消息补到时才会变"}
  - {name: customer_id, type: string, doc: "Customer who signed in, else whose device it is; null while unknown", zh: "登录的客户，否则设备所属的客户；未识别时为空"}
  - {name: anonymous_id, type: string, doc: "Device or browser; null where messages name a user alone", zh: "设备或浏览器编号；消息只带用户编号时为空"}
  - {name: user_id, type: string, doc: "The company's id of who signed in first; null where nobody did", zh: "最先登录的用户编号；无人登录时为空"}
  - {name: started_at, type: timestamptz, doc: "First message, UTC", zh: "首条消息时间（UTC）"}
  - {name: ended_at, type: timestamptz, doc: "Last message, UTC", zh: "末条消息时间（UTC）"}
  - {name: started_on, type: date, doc: "Day of the first message in the zone of the business", zh: "首条消息的日期（业务时区）"}
  - {name: seconds, type: double, doc: "From the first message to the last; 0 where there is one", zh: "首末消息相隔秒数；只有一条时为 0"}
  - {name: events, type: long, doc: "Messages of what somebody did: page, screen, track", zh: "行为消息数：page、screen、track"}
  - {name: pages, type: long, doc: "Pages and screens among them", zh: "其中的页面与屏幕数"}
  - {name: first_page, type: string, doc: "Path of the first page, or name of the first screen; without what stands behind ?", zh: "首个页面的路径或屏幕名；不含 ? 之后的部分"}
  - {name: last_page, type: string, doc: "The same of the last one", zh: "末个页面的路径或屏幕名"}
  - {name: referrer, type: string, doc: "Site that the first page was come to from: its host alone", zh: "首个页面的来源网站，仅域名"}
  - {name: campaign_source, type: string, doc: "utm_source of the campaign that brought it; null without one", zh: "推广来源 utm_source；没有时为空"}
  - {name: campaign_medium, type: string, doc: "utm_medium", zh: "utm_medium"}
  - {name: campaign_name, type: string, doc: "utm_campaign", zh: "utm_campaign"}
  - {name: campaign_content, type: string, doc: "utm_content", zh: "utm_content"}
  - {name: campaign_term, type: string, doc: "utm_term", zh: "utm_term"}
  - {name: click_id, type: string, doc: "Kind of click id that it came with: gclid, fbclid, bd_vid, …", zh: "点击编号的种类：gclid、fbclid、bd_vid 等"}
  - {name: began_with, type: string, doc: "What parts it from the session before: first, silence, campaign or person", zh: "与上一会话的分界：首次、沉默、推广、换人"}
  - {name: is_app, type: boolean, doc: "An app sent it", zh: "来自 App"}
  - {name: viewed_at, type: timestamptz, doc: "First product viewed, UTC; null where none was", zh: "首次浏览商品的时间（UTC）；没有时为空"}
  - {name: added_at, type: timestamptz, doc: "First product put into the cart, UTC", zh: "首次加入购物车的时间（UTC）"}
  - {name: checkout_at, type: timestamptz, doc: "First checkout begun, UTC", zh: "首次开始结算的时间（UTC）"}
  - {name: ordered_at, type: timestamptz, doc: "First order, UTC, as the site or app tells it", zh: "首次下单的时间（UTC），据网站或 App"}
  - {name: channel, type: string, doc: "What brought it: paid search, paid social, paid other, display, affiliate, email, sms, search, social, campaign, referral or direct", zh: "来源渠道：paid search 付费搜索、paid social 付费社交、paid other 其他付费、display 展示广告、affiliate 联盟、email 邮件、sms 短信、search 自然搜索、social 自然社交、campaign 其他推广、referral 外链、direct 直接访问"}
  - {name: device_type, type: string, doc: "desktop, mobile, tablet, tv, console or watch, by the first message that says it", zh: "设备类型，以最先注明的消息为准"}
  - {name: browser, type: string, doc: "Family of the browser or program", zh: "浏览器或程序"}
  - {name: os, type: string, doc: "System of the device", zh: "操作系统"}
incremental:
  by: "coalesce('device ' || anonymous_id, 'user ' || user_id, '')"
  of:
    raw.events: "coalesce('device ' || person_id(anonymous_id), 'user ' || person_id(user_id), '')"
    core.identities: {raw.events: [user_id, anonymous_id]}
    core.user_agents: {raw.events: user_agent}
audits:
  - {name: "it ends no earlier than it starts", condition: "ended_at >= started_at"}
  - {name: "pages are messages", condition: "pages <= events"}
*/
-- A session is as the web analytics of Google and Matomo have it, but that midnight is no border: what was done on one device,
-- or by one user where no device is named, with at most 30 minutes between two messages. Another person who signs in begins a
-- session, and so does another campaign: a utm parameter or click id other than the one that was named last since the silence.
-- A message that names none goes on with it, and so does one that names the same again, or part of it, as servers do. Signing
-- in as such begins none. Only what somebody did counts: identify, group and alias messages come from servers too,
-- and so do those of what was sent, such as `Email Opened`; what robots did (core.user_agents) is no session, as in Google's
-- and Matomo's reports. Equal moments are in order of their message ids; a message that is
-- there twice counts once. Steps to an order go by the event names of Segment (`Product Added`) and of Google (`add_to_cart`).
-- A clock that says 1970 or 2099 makes a session then. An id such as `undefined` is none: it begins no session of another person,
-- and what names nobody and no device besides is of no session.
-- The channel goes by the kind of click id, then utm_medium, then the site that is named as utm_source or was come from; words
-- are those of Google's default channel group and of the platforms of China. A site that is the own one, or takes payments,
-- brings nobody: who comes back after half an hour, from the cashier, or from where one signs in, was there before. A mailbox in
-- the browser is e-mail, though a search engine's company runs it. A `fbclid` is on links that nobody paid for, too.
WITH acts AS (
    SELECT coalesce('device ' || e.anonymous_id, 'user ' || e.user_id) AS stream, e.message_id, e.timestamp, e.customer_id,
        e.anonymous_id, e.user_id, e.type IN ('page', 'screen') AS is_page,
        CASE WHEN e.user_id IS NOT NULL THEN coalesce(e.customer_id, e.user_id) END AS person, lower(e.event) AS event,
        coalesce(CASE WHEN e.type = 'screen' THEN e.name END, e.properties->>'$.path', e.properties->>'$.url',
            e.context->>'$.page.path', e.context->>'$.page.url') AS page,
        coalesce(e.context->>'$.page.referrer', e.properties->>'$.referrer') AS referrer,
        CASE WHEN e.type <> 'screen' THEN coalesce(e.context->>'$.page.url', e.properties->>'$.url') END AS address,
        coalesce(e.type = 'screen' OR (e.context->'$.app') IS NOT NULL, false) AS is_app,
        link_parts(campaign_links(e.context, e.properties)) AS parts,
        CASE WHEN contains(e.context, '"campaign"') THEN e.context->'$.campaign' END AS campaign,
        agent.device_type, agent.browser, agent.os
    FROM core.events AS e
    LEFT JOIN core.user_agents AS agent ON agent.user_agent = e.user_agent
    WHERE (e.type IN ('page', 'screen')
        OR e.type = 'track' AND NOT regexp_matches(e.event, '^(?i:email|sms|push notification) '))
        AND agent.is_bot IS DISTINCT FROM true
        AND coalesce(e.anonymous_id, e.user_id) IS NOT NULL
),
messages AS (
    SELECT * EXCLUDE (parts, campaign, said), row_number() OVER (ORDER BY stream, timestamp, message_id) AS n,
        CASE WHEN concat(said.source, said.medium, said.name, said.content, said.term, said.click) <> '' THEN said END AS campaign
    FROM (SELECT *, campaign_said(parts, campaign) AS said FROM acts)
),
-- a message after another of its stream, and how long it was silent before
steps AS (
    SELECT m.n, b.n IS NULL AS is_first,
        b.n IS NULL OR epoch_us(m.timestamp) - epoch_us(b.timestamp) > 1_800_000_000 AS after_silence
    FROM messages AS m
    LEFT JOIN messages AS b ON b.n = m.n - 1 AND b.stream = m.stream
    WHERE b.n IS NULL OR b.timestamp < m.timestamp OR b.message_id <> m.message_id
),
silences AS (SELECT n, CASE WHEN is_first THEN 'first' ELSE 'silence' END AS began_with FROM steps WHERE after_silence),
visits AS (
    SELECT m.n, m.person, m.campaign, s.n AS visit
    FROM messages AS m
    ASOF JOIN silences AS s ON m.n >= s.n
    WHERE m.person IS NOT NULL OR m.campaign IS NOT NULL
),
persons AS (
    SELECT n, 'person' AS began_with FROM visits
    WHERE person IS NOT NULL
    QUALIFY person <> lag(person) OVER (PARTITION BY visit ORDER BY n)
),
named AS (
    SELECT n, campaign,
        {'source': lag(campaign.source IGNORE NULLS) OVER before, 'medium': lag(campaign.medium IGNORE NULLS) OVER before,
        'name': lag(campaign.name IGNORE NULLS) OVER before, 'content': lag(campaign.content IGNORE NULLS) OVER before,
        'term': lag(campaign.term IGNORE NULLS) OVER before, 'click': lag(campaign.click IGNORE NULLS) OVER before} AS last
    FROM visits
    WHERE campaign IS NOT NULL
    WINDOW before AS (PARTITION BY visit ORDER BY n)
),
campaigns AS (
    SELECT n, 'campaign' AS began_with
    FROM named
    WHERE coalesce(campaign.source, last.source) IS DISTINCT FROM last.source
        OR coalesce(campaign.medium, last.medium) IS DISTINCT FROM last.medium
        OR coalesce(campaign.name, last.name) IS DISTINCT FROM last.name
        OR coalesce(campaign.content, last.content) IS DISTINCT FROM last.content
        OR coalesce(campaign.term, last.term) IS DISTINCT FROM last.term
        OR coalesce(campaign.click, last.click) IS DISTINCT FROM last.click
),
-- where one message is several borders, silence is said before the person, and the person before the campaign
borders AS (
    SELECT n, max(began_with) AS began_with
    FROM (FROM silences UNION ALL FROM persons UNION ALL FROM campaigns)
    GROUP BY n
),
of_session AS MATERIALIZED (SELECT s.n, b.n AS session, b.began_with FROM steps AS s ASOF JOIN borders AS b ON s.n >= b.n),
placed AS (SELECT m.*, s.session, s.began_with FROM of_session AS s JOIN messages AS m ON m.n = s.n),
sessions AS (
    SELECT any_value(stream) AS stream, min(timestamp) AS started_at, max(timestamp) AS ended_at, count(*) AS events,
        count(*) FILTER (is_page) AS pages, any_value(anonymous_id) AS anonymous_id,
        coalesce(any_value(customer_id) FILTER (person IS NOT NULL), any_value(customer_id)) AS customer_id,
        arg_min(user_id, n) AS user_id, arg_min(message_id, n) AS first_message, any_value(began_with) AS began_with,
        arg_min(page, n) AS first_page, arg_max(page, n) AS last_page, arg_min(referrer, n) AS referrer,
        arg_min(address, n) AS address,
        arg_min(campaign, n) AS campaign, bool_or(is_app) AS is_app,
        arg_min(device_type, n) AS device_type, arg_min(browser, n) AS browser, arg_min(os, n) AS os,
        min(timestamp) FILTER (event IN ('product viewed', 'viewed product', 'view_item')) AS viewed_at,
        min(timestamp) FILTER (event IN ('product added', 'added product', 'add_to_cart')) AS added_at,
        min(timestamp) FILTER (event IN ('checkout started', 'started checkout', 'begin_checkout')) AS checkout_at,
        min(timestamp) FILTER (event IN ('order completed', 'completed order', 'purchase')) AS ordered_at
    FROM placed
    GROUP BY session
),
described AS (
    SELECT *,
        address_host(referrer) AS referrer_host,
        regexp_extract(lower(address), '^[a-z][a-z0-9+.-]*://(?:[^/?#@]*@)?(?:www\.|m\.)?([^/?#:]+)', 1) AS site,
        lower(trim(coalesce(campaign.medium, ''))) AS medium, lower(trim(coalesce(campaign.source, ''))) AS campaign_site,
        split_part(coalesce(campaign.click, ''), '=', 1) AS click
    FROM sessions
),
came_from AS (
    SELECT *,
        CASE
            WHEN campaign_site <> '' THEN campaign_site
            WHEN site <> '' AND ends_with('.' || lower(referrer_host), '.' || site)
                OR regexp_matches(lower(referrer_host),
                    '(^|\.)(paypal|stripe|alipay|tenpay|unionpay|95516|adyen|klarna|mollie|braintreegateway)\.'
                    || '|^(accounts|login|signin|sso|oauth|appleid|passport)\.') THEN ''
            ELSE lower(coalesce(referrer_host, ''))
        END AS came_from
    FROM described
),
judged AS (
    SELECT *,
        regexp_matches(came_from, '(^|\.)(e?mail|webmail|exmail|outlook)[0-9]*\.[^.]+\.|^com\.google\.android\.gm$|^e\.mail\.ru$')
            AS is_mail,
        regexp_matches(came_from, '(^|[._-])(google|bing|baidu|sogou|yahoo|yandex|duckduckgo|ecosia|naver|seznam|search)([._-]|$)'
            || '|(^|\.)(so|sm)(\.com|\.cn|$)')
            AND NOT regexp_matches(came_from, '^(ads|analytics|calendar|chat|classroom|docs|drive|groups|keep|meet|play|search|sites|'
                || 'support|tagmanager|translate)\.google\.') AS is_search,
        regexp_matches(came_from, '(^|[._-])(facebook|instagram|twitter|linkedin|lnkd|pinterest|tiktok|youtube|reddit|snapchat|wechat|'
            || 'weixin|weibo|douyin|toutiao|oceanengine|kuaishou|xiaohongshu|xhs|rednote|bilibili|zhihu)([._-]|$)'
            || '|(^|\.)(fb|ig|meta|x|t|vk|qq)(\.com|\.co|$)') AS is_social
    FROM came_from
)
SELECT md5(concat_ws(' ', stream, epoch_us(started_at), first_message)) AS session_id, customer_id, anonymous_id, user_id,
    started_at, ended_at, CAST(started_at AT TIME ZONE getvariable('time_zone') AS DATE) AS started_on,
    (epoch_us(ended_at) - epoch_us(started_at)) / 1e6 AS seconds, events, pages,
    address_path(first_page) AS first_page, address_path(last_page) AS last_page, referrer_host AS referrer,
    campaign.source AS campaign_source, campaign.medium AS campaign_medium, campaign.name AS campaign_name,
    campaign.content AS campaign_content, campaign.term AS campaign_term,
    nullif(click, '') AS click_id, began_with, is_app,
    viewed_at, added_at, checkout_at, ordered_at,
    CASE
        WHEN regexp_matches(medium, '^(e-?mail|e_mail|newsletter|edm|邮件)$') OR medium = '' AND campaign_site IN ('email', 'newsletter', 'edm')
            THEN 'email'
        WHEN regexp_matches(medium, '^(sms|text|mms|短信)$') OR medium = '' AND campaign_site = 'sms' THEN 'sms'
        WHEN regexp_matches(medium, '^affiliates?$|^cps$') THEN 'affiliate'
        WHEN regexp_matches(medium, '^(display|banner|cpm|interstitial|expandable)$') THEN 'display'
        WHEN click IN ('gclid', 'gbraid', 'wbraid', 'msclkid', 'bd_vid', 'yclid') THEN 'paid search'
        WHEN click IN ('ttclid', 'twclid', 'li_fat_id', 'rdt_cid', 'ScCid', 'qz_gdt') THEN 'paid social'
        WHEN regexp_matches(medium, '^(.*cp[ac].*|ppc|sem|retargeting|paid.*|feed.?ads?|信息流)$')
            THEN CASE WHEN is_social THEN 'paid social' WHEN is_search THEN 'paid search' ELSE 'paid other' END
        WHEN regexp_matches(medium, '^organic') THEN CASE WHEN is_social THEN 'social' ELSE 'search' END
        WHEN regexp_matches(medium, '^(social|sns|sm)([ _-]?(network|media))?$') THEN 'social'
        WHEN medium = 'referral' THEN 'referral'
        WHEN medium = '' AND is_mail THEN 'email'
        WHEN medium = '' AND is_social OR click = 'fbclid' AND medium = '' THEN 'social'
        WHEN medium = '' AND is_search THEN 'search'
        WHEN medium <> '' OR campaign_site <> '' OR click <> '' OR campaign.name <> '' THEN 'campaign'
        WHEN came_from <> '' THEN 'referral'
        ELSE 'direct'
    END AS channel,
    device_type, browser, os
FROM judged
