// Lets the browser keep the page itself, so that it opens without a network. What does the keeping is sw.js.

const WORKER = new URL("../sw.js", import.meta.url);

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
