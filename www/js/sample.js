// The built-in sample: one painted picture and three to find the duck in. It comes in by the same door as the user's.
import { addQueries, addSupports } from "./intake.js";
import { tell } from "./state.js";

const SUPPORT = ["duck.jpg", "duck-mask.png"];
const QUERIES = ["picnic.jpg", "bathroom.jpg", "lawn.jpg"];

/** @param {string} name */
async function fetchFile(name) {
  const response = await fetch(new URL(`../samples/${name}`, import.meta.url));
  if (!response.ok) throw new Error(`The sample ${name} did not load: the server answered ${response.status}.`);
  return new File([await response.blob()], name);
}

export async function addSample() {
  try {
    const [supports, queries] = await Promise.all([SUPPORT, QUERIES].map((names) => Promise.all(names.map(fetchFile))));
    await Promise.all([addSupports(supports ?? []), addQueries(queries ?? [])]);
  } catch (trouble) {
    tell(trouble);
  }
}
