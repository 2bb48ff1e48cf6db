// The published socket.io-client against the app `interop`: node client.mjs URL polling|websocket|upgrade
import assert from "node:assert/strict";
import { check, finish, next, require, restartServer } from "./checks.mjs";

const { Manager } = require("socket.io-client");
const [url, mode] = process.argv.slice(2);
const transports = { polling: ["polling"], websocket: ["websocket"], upgrade: ["polling", "websocket"] }[mode];
const finalTransport = mode === "upgrade" ? "websocket" : mode;

/** A connection of its own, with quick reconnection. */
const manager = () => new Manager(url, { transports, autoConnect: false, reconnectionDelay: 50, reconnectionDelayMax: 200 });

async function connected(socket) {
  const arrived = next(socket, "connect");
  socket.connect();
  await arrived;
  return socket;
}

const first = manager();
const main = first.socket("/", { auth: { token: "hello", nested: [1, { deep: true }] } });

/** A tree with two attachments that are not each other's prefix. */
const tree = () => ({ list: [Buffer.from([1, 2, 3]), { deep: Buffer.from([255, 0]) }], text: "plain", none: null });

await check("connect", async () => {
  const welcome = next(main, "welcome");
  await connected(main);
  const [{ sid }] = await welcome;
  assert.equal(sid, main.id);
});

await check("transport", async () => {
  const { engine } = first;
  if (mode === "upgrade" && engine.transport.name !== "websocket") await next(engine, "upgrade");
  assert.equal(engine.transport.name, finalTransport);
});

await check("welcome carries auth", async () => {
  const other = manager().socket("/", { auth: { token: "hello", nested: [1, { deep: true }] } });
  const welcome = next(other, "welcome");
  other.connect();
  const [{ auth }] = await welcome;
  assert.deepEqual(auth, { token: "hello", nested: [1, { deep: true }] });
  other.disconnect();
});

await check("echo", async () => {
  const values = ["text", 1, -2.5, true, null, { a: [1, { b: "c" }] }, [], "zażółć 🦀 \" \\ \u2028"];
  const echo = next(main, "echo");
  main.emit("echo", ...values);
  assert.deepEqual(await echo, values);
});

await check("echo without arguments", async () => {
  const echo = next(main, "echo");
  main.emit("echo");
  assert.deepEqual(await echo, []);
});

await check("echo binary", async () => {
  const echo = next(main, "echo");
  main.emit("echo", tree(), Buffer.from("tail"));
  assert.deepEqual(await echo, [tree(), Buffer.from("tail")]);
});

await check("ack from server", async () => {
  const answer = await new Promise((resolve) => main.emit("echo-ack", 1, "two", { three: 3 }, (...args) => resolve(args)));
  assert.deepEqual(answer, [1, "two", { three: 3 }]);
});

await check("ack from server without arguments", async () => {
  const answer = await new Promise((resolve) => main.emit("echo-ack", (...args) => resolve(args)));
  assert.deepEqual(answer, []);
});

await check("binary ack from server", async () => {
  assert.deepEqual(await main.emitWithAck("echo-ack", tree()), tree());
});

await check("ack that never comes", async () => {
  await assert.rejects(main.timeout(200).emitWithAck("no-such-event", 1), /timed out/);
});

await check("acks in parallel", async () => {
  const numbers = Array.from({ length: 200 }, (_, index) => index);
  assert.deepEqual(await Promise.all(numbers.map((number) => main.emitWithAck("echo-ack", number))), numbers);
});

await check("ack to server", async () => {
  main.once("question", (question, answer) => answer(question, "and", { more: [1] }));
  const heard = next(main, "answer");
  main.emit("ask", { what: "?" });
  assert.deepEqual(await heard, [{ what: "?" }, "and", { more: [1] }]);
});

await check("binary ack to server", async () => {
  main.once("question", (question, answer) => answer({ mirrored: question }));
  const heard = next(main, "answer");
  main.emit("ask", tree());
  assert.deepEqual(await heard, [{ mirrored: tree() }]);
});

await check("ack to server that never comes", async () => {
  main.once("question", () => {});
  const heard = next(main, "no-answer");
  main.emit("ask-briefly", "anyone?");
  assert.deepEqual(await heard, []);
});

await check("order", async () => {
  const heard = [];
  const all = new Promise((resolve) => main.on("echo", (number) => heard.push(number) === 500 && resolve()));
  for (let number = 0; number < 500; number++) main.emit("echo", number);
  await all;
  main.off("echo");
  assert.deepEqual(heard, Array.from({ length: 500 }, (_, index) => index));
});

await check("large text", async () => {
  const text = "ż🦀x".repeat(60_000);
  assert.equal((await main.emitWithAck("echo-ack", text)) === text, true);
});

await check("large binary", async () => {
  const bytes = Buffer.from(Uint8Array.from({ length: 500_000 }, (_, index) => index % 251));
  assert.equal(bytes.equals(await main.emitWithAck("echo-ack", bytes)), true);
});

await check("namespaces share the connection", async () => {
  const custom = first.socket("/custom", {});
  const welcome = next(custom, "welcome");
  await connected(custom);
  assert.equal((await welcome)[0].sid, custom.id);
  assert.notEqual(custom.id, main.id);
  const heard = [];
  main.on("echo", () => heard.push("/"));
  assert.deepEqual(await custom.emitWithAck("echo-ack", "custom", tree()), "custom");
  const echo = next(custom, "echo");
  custom.emit("echo", tree());
  assert.deepEqual(await echo, [tree()]);
  assert.deepEqual(heard, []);
  main.off("echo");
  custom.disconnect();
  assert.equal(await main.emitWithAck("echo-ack", "still here"), "still here");
});

await check("refusal", async () => {
  const denied = manager().socket("/deny", {});
  const refused = next(denied, "connect_error");
  denied.connect();
  const [error] = await refused;
  assert.equal(error.message, "not allowed");
  assert.deepEqual(error.data, { code: 7 });
  assert.equal(denied.connected, false);
});

await check("refusal leaves the connection to others", async () => {
  const denied = first.socket("/deny", {});
  const refused = next(denied, "connect_error");
  denied.connect();
  await refused;
  denied.disconnect();
  assert.equal(await main.emitWithAck("echo-ack", 1), 1);
});

await check("unknown namespace", async () => {
  const unknown = manager().socket("/nowhere", {});
  const refused = next(unknown, "connect_error");
  unknown.connect();
  assert.equal((await refused)[0].message, "Invalid namespace");
});

await check("guard accepts auth", async () => {
  const socket = manager().socket("/auth", { auth: { token: "secret" } });
  const welcome = next(socket, "welcome");
  socket.connect();
  assert.equal((await welcome)[0].user, "ada");
  socket.disconnect();
});

await check("guard refuses auth", async () => {
  for (const auth of [{ token: "wrong" }, {}, undefined]) {
    const socket = manager().socket("/auth", { auth });
    const refused = next(socket, "connect_error");
    socket.connect();
    const [error] = await refused;
    assert.equal(error.message, "invalid token");
    assert.equal(error.data, undefined);
  }
});

await check("rooms", async () => {
  const [left, right, outside] = await Promise.all(["/", "/", "/"].map((path) => connected(manager().socket(path, {}))));
  const heard = [];
  for (const [who, socket] of Object.entries({ left, right, outside })) {
    socket.on("said", (room, text) => heard.push(`${who} ${room} ${text}`));
  }
  await left.emitWithAck("join", "blue");
  await right.emitWithAck("join", "blue");
  await left.emitWithAck("say", "blue", "to the others");
  await left.emitWithAck("shout", "blue", "to all");
  await outside.emitWithAck("say", "blue", "from outside");
  await right.emitWithAck("leave", "blue");
  await left.emitWithAck("shout", "blue", "to who is left");
  // Whatever was sent before stands before the answer to this.
  for (const socket of [left, right, outside]) await socket.emitWithAck("echo-ack", "flush");
  assert.deepEqual(heard.sort(), [
    "left blue from outside",
    "left blue to all",
    "left blue to who is left",
    "right blue from outside",
    "right blue to all",
    "right blue to the others",
  ]);
  for (const socket of [left, right, outside]) socket.disconnect();
});

await check("binary broadcast", async () => {
  const [left, right] = await Promise.all(["/", "/"].map((path) => connected(manager().socket(path, {}))));
  const heard = [next(left, "announced"), next(right, "announced"), next(main, "announced")];
  left.emit("announce", tree());
  for (const announced of heard) assert.deepEqual(await announced, [tree()]);
  left.disconnect();
  right.disconnect();
});

await check("disconnect by server", async () => {
  const socket = await connected(manager().socket("/", {}));
  const gone = next(socket, "disconnect");
  socket.emit("disconnect-me");
  assert.equal((await gone)[0], "io server disconnect");
  assert.equal(socket.active, false);
  await connected(socket);
  assert.equal(await socket.emitWithAck("echo-ack", "back"), "back");
  socket.disconnect();
});

await check("disconnect by client", async () => {
  const socket = await connected(manager().socket("/", {}));
  const noticed = next(main, "gone");
  const { id } = socket;
  await main.emitWithAck("watch", id);
  socket.disconnect();
  assert.deepEqual(await noticed, [id]);
});

await check("reconnect after a restart", async () => {
  const formerId = main.id;
  const gone = next(main, "disconnect");
  const back = next(main.io, "reconnect");
  const welcome = next(main, "welcome");
  let buffered;
  await restartServer(async () => {
    await gone;
    buffered = main.emitWithAck("echo-ack", "sent while away");
  });
  await back;
  assert.notEqual((await welcome)[0].sid, formerId);
  assert.equal(await buffered, "sent while away");
  assert.deepEqual(await main.emitWithAck("echo-ack", tree()), tree());
});

finish();
