// Says what is going on: the line under the header, the badge that names the device, and the notices.
import { find, icon, make } from "./dom.js";
import { wantDevice, wantedDevice } from "./settings.js";
import { dismiss, state, watch } from "./state.js";
import { start } from "./work.js";

const words = find("span", "status-words");
const count = find("span", "status-count");
const bar = find("progress", "status-bar");
const badge = find("button", "device");
const notices = find("ul", "notices");

const DEVICES = { webgpu: "GPU", cpu: "CPU" };

/** As their makers write them; what is not in here is shown as the weights have it. @type {Record<string, string>} */
const NAMES = { hsnet: "HSNet", mobilenetv2: "MobileNetV2", resnet50: "ResNet-50", resnet101: "ResNet-101", vgg16: "VGG-16" };

/** @param {import("../fewseg").Info} info */
function detail({ method, backbone, size, device, adapter }) {
  const place = device === "cpu" ? "the CPU" : adapter || "the GPU";
  return `${NAMES[method] ?? method} with ${NAMES[backbone] ?? backbone}, at ${size} × ${size} px, on ${place}.`;
}

/** @param {number} bytes */
const megabytes = (bytes) => (bytes / 1e6).toFixed(1);

/** How much of the downloads has come, or nothing when a server does not say how much there is. */
function downloads() {
  const { program, weights } = state.engine.progress;
  const parts = [program, weights].filter((part) => part !== undefined);
  const done = parts.reduce((sum, part) => sum + part.done, 0);
  const known = parts.length > 0 && parts.every(({ total }) => total > 0);
  return { done, total: known ? parts.reduce((sum, part) => sum + part.total, 0) : 0 };
}

/** @typedef {{ text: string, count?: string, share?: number | undefined }} Activity  share: of the work done, undefined for unknown; absent when idle */

/** @returns {Activity} */
function loading() {
  const { done, total } = downloads();
  // Of what a server does not tell the size of, it is known once it is here.
  if (state.engine.progress.device && done === total) return { text: "Starting the device …", share: undefined };
  if (total === 0) return { text: "Loading the network", count: `${megabytes(done)} MB`, share: undefined };
  return { text: "Loading the network", count: `${megabytes(done)} of ${megabytes(total)} MB`, share: done / total };
}

/** @returns {Activity} */
function activity() {
  const { engine, learning, queries } = state;
  if (engine.phase === "stopped") return { text: "" };
  if (engine.phase === "loading") return loading();
  if (learning) return { text: "Looking at what you painted …", share: learning.total > 1 ? learning.done / learning.total : undefined };
  const seen = queries.filter(({ lesson, progress, settled }) => settled || (lesson === state.lesson && !progress)).length;
  if (queries.some(({ progress }) => progress)) return { text: `Looking through the pictures: ${seen + 1} of ${queries.length}`, share: seen / queries.length };
  return { text: idleText() };
}

function idleText() {
  const seen = state.queries.filter(({ found }) => found).length;
  if (seen > 0) return `Done: ${seen} ${seen === 1 ? "picture" : "pictures"} looked through.`;
  return "Ready. Your pictures stay on this machine.";
}

function showStatus() {
  const now = activity();
  // Only what has changed is read aloud, and the count never is.
  if (words.textContent !== now.text) words.textContent = now.text;
  count.textContent = now.count ?? "";
  bar.hidden = !("share" in now);
  if (now.share === undefined) bar.removeAttribute("value");
  else bar.value = now.share;
  find("button", "restart").hidden = state.engine.phase !== "stopped";
}

function showDevice() {
  const { phase, info } = state.engine;
  const name = phase === "ready" && info ? DEVICES[info.device] : phase === "loading" ? "Loading" : "Stopped";
  badge.dataset["phase"] = phase;
  find("span", "device-name").textContent = name;
  find("p", "device-detail").textContent = info ? detail(info) : "The network is not loaded yet.";
  find("p", "device-note").textContent = info?.note ?? "";
  for (const radio of document.querySelectorAll("input[name=device]")) {
    /** @type {HTMLInputElement} */ (radio).checked = /** @type {HTMLInputElement} */ (radio).value === wantedDevice();
  }
}

function showNotices() {
  const ids = state.notices.map(({ id }) => String(id));
  for (const item of /** @type {HTMLElement[]} */ ([...notices.children])) {
    if (!ids.includes(item.dataset["notice"] ?? "")) item.remove();
  }
  for (const { id, text, action } of state.notices) {
    if (notices.querySelector(`[data-notice="${id}"]`)) continue;
    const close = make("button", { type: "button", className: "quiet", "aria-label": "Dismiss" }, icon("remove"));
    close.addEventListener("click", () => dismiss(id));
    const item = make("li", { role: "alert" }, make("p", {}, text));
    if (action) item.append(offer(id, action));
    item.append(close);
    item.dataset["notice"] = String(id);
    notices.append(item);
  }
}

/** @param {number} id @param {NonNullable<import("./state.js").Notice["action"]>} action */
function offer(id, { name, run }) {
  const button = make("button", { type: "button" }, name);
  button.addEventListener("click", () => {
    dismiss(id);
    run();
  });
  return button;
}

export function setUpStatus() {
  for (const radio of document.querySelectorAll("input[name=device]")) {
    radio.addEventListener("change", () => {
      wantDevice(/** @type {HTMLInputElement} */ (radio).value);
      void start();
    });
  }
  find("button", "restart").addEventListener("click", () => void start());
  watch(showStatus);
  watch(showDevice);
  watch(showNotices);
}
