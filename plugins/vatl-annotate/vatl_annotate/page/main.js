// @ts-check
/** The labelling page: its parts, made and joined. */

import { Clock } from "./clock.js";
import { Desk } from "./desk.js";
import { helpDialog, stopDialog } from "./dialogs.js";
import { byId, say } from "./dom.js";
import { handling } from "./handling.js";
import { Identities } from "./identities.js";
import { Keyboard } from "./keys.js";
import { KeypointList } from "./list.js";
import { Memory, windowId } from "./memory.js";
import { Messages } from "./messages.js";
import { Panel } from "./panel.js";
import { Pictures } from "./pictures.js";
import { Gestures } from "./pointer.js";
import { Progress } from "./progress.js";
import { Queue } from "./queue.js";
import { showReview } from "./review.js";
import { Server } from "./server.js";
import { Stage } from "./stage.js";
import { Toolbar } from "./toolbar.js";
import { Watch } from "./watch.js";
import { clock as clockTime } from "./words.js";

/**
 * @typedef {import("./types.js").Run} Run
 * @typedef {import("./types.js").State} State
 * @typedef {import("./keys.js").Command} Command
 */

const TICK = 250;

const messages = new Messages();
const clock = new Clock();
const server = new Server((link) => messages.showLink(link));
for (const kind of ["error", "unhandledrejection"]) {
  window.addEventListener(kind, () => messages.say("The page has met an error: reload it, your work is kept", "bad"));
}
const tab = await windowId();
await open(await server.get("/api/run"));

/**
 * Make the page for a run and begin.
 *
 * @param {Run} run
 */
async function open(run) {
  const memory = new Memory(run.run);
  const pictures = new Pictures();
  const stage = new Stage(run.skeleton, pictures);
  const panel = new Panel(run.annotator);
  const progress = new Progress(run);
  /** @type {State | null} */
  let latest = null;
  let shown = Promise.resolve();

  const queue = new Queue(server, memory, tab, () => panel.annotator, {
    show(task) {
      watch.outdate();
      watch.work(task !== null);
      shown = desk.show(task);
      if (task) progress.work();
      else if (latest) progress.update(latest, false);
    },
    ahead: (urls) => void shown.then(() => pictures.ahead(urls)),
    state: heard,
    busy(busy) {
      document.body.dataset.busy = String(busy);
      clock.stop("saving", busy);
    },
    say: (text, kind) => messages.say(text, kind),
  });
  const identities = new Identities(server, tab, () => panel.annotator, messages.say.bind(messages));
  const desk = new Desk({ queue, stage, clock, memory, messages, identities });
  const correcting = () => queue.correcting && !clock.silent && !desk.paused && !document.hidden;
  const watch = new Watch(server, tab, correcting, heard);

  /** @param {State} state */
  function heard(state) {
    latest = state;
    panel.update(state);
    showReview(state);
    queue.follow(state);
    progress.update(state, queue.shown !== null);
  }

  join(run, desk);
  keepTime(desk);
  void watch.run();
  await queue.begin();
}

/**
 * Join the desk with the list, the buttons, the keys and the pointer.
 *
 * @param {Run} run
 * @param {Desk} desk
 */
function join(run, desk) {
  const { stage } = desk;
  /** @type {Partial<Record<Command, () => void>>} */
  const dialogs = {
    help: helpDialog(),
    stop: stopDialog(() => void desk.queue.stop()),
    run: () => document.body.toggleAttribute("data-run-open"),
  };
  /** @param {Command} command */
  const perform = (command) => {
    if (command === "escape" && gestures.dragged >= 0) return gestures.cancel();
    (dialogs[command] ?? (() => desk.run(command)))();
  };

  desk.list = new KeypointList(run, {
    choose: (k) => desk.choose(k),
    cycle: (k) => desk.edit((pose) => pose.cycleVisibility(k)),
    hover: (k) => stage.hover(k),
    step: (by) => void desk.step(by),
  });
  desk.toolbar = new Toolbar(perform, (when) => desk.flicker(when));
  const gestures = new Gestures(stage.root, handling(desk));
  new Keyboard({
    run: perform,
    choose: (k) => desk.choose(k),
    nudge: (dx, dy, shift) => desk.nudge(dx, dy, shift),
    tab: (by) => desk.step(by),
    flicker: (when) => desk.flicker(when),
    pan(panning) {
      gestures.panning = panning;
      stage.root.classList.toggle("panning", panning);
    },
  });
}

/**
 * Count active time and show it; keep the edit when the page goes.
 *
 * @param {Desk} desk
 */
function keepTime(desk) {
  for (const kind of ["pointermove", "pointerdown", "keydown", "wheel"]) {
    window.addEventListener(kind, () => clock.input(), { passive: true, capture: true });
  }
  document.addEventListener("visibilitychange", () => {
    clock.stop("hidden", document.hidden);
    desk.keep();
  });
  window.addEventListener("pagehide", () => desk.keep());
  setInterval(() => {
    say(byId("clock"), desk.pose ? clockTime(clock.seconds) : "");
    document.body.dataset.clock = !desk.pose ? "off" : clock.paused ? "paused" : "running";
  }, TICK);
}
