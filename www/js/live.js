// Live: the latest task applied to the camera's stream, as fast as the engine can; freeze it, or take a picture of it
// among the queries.
import { find } from "./dom.js";
import { addQueries } from "./intake.js";
import { drawLabels, palette } from "./overlay.js";
import { state, tell, watch } from "./state.js";
import { reason } from "./words.js";
import { ask } from "./work.js";

/** Pixels across at which the stream is looked at: more than the network sees, less than it takes long to read. */
const ACROSS = 480;
/** Frames whose mean makes the counter. */
const COUNTED = 8;

const dialog = find("dialog", "live");
const video = find("video", "live-video");
const overlay = find("canvas", "live-mask");
const freeze = find("button", "live-freeze");
const count = find("output", "live-count");
const taken = find("p", "live-taken");
/** @type {MediaStream | undefined} */
let stream;
let frozen = false;
let running = false;
/** @type {number[]} when the last frames were done, in milliseconds */
let done = [];

/** @param {number} across */
async function frame(across) {
  const canvas = new OffscreenCanvas(across, Math.round((across * video.videoHeight) / video.videoWidth));
  const context = canvas.getContext("2d");
  if (!context) throw new Error("The browser has no room left to draw the camera's picture. Close other pages and try again.");
  context.drawImage(video, 0, 0, canvas.width, canvas.height);
  return canvas.convertToBlob({ type: "image/jpeg", quality: 0.92 });
}

async function step() {
  const picture = await frame(Math.min(ACROSS, video.videoWidth));
  const { result } = await ask("segment", { name: "the camera's picture", picture });
  const { labels, width, height } = await ask("labels", { name: "the camera's picture", picture, result, look: state.look });
  if (!stream) return;
  [overlay.width, overlay.height] = [width, height];
  drawLabels(overlay, { labels, width, height }, palette(state.classes));
  done = [...done, performance.now()].slice(-COUNTED);
  const span = (done.at(-1) ?? 0) - (done[0] ?? 0);
  count.textContent = span > 0 ? `${((1000 * (done.length - 1)) / span).toFixed(1)} frames a second` : "";
}

async function run() {
  if (running) return;
  running = true;
  try {
    while (stream && !frozen) await step();
    // What is frozen is looked at once more, so that the mask is that of the picture.
    if (stream) await step();
  } catch (trouble) {
    tell(trouble);
    close();
  } finally {
    running = false;
  }
}

async function open() {
  dialog.showModal();
  count.textContent = taken.textContent = "";
  try {
    const given = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    // The user may have closed the dialog before the browser was allowed to.
    if (!dialog.open) return given.getTracks().forEach((track) => track.stop());
    stream = given;
    video.srcObject = stream;
    await video.play();
  } catch (trouble) {
    tell(`The camera cannot be used (${reason(trouble)}). Allow it for this page, or connect one.`);
    return close();
  }
  setFrozen(false);
}

/** @param {boolean} now */
function setFrozen(now) {
  frozen = now;
  done = [];
  freeze.setAttribute("aria-pressed", String(now));
  if (now) return video.pause();
  void video.play();
  void run();
}

async function snapshot() {
  try {
    const time = new Date().toISOString().slice(0, 19).replace(/[:T]/g, "-");
    await addQueries([new File([await frame(video.videoWidth)], `camera-${time}.jpg`, { type: "image/jpeg" })]);
    taken.textContent = "Taken among the pictures.";
  } catch (trouble) {
    tell(trouble);
  }
}

function close() {
  for (const track of stream?.getTracks() ?? []) track.stop();
  stream = undefined;
  video.srcObject = null;
  dialog.close();
}

export function setUpLive() {
  find("button", "live-button").addEventListener("click", () => void open());
  freeze.addEventListener("click", () => setFrozen(!frozen));
  find("button", "live-snapshot").addEventListener("click", () => void snapshot());
  find("button", "live-close").addEventListener("click", close);
  dialog.addEventListener("cancel", close);
  watch(() => (find("button", "live-button").disabled = !state.learnt.able));
}
