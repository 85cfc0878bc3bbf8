// @ts-check
/** The magnifier beside a finger, which shows what the finger hides. */

import { draw, make, set } from "./dom.js";

/**
 * @typedef {import("./types.js").Box} Box
 * @typedef {import("./view.js").View} View
 */

const RADIUS = 62;
const CLEAR = 44;
const MAGNIFIED = 2.2;

export class Lens {
  /** @param {HTMLElement} parent */
  constructor(parent) {
    this.image = /** @type {HTMLImageElement} */ (make("img", { alt: "", draggable: "false" }));
    this.mark = draw("g", {}, ...["casing", ""].map((kind) => cross(kind)));
    const sight = draw("svg", { viewBox: `${-RADIUS} ${-RADIUS} ${2 * RADIUS} ${2 * RADIUS}` }, this.mark);
    this.root = make("div", { id: "lens", "data-test": "lens", "aria-hidden": "true", hidden: "" }, this.image, sight);
    parent.append(this.root);
  }

  /**
   * Show the surroundings of a point.
   *
   * @param {[number, number]} point  in the frame
   * @param {[number, number]} finger  on the screen
   * @param {string} side  of the keypoint
   * @param {HTMLImageElement} picture
   * @param {Box} region  of the frame that the picture shows
   * @param {View} view
   */
  show(point, finger, side, picture, region, view) {
    if (this.image.src !== picture.src) this.image.src = picture.src;
    const scale = view.scale * MAGNIFIED;
    const [x, y] = [RADIUS + (region[0] - 0.5 - point[0]) * scale, RADIUS + (region[1] - 0.5 - point[1]) * scale];
    const stretch = [(region[2] * scale) / picture.naturalWidth, (region[3] * scale) / picture.naturalHeight];
    this.image.style.transform = `translate(${x}px, ${y}px) scale(${stretch[0]}, ${stretch[1]})`;
    const [left, top] = this.#besides(finger, view);
    this.root.style.transform = `translate(${left}px, ${top}px)`;
    set(this.mark, { class: side });
    this.root.hidden = false;
  }

  hide() {
    this.root.hidden = true;
  }

  /**
   * Above the finger, or to the side where there is no room above.
   *
   * @param {[number, number]} finger
   * @param {View} view
   */
  #besides([x, y], view) {
    const reach = 2 * RADIUS + CLEAR;
    const above = y - reach >= 0;
    const left = above ? x - RADIUS : x > view.width / 2 ? x - reach : x + CLEAR;
    return [Math.min(Math.max(left, 4), view.width - 2 * RADIUS - 4), above ? y - reach : Math.max(y - RADIUS, 4)];
  }
}

/** @param {string} kind */
function cross(kind) {
  return draw("path", { class: kind, d: "M0 -16V-5M0 5V16M-16 0H-5M5 0H16M-1 0H1" });
}
