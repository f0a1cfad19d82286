// Owns the session: the program, the GPU, everything that takes long. Answers one question after another, because the
// session is one object and a second call into it while the first waits for the GPU would be refused.
import init, { Session } from "../fewseg.js";
import { download } from "./download.js";
import { reason } from "./words.js";

/** @typedef {import("../protocol").Question} Question */
/** @typedef {import("../protocol").Reply} Reply */
/** @typedef {import("../protocol").Progress} Progress */
/** @typedef {(progress: Progress) => void} Report */
/** @template {import("../protocol").Name} N @typedef {import("../protocol").Calls[N]["ask"]} Ask */

const PROGRAM = new URL("../fewseg_bg.wasm", import.meta.url);
const WEIGHTS = new URL("../weights/default.safetensors", import.meta.url);

/** Within this time a lost GPU is told of, in milliseconds. */
const LOSS_TOLD = 100;

/** @type {Session | undefined} */
let session;

/** @param {Blob} file */
const bytes = async (file) => new Uint8Array(await file.arrayBuffer());

function opened() {
  if (!session) throw new Error("The network is not loaded, so nothing can be done yet.");
  return session;
}

/** @param {Report} report @returns {import("../fewseg").Progress} */
const steps = (report) => (stage, done, total) =>
  report({ stage: /** @type {Progress["stage"]} */ (stage), done, total });

/**
 * Both downloads at once: on a slow line the wait is the larger one's alone. The device starts, and compiles its shaders,
 * while the weights are on their way. @param {Ask<"open">} ask @param {Report} report
 */
async function open({ device, size, weights }, report) {
  const served = weights ? bytes(weights) : download(WEIGHTS, (done, total) => report({ stage: "weights", done, total }));
  // Whoever waits for them is told of a failure; that may be later.
  served.catch(() => undefined);
  const code = await download(PROGRAM, (done, total) => report({ stage: "program", done, total }));
  const headers = { "content-type": "application/wasm" };
  await init({ module_or_path: new Response(code, { headers }) });
  report({ stage: "device", done: 0, total: 0 });
  session = await Session.open(served, device, size);
  return session.info();
}

/** @param {Ask<"learn">} ask @param {Report} report */
async function learn({ classes, shots, withTask }, report) {
  const read = shots.map(async (shot) => ("picture" in shot ? { ...shot, picture: await bytes(shot.picture) } : shot));
  await opened().learn(classes, await Promise.all(read), withTask, steps(report));
  return null;
}

/** @type {{ [N in import("../protocol").Name]: (ask: Ask<N>, report: Report) => unknown }} */
const answers = {
  open,
  learn,
  async load({ weights }) {
    opened().load(await bytes(weights));
    return opened().info();
  },
  inspect: async ({ name, picture }) => opened().inspect(name, await bytes(picture)),
  readLabels: async ({ name, file, picture, width, height }) => opened().readLabels(name, await bytes(file), picture, width, height),
  segment: async ({ name, picture }, report) => opened().segment(name, await bytes(picture), steps(report)),
  labels: async ({ name, picture, result, look, width }) => opened().labels(name, await bytes(picture), result, look, width),
  times: async ({ name, picture }) => opened().times(name, await bytes(picture)),
  why: async ({ name, picture, x, y, number }) => opened().why(name, await bytes(picture), x, y, number),
  saveTask: ({ classes, look }) => opened().saveTask(classes, look),
  openTask: async ({ name, task }) => opened().openTask(name, await bytes(task)),
  pack: async ({ name, picture, labels, width, height, classes, kinds }) =>
    opened().pack(name, await bytes(picture), labels, width, height, classes, kinds),
  packed: () => opened().packed(),
};

/** @param {Reply} reply @param {Transferable[]} [transfer] */
const say = (reply, transfer = []) => self.postMessage(reply, { transfer });

/** Large answers are handed over, not copied. @param {unknown} answer @returns {Transferable[]} */
function movable(answer) {
  if (answer instanceof Uint8Array) return [answer.buffer];
  if (answer && typeof answer === "object" && "labels" in answer && answer.labels instanceof Uint8Array) return [answer.labels.buffer];
  return [];
}

/** A trap leaves the program's memory in an unknown state. @param {unknown} error */
const isTrap = (error) => error instanceof WebAssembly.RuntimeError;

/** @param {unknown} error */
const stopped = (error) =>
  `The program stopped at an error (${error}). Press “Start again”; if memory ran out, bring smaller pictures.`;

/** @param {unknown} error */
function sentence(error) {
  if (isTrap(error)) return stopped(error);
  return reason(error);
}

/** the question that is being answered */
let asked = 0;

/** @param {unknown} error */
const giveUp = (error) => say({ id: asked, kind: "trouble", message: stopped(error), fatal: true });

let lost = false;

/** For the console. @type {{ lost: Promise<{ message: string }> }[]} */
const devices = [];
Object.assign(self, { devices });

/** A GPU that goes away (another driver, the machine's sleep) tells nobody who waits for it. So its device is watched. */
function watchDevices() {
  if (!("GPUAdapter" in self)) return;
  const request = GPUAdapter.prototype.requestDevice;
  GPUAdapter.prototype.requestDevice = async function (/** @type {unknown[]} */ ...settings) {
    const device = await request.apply(this, settings);
    devices.push(device);
    void device.lost.then(({ message }) => {
      lost = true;
      say({ id: asked, kind: "trouble", message: `The GPU was lost (${message || "no reason given"}). Press “Start again”.`, fatal: true, device: true });
    });
    return device;
  };
}
watchDevices();

// The program's own tasks run outside the answer that waits for them: where one of them traps, the answer never comes.
self.addEventListener("error", (event) => {
  event.preventDefault();
  giveUp(event.error ?? event.message);
});
self.addEventListener("unhandledrejection", (event) => {
  if (isTrap(event.reason)) giveUp(event.reason);
});

/** @param {Question} question */
async function answer({ id, name, ask }) {
  asked = id;
  const handler = /** @type {(ask: unknown, report: Report) => unknown} */ (answers[name]);
  try {
    const answer = await handler(ask, (progress) => say({ id, kind: "progress", progress }));
    say({ id, kind: "answer", answer: /** @type {never} */ (answer) }, movable(answer));
  } catch (error) {
    // What failed because the GPU is gone is not the picture's fault; that it is gone may be told a moment later.
    await new Promise((resolve) => setTimeout(resolve, LOSS_TOLD));
    if (!lost) say({ id, kind: "trouble", message: sentence(error), fatal: isTrap(error) || !session });
  }
}

let last = Promise.resolve();
self.addEventListener("message", (/** @type {MessageEvent<Question>} */ { data }) => {
  last = last.then(() => answer(data));
});
