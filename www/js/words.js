// How figures and failures are put into words.

/** @param {number} share */
export const percent = (share) => (share < 0.001 ? "under 0.1 %" : `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`);

/** @param {unknown} trouble */
export const reason = (trouble) => (trouble instanceof Error ? trouble.message : String(trouble));
