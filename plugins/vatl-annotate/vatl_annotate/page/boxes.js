// @ts-check
/** Boxes over the whole frame: this instance's, those of others, and one being drawn. */

import { draw, set } from "./dom.js";

/**
 * @typedef {import("./types.js").Box} Box
 * @typedef {import("./types.js").Task} Task
 * @typedef {import("./view.js").View} View
 */

const SMALLEST = 2;

/**
 * The box between two corners, inside the frame.
 *
 * @param {[number, number]} a
 * @param {[number, number]} b
 * @param {[number, number]} frameSize
 * @returns {Box}
 */
export function between(a, b, frameSize) {
  const [left, right] = [a[0], b[0]].map((x) => within(x, frameSize[0])).sort((p, q) => p - q);
  const [top, bottom] = [a[1], b[1]].map((y) => within(y, frameSize[1])).sort((p, q) => p - q);
  return [left, top, right - left, bottom - top];
}

/**
 * A box moved, or its lower right corner moved.
 *
 * @param {Box} box
 * @param {number} dx
 * @param {number} dy
 * @param {boolean} resize
 * @param {[number, number]} frameSize
 * @returns {Box}
 */
export function shifted([x, y, width, height], dx, dy, resize, [frameWidth, frameHeight]) {
  if (resize) {
    const right = Math.max(within(x + width + dx, frameWidth), x + SMALLEST);
    const bottom = Math.max(within(y + height + dy, frameHeight), y + SMALLEST);
    return [x, y, right - x, bottom - y];
  }
  return [within(x + dx, frameWidth - width), within(y + dy, frameHeight - height), width, height];
}

/**
 * Whether a box is large enough to hold an instance.
 *
 * @param {Box} box
 */
export function usable([, , width, height]) {
  return width >= SMALLEST && height >= SMALLEST;
}

export class Boxes {
  /** @param {Element} parent */
  constructor(parent) {
    this.own = labelled("own");
    this.drawn = labelled("drawn");
    this.others = draw("g", { class: "others" });
    this.root = draw("g", { class: "boxes" }, this.others, this.own, this.drawn);
    parent.append(this.root);
  }

  /**
   * Draw the boxes of a task's frame.
   *
   * @param {Task} task
   * @param {Box | null} drawn  a box being drawn in place of the task's
   * @param {View} view
   */
  update(task, drawn, view) {
    put(this.own, task.box, `track ${task.track}`, view);
    this.own.classList.toggle("replaced", drawn !== null);
    this.drawn.classList.toggle("hidden", drawn === null);
    if (drawn) put(this.drawn, drawn, "new box", view);
    while (this.others.childElementCount > task.others.length) this.others.lastElementChild?.remove();
    while (this.others.childElementCount < task.others.length) this.others.append(labelled("other"));
    for (const [i, other] of task.others.entries()) {
      put(/** @type {SVGElement} */ (this.others.children[i]), other.box, String(other.track), view);
    }
  }
}

/** @param {string} kind */
function labelled(kind) {
  return draw(
    "g",
    { class: `box ${kind}`, "data-test": `box-${kind}` },
    draw("rect", { class: "casing" }),
    draw("rect", { class: "line" }),
    draw("text", { class: "name" }),
  );
}

/**
 * @param {SVGElement} group
 * @param {Box} box
 * @param {string} name
 * @param {View} view
 */
function put(group, [x, y, width, height], name, view) {
  const [left, top] = view.toScreen(x, y);
  const size = { width: Math.max(width * view.scale, 0), height: Math.max(height * view.scale, 0) };
  for (const rectangle of group.querySelectorAll("rect")) set(rectangle, { x: left, y: top, ...size });
  const text = /** @type {SVGElement} */ (group.lastElementChild);
  set(text, { x: left + 2, y: top - 7 });
  text.textContent = name;
}

/**
 * @param {number} value
 * @param {number} limit
 */
function within(value, limit) {
  return Math.round(100 * Math.max(Math.min(value, limit), 0)) / 100;
}
