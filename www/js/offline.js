// Lets the browser keep the page itself, so that it opens without a network. What does the keeping is sw.js.

const WORKER = new URL("../sw.js", import.meta.url);
/** A new build that has not taken over by then waits for the start after this, in milliseconds. */
const PATIENCE = 3000;

/** Call it before anything else: where a newer build of the page waits, the page starts again with that. */
export async function takeUpdate() {
  const { serviceWorker } = navigator;
  if (!serviceWorker?.controller) return;
  serviceWorker.addEventListener("controllerchange", () => location.reload());
  const waiting = (await serviceWorker.getRegistration(WORKER))?.waiting;
  if (waiting && (await takesOver(waiting))) await new Promise((resolve) => setTimeout(resolve, PATIENCE));
}

/** It does so only when no other page is open. @param {ServiceWorker} waiting @returns {Promise<boolean>} */
function takesOver(waiting) {
  const { port1, port2 } = new MessageChannel();
  waiting.postMessage("take over", [port2]);
  return new Promise((resolve) => {
    port1.onmessage = ({ data }) => resolve(data);
    setTimeout(() => resolve(false), PATIENCE);
  });
}

/**
 * Call it when the page has loaded what it needs: the same files are taken once more, from the browser's memory then.
 * @param {(sentence: string) => void} tell  hears once that it is done
 */
export async function keepOffline(tell) {
  if (!navigator.serviceWorker) return;
  const first = !(await navigator.serviceWorker.getRegistration(WORKER))?.active;
  try {
    const registration = await navigator.serviceWorker.register(WORKER, { updateViaCache: "none" });
    if (first && (await activated(registration))) tell("Ready to work offline: this page now opens without a network, too.");
  } catch {
    // The page works without; at the next start it is tried again.
  }
}

/** @param {ServiceWorkerRegistration} registration @returns {Promise<boolean>} */
function activated({ installing, waiting, active }) {
  const worker = installing ?? waiting ?? active;
  return new Promise((resolve) => {
    const look = () => {
      if (worker?.state === "activated") resolve(true);
      if (worker?.state === "redundant") resolve(false);
    };
    worker?.addEventListener("statechange", look);
    look();
  });
}
