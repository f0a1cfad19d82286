// Serves the built page, or the parts of it, to the tests, from 127.0.0.1 and a port that is free.
import { createReadStream, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";

/** @type {Record<string, string>} */
const TYPES = {
  ".css": "text/css",
  ".html": "text/html",
  ".jpg": "image/jpeg",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".json": "application/json",
  ".png": "image/png",
  ".safetensors": "application/octet-stream",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
  ".webmanifest": "application/manifest+json",
};

/** @param {string[]} roots @param {string} path */
function locate(roots, path) {
  const inside = normalize(decodeURIComponent(path)).replace(/^([/\\]|\.\.)+/, "").replace(/(^|\/)$/, "$1index.html");
  for (const root of roots) {
    const file = join(root, inside);
    const stat = statSync(file, { throwIfNoEntry: false });
    if (stat?.isFile()) return { file, size: stat.size };
  }
  return undefined;
}

/**
 * @param {...string} roots  looked through in this order
 * @returns {Promise<{ url: string, close: () => Promise<void> }>}
 */
export function serve(...roots) {
  const server = createServer((request, response) => {
    const found = locate(roots, new URL(request.url ?? "/", "http://localhost").pathname);
    if (!found) return response.writeHead(404).end();
    const type = TYPES[extname(found.file)] ?? "application/octet-stream";
    response.writeHead(200, { "content-type": type, "content-length": found.size });
    return createReadStream(found.file).pipe(response);
  });
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      const port = typeof address === "object" && address ? address.port : 0;
      const close = () => new Promise((/** @type {(value: void) => void} */ done) => {
        server.closeAllConnections();
        server.close(() => done());
      });
      resolve({ url: `http://127.0.0.1:${port}/`, close });
    });
  });
}
