// Sends numbered events by the browser's SDK: {"chromium", "pages": [{"address", "events", "visitors"}]}. Each visitor has
// a browser of its own in which the page is open, and sends a part of the events. Leaves when its input ends.
const { chromium } = require("playwright-core");

const LOT = 100; // for each event that is added the SDK looks through all that waits

async function send([from, to, lot]) {
  const first = from === 0;
  if (first) {
    analytics.identify("browser-0", { number: 0, plan: "基本" });
    analytics.page("Home", { number: 1 });
    analytics.group("browser-group", { number: 2 });
  }
  let added = [];
  for (let number = first ? 3 : from; number < to; number++) {
    added.push(analytics.track("Viewed", { number, price: 1.5 }));
    if (added.length === lot) {
      await Promise.all(added);
      added = [];
    }
  }
}

async function main() {
  const { chromium: executablePath, pages } = JSON.parse(process.argv[2]);
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
  try {
    const sending = [];
    for (const { address, events, visitors } of pages) {
      const share = Math.ceil(events / visitors);
      for (let from = 0; from < events; from += share) {
        const page = await (await browser.newContext()).newPage();
        await page.goto(address);
        await page.waitForFunction(() => typeof analytics.user === "function"); // it has its settings
        sending.push([page, [from, Math.min(from + share, events), LOT]]);
      }
    }
    for (const [page, what] of sending) page.evaluate(send, what).catch(console.error);
    await new Promise((resolve) => process.stdin.on("end", resolve).resume());
  } finally {
    await browser.close();
  }
}

main().then(() => process.exit(0), (error) => { console.error(error); process.exit(1); });
