// How long the rest will take, from how long the last few took. No page in here.

/** One slow picture among so many moves the guess little, and a change of device shows soon. */
const WINDOW = 10;

export class Pace {
  /** @type {number[]} milliseconds that the last pictures took */
  #times = [];
  /** @type {{ time: number, done: number } | undefined} */
  #mark;

  /** How many are done at this time; while nothing is being done, nothing is measured. @param {number} done @param {number} time @param {boolean} running */
  note(done, time, running) {
    const mark = this.#mark;
    if (mark && running && done === mark.done) return;
    this.#mark = running ? { time, done } : undefined;
    if (!mark || !running || done < mark.done) return;
    const each = (time - mark.time) / (done - mark.done);
    this.#times = [...this.#times, ...Array(Math.min(done - mark.done, WINDOW)).fill(each)].slice(-WINDOW);
  }

  /** Milliseconds, or nothing before the first is done. @param {number} pictures */
  left(pictures) {
    if (this.#times.length === 0) return undefined;
    return (pictures * this.#times.reduce((sum, time) => sum + time)) / this.#times.length;
  }
}

/** @param {number} milliseconds */
export function roughly(milliseconds) {
  const seconds = milliseconds / 1000;
  if (seconds < 10) return "a few seconds";
  if (seconds < 55) return `about ${10 * Math.round(seconds / 10)} seconds`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 2) return "about a minute";
  if (minutes < 90) return `about ${minutes} minutes`;
  return `about ${Math.round(minutes / 60)} hours`;
}
