// @ts-check
/** The desk: the instance shown, its pose being edited, the time spent on it, and where all of it is shown. */

import { shifted } from "./boxes.js";
import { commandsOf } from "./commands.js";
import { byId, say } from "./dom.js";
import { HIDDEN, OCCLUDED, Pose } from "./pose.js";
import { showReasons } from "./review.js";

/**
 * @typedef {import("./types.js").Point} Point
 * @typedef {import("./types.js").Task} Task
 * @typedef {import("./keys.js").Command} Command
 * @typedef {import("./clock.js").Clock} Clock
 * @typedef {import("./identities.js").Identities} Identities
 * @typedef {import("./list.js").KeypointList} KeypointList
 * @typedef {import("./memory.js").Memory} Memory
 * @typedef {import("./messages.js").Messages} Messages
 * @typedef {import("./queue.js").Queue} Queue
 * @typedef {import("./stage.js").Stage} Stage
 * @typedef {import("./stage.js").When} When
 * @typedef {import("./toolbar.js").Toolbar} Toolbar
 */

export class Desk {
  /**
   * @param {object} parts
   * @param {Queue} parts.queue
   * @param {Stage} parts.stage
   * @param {Clock} parts.clock
   * @param {Memory} parts.memory
   * @param {Messages} parts.messages
   * @param {Identities} parts.identities
   */
  constructor({ queue, stage, clock, memory, messages, identities }) {
    this.queue = queue;
    this.stage = stage;
    this.clock = clock;
    this.memory = memory;
    this.messages = messages;
    this.identities = identities;
    /** @type {KeypointList | null} */
    this.list = null;
    /** @type {Toolbar | null} */
    this.toolbar = null;
    /** @type {Task | null} */
    this.task = null;
    /** @type {Pose | null} the pose of the task once it can be seen */
    this.pose = null;
    /** Until when another Delete removes the box. */
    this.removeUntil = 0;
    this.commands = commandsOf(this);
  }

  /**
   * Lay an instance on the desk, with the edit that was under way if there was one.
   *
   * @param {Task | null} task
   */
  async show(task) {
    this.task = task;
    this.pose = null;
    this.removeUntil = 0;
    document.body.dataset.instance = "";
    if (!task) {
      this.pause(false);
      this.clock.end();
      return this.stage.clear();
    }
    const pose = Pose.of(task);
    const draft = this.memory.draft(task);
    if (draft?.edits) pose.restore(draft.edits);
    if (!(await this.stage.show(task, pose, () => this.task === task))) return;
    this.pose = pose;
    this.clock.start(draft?.seconds ?? 0);
    this.#announce(task);
    this.refresh();
  }

  /** Show the pose as it is now everywhere. */
  refresh() {
    const { task, pose, queue } = this;
    if (!task || !pose) return;
    this.stage.refresh();
    this.list?.update(pose, task);
    const v = pose.points[pose.chosen]?.[2];
    const chosen = v !== undefined;
    this.toolbar?.update({
      undo: pose.past.length > 0,
      redo: pose.future.length > 0,
      toggleOccluded: chosen,
      toggleHidden: chosen,
      forward: queue.correcting,
      skip: !queue.correcting,
      redraw: !queue.correcting,
      remove: !queue.correcting,
    });
    this.toolbar?.press({ toggleOccluded: v === OCCLUDED, toggleHidden: v === HIDDEN });
  }

  /**
   * Show the frame before or after for as long as it is held.
   *
   * @param {When} when
   */
  flicker(when) {
    const { task } = this;
    if (!task || !this.pose) return;
    this.stage.flicker(when);
    const neighbour = when === "now" ? null : task[when];
    say(byId("task-frame"), `Frame ${neighbour?.frame ?? task.frame}`);
  }

  /** Keep the edit under way where a reload finds it. */
  keep() {
    if (this.task && this.pose) this.memory.keep(this.task, this.pose.edits(), this.clock.seconds);
  }

  /**
   * Edit the pose and show it.
   *
   * @param {(pose: Pose) => void} edit
   */
  edit(edit) {
    if (!this.pose || this.queue.busy || this.paused || this.stage.mode !== "pose") return;
    edit(this.pose);
    this.keep();
    this.refresh();
  }

  /** @param {number} k */
  choose(k) {
    if (this.pose && k < this.pose.points.length) this.edit((pose) => pose.choose(k));
  }

  /**
   * Move the chosen keypoint; a box being drawn; or, with neither, the view.
   *
   * @param {number} dx  frame pixels
   * @param {number} dy
   * @param {boolean} shift
   */
  nudge(dx, dy, shift) {
    const { pose, stage, task } = this;
    if (!pose || !task || this.paused) return;
    if (stage.mode === "box" && stage.drawn) {
      const step = Math.max(Math.max(...task.frame_size) / 400, 1) / (shift ? 10 : 1);
      return stage.drawBox(shifted(stage.drawn, dx * step, dy * step, shift, task.frame_size));
    }
    if (stage.mode === "pose" && pose.chosen >= 0) return this.edit(() => pose.nudge(pose.chosen, dx, dy));
    stage.view.pan(-40 * Math.sign(dx), -40 * Math.sign(dy));
    stage.refresh();
  }

  /**
   * Step to a neighbouring keypoint.
   *
   * @param {1 | -1} by
   * @returns {boolean} whether there was one
   */
  step(by) {
    if (!this.pose || this.stage.mode !== "pose") return false;
    let there = false;
    this.edit((pose) => (there = pose.step(by)));
    return there;
  }

  /** @param {Command} command */
  run(command) {
    const act = this.commands[command];
    if (!act) return;
    if (this.paused) return this.pause(false);
    if (!this.queue.busy) act();
  }

  /** Whether the person asked for a pause. */
  get paused() {
    return this.clock.stopped.has("asked");
  }

  /** @param {boolean} paused */
  pause(paused) {
    if (paused && !this.pose) return;
    this.clock.stop("asked", paused);
    document.body.dataset.paused = String(paused);
    this.#takeKeys();
  }

  /** @param {Task} task */
  #announce(task) {
    const { body } = document;
    body.dataset.instance = String(task.instance);
    say(byId("task-frame"), `Frame ${task.frame}`);
    this.#name(task);
    showReasons(task);
    byId("task-id").title = task.id;
    const notice = byId("notice");
    const by = task.label ? `Labelled by ${task.label.annotator}. ` : "";
    const correction = task.open ? "A correction replaces this label." : "A correction counts as a new label.";
    const skipped = task.skipped ? "Skipped before: a second skip leaves it out." : "";
    say(notice, this.queue.correcting ? `${by}${correction}` : skipped);
    notice.hidden = !notice.textContent;
    this.#takeKeys();
  }

  /**
   * Change who is who in the frame shown; the pose being edited stays as it is.
   *
   * @param {(task: Task) => Promise<boolean>} change
   */
  async identify(change) {
    const { task } = this;
    if (!task || !this.pose || !(await change(task)) || this.task !== task) return;
    this.#name(task);
    this.stage.refresh();
  }

  /** @param {Task} task */
  #name(task) {
    say(byId("task-detail"), `of ${task.frames} · track ${task.track}`);
    this.identities.show(task);
  }

  /** Send keys to the picture, unless the person is writing or asked something. */
  #takeKeys() {
    if (!document.querySelector("input:focus, dialog[open]")) byId("stage").focus({ preventScroll: true });
  }
}
