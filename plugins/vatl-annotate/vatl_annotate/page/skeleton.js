// @ts-check
/** A pose drawn over the picture: limbs and points of the same size on the screen at any zoom. */

import { draw, set } from "./dom.js";
import { HIDDEN, OCCLUDED } from "./pose.js";

/**
 * @typedef {import("./types.js").Side} Side
 * @typedef {import("./types.js").Skeleton} Skeleton
 * @typedef {import("./pose.js").Pose} Pose
 * @typedef {import("./view.js").View} View
 */

const RING = 6.5;
const CHOSEN_RING = 10;

/**
 * The side of a limb: that of its ends; where one end is in the middle, that of the other.
 *
 * @param {Side} a
 * @param {Side} b
 * @returns {Side}
 */
export function limbSide(a, b) {
  if (a === b || b === "middle") return a;
  return a === "middle" ? b : "middle";
}

export class Drawing {
  /**
   * @param {Element} parent
   * @param {Skeleton} skeleton
   */
  constructor(parent, skeleton) {
    this.skeleton = skeleton;
    this.limbs = skeleton.edges.map(([a, b]) => limb(limbSide(skeleton.sides[a], skeleton.sides[b])));
    this.marks = skeleton.keypoints.map((name, k) => mark(name, skeleton.sides[k]));
    this.points = draw("g", { class: "points" }, ...this.marks);
    const casings = draw("g", { class: "casings" }, ...this.limbs.map(({ casing }) => casing));
    const lines = draw("g", { class: "limbs" }, ...this.limbs.map(({ line }) => line));
    this.root = draw("g", { class: "pose" }, casings, lines, this.points);
    parent.append(this.root);
    this.chosen = -1;
  }

  /**
   * Draw the pose as it is now.
   *
   * @param {Pose} pose
   * @param {View} view
   * @param {number} hovered  the keypoint under the pointer, or −1
   */
  update(pose, view, hovered) {
    const places = pose.points.map(([x, y]) => view.toScreen(x, y));
    this.#drawLimbs(pose, places);
    for (const [k, mark] of this.marks.entries()) this.#drawMark(mark, pose, k, places[k], hovered);
    if (pose.chosen !== this.chosen && pose.chosen >= 0) this.points.append(this.marks[pose.chosen]);
    this.chosen = pose.chosen;
  }

  /**
   * @param {Pose} pose
   * @param {[number, number][]} places
   */
  #drawLimbs(pose, places) {
    for (const [i, [a, b]] of this.skeleton.edges.entries()) {
      const ends = { x1: places[a][0], y1: places[a][1], x2: places[b][0], y2: places[b][1] };
      const [va, vb] = [pose.points[a][2], pose.points[b][2]];
      for (const element of [this.limbs[i].casing, this.limbs[i].line]) {
        set(element, ends);
        element.classList.toggle("hidden", va === HIDDEN || vb === HIDDEN);
        element.classList.toggle("occluded", va === OCCLUDED || vb === OCCLUDED);
      }
    }
  }

  /**
   * @param {SVGElement} mark
   * @param {Pose} pose
   * @param {number} k
   * @param {[number, number]} place
   * @param {number} hovered
   */
  #drawMark(mark, pose, k, place, hovered) {
    const [x, y, v] = pose.points[k];
    set(mark, { transform: `translate(${place[0]} ${place[1]})`, "data-x": x, "data-y": y, "data-v": v });
    mark.classList.toggle("chosen", k === pose.chosen);
    mark.classList.toggle("hovered", k === hovered);
    mark.classList.toggle("hidden", v === HIDDEN);
    mark.classList.toggle("occluded", v === OCCLUDED);
  }
}

/** @param {Side} side */
function limb(side) {
  return { casing: draw("line", { class: "casing" }), line: draw("line", { class: `limb ${side}` }) };
}

/**
 * A keypoint's mark: a thin ring around a dot, so that what is beneath shows; ticks around it when it is chosen.
 *
 * @param {string} name
 * @param {Side} side
 */
function mark(name, side) {
  const ticks = "M0 -21V-13M0 13V21M-21 0H-13M13 0H21";
  return draw(
    "g",
    { class: `point ${side}`, "data-keypoint": name },
    draw("path", { class: "ticks casing", d: ticks }),
    draw("path", { class: "ticks", d: ticks }),
    draw("circle", { class: "ring casing plain", r: RING }),
    draw("circle", { class: "ring plain", r: RING }),
    draw("circle", { class: "ring casing large", r: CHOSEN_RING }),
    draw("circle", { class: "ring large", r: CHOSEN_RING }),
    draw("circle", { class: "dot casing", r: 2.6 }),
    draw("circle", { class: "dot", r: 1.7 }),
    draw("text", { class: "name", x: 16, y: -12 }, name),
  );
}
