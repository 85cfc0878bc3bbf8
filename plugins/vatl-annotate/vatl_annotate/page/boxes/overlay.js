// @ts-check
/** The boxes over the picture, and what lies beneath a place of it. */

import { draw, say, set } from "../dom.js";
import { colour } from "./album.js";
import { contains, handlePoint, HANDLES } from "./shapes.js";
import { boxAt, ghostAt, keyAt } from "./tracks.js";

/**
 * @typedef {import("./album.js").Album} Album
 * @typedef {import("./shapes.js").Handle} Handle
 * @typedef {import("./types.js").Box} Box
 * @typedef {import("../view.js").View} View
 * @typedef {{number: number, box: Box, kind: "key" | "between" | "ghost"}} Shown
 */

export class Overlay {
  /**
   * @param {Element} root  the svg
   * @param {Album} album
   * @param {View} view
   */
  constructor(root, album, view) {
    this.album = album;
    this.view = view;
    /** @type {Map<number, SVGElement>} */
    this.groups = new Map();
    this.boxes = draw("g");
    this.band = draw("g", { class: "box band" }, draw("rect", { class: "casing" }), draw("rect", { class: "line" }));
    this.handles = draw("g", { class: "handles" });
    for (const handle of Object.keys(HANDLES)) {
      if (handle !== "all") this.handles.append(draw("rect", { class: `handle ${handle}`, width: 9, height: 9, rx: 2 }));
    }
    root.append(this.boxes, this.handles, this.band);
    this.drawBand(null);
  }

  /** @returns {Shown[]} what is drawn in the present frame */
  shown() {
    const { frame } = this.album;
    /** @type {Shown[]} */
    const found = [];
    for (const [number, track] of this.album.tracks) {
      const box = boxAt(track, frame);
      const ghost = box ? null : ghostAt(track, frame);
      if (box) found.push({ number, box, kind: keyAt(track, frame) ? "key" : "between" });
      else if (ghost) found.push({ number, box: ghost, kind: "ghost" });
    }
    return found;
  }

  /** @returns {Shown | null} of the chosen track */
  get chosen() {
    return this.shown().find(({ number }) => number === this.album.number) ?? null;
  }

  update() {
    const shown = this.shown();
    const here = new Set(shown.map(({ number }) => number));
    for (const [number, group] of this.groups) {
      if (here.has(number)) continue;
      group.remove();
      this.groups.delete(number);
    }
    for (const box of shown) this.#put(box);
    this.#putHandles(shown.find(({ number }) => number === this.album.number));
  }

  /**
   * The box that is being drawn.
   *
   * @param {Box | null} box
   */
  drawBand(box) {
    this.band.classList.toggle("hidden", box === null);
    if (box) place(this.band, box, this.view);
  }

  /**
   * What a place on the screen belongs to: a handle of the chosen box, or the smallest box there.
   *
   * @param {number} x
   * @param {number} y
   * @param {number} reach  screen pixels
   * @returns {{number: number, handle: Handle, box: Box} | null}
   */
  hit(x, y, reach) {
    const shown = this.shown();
    const chosen = shown.find(({ number }) => number === this.album.number);
    const handle = chosen && this.#handle(chosen.box, x, y, reach);
    if (chosen && handle) return { number: chosen.number, handle, box: chosen.box };
    const [fx, fy] = this.view.toFrame(x, y);
    const beneath = shown.filter(({ box }) => contains(box, fx, fy));
    const best = beneath.sort((a, b) => area(a, chosen) - area(b, chosen))[0];
    return best ? { number: best.number, handle: "all", box: best.box } : null;
  }

  /**
   * @param {Box} box
   * @param {number} x
   * @param {number} y
   * @param {number} reach
   */
  #handle(box, x, y, reach) {
    const away = /** @type {Handle[]} */ (Object.keys(HANDLES))
      .filter((handle) => handle !== "all")
      .map((handle) => {
        const [hx, hy] = this.view.toScreen(...handlePoint(box, handle));
        return { handle, distance: Math.hypot(x - hx, y - hy) };
      });
    const nearest = away.sort((a, b) => a.distance - b.distance)[0];
    const small = (Math.min(box[2], box[3]) * this.view.scale) / 3;
    const [fx, fy] = this.view.toFrame(x, y);
    return nearest.distance <= (contains(box, fx, fy) ? Math.min(reach, small) : reach) ? nearest.handle : null;
  }

  /** @param {Shown} shown */
  #put({ number, box, kind }) {
    const group = this.groups.get(number) ?? this.#group(number);
    const chosen = number === this.album.number;
    set(group, { class: `box ${kind}${chosen ? " chosen" : ""}`, "data-kind": kind, "data-box": box.map((v) => v.toFixed(2)).join(",") });
    place(group, box, this.view);
    const text = group.children[2];
    const [x, y] = this.view.toScreen(box[0], box[1]);
    set(text, { x: x + 1, y: y > 24 ? y - 7 : y + 17 });
    say(text, kind === "ghost" ? `${number} ?` : `${number}`);
    if (chosen && this.boxes.lastElementChild !== group) this.boxes.append(group);
  }

  /** @param {number} number */
  #group(number) {
    const group = draw("g", {}, draw("rect", { class: "casing" }), draw("rect", { class: "line" }), draw("text"));
    set(group, { "data-track": number, "data-test": `box-${number}` });
    group.style.setProperty("--colour", colour(number));
    this.groups.set(number, group);
    this.boxes.append(group);
    return group;
  }

  /** @param {Shown | undefined} shown */
  #putHandles(shown) {
    this.handles.classList.toggle("hidden", !shown);
    if (!shown) return;
    this.handles.style.setProperty("--colour", colour(shown.number));
    /** @type {Handle[]} */ (Object.keys(HANDLES)).slice(0, 8).forEach((handle, i) => {
      const [x, y] = this.view.toScreen(...handlePoint(shown.box, handle));
      set(this.handles.children[i], { x: x - 4.5, y: y - 4.5 });
    });
  }
}

/**
 * @param {Shown} shown
 * @param {Shown | undefined} chosen
 */
function area(shown, chosen) {
  return shown === chosen ? 0 : shown.box[2] * shown.box[3];
}

/**
 * @param {Element} group
 * @param {Box} box
 * @param {View} view
 */
function place(group, [x, y, width, height], view) {
  const [left, top] = view.toScreen(x, y);
  const placed = { x: left, y: top, width: width * view.scale, height: height * view.scale };
  set(group.children[0], placed);
  set(group.children[1], placed);
}
