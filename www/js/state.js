// Everything the page knows, in one place. Whoever changes it says so with `change`; whoever shows it says so with
// `watch`, and is called once after each round of changes. What changes after a pause is shown at once; while changes
// come thick and fast, as with hundreds of pictures, the rounds keep their distance.
import { reason } from "./words.js";

/** @typedef {import("../protocol").Progress} Progress */
/** @typedef {import("../fewseg").Info} Info */
/** @typedef {import("../fewseg").Look} Look */
/** @typedef {import("./painting.js").Painting} Painting */

/** @typedef {import("../fewseg").Class & { hidden: boolean }} Class */

/**
 * A picture. `width` is 0 until the file has been looked at; the URL is made when something shows it.
 * @typedef {object} Picture
 * @property {string} id
 * @property {string} name  no two pictures share one
 * @property {Blob} file
 * @property {number} width
 * @property {number} height
 */

/**
 * A picture that shows things, and where in it.
 * @typedef {Picture & { painting?: Painting, hidden?: boolean }} Support  painting: once the size is known; hidden: left out of learning
 */

/**
 * A picture in which to look for them.
 * @typedef {object} Search
 * @property {number} lesson  the lesson it was last looked at with, -1 for never
 * @property {Progress} [progress]  while it is looked at
 * @property {import("../fewseg").Found} [found]
 * @property {string} [trouble]
 * @property {{ labels: Uint8Array, width: number, height: number, look: Look }} [preview]  what was found, as large as a card
 * @property {Painting} [painting]  while it is on the easel: what was found, or what became of it there
 * @property {{ of: unknown, look: Look }} [laid]  what the painting was made of, and how
 * @property {boolean} [skipped]  the user wants it left out for now
 * @property {boolean} accepted
 * @property {boolean} corrected
 * @property {Uint8Array} [settled]  the labels of an accepted or corrected picture, deflated: they stay as they are
 * @property {Blob} [thumb]
 */
/** @typedef {Picture & Search} Query */

/** @typedef {{ id: string, name: string, file: Blob }} Model */
/** @typedef {"brush" | "eraser" | "polygon" | "lasso" | "fill" | "unsure"} Tool */
/** @typedef {{ id: number, text: string, action?: { name: string, run: () => void } }} Notice */

/**
 * @typedef {object} EngineState
 * @property {"loading" | "ready" | "stopped"} phase
 * @property {Partial<Record<Progress["stage"], Progress>>} progress  while loading
 * @property {Info} [info]
 */

export const state = {
  /** @type {EngineState} */
  engine: { phase: "loading", progress: {} },
  /** @type {Class[]} */
  classes: [],
  /** the number of the class that is painted */
  currentClass: 1,
  /** @type {Support[]} */
  supports: [],
  /** @type {Query[]} */
  queries: [],
  /** @type {string | undefined} the id of the picture on the easel, a support or a query */
  open: undefined,
  /** counts what the supports have said; a query looked at with an older lesson is looked at again */
  lesson: 0,
  /** the lesson that the session has learnt, and whether it could */
  learnt: { lesson: -1, able: false },
  /** @type {{ name: string, shots: number, numbers: number[], file: Blob } | undefined} a task file in place of the supports; the numbers of its classes, those too that were removed here */
  task: undefined,
  /** @type {Model[]} weights that the user has brought, kept in the browser */
  models: [],
  /** @type {string | undefined} the id of the one in use; none: those that came with the page */
  model: undefined,
  /** @type {Progress | undefined} */
  learning: undefined,
  /** a hand is on the brush, or was a moment ago: wait with learning */
  painting: false,
  /** the user wants no pictures worked off for now */
  paused: false,
  /** @type {Tool} */
  tool: "brush",
  brushSize: 44,
  /** the easel is pointed at, not painted on */
  asking: false,
  /** @type {Look} a threshold of 0 is to become that of the weights */
  look: { threshold: 0, smallest: 0.0005, fill: true, edges: true },
  opacity: 0.6,
  /** whether the page opens without a network too */
  offline: false,
  /** @type {Notice[]} */
  notices: [],
};

/** Between two rounds the thread is free for so many milliseconds. */
const APART = 40;

/** @type {(() => void)[]} */
const views = [];
let announced = false;
/** when the last round ended */
let shown = -APART;

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
  const wait = shown + APART - performance.now();
  if (wait > 0) setTimeout(round, wait);
  else queueMicrotask(round);
}

function round() {
  announced = false;
  for (const view of views) view();
  shown = performance.now();
}

/** What the supports say has changed. */
export function teach() {
  for (const query of state.queries) query.skipped = false;
  change({ lesson: state.lesson + 1 });
}

let lastNotice = 0;

/** Tells the user a sentence, and may offer something to do about it. @param {unknown} trouble @param {Notice["action"]} [action] */
export function tell(trouble, action) {
  const text = reason(trouble);
  // An offer survives the same sentence told again by somebody who has none.
  action ??= state.notices.find((notice) => notice.text === text)?.action;
  const others = state.notices.filter((notice) => notice.text !== text).slice(-2);
  change({ notices: [...others, { id: ++lastNotice, text, action }] });
}

/** @param {number} id */
export const dismiss = (id) => change({ notices: state.notices.filter((notice) => notice.id !== id) });

export const openSupport = () => state.supports.find(({ id }) => id === state.open);
export const openQuery = () => state.queries.find(({ id }) => id === state.open);
/** What is on the easel. */
export const subject = () => openSupport() ?? openQuery();

export const currentClass = () => state.classes.find(({ number }) => number === state.currentClass);

/** The supports that teach: something is painted in them, and they are not left out. */
export const lessons = () => state.supports.filter(({ painting, hidden }) => painting && painting.share > 0 && !hidden);

/** Whether there is anything to look for. */
export const isTaught = () => lessons().length > 0 || state.task !== undefined;
