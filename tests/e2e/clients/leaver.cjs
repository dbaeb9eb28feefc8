// Opens a page, lets it send its last words as a beacon of each of these types, and leaves at once: {"chromium", "page",
// "url", "beacons": [{"type", "body"}]}
const { chromium } = require("playwright-core");

async function main() {
  const { chromium: executablePath, page: address, url, beacons } = JSON.parse(process.argv[2]);
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
  try {
    const page = await browser.newPage();
    await page.goto(address);
    await page.evaluate(([url, beacons]) => {
      addEventListener("pagehide", () => {
        for (const { type, body } of beacons) navigator.sendBeacon(url, new Blob([body], { type }));
      });
    }, [url, beacons]);
    await page.goto("about:blank");
    await new Promise((resolve) => process.stdin.on("end", resolve).resume());
  } finally {
    await browser.close();
  }
}

main().then(() => process.exit(0), (error) => { console.error(error); process.exit(1); });
