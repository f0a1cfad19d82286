// Which pictures of the grid are shown, and in which order. No page in here.

/**
 * What the grid knows of a picture.
 * @typedef {object} Item
 * @property {string} id
 * @property {string} name
 * @property {number} width  0 until the file has been read
 * @property {number} height
 * @property {"reading" | "waiting" | "working" | "found" | "nothing" | "failed" | "stale"} status  stale: looked through, and to be looked through again
 * @property {string} words  the outcome, or what is going on
 * @property {number} [confidence]  0 to 1
 * @property {number} [share]  of the picture that is marked, 0 to 1
 * @property {boolean} accepted
 * @property {boolean} corrected
 * @property {number} [progress]  0 to 1 while working; absent when it cannot be told
 * @property {{ labels: Uint8Array, width: number, height: number }} [labels]  small, for the overlay
 * @property {Blob} file
 * @property {Blob} [thumb]
 */

const TO_DO = new Set(["reading", "waiting", "working", "stale"]);

/** @param {Item} item */
export const isToDo = ({ status }) => TO_DO.has(status);

/** @type {Record<string, { label: string, passes: (item: Item) => boolean }>} */
export const FILTERS = {
  all: { label: "All", passes: () => true },
  todo: { label: "To do", passes: isToDo },
  found: { label: "Found", passes: ({ status }) => status === "found" },
  nothing: { label: "Not found", passes: ({ status }) => status === "nothing" },
  failed: { label: "Failed", passes: ({ status }) => status === "failed" },
  accepted: { label: "Accepted", passes: ({ accepted }) => accepted },
  corrected: { label: "Corrected", passes: ({ corrected }) => corrected },
};

const names = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });

/** What is not known comes last. @param {number | undefined} a @param {number | undefined} b */
const ascending = (a, b) => (a ?? Infinity) - (b ?? Infinity) || 0;

/** @type {Record<string, { label: string, compare?: (a: Item, b: Item) => number }>} */
export const SORTS = {
  added: { label: "As added" },
  confidence: { label: "Least sure first", compare: (a, b) => ascending(a.confidence, b.confidence) },
  name: { label: "By name", compare: (a, b) => names.compare(a.name, b.name) },
  share: { label: "Largest first", compare: (a, b) => ascending(-(a.share ?? -1), -(b.share ?? -1)) },
};

/** @typedef {{ filter: string, text: string, sort: string }} Wish  text: in the name */

/** @param {Item[]} items @param {Wish} wish */
export function arrange(items, { filter, text, sort }) {
  const sought = text.trim().toLowerCase();
  const shown = items.filter((item) => FILTERS[filter]?.passes(item) && item.name.toLowerCase().includes(sought));
  const compare = SORTS[sort]?.compare;
  return compare ? shown.sort(compare) : shown;
}

/** @param {Item[]} items @returns {Record<string, number>} by filter */
export const counts = (items) => Object.fromEntries(Object.entries(FILTERS).map(([name, { passes }]) => [name, items.filter(passes).length]));
