// Puts the page together.
import { setUpClasses } from "./classes.js";
import { setUpDesk } from "./desk.js";
import { takeDrops, takePastes } from "./doors.js";
import { addAnywhere, readQueries } from "./intake.js";
import { setUpMarking } from "./marking.js";
import { begin, setUpKeeper } from "./keeper.js";
import { setUpLive } from "./live.js";
import { setUpLook } from "./look.js";
import { setUpModels } from "./models.js";
import { keepOffline, takeUpdate } from "./offline.js";
import { setUpOut } from "./out.js";
import { setUpResults } from "./results.js";
import { setUpSamples } from "./sample.js";
import { change, state, teach, watch } from "./state.js";
import { setUpStatus } from "./status.js";
import { setUpSupports } from "./supports.js";
import { setUpTask } from "./task.js";
import { setUpTimings } from "./timings.js";
import { setUpUrls } from "./urls.js";
import { setUpWhy } from "./why.js";
import { keepWorking, start } from "./work.js";

/** The lesson for newcomers makes room once there is something to work on. */
const setUpIntro = () =>
  watch(() => document.body.classList.toggle("empty", state.supports.length + state.queries.length === 0 && !state.task));

change({ offline: Boolean(navigator.serviceWorker?.controller) });
await takeUpdate();
setUpMarking({ marked: ({ id }) => (state.supports.some((support) => support.id === id) ? teach() : change()), ...setUpWhy() });
setUpIntro();
setUpSamples();
setUpClasses();
setUpSupports();
setUpDesk();
setUpResults();
setUpLook();
setUpOut();
setUpLive();
setUpTask();
setUpModels();
setUpStatus();
setUpTimings();
setUpUrls();
setUpKeeper();
// A picture dropped beside a place for it must not replace the page.
takeDrops(document.body, (files) => void addAnywhere(files));
takePastes((files) => void addAnywhere(files));
await begin();
keepWorking();
await start();
void readQueries();
void keepOffline(() => change({ offline: true }));
