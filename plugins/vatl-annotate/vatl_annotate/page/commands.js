// @ts-check
/** What each command does to the instance on the desk. */

import { usable } from "./boxes.js";

/**
 * @typedef {import("./desk.js").Desk} Desk
 * @typedef {import("./keys.js").Command} Command
 * @typedef {import("./pose.js").Pose} Pose
 */

const ZOOM = 1.25;
const SURE = 5000;

/**
 * The commands that concern the desk.
 *
 * @param {Desk} desk
 * @returns {Partial<Record<Command, () => void>>}
 */
export function commandsOf(desk) {
  const { queue, stage } = desk;
  const { view } = stage;
  return {
    accept: () => accept(desk),
    acceptProposed: () => acceptProposed(desk),
    skip: () => ofQueue(desk, () => queue.skip()),
    back: () => void queue.back(() => desk.keep()),
    forward: () => void queue.forward(() => desk.keep()),
    pause: () => desk.pause(true),
    previousPoint: () => void desk.step(-1),
    nextPoint: () => void desk.step(1),
    toggleOccluded: () => ofChosen(desk, (pose, k) => pose.toggleOccluded(k)),
    toggleHidden: () => ofChosen(desk, (pose, k) => pose.toggleHidden(k)),
    undo: () => desk.edit((pose) => pose.undo()),
    redo: () => desk.edit((pose) => pose.redo()),
    zoomIn: () => look(desk, () => view.zoom(ZOOM)),
    zoomOut: () => look(desk, () => view.zoom(1 / ZOOM)),
    fit: () => look(desk, () => view.fit()),
    frame: () => desk.pose && stage.setMode(stage.mode === "pose" ? "frame" : "pose"),
    redraw: () => ofQueue(desk, () => stage.setMode("box")),
    remove: () => ofQueue(desk, () => remove(desk)),
    escape: () => leave(desk),
    learn: () => void queue.wish("learn"),
    others: () => void queue.wish("others"),
    endReview: () => void queue.wish("end"),
    swap: () => void desk.identify((task) => desk.identities.swap(task)),
    takeBack: () => void desk.identify((task) => desk.identities.takeBack(task)),
  };
}

/**
 * Take the box that is being drawn; or send the pose; or, where an earlier label was left as it is, go on.
 *
 * @param {Desk} desk
 */
function accept({ clock, messages, pose, queue, stage }) {
  if (!pose) return;
  if (stage.mode === "box") {
    if (stage.drawn && usable(stage.drawn)) void queue.redraw(stage.drawn);
    else messages.say("Drag a larger box", "info");
  } else if (queue.correcting && !pose.edited) {
    void queue.resume();
  } else {
    void queue.accept(pose.points, clock.seconds);
  }
}

/**
 * Send the pose without the edits; an earlier label stays as it is.
 *
 * @param {Desk} desk
 */
function acceptProposed({ clock, memory, pose, queue, task }) {
  if (!pose || !task) return;
  if (!queue.correcting) return void queue.accept(pose.initial, clock.seconds);
  memory.forget(task.instance);
  void queue.resume();
}

/**
 * Remove the box, asking once.
 *
 * @param {Desk} desk
 */
function remove(desk) {
  if (performance.now() < desk.removeUntil) return void desk.queue.redraw(null);
  desk.removeUntil = performance.now() + SURE;
  desk.messages.say("Is nobody there? Once more, and the box is removed", "info");
}

/**
 * Leave the box, then the whole frame, then the keypoint.
 *
 * @param {Desk} desk
 */
function leave(desk) {
  const { stage } = desk;
  if (stage.mode === "pose") desk.edit((pose) => pose.choose(-1));
  else stage.setMode(stage.mode === "box" ? "frame" : "pose");
}

/**
 * @param {Desk} desk
 * @param {(pose: Pose, k: number) => void} change
 */
function ofChosen(desk, change) {
  if (desk.pose && desk.pose.chosen < 0) return desk.messages.say("Choose a keypoint first", "info");
  desk.edit((pose) => change(pose, pose.chosen));
}

/**
 * @param {Desk} desk
 * @param {() => unknown} act  only on an instance of the queue
 */
function ofQueue(desk, act) {
  if (desk.queue.correcting) return desk.messages.say("This one is labelled already: Enter or N leads back", "info");
  if (desk.pose) act();
}

/**
 * @param {Desk} desk
 * @param {() => void} change  of the view
 */
function look({ stage }, change) {
  change();
  stage.refresh();
}
