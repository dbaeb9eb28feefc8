// The shop: its pages by path, a basket in local storage, and a look at what the tables know of this browser.
const page = document.getElementById("page");
const stored = (name, otherwise) => JSON.parse(localStorage.getItem(name) ?? "null") ?? otherwise;
const store = (name, value) => localStorage.setItem(name, JSON.stringify(value));
const money = (cents) => `${(cents / 100).toFixed(2)} ${SHOP.currency}`;
const product = (id) => SHOP.products.find((one) => one.id === id);
const said = (one, quantity = 1) => ({ product_id: one.id, name: one.name, price: one.cents / 100, quantity });

function element(tag, text, attributes = {}, ...children) {
  const made = Object.assign(document.createElement(tag), attributes);
  if (text) made.textContent = text;
  made.append(...children);
  return made;
}

async function post(path, body) {
  const answer = await fetch(path, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
  });
  const told = await answer.json();
  if (!answer.ok) throw new Error(told.message);
  return told;
}

function showHeader() {
  const items = Object.values(stored("basket", {})).reduce((sum, quantity) => sum + quantity, 0);
  document.getElementById("basket-count").textContent = items || "";
  document.getElementById("account").textContent = stored("user", null)?.email ?? "Sign in";
}

function shelf() {
  const cards = SHOP.products.map((one) =>
    element("a", "", { href: `/products/${one.id}`, className: "card" },
      element("strong", one.name), element("span", money(one.cents))));
  page.replaceChildren(element("h1", "Teas"), element("div", "", { className: "cards" }, ...cards));
  analytics.page("Home");
}

function detail(one) {
  const add = element("button", "Add to basket", { id: "add" });
  add.onclick = () => {
    const basket = stored("basket", {});
    store("basket", { ...basket, [one.id]: (basket[one.id] ?? 0) + 1 });
    analytics.track("Product Added", said(one));
    showHeader();
  };
  page.replaceChildren(element("h1", one.name), element("p", one.about), element("p", money(one.cents)), add);
  analytics.page("Product", { product_id: one.id });
  analytics.track("Product Viewed", said(one));
}

function basketPage() {
  const basket = stored("basket", {});
  const lines = Object.entries(basket).map(([id, quantity]) => [product(id), quantity]).filter(([one]) => one);
  const list = lines.map(([one, quantity]) => element("li", `${quantity} × ${one.name}, ${money(one.cents * quantity)}`));
  const buy = element("button", "Buy", { id: "buy", disabled: lines.length === 0 });
  const message = element("p", "", { id: "message" });
  if (lines.length === 0) message.textContent = "The basket is empty.";
  buy.onclick = async () => {
    const user = stored("user", null);
    if (!user) return void location.assign("/account");
    buy.disabled = true;
    try {
      const order = await post("/orders", { userId: user.userId, lines: basket });
      analytics.track("Order Completed", {
        order_id: order.orderId, total: order.cents / 100, currency: SHOP.currency,
        products: lines.map(([one, quantity]) => said(one, quantity)),
      });
      store("basket", {});
      showHeader();
      message.textContent = `Thank you: order ${order.orderId}, ${money(order.cents)}.`;
    } catch (error) {
      buy.disabled = false;
      message.textContent = error.message;
    }
  };
  page.replaceChildren(element("h1", "Basket"), element("ul", "", {}, ...list), buy, message);
  analytics.page("Basket");
}

function accountPage() {
  const user = stored("user", null);
  const message = element("p", "", { id: "message" });
  if (user) {
    const leave = element("button", "Sign out", { id: "sign-out" });
    leave.onclick = () => {
      localStorage.removeItem("user");
      analytics.track("Signed Out");
      analytics.reset();
      accountPage();
      showHeader();
    };
    page.replaceChildren(element("h1", "Account"), element("p", `Signed in as ${user.email}.`), leave, message);
  } else {
    const email = element("input", "", { type: "email", id: "email", required: true, placeholder: "you@example.com" });
    const form = element("form", "", {}, email, element("button", "Sign in", { id: "sign-in" }));
    form.onsubmit = async (submitted) => {
      submitted.preventDefault();
      try {
        const { userId } = await post("/sign-in", { email: email.value });
        store("user", { userId, email: email.value });
        analytics.identify(userId, { email: email.value });
        analytics.track("Signed In");
        accountPage();
        showHeader();
      } catch (error) {
        message.textContent = error.message;
      }
    };
    page.replaceChildren(element("h1", "Sign in"), form, message);
  }
  analytics.page("Account");
}

// What is asked of the tables is asked again when the answer has come: on a slow machine less often.
async function look() {
  const anonymousId = analytics.user?.()?.anonymousId?.();
  try {
    if (anonymousId && !document.hidden) {
      const known = await (await fetch(`/known?anonymousId=${encodeURIComponent(anonymousId)}`)).json();
      if (known.events?.length) show(known);
    }
  } finally {
    setTimeout(look, SHOP.lookMilliseconds);
  }
}

function show({ customer, events, timeline }) {
  const who = customer ? `You are customer ${customer}: ${SHOP.timeline.replace("CUSTOMER", customer)}` : "A device that nobody is signed in on.";
  document.getElementById("who").textContent = who;
  document.getElementById("events").replaceChildren(...events.map((event) =>
    element("li", `${event.at} ${event.type} ${event.what ?? ""} (in the table after ${event.seconds} s)`)));
  document.getElementById("timeline").replaceChildren(...timeline.map((entry) =>
    element("li", [entry.at, entry.kind, entry.what, entry.amount, entry.currency].filter(Boolean).join(" "))));
}

const [, first, id] = location.pathname.split("/");
if (first === "products" && product(id)) detail(product(id));
else if (first === "basket") basketPage();
else if (first === "account") accountPage();
else shelf();
showHeader();
look();
