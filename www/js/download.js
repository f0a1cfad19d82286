// One file from where the page came from, counted as it arrives.

/** Reports at most about twenty times a second: each report is a message between threads. */
const PAUSE = 50;

/** @param {URL} url @param {(done: number, total: number) => void} progress @returns {Promise<Uint8Array<ArrayBuffer>>} */
export async function download(url, progress) {
  // Program and page must be of one build, so ask whether the file has changed even where the browser has it.
  const response = await fetch(url, { cache: "no-cache" }).catch(() => null);
  if (!response?.ok || !response.body) throw new Error(sentence(url, response));
  const total = Number(response.headers.get("content-length") ?? 0);
  /** @type {Uint8Array<ArrayBuffer>[]} */
  const parts = [];
  let done = 0;
  let told = -PAUSE;
  const reader = response.body.getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    parts.push(part.value);
    done += part.value.length;
    if (performance.now() - told < PAUSE) continue;
    told = performance.now();
    // A compressed answer's length is that of the compressed bytes: say no total rather than a wrong one.
    progress(done, done > total ? 0 : total);
  }
  progress(done, done);
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

/** @param {URL} url @param {Response | null} response */
function sentence(url, response) {
  const file = url.pathname.split("/").pop();
  const why = response ? `the server answered ${response.status}` : "the server cannot be reached";
  return `${file} did not load: ${why}. Check the connection and start again.`;
}
