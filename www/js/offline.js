// Lets the browser keep the page itself, so that it opens without a network. What does the keeping is sw.js.

const WORKER = new URL("../sw.js", import.meta.url);
/** A service worker that has not answered by then is not waited for, in milliseconds. */
const PATIENCE = 3000;

/** Call it before anything else: where a newer build waits and no other page is open, this one starts again with that. */
export async function takeUpdate() {
  const { serviceWorker } = navigator;
  const waiting = (await serviceWorker?.getRegistration(WORKER).catch(() => undefined))?.waiting;
  // A page that no service worker controls has come from the server, and is new.
  if (!waiting || !serviceWorker.controller) return;
  const { port1, port2 } = new MessageChannel();
  waiting.postMessage("start with yours", [port2]);
  await new Promise((resolve) => {
    port1.onmessage = ({ data }) => (data ? location.reload() : resolve(undefined));
    setTimeout(resolve, PATIENCE);
  });
}

/**
 * Call it when the page has loaded what it needs: the same files are taken once more, from the browser's memory then.
 * @param {(sentence: string) => void} tell  hears once that it is done
 */
export async function keepOffline(tell) {
  if (!navigator.serviceWorker) return;
  try {
    const first = !(await navigator.serviceWorker.getRegistration(WORKER))?.active;
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
