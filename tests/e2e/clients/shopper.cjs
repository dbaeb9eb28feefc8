// Somebody browses the shop, signs in, and buys: {"chromium", "shop", "email", "patience"}; prints what was seen as JSON.
const { chromium } = require("playwright-core");

const PERSON = // not HeadlessChrome, which is counted among robots
  "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36";

async function main() {
  const { chromium: executablePath, shop, email, patience } = JSON.parse(process.argv[2]);
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
  try {
    const page = await browser.newPage({ userAgent: PERSON });
    page.setDefaultTimeout(patience);
    const hosts = new Set();
    page.on("request", (request) => hosts.add(new URL(request.url()).hostname));
    const errors = [];
    page.on("pageerror", (error) => errors.push(String(error)));
    let delivered = 0;
    page.on("response", (answer) => {
      if (answer.request().method() === "POST" && new URL(answer.url()).pathname.startsWith("/v1/")) delivered += answer.ok();
    });
    // A person looks at a page for a while: all events so far are delivered before the next step.
    const arrived = async (path, events) => {
      await page.waitForFunction((path) => location.pathname === path, path);
      const deadline = Date.now() + patience;
      while (delivered < events) {
        if (Date.now() > deadline) throw new Error(`${delivered} of ${events} events are delivered on ${path}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    };

    await page.goto(`${shop}?utm_source=newsletter&utm_campaign=spring`);
    await arrived("/", 1);
    await page.click('a[href="/products/longjing"]');
    await arrived("/products/longjing", 3);
    await page.click("header .name");
    await arrived("/", 4);
    await page.click('a[href="/products/assam"]');
    await arrived("/products/assam", 6);
    await page.click("#add");
    await page.click("#add");
    await arrived("/products/assam", 8);
    await page.click('header a[href="/basket"]');
    await arrived("/basket", 9);
    await page.click("#buy");
    await arrived("/account", 10); // nobody buys who is not signed in
    await page.fill("#email", email);
    await page.click("#sign-in");
    await page.waitForSelector("#sign-out");
    await arrived("/account", 13);
    await page.click('header a[href="/basket"]');
    await arrived("/basket", 14);
    await page.click("#buy");
    await page.waitForFunction(() => document.getElementById("message").textContent.startsWith("Thank you"));
    const thanks = await page.textContent("#message");
    await arrived("/basket", 15);
    // the page itself shows what the tables know by then
    await page.waitForFunction(() => document.getElementById("timeline").textContent.includes(" order "));
    const seen = await page.evaluate(() => ({
      anonymousId: analytics.user().anonymousId(),
      userId: analytics.user().id(),
      who: document.getElementById("who").textContent,
      events: [...document.querySelectorAll("#events li")].map((item) => item.textContent),
    }));
    console.log(JSON.stringify({ ...seen, thanks, errors, hosts: [...hosts] }));
  } finally {
    await browser.close();
  }
}

main().then(() => process.exit(0), (error) => { console.error(error); process.exit(1); });
