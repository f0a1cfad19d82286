// Long work on the page's own thread, in portions between which the thread is free for whatever else happens. The work is
// a generator that yields after each small step. No page in here.

/** @template T @typedef {Generator<void, T, void>} Work */

/** What one portion takes at most, as long as no step takes longer, in milliseconds. */
const PORTION = 8;
/** Bytes that a step goes through. */
export const STEP = 1 << 16;

/** To the end, at once. @template T @param {Work<T>} work @returns {T} */
export function atOnce(work) {
  let step = work.next();
  while (!step.done) step = work.next();
  return step.value;
}

/** What takes less than a portion is done when this returns. @template T @param {Work<T>} work @param {number} [portion] @returns {Promise<T>} */
export async function inSlices(work, portion = PORTION) {
  for (;;) {
    const end = performance.now() + portion;
    do {
      const step = work.next();
      if (step.done) return step.value;
    } while (performance.now() < end);
    await pause();
  }
}

/** Lets others have the thread. Unlike a timer, a message comes at once, in a hidden tab too. @returns {Promise<void>} */
export function pause() {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}
