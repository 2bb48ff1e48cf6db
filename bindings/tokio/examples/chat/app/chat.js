// The browser's half of the chat. Everything it says to the server and hears from it:
//
//   page -> server, each answered with an acknowledgement { ok: … } or { error: { code, message } }
//     join     { name, room }      ok: { name, room, users: [name], history: [Entry] }, oldest entry first.
//                                  Leaves the room the page was in. Errors: bad_name, bad_room, name_taken.
//     message  { text }            ok: the entry's id. Errors: not_joined, bad_text.
//     picture  { type, bytes }     ok: the entry's id. Errors: not_joined, bad_picture.
//   page -> server, not answered
//     typing   true | false
//
//   server -> page
//     rooms    [{ name, users: number }]   to everyone, when somebody comes or goes, and once on connecting
//     joined   { name, users: [name] }     to the others in the room
//     left     { name, users: [name] }     to those who stay, also when a connection is lost
//     message  Entry                       to everyone in the room, the author too: all see the same order
//     picture  Entry                       likewise
//     typing   { name, typing }            to the others in the room
//
//   Entry      { id, at, name, text } or { id, at, name, picture: { type, bytes } }
//              at: milliseconds since 1970. bytes: binary, never text.
"use strict";

const OWN_CLIENT = "/socket.io/socket.io.js";
const PUBLIC_CLIENT = {
  address: "https://cdn.socket.io/4.8.1/socket.io.min.js",
  integrity: "sha384-mkQ3/7FUtcGyoppY6bz/PORYoGqOl7/aSUMn2ymDOJcapfS6PHqxhRTMh1RR0Q6+",
};
const ANSWER_WITHIN = 8000; // milliseconds
const TYPING_PAUSE = 3000; // milliseconds without a key after which one no longer types
const NAME_RETRY = 3000; // milliseconds between attempts to get one's name back
const PICTURE_BYTES = 512 * 1024; // what the server accepts
const PICTURE_SIDE = 1600; // pixels; larger pictures are scaled down until they fit

const at = (id) => document.getElementById(id);

let socket;
/** Who and where we are, once the server agreed: { name, room }. Kept while disconnected, to join again. */
let place = null;
/** Whether the server counts us as being in `place` right now. */
let joined = false;
/** Keys of the entries on the page, so that the history of a second join repeats none. */
const shown = new Set();
/** name -> timer that ends the notice if the other page cannot. */
const typists = new Map();

// Finding the socket.io client

function loadScript(address, integrity) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = address;
    if (integrity) {
      script.integrity = integrity;
      script.crossOrigin = "anonymous";
    }
    script.onload = () => (typeof io === "function" ? resolve() : reject(new Error(`no client in ${address}`)));
    script.onerror = () => reject(new Error(`could not load ${address}`));
    document.head.append(script);
  });
}

async function loadClient() {
  try {
    await loadScript(OWN_CLIENT);
  } catch {
    await loadScript(PUBLIC_CLIENT.address, PUBLIC_CLIENT.integrity);
  }
}

// Being connected

function connect() {
  socket = io();
  socket.on("connect", () => {
    showStatus("online", "Connected");
    showBanner("");
    at("join").querySelector("button").disabled = false;
    if (place) joinAgain();
  });
  socket.on("disconnect", () => {
    joined = false;
    at("send").disabled = true;
    at("join").querySelector("button").disabled = true;
    showStatus("offline", "Disconnected");
    showBanner("The connection was lost. Trying to get it back…");
    forgetTypists();
    // A server that disconnects us on purpose would otherwise be left alone by the client.
    if (!socket.active) setTimeout(() => socket.connect(), 1000);
  });
  socket.on("connect_error", (error) => {
    showStatus("offline", "Disconnected");
    showBanner(`No connection to the server (${error.message}). Trying again…`);
  });
  socket.on("rooms", showRooms);
  socket.on("joined", ({ name, users }) => {
    showNote(`${name} joined`);
    showUsers(users);
  });
  socket.on("left", ({ name, users }) => {
    endTyping(name);
    showNote(`${name} left`);
    showUsers(users);
  });
  socket.on("message", showEntry);
  socket.on("picture", showEntry);
  socket.on("typing", ({ name, typing }) => (typing ? startTyping(name) : endTyping(name)));
}

/** Asks the server and gives what it acknowledged; an error, also of the connection, becomes an exception. */
async function ask(event, argument) {
  let answer;
  try {
    answer = await socket.timeout(ANSWER_WITHIN).emitWithAck(event, argument);
  } catch {
    throw Object.assign(new Error("The server did not answer."), { code: "no_answer" });
  }
  if (answer.error) throw Object.assign(new Error(answer.error.message), { code: answer.error.code });
  return answer.ok;
}

async function join(name, room) {
  const { users, history, ...agreed } = await ask("join", { name, room });
  const sameRoom = place !== null && place.room === agreed.room;
  place = agreed;
  joined = true;
  if (!sameRoom) clearLog();
  forgetTypists();
  showPlace();
  showUsers(users);
  history.forEach(showEntry);
}

/** After a reconnection the server knows nothing of us, or still holds our name for the lost connection. */
async function joinAgain() {
  try {
    await join(place.name, place.room);
    showBanner("");
  } catch (error) {
    showBanner(`Could not join ${place.room} again: ${error.message} Trying again…`);
    setTimeout(() => {
      if (socket.connected && !joined) joinAgain();
    }, NAME_RETRY);
  }
}

// Showing things. Text of others enters the page through textContent only.

function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function showStatus(state, text) {
  at("status").dataset.state = state;
  at("status").textContent = text;
}

function showBanner(text) {
  at("banner").textContent = text;
  at("banner").hidden = text === "";
}

function showPlace() {
  const entering = at("chat").hidden;
  at("entrance").hidden = true;
  at("chat").hidden = false;
  at("where").textContent = `${place.name} in ${place.room}`;
  document.title = `${place.room} - Chat`;
  history.replaceState(null, "", `#${encodeURIComponent(place.room)}`);
  for (const button of at("rooms").querySelectorAll("button")) markCurrent(button);
  refreshSend();
  if (entering) at("text").focus();
}

function markCurrent(button) {
  button.toggleAttribute("aria-current", place !== null && button.dataset.room === place.room);
}

function showRooms(rooms) {
  at("room-names").replaceChildren(...rooms.map(({ name }) => new Option(name)));
  at("rooms").replaceChildren(
    ...rooms.map(({ name, users }) => {
      const button = element("button", "", name);
      button.type = "button";
      button.dataset.room = name;
      button.onclick = () => moveTo(name);
      const count = element("span", "count", users);
      count.setAttribute("aria-label", `${users} online`);
      button.append(count);
      markCurrent(button);
      const item = element("li");
      item.append(button);
      return item;
    }),
  );
}

function showUsers(users) {
  at("users").replaceChildren(
    ...users.map((name) => {
      const item = element("li");
      item.append(face(name), element("span", "", name === place.name ? `${name} (you)` : name));
      return item;
    }),
  );
}

/** A coloured disc with the first letter; the same name has the same colour on every page. */
function face(name) {
  const disc = element("span", "face", [...name][0].toUpperCase());
  disc.style.setProperty("--hue", hue(name));
  disc.setAttribute("aria-hidden", "true");
  return disc;
}

function hue(name) {
  let sum = 0;
  for (const character of name) sum = (sum * 31 + character.codePointAt(0)) % 360;
  return (sum * 137) % 360; // similar names, distant colours
}

function showEntry(entry) {
  const key = `${entry.id} ${entry.at}`;
  if (shown.has(key)) return;
  shown.add(key);
  endTyping(entry.name);
  const author = element("span", "author", entry.name);
  author.style.setProperty("--hue", hue(entry.name));
  const moment = new Date(entry.at);
  const time = element("time", "", moment.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" }));
  time.dateTime = moment.toISOString();
  const head = element("div", "head");
  head.append(author, time);
  const item = element("li", entry.name === place.name ? "entry own" : "entry");
  item.append(face(entry.name), head, entry.picture ? pictureBody(entry) : element("div", "body", entry.text));
  append(item);
}

function pictureBody({ name, picture }) {
  const link = element("a", "body");
  link.href = URL.createObjectURL(new Blob([picture.bytes], { type: picture.type }));
  link.target = "_blank";
  const image = element("img");
  image.alt = `Picture from ${name}`;
  // Its height is known only now.
  image.onload = () => stayAtEnd(() => {});
  image.src = link.href;
  link.append(image);
  return link;
}

function showNote(text) {
  append(element("li", "note", text));
}

function append(item) {
  stayAtEnd(() => at("log").append(item));
}

/** Changes the log and keeps its end in sight, unless the reader has scrolled back. */
function stayAtEnd(change) {
  const reading = isReadingBack();
  change();
  if (!reading) at("log").scrollTop = at("log").scrollHeight;
}

function isReadingBack() {
  const log = at("log");
  const slack = 400; // pixels: a picture that just got its height must still count as the end
  return log.scrollHeight - log.scrollTop - log.clientHeight > slack;
}

let nearEnd = true; // as of the reader's last scrolling

at("log").addEventListener("scroll", () => (nearEnd = !isReadingBack()));
// The banner, a keyboard or a longer draft take room away from the log.
new ResizeObserver(() => {
  if (nearEnd) at("log").scrollTop = at("log").scrollHeight;
}).observe(at("log"));

function clearLog() {
  for (const link of at("log").querySelectorAll("a")) URL.revokeObjectURL(link.href);
  at("log").replaceChildren();
  shown.clear();
}

// Others typing

function startTyping(name) {
  clearTimeout(typists.get(name));
  typists.set(name, setTimeout(() => endTyping(name), 2 * TYPING_PAUSE));
  showTypists();
}

function endTyping(name) {
  clearTimeout(typists.get(name));
  if (typists.delete(name)) showTypists();
}

function forgetTypists() {
  for (const name of [...typists.keys()]) endTyping(name);
}

function showTypists() {
  const names = [...typists.keys()];
  const several = names.length > 3 ? "Several people are typing…" : `${names.join(" and ")} are typing…`;
  at("typing").textContent = names.length === 0 ? "" : names.length === 1 ? `${names[0]} is typing…` : several;
}

// What the reader does

at("join").addEventListener("submit", async (event) => {
  event.preventDefault();
  at("join-error").textContent = "";
  try {
    await join(at("name").value, at("room").value);
  } catch (error) {
    at("join-error").textContent = error.message;
  }
});

async function moveTo(room) {
  if (!joined || room === place.room) return;
  stopTyping();
  at("send-error").textContent = "";
  try {
    await join(place.name, room);
    at("text").focus();
  } catch (error) {
    at("send-error").textContent = error.message;
  }
}

at("switch").addEventListener("submit", (event) => {
  event.preventDefault();
  moveTo(at("other-room").value.trim());
  at("other-room").value = "";
});

at("composer").addEventListener("submit", async (event) => {
  event.preventDefault();
  const text = at("text").value.trim();
  // While disconnected the words stay in the field: a message must not overtake the join that precedes it.
  if (!joined || text === "") return;
  at("text").value = "";
  stopTyping();
  refreshSend();
  const sent = await send("message", { text });
  if (!sent && at("text").value === "") at("text").value = text;
  refreshSend();
});

async function send(event, argument) {
  at("send-error").textContent = "";
  try {
    await ask(event, argument);
    return true;
  } catch (error) {
    at("send-error").textContent = `Not sent: ${error.message}`;
    return false;
  }
}

at("text").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    at("composer").requestSubmit();
  }
});

at("text").addEventListener("input", () => {
  refreshSend();
  if (at("text").value.trim() === "") stopTyping();
  else keepTyping();
});

function refreshSend() {
  at("send").disabled = !joined || at("text").value.trim() === "";
}

let typingSince = 0; // when we last said so, in milliseconds since 1970; 0: we do not type
let typingTimer;

function keepTyping() {
  if (!joined) return;
  clearTimeout(typingTimer);
  typingTimer = setTimeout(stopTyping, TYPING_PAUSE);
  if (Date.now() - typingSince > TYPING_PAUSE) {
    typingSince = Date.now();
    socket.emit("typing", true);
  }
}

function stopTyping() {
  clearTimeout(typingTimer);
  if (typingSince === 0) return;
  typingSince = 0;
  if (joined) socket.emit("typing", false);
}

at("picture").addEventListener("change", () => {
  sendPicture(at("picture").files[0]);
  at("picture").value = ""; // so that the same file can be chosen again
});

at("text").addEventListener("paste", (event) => {
  const file = [...event.clipboardData.files].find(({ type }) => type.startsWith("image/"));
  if (!file) return;
  event.preventDefault();
  sendPicture(file);
});

async function sendPicture(file) {
  if (!file || !joined) return;
  try {
    const blob = file.size <= PICTURE_BYTES ? file : await shrink(file);
    await send("picture", { type: blob.type, bytes: await blob.arrayBuffer() });
  } catch {
    at("send-error").textContent = "Not sent: this file is not a picture the browser can read.";
  }
}

async function shrink(file) {
  const bitmap = await createImageBitmap(file);
  const longest = Math.max(bitmap.width, bitmap.height);
  const canvas = element("canvas");
  for (let side = Math.min(PICTURE_SIDE, longest); ; side /= 2) {
    canvas.width = Math.max(1, Math.round((bitmap.width * side) / longest));
    canvas.height = Math.max(1, Math.round((bitmap.height * side) / longest));
    canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.8));
    if (blob.size <= PICTURE_BYTES) return blob;
  }
}

/** The room a link to this page names after `#`. */
function linkedRoom() {
  try {
    return decodeURIComponent(location.hash.slice(1));
  } catch {
    return "";
  }
}

at("room").value = linkedRoom() || "lobby";
loadClient().then(connect, () => {
  showStatus("offline", "Not started");
  showBanner(
    "The socket.io client could not be loaded, neither from this server nor from cdn.socket.io. " +
      "Start the server with --client-bundle PATH, or connect this computer to the internet, and reload.",
  );
});
