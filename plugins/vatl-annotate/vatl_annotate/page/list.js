// @ts-check
/** The list of keypoints: name, key, state, how sure the estimator was. */

import { byId, make, say } from "./dom.js";
import { pointKey } from "./keys.js";

/**
 * @typedef {import("./types.js").Run} Run
 * @typedef {import("./types.js").Task} Task
 * @typedef {import("./pose.js").Pose} Pose
 * @typedef {object} Choices
 * @property {(k: number) => void} choose
 * @property {(k: number) => void} cycle  to the next state
 * @property {(k: number) => void} hover
 * @property {(by: 1 | -1) => void} step
 */

const STATES = ["not visible", "occluded", "visible"];

export class KeypointList {
  /**
   * @param {Run} run
   * @param {Choices} choices
   */
  constructor(run, choices) {
    this.run = run;
    this.choices = choices;
    this.root = byId("keypoints");
    this.rows = run.skeleton.keypoints.map((name, k) => this.#row(name, k));
    this.root.append(...this.rows.map(({ root }) => root));
    this.chosen = -1;
    this.root.addEventListener("keydown", (event) => this.#press(event));
    this.root.addEventListener("pointerleave", () => choices.hover(-1));
  }

  /**
   * Show the state of every keypoint.
   *
   * @param {Pose} pose
   * @param {Task} task
   */
  update(pose, task) {
    for (const [k, row] of this.rows.entries()) {
      const v = pose.points[k][2];
      const score = task.proposal[k][2];
      const doubtful = score < this.run.threshold && !task.label;
      row.root.dataset.v = String(v);
      row.root.setAttribute("aria-selected", String(k === pose.chosen));
      row.root.classList.toggle("changed", pose.changed(k));
      row.root.classList.toggle("doubtful", doubtful);
      say(row.state, STATES[v]);
      say(row.score, doubtful ? score.toFixed(2) : "");
      row.score.title = doubtful ? `The estimator is not sure: ${score.toFixed(2)}` : "";
    }
    this.#follow(pose.chosen);
  }

  /** @param {number} chosen */
  #follow(chosen) {
    if (chosen === this.chosen) return;
    this.chosen = chosen;
    if (chosen < 0) return this.root.removeAttribute("aria-activedescendant");
    const { root } = this.rows[chosen];
    this.root.setAttribute("aria-activedescendant", root.id);
    root.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  /** @param {KeyboardEvent} event */
  #press(event) {
    const by = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    if (!by || event.shiftKey || event.altKey) return;
    event.preventDefault();
    this.choices.step(by > 0 ? 1 : -1);
  }

  /**
   * @param {string} name
   * @param {number} k
   */
  #row(name, k) {
    const side = this.run.skeleton.sides[k];
    const state = make("span", { class: "state" });
    const score = make("span", { class: "score" });
    const toggle = make("span", { class: `badge ${side}`, title: "visible, occluded, not visible" });
    const root = make(
      "li",
      { id: `keypoint-${k}`, class: "row", role: "option", "data-test": "keypoint-row", "data-name": name },
      toggle,
      make("span", { class: "name", title: name }, name),
      score,
      state,
      make("kbd", { "aria-hidden": "true" }, pointKey(k)),
    );
    if (!pointKey(k)) root.lastElementChild?.classList.add("none");
    root.addEventListener("click", (event) => {
      if (event.target === toggle || event.target === state) this.choices.cycle(k);
      else this.choices.choose(k);
    });
    root.addEventListener("pointerenter", () => this.choices.hover(k));
    return { root, state, score };
  }
}
