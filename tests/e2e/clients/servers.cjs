// Sends numbered events by the SDKs for servers: {"key", "events", "batch", "segment": address, "rudder": address}
const { Analytics } = require("@segment/analytics-node");
const Rudder = require("@rudderstack/rudder-sdk-node");

const { key, events, batch, segment, rudder } = JSON.parse(process.argv[2]);
const RETRIES = 12;

async function send(client, name) {
  for (let number = 0; number < events; number++) {
    // As a server does between two requests. Segment's SDK looks through all that waits for each event that is added.
    if (number % batch === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    const userId = `${name}-${number % 50}`;
    const numbered = { number, price: 1.5 };
    if (number === 0) client.identify({ userId, traits: { number, plan: "基本" } });
    else if (number === 1) client.page({ userId, name: "Home", properties: numbered });
    else if (number === 2) client.screen({ userId, name: "Start", properties: numbered });
    else if (number === 3) client.group({ userId, groupId: `${name}-group`, traits: { number } });
    else if (number === 4) client.alias({ userId, previousId: `${name}-former` });
    else client.track({ userId, event: "Viewed", properties: numbered });
  }
}

async function segmentNode() {
  const client = new Analytics({
    writeKey: key, host: segment, flushAt: batch, maxRetries: RETRIES, httpRequestTimeout: 60_000,
  });
  await send(client, "segment-node");
  await client.closeAndFlush({ timeout: 300_000 });
}

async function rudderNode() {
  const client = new Rudder(key, { dataPlaneUrl: rudder, flushAt: batch, retryCount: RETRIES, logLevel: "error" });
  await send(client, "rudder-node");
  while (client.queue.length > 0) await client.flush();
  await client.flush();
}

Promise.all([segmentNode(), rudderNode()]).then(() => process.exit(0));
