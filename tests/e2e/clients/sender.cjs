// Sends numbered events by the browser's SDK on each of the pages: {"chromium", "pages": [{"address", "events"}]}; leaves
// when its input ends.
const { chromium } = require("playwright-core");

const LOT = 100;

async function main() {
  const { chromium: executablePath, pages } = JSON.parse(process.argv[2]);
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
  try {
    for (const { address, events } of pages) {
      const page = await browser.newPage();
      await page.goto(address);
      // In lots: for each event that is added the SDK looks through all that waits.
      void page.evaluate(async ([count, lot]) => {
        analytics.identify("browser-0", { number: 0, plan: "基本" });
        analytics.page("Home", { number: 1 });
        analytics.group("browser-group", { number: 2 });
        let added = [];
        for (let number = 3; number < count; number++) {
          added.push(analytics.track("Viewed", { number, price: 1.5 }));
          if (added.length === lot) added = void (await Promise.all(added)) ?? [];
        }
      }, [events, LOT]);
    }
    await new Promise((resolve) => process.stdin.on("end", resolve).resume());
  } finally {
    await browser.close();
  }
}

main().then(() => process.exit(0), (error) => { console.error(error); process.exit(1); });
