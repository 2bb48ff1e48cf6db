// What every script here shares: named checks on stdout, one line each, and the packages of the provisioned
// folder, which is the working directory (the scripts themselves stand elsewhere).
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

export const require = createRequire(`${process.cwd()}/`);

const CHECK_WITHIN = 15_000; // milliseconds

/** Runs `body` and prints `ok NAME` or `not ok NAME: why`. */
export async function check(name, body) {
  try {
    await within(CHECK_WITHIN, body(), name);
    console.log(`ok ${name}`);
  } catch (error) {
    const why = error?.message ?? error;
    console.log(`not ok ${name}: ${String(why).replaceAll("\n", " | ")}`);
  }
}

/** `promise`, or an error that names what was waited for. */
export function within(milliseconds, promise, what) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${milliseconds} ms for ${what}`)), milliseconds);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** The arguments of the next `event` that `emitter` emits. */
export function next(emitter, event) {
  const heard = new Promise((resolve) => emitter.once(event, (...args) => resolve(args)));
  return within(CHECK_WITHIN - 1000, heard, `"${event}"`);
}

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

/** Has the test kill the server; then `meanwhile` runs, then the server starts again on the same port. */
export async function restartServer(meanwhile = async () => {}) {
  console.log("stop-server");
  await lines.next();
  await meanwhile();
  console.log("start-server");
  await lines.next();
}

/** Ends the process although a client may still want to reconnect. */
export function finish() {
  console.log("done");
  process.stdout.write("", () => process.exit(0));
}
