// Keeps the page in the browser, whole, so that it opens at once and without a network. All files of a build are taken
// together and checked against the build's list. Which build is served is written down, the same for all pages, and
// changes only at a start: when no page is open, or when the only one has just been started and asks for it.

/** scripts/list-build.mjs puts the build's id here; a page that was not built is not kept. */
const BUILD = "";

/** @typedef {{ path: string, hash: string }} Entry */
/** @typedef {{ id: string, files: Entry[] }} Build */

const worker = /** @type {ServiceWorkerGlobalScope} */ (/** @type {unknown} */ (self));
/** What the page is installed under: copies in other folders of the host have service workers of their own. */
const scope = worker.registration.scope;
const SHELF = `fewseg ${scope} `;
/** Where it is written down which build is served. */
const [DESK, SERVED] = [`fewseg-served ${scope}`, new URL("served", scope).href];
const LIST = new URL("build.json", scope).href;

/** How often, and after how many milliseconds, it is looked again whether other pages have gone. */
const [LOOKS, LOOK_AGAIN] = [10, 100];

/** Many servers send index.html on to its folder, and a page that was sent on cannot be answered from a cache. @param {string} path */
const address = (path) => new URL(path === "index.html" ? "./" : path, scope).href;

/** @param {Response} response */
async function hash(response) {
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", await response.arrayBuffer()));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** @param {string} url */
async function get(url) {
  // The page has just loaded most of these: where nothing has changed the server says so, and sends nothing.
  const response = await fetch(url, { cache: "no-cache" });
  if (!response.ok) throw new Error(`${url}: the server answered ${response.status}`);
  return response;
}

/** What a build has in common with those before it need not be loaded again. @returns {Promise<Map<string, () => Promise<Response | undefined>>>} by hash */
async function present() {
  const known = new Map();
  for (const name of await shelves()) {
    const cache = await caches.open(name);
    const list = await cache.match(LIST);
    if (!list) continue;
    const { files } = /** @type {Build} */ (await list.json());
    for (const { path, hash } of files) known.set(hash, () => cache.match(address(path)));
  }
  return known;
}

const shelves = async () => (await caches.keys()).filter((name) => name.startsWith(SHELF));

async function install() {
  if (!BUILD) throw new Error("this page was not built, so there is no telling what belongs to it");
  const list = await get(LIST);
  const { id, files } = /** @type {Build} */ (await list.clone().json());
  if (id !== BUILD) throw new Error(`the server has build ${id}, and this is ${BUILD}: it is being changed just now`);
  const known = await present();
  const cache = await caches.open(SHELF + BUILD);
  try {
    for (const { path, hash: wanted } of files) {
      const response = (await known.get(wanted)?.()) ?? (await get(address(path)));
      if ((await hash(response.clone())) !== wanted) throw new Error(`${path} is not of build ${BUILD}`);
      await cache.put(address(path), response);
    }
    await cache.put(LIST, list);
  } catch (error) {
    // A build that has come back, after another, may be the very one that is served.
    if ((await served()) !== BUILD) await caches.delete(SHELF + BUILD);
    throw error;
  }
}

/** Only the first service worker finds pages open here, and those have come from the server. */
async function activate() {
  await serve();
  for (const name of await shelves()) if (name !== SHELF + BUILD) await caches.delete(name);
}

const serve = async () => (await caches.open(DESK)).put(SERVED, new Response(BUILD));
const served = async () => (await (await caches.open(DESK)).match(SERVED))?.text();

/** @param {Request} request */
async function answer(request) {
  const { origin, pathname } = new URL(request.url);
  const path = (origin + pathname).replace(/\/index\.html$/, "/");
  const kept = await caches.match(path, { cacheName: SHELF + (await served()) });
  return kept ?? fetch(request);
}

async function isOnlyPage() {
  const pages = await worker.clients.matchAll({ type: "window", includeUncontrolled: true });
  return pages.filter(({ url }) => url.startsWith(scope)).length < 2;
}

/** For a page that has just been started. @returns {Promise<boolean>} whether it is to start again, and will get this build */
async function startWithMine() {
  if ((await served()) === BUILD) return false;
  // What was in the page's place before, or was closed just now, takes a moment to go.
  for (let look = 0; look < LOOKS && !(await isOnlyPage()); look++) await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN));
  if (!(await isOnlyPage())) return false;
  await serve();
  return true;
}

worker.addEventListener("install", (event) => event.waitUntil(install()));
worker.addEventListener("activate", (event) => event.waitUntil(activate()));
worker.addEventListener("message", (event) => {
  if (event.data === "start with yours") event.waitUntil(startWithMine().then((again) => event.ports[0]?.postMessage(again)));
});
worker.addEventListener("fetch", (event) => {
  const { method, url } = event.request;
  if (BUILD && method === "GET" && url.startsWith(scope)) event.respondWith(answer(event.request));
});
