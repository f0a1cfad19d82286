// Starts a worker of the page.

/**
 * A worker that is fetched brings its own policy, which a plain file server does not send with it; one that starts from
 * a blob inherits the page's. So a worker too can reach nothing but the server that the page came from.
 * @param {string} file  beside this one @param {string} name
 */
export function startThread(file, name) {
  const source = `import ${JSON.stringify(new URL(file, import.meta.url).href)};`;
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  return new Worker(url, { type: "module", name });
}
