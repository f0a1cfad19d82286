// An address for a picture's file while something shows it. Pictures that are gone give theirs back.
import { state, watch } from "./state.js";

/** @typedef {import("./state.js").Picture} Picture */

/** @type {Map<string, string>} */
const urls = new Map();

/** @param {Picture} picture */
export function urlOf({ id, file }) {
  const known = urls.get(id);
  if (known) return known;
  const url = URL.createObjectURL(file);
  urls.set(id, url);
  return url;
}

/** Pictures that are no longer there, and queries that have left the easel, need none. */
function giveBack() {
  for (const [id, url] of urls) {
    if (id === state.open || state.supports.some((support) => support.id === id)) continue;
    URL.revokeObjectURL(url);
    urls.delete(id);
  }
}

export const setUpUrls = () => watch(giveBack);
