// Everything the page knows, in one place. Whoever changes it says so with `change`; whoever shows it says so with
// `watch`, and is called once after each round of changes.

/** @typedef {import("../protocol").Progress} Progress */
/** @typedef {import("../fewseg").Info} Info */

/**
 * A picture that shows the thing, and where in it. `width` is 0 until the file has been looked at.
 * @typedef {object} Support
 * @property {string} id
 * @property {string} name
 * @property {Blob} file
 * @property {string} url
 * @property {number} width
 * @property {number} height
 * @property {import("./mask.js").Painting} [painting]  once the size is known
 */

/**
 * A picture in which to look for the thing.
 * @typedef {object} Query
 * @property {string} id
 * @property {string} name
 * @property {Blob} file
 * @property {string} url
 * @property {number} width
 * @property {number} height
 * @property {number} lesson  the lesson it was last looked at with, -1 for never
 * @property {Progress} [progress]  while it is looked at
 * @property {{ mask: Uint8Array, threshold: number, share: number }} [found]
 * @property {string} [trouble]
 */

/** @typedef {{ id: number, text: string }} Notice */

/**
 * @typedef {object} EngineState
 * @property {"loading" | "ready" | "stopped"} phase
 * @property {Partial<Record<Progress["stage"], Progress>>} progress  while loading
 * @property {Info} [info]
 */

export const state = {
  /** @type {EngineState} */
  engine: { phase: "loading", progress: {} },
  /** @type {Support[]} */
  supports: [],
  /** @type {string | undefined} the support on the easel */
  current: undefined,
  /** @type {Query[]} */
  queries: [],
  /** counts what the supports have said; a query looked at with an older lesson is looked at again */
  lesson: 0,
  /** the lesson that the session has learnt, and whether it could */
  learnt: { lesson: -1, able: false },
  /** @type {Progress | undefined} */
  learning: undefined,
  /** a hand is on the brush, or was a moment ago: wait with learning */
  painting: false,
  brush: { size: 44, erase: false },
  threshold: 0.5,
  opacity: 0.6,
  /** @type {Notice[]} */
  notices: [],
};

/** @type {(() => void)[]} */
const views = [];
let announced = false;

/** @param {() => void} view */
export function watch(view) {
  views.push(view);
  view();
}

/** @param {Partial<typeof state>} [news] */
export function change(news) {
  Object.assign(state, news);
  if (announced) return;
  announced = true;
  queueMicrotask(() => {
    announced = false;
    for (const view of views) view();
  });
}

/** What the supports say has changed. */
export const teach = () => change({ lesson: state.lesson + 1 });

let lastNotice = 0;

/** Tells the user a sentence. @param {unknown} trouble */
export function tell(trouble) {
  const text = trouble instanceof Error ? trouble.message : String(trouble);
  const others = state.notices.filter((notice) => notice.text !== text).slice(-2);
  change({ notices: [...others, { id: ++lastNotice, text }] });
}

export const current = () => state.supports.find(({ id }) => id === state.current);
