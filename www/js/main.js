// Puts the page together.
import { find, takeDrops } from "./dom.js";
import { setUpEasel } from "./easel.js";
import { addAnywhere } from "./intake.js";
import { setUpResults } from "./results.js";
import { addSample } from "./sample.js";
import { state, watch } from "./state.js";
import { setUpStatus } from "./status.js";
import { setUpSupports } from "./supports.js";
import { keepWorking, start } from "./work.js";

/** The lesson for newcomers makes room once there is something to work on. */
function setUpIntro() {
  const button = find("button", "sample");
  button.addEventListener("click", () => void addSample());
  watch(() => document.body.classList.toggle("empty", state.supports.length + state.queries.length === 0));
}

setUpIntro();
setUpEasel();
setUpSupports();
setUpResults();
setUpStatus();
// A picture dropped beside a place for it must not replace the page.
takeDrops(document.body, (files) => void addAnywhere(files));
void start();
keepWorking();
