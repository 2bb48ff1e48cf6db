// The app `interop` on the published socket.io: node server.mjs --port N, and the options of ../README.md.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { createRequire } from "node:module";

const { Server } = createRequire(`${process.cwd()}/`)("socket.io");

const words = process.argv.slice(2);
const options = {};
for (let index = 0; index < words.length; index += 2) options[words[index].replace(/^--/, "")] = words[index + 1];
const milliseconds = (name, usual) => Number(options[name] ?? usual);

const http = options.cert
  ? createTlsServer({ cert: readFileSync(options.cert), key: readFileSync(options.key) })
  : createServer();
const io = new Server(http, {
  transports: (options.transports ?? "polling,websocket").split(","),
  pingInterval: milliseconds("ping-interval", 1000),
  pingTimeout: milliseconds("ping-timeout", 20_000),
});
const notes = [];

/** The events that every namespace has; each handler is called with the arguments and, if one is owed, the ack. */
function events(socket) {
  const { nsp } = socket;
  /** `handler` answers the ack with the list it returns. */
  const on = (name, handler) =>
    socket.on(name, (...args) => {
      const ack = typeof args.at(-1) === "function" ? args.pop() : () => {};
      const answer = handler(...args);
      if (answer) ack(...answer);
    });
  const ask = (patience) => (...question) => {
    socket.timeout(patience).emit("question", ...question, (error, ...answer) => {
      if (error) socket.emit("no-answer");
      else socket.emit("answer", ...answer);
    });
  };
  on("echo", (...args) => void socket.emit("echo", ...args));
  on("echo-ack", (...args) => args);
  on("ask", ask(10_000));
  on("ask-briefly", ask(200));
  on("join", (room) => (socket.join(room), []));
  on("leave", (room) => (socket.leave(room), []));
  on("say", (room, value) => (socket.to(room).emit("said", room, value), []));
  on("shout", (room, value) => (nsp.to(room).emit("said", room, value), []));
  on("announce", (value) => void nsp.emit("announced", value));
  on("watch", (id) => (socket.join(`gone:${id}`), []));
  on("whoami", () => [socket.handshake.auth]);
  on("note", (number) => (notes.push(number), [number]));
  on("notes", () => [notes]);
  on("disconnect-me", () => void socket.disconnect());
  socket.on("disconnect", () => nsp.to(`gone:${socket.id}`).emit("gone", socket.id));
}

/** What the client sent as auth; the published server has `{}` where it sent nothing. */
const authOf = (socket) => (Object.keys(socket.handshake.auth).length > 0 ? socket.handshake.auth : null);

function welcome(socket) {
  events(socket);
  socket.emit("welcome", { sid: socket.id, auth: authOf(socket), ...socket.data });
}

function refuse(next, message, data) {
  next(Object.assign(new Error(message), data && { data }));
}

io.on("connection", welcome);
io.of("/custom").on("connection", welcome);
io.of("/auth")
  .use((socket, next) => {
    if (socket.handshake.auth.token !== "secret") return refuse(next, "invalid token");
    socket.data.user = "ada";
    next();
  })
  .on("connection", welcome);
io.of("/deny").use((_, next) => refuse(next, "not allowed", { code: 7 }));

if (options.lifeline) process.stdin.on("end", () => process.exit(0)).resume();
http.listen(Number(options.port ?? 0), "127.0.0.1", () => console.log(`listening on 127.0.0.1:${http.address().port}`));
