// The chat page of the example `chat`, on any binding in a real browser: node chat.mjs URL CHROMIUM
import assert from "node:assert/strict";
import { check, finish, require, restartServer } from "./checks.mjs";

const { chromium } = require("playwright-core");
const [url, executablePath] = process.argv.slice(2);

// The smallest PNG that is one: one red pixel.
const PICTURE = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==",
  "base64",
);

const browser = await chromium.launch({
  executablePath,
  headless: true,
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
});
const complaints = [];

/** A page with a profile of its own, at the door of the chat. */
async function open() {
  const context = await browser.newContext({ viewport: { width: 1000, height: 700 } });
  context.setDefaultTimeout(10_000);
  const page = await context.newPage();
  page.on("pageerror", (error) => complaints.push(error.message));
  await page.goto(`${url}/`);
  await page.locator('#status[data-state="online"]').waitFor();
  return page;
}

async function enter(page, name, room) {
  await page.fill("#name", name);
  await page.fill("#room", room);
  await page.click("#join button");
}

async function say(page, text) {
  await page.fill("#text", text);
  await page.press("#text", "Enter");
}

const has = (page, selector, text) => page.locator(selector, { hasText: text }).first().waitFor();
const lacks = (page, selector, text) => page.locator(selector, { hasText: text }).waitFor({ state: "detached" });
const texts = (page, selector) => page.locator(selector).allTextContents();

/** The bytes behind the last picture on the page. */
const pictureBytes = async (page) => {
  const numbers = await page.locator("#log .entry img").last().evaluate(async (image) => {
    const bytes = await (await fetch(image.src)).arrayBuffer();
    return [...new Uint8Array(bytes)];
  });
  return Buffer.from(numbers);
};

const ada = await open();
const grace = await open();
let late;

await check("client from the server itself", async () => {
  assert.equal(await ada.locator('script[src*="cdn.socket.io"]').count(), 0);
  assert.equal(await ada.evaluate(() => typeof io), "function");
});

await check("joining", async () => {
  await enter(ada, "Ada", "lobby");
  await has(ada, "#where", "Ada in lobby");
  await enter(grace, "Grace", "lobby");
  await has(grace, "#where", "Grace in lobby");
  await has(ada, "#log .note", "Grace joined");
});

await check("who is online", async () => {
  for (const page of [ada, grace]) {
    await has(page, "#users li", "Ada");
    await has(page, "#users li", "Grace");
    await has(page, "#rooms button", "lobby2");
  }
});

await check("messages both ways", async () => {
  await say(ada, "Hello Grace, zażółć 🦀 <b>&amp;");
  await has(grace, "#log .entry:not(.own) .body", "Hello Grace, zażółć 🦀 <b>&amp;");
  await say(grace, "Hello Ada");
  await has(ada, "#log .entry:not(.own) .body", "Hello Ada");
  assert.deepEqual(await texts(ada, "#log .entry .body"), await texts(grace, "#log .entry .body"));
  assert.equal(await grace.locator("#log .entry.own").count(), 1);
});

await check("typing", async () => {
  await grace.locator("#text").pressSequentially("Hm");
  await has(ada, "#typing", "Grace is typing");
  assert.equal(await grace.locator("#typing").textContent(), "");
  await grace.fill("#text", "");
  await ada.locator("#typing:empty").waitFor();
});

await check("picture", async () => {
  await ada.setInputFiles("#picture", { name: "dot.png", mimeType: "image/png", buffer: PICTURE });
  const image = grace.locator('#log .entry img[alt="Picture from Ada"]');
  await image.waitFor();
  assert.equal(await image.evaluate(async (shown) => (await shown.decode(), shown.naturalWidth)), 1);
  assert.deepEqual(await pictureBytes(grace), PICTURE);
  await ada.locator("#log .entry.own img").waitFor();
  assert.deepEqual(await pictureBytes(ada), PICTURE);
});

await check("name taken", async () => {
  late = await open();
  await enter(late, " ada ", "lobby");
  await late.locator("#join-error:not(:empty)").waitFor();
  assert.equal(await late.locator("#chat").isVisible(), false);
});

await check("history for a late joiner", async () => {
  await enter(late, "Edsger", "lobby");
  await has(late, "#where", "Edsger in lobby");
  assert.deepEqual(await texts(late, "#log .entry .body"), await texts(ada, "#log .entry .body"));
  assert.deepEqual(await pictureBytes(late), PICTURE);
});

await check("switching rooms", async () => {
  await late.fill("#other-room", "attic");
  await late.press("#other-room", "Enter");
  await has(late, "#where", "Edsger in attic");
  assert.equal(await late.locator("#log .entry").count(), 0);
  await has(ada, "#log .note", "Edsger left");
  await lacks(ada, "#users li", "Edsger");
  await has(ada, "#rooms button", "attic1");
  await say(late, "Nobody hears this");
  await has(late, "#log .entry .body", "Nobody hears this");
  await late.click('#rooms button[data-room="lobby"]');
  await has(late, "#log .entry .body", "Hello Ada");
  assert.equal((await texts(ada, "#log .entry .body")).includes("Nobody hears this"), false);
});

await check("leaving", async () => {
  await late.context().close();
  await lacks(ada, "#users li", "Edsger");
});

await check("joining again after a restart", async () => {
  await restartServer(async () => {
    for (const page of [ada, grace]) {
      await has(page, "#banner", "connection was lost");
      assert.equal(await page.locator("#send").isDisabled(), true);
    }
    await ada.fill("#text", "Written while away");
    await ada.press("#text", "Enter");
    assert.equal(await ada.inputValue("#text"), "Written while away");
  });
  for (const page of [ada, grace]) {
    await page.locator("#banner").waitFor({ state: "hidden" });
    await has(page, "#users li", "Ada");
    await has(page, "#users li", "Grace");
  }
  await ada.press("#text", "Enter");
  await has(grace, "#log .entry .body", "Written while away");
});

await check("no errors in the page", async () => assert.deepEqual(complaints, []));

await browser.close();
finish();
