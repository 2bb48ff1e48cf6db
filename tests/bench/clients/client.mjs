// The bench's client on the published socket.io-client: the options and the line of `testbed-client`.
// Runs in a folder that has the package in its node_modules.
import { createRequire } from "node:module";
import { join } from "node:path";
import { parseArgs } from "node:util";

const { Manager } = createRequire(join(process.cwd(), "package.json"))("socket.io-client");
const { values } = parseArgs({
  options: {
    url: { type: "string" },
    window: { type: "string" },
    seconds: { type: "string" },
    transport: { type: "string", default: "websocket" },
    payload: { type: "string", default: "64" },
    connects: { type: "string", default: "1" },
    binary: { type: "boolean", default: false },
  },
});
const transports = { polling: ["polling"], websocket: ["websocket"], upgrade: ["polling", "websocket"] }[values.transport];
const WARM_UP = 500; // milliseconds
const ANSWER_WITHIN = 5000; // milliseconds

const size = Number(values.payload);
const letters = "abcdefghijklmnopqrstuvwxyz";
const argument = values.binary
  ? Buffer.from({ length: size }, (_, index) => (index * 37) % 251)
  : letters.repeat(Math.ceil(size / letters.length)).slice(0, size);
const isEcho = values.binary ? (answer) => argument.equals(answer) : (answer) => answer === argument;

/** Microseconds of every connection's way to the joined namespace, and the socket of the last. */
async function connect(count) {
  const times = [];
  for (;;) {
    const begun = performance.now();
    const socket = new Manager(values.url, { transports, reconnection: false }).socket("/");
    await new Promise((resolve, reject) => socket.once("connect", resolve).once("connect_error", reject));
    times.push((performance.now() - begun) * 1000);
    if (times.length >= count) return { socket, times };
    socket.disconnect();
  }
}

/** Keeps the window full for a time. Callbacks, because a promise for each echo costs more. */
function run(socket, milliseconds) {
  const latencies = [];
  let errors = 0;
  let underWay = Number(values.window);
  const end = performance.now() + milliseconds;
  return new Promise((resolve) => {
    const late = setTimeout(() => {
      errors += underWay;
      resolve({ latencies, errors });
    }, milliseconds + ANSWER_WITHIN);
    const send = (begun) => {
      socket.emit("echo", argument, (answer) => {
        const now = performance.now();
        if (isEcho(answer)) latencies.push((now - begun) * 1000);
        else errors += 1;
        if (now < end) return send(now);
        underWay -= 1;
        if (underWay > 0) return;
        clearTimeout(late);
        resolve({ latencies, errors });
      });
    };
    for (let index = underWay; index > 0; index -= 1) send(performance.now());
  });
}

const percentile = (sorted, percent) =>
  sorted.length === 0 ? 0 : sorted[Math.min(Math.floor((sorted.length * percent) / 100), sorted.length - 1)];
const sorted = (list) => list.sort((left, right) => left - right);

const { socket, times } = await connect(Number(values.connects));
await run(socket, WARM_UP);
const begun = performance.now();
const before = process.cpuUsage();
const { latencies, errors } = await run(socket, Number(values.seconds) * 1000);
const used = process.cpuUsage(before);
const seconds = (performance.now() - begun) / 1000;
sorted(latencies);
console.log(
  JSON.stringify({
    client: "socket.io-client",
    operations: latencies.length,
    seconds,
    p50_us: percentile(latencies, 50),
    p99_us: percentile(latencies, 99),
    cpu_us_per_operation: (used.user + used.system) / Math.max(latencies.length, 1),
    errors,
    connect_to_joined_us: percentile(sorted(times), 50),
  }),
);
socket.disconnect();
process.exit(0);
