// How what was found is shown: threshold, smallest region, holes, edges, and how strongly it is drawn.
import { find } from "./dom.js";
import { change, state, watch } from "./state.js";

/** @typedef {import("./state.js").Look} Look */

const threshold = find("input", "threshold");
const smallest = find("input", "smallest");
const opacity = find("input", "opacity");
const fill = find("input", "fill-holes");
const edges = find("input", "follow-edges");

/** Shares of the picture, from nothing to a twentieth: small ones need the finer steps. */
const SHARES = [0, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05];

/** @param {Partial<Look>} news */
const look = (news) => change({ look: { ...state.look, ...news } });

/** @param {number} share */
const nearest = (share) => SHARES.reduce((best, value, at) => (Math.abs(value - share) < Math.abs((SHARES[best] ?? 0) - share) ? at : best), 0);

function show() {
  threshold.value = String(Math.round(100 * state.look.threshold));
  find("output", "threshold-value").textContent = `${threshold.value} %`;
  smallest.value = String(nearest(state.look.smallest));
  find("output", "smallest-value").textContent = state.look.smallest === 0 ? "any" : `${+(100 * state.look.smallest).toFixed(2)} %`;
  opacity.value = String(Math.round(100 * state.opacity));
  find("output", "opacity-value").textContent = `${opacity.value} %`;
  fill.checked = state.look.fill;
  edges.checked = state.look.edges;
  document.documentElement.style.setProperty("--opacity", String(state.opacity));
}

export function setUpLook() {
  smallest.max = String(SHARES.length - 1);
  threshold.addEventListener("input", () => look({ threshold: Number(threshold.value) / 100 }));
  smallest.addEventListener("input", () => look({ smallest: SHARES[Number(smallest.value)] ?? 0 }));
  opacity.addEventListener("input", () => change({ opacity: Number(opacity.value) / 100 }));
  fill.addEventListener("change", () => look({ fill: fill.checked }));
  edges.addEventListener("change", () => look({ edges: edges.checked }));
  watch(show);
}
