// Which device and which size: read from the address, so that a link or a reload keeps them.

/** @typedef {import("../protocol").Device} Device */

const query = () => new URLSearchParams(location.search);

/** @param {string | null} word @returns {Device} */
const asDevice = (word) => (word === "cpu" || word === "webgpu" ? word : "auto");

/** @returns {Device} */
export const wantedDevice = () => asDevice(query().get("device"));

/** The side in pixels at which the network works; the weights' own when not asked for. */
export function wantedSize() {
  const size = Number(query().get("size"));
  return Number.isInteger(size) && size > 0 ? size : undefined;
}

/** @param {number} size */
export function wantSize(size) {
  const url = new URL(location.href);
  url.searchParams.set("size", String(size));
  history.replaceState(null, "", url);
}

/** @param {string} device */
export function wantDevice(device) {
  const url = new URL(location.href);
  if (asDevice(device) === "auto") url.searchParams.delete("device");
  else url.searchParams.set("device", device);
  history.replaceState(null, "", url);
}
