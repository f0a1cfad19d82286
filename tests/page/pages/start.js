// What main.js does about working offline, in a page that says which build its files are of.
import { keepOffline, takeUpdate } from "./js/offline.js";

await takeUpdate();
const versions = await Promise.all(["./js/a.js", "./js/b.js"].map(async (path) => (await import(path)).version));
const main = document.querySelector("main");
main.textContent = `Started with ${versions.join(" and ")}.`;
await keepOffline((sentence) => main.append(` ${sentence}`));
main.append(" Kept.");
