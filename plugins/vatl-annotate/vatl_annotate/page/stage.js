// @ts-check
/** The stage: the pictures of an instance, the pose and the boxes over them, in one coordinate system. */

import { Boxes } from "./boxes.js";
import { byId, draw } from "./dom.js";
import { Lens } from "./lens.js";
import { HIDDEN } from "./pose.js";
import { Drawing } from "./skeleton.js";
import { View } from "./view.js";

/**
 * @typedef {import("./types.js").Box} Box
 * @typedef {import("./types.js").Skeleton} Skeleton
 * @typedef {import("./types.js").Task} Task
 * @typedef {import("./pictures.js").Pictures} Pictures
 * @typedef {import("./pose.js").Pose} Pose
 * @typedef {"pose" | "frame" | "box"} Mode   the crop with the pose, the whole frame with boxes, drawing a box there
 * @typedef {"now" | "before" | "after"} When
 */

export class Stage {
  /**
   * @param {Skeleton} skeleton
   * @param {Pictures} pictures
   */
  constructor(skeleton, pictures) {
    this.skeleton = skeleton;
    this.pictures = pictures;
    this.root = byId("stage");
    this.layers = byId("pictures");
    const overlay = draw("svg", { id: "overlay", "aria-hidden": "true" });
    this.root.append(overlay);
    this.boxes = new Boxes(overlay);
    this.drawing = new Drawing(overlay, skeleton);
    this.lens = new Lens(this.root);
    this.view = new View();
    /** What was seen of the pose when the whole frame took its place. */
    this.sight = this.view.sight;
    /** @type {Task | null} */
    this.task = null;
    /** @type {Pose | null} */
    this.pose = null;
    /** @type {Mode} */
    this.mode = "pose";
    /** @type {When} */
    this.when = "now";
    /** @type {Box | null} */
    this.drawn = null;
    this.hovered = -1;
    new ResizeObserver(() => this.#resized()).observe(this.root);
  }

  /**
   * Show an instance as soon as its picture is here.
   *
   * @param {Task} task
   * @param {Pose} pose
   * @param {() => boolean} wanted  whether it is still this one that is to be shown
   * @returns {Promise<boolean>} whether it was shown
   */
  async show(task, pose, wanted) {
    if (!this.pictures.at(task.picture.url)) await this.pictures.load(task.picture.url);
    if (!wanted()) return false;
    this.task = task;
    this.pose = pose;
    this.hovered = -1;
    this.view.fit(task.picture.region);
    this.sight = this.view.sight;
    this.setMode("pose");
    this.#fetchRest(task);
    return true;
  }

  clear() {
    this.task = null;
    this.pose = null;
    this.lens.hide();
    this.layers.replaceChildren();
  }

  /** @param {Mode} mode */
  setMode(mode) {
    if (!this.task) return;
    this.drawn = mode === "box" ? [...this.task.box] : null;
    if (mode === "pose") this.#lookAtPose();
    else if (this.mode === "pose") this.#lookAtFrame(this.task);
    this.mode = mode;
    this.when = "now";
    this.root.dataset.mode = mode;
    this.lens.hide();
    this.refresh();
  }

  /**
   * Show the frame before or after in place of this one.
   *
   * @param {When} when
   */
  flicker(when) {
    this.when = this.mode === "pose" ? when : "now";
    this.refresh();
  }

  /** @param {Box} box */
  drawBox(box) {
    this.drawn = box;
    this.refresh();
  }

  /** @param {number} k */
  hover(k) {
    if (k === this.hovered) return;
    this.hovered = k;
    this.root.classList.toggle("over-point", k >= 0);
    this.refresh();
  }

  /**
   * The visible keypoint nearest to a place on the screen; the chosen one is preferred a little.
   *
   * @param {number} x
   * @param {number} y
   * @param {number} reach
   * @returns {number} −1 if none is in reach
   */
  hit(x, y, reach) {
    if (!this.pose || this.mode !== "pose") return -1;
    let [nearest, shortest] = [-1, reach];
    for (const [k, [px, py, v]] of this.pose.points.entries()) {
      const [sx, sy] = this.view.toScreen(px, py);
      const distance = Math.hypot(sx - x, sy - y) * (k === this.pose.chosen ? 0.7 : 1);
      if (v !== HIDDEN && distance <= shortest) [nearest, shortest] = [k, distance];
    }
    return nearest;
  }

  /**
   * Show the magnifier for a keypoint under a finger.
   *
   * @param {number} k
   * @param {[number, number]} finger  on the screen
   */
  magnify(k, finger) {
    const picture = this.task && this.pictures.at(this.task.picture.url);
    if (!this.task || !this.pose || !picture) return;
    const [x, y] = this.pose.points[k];
    this.lens.show([x, y], finger, this.skeleton.sides[k], picture, this.task.picture.region, this.view);
  }

  /** Draw everything as it is now. */
  refresh() {
    if (!this.task || !this.pose) return;
    this.#layPictures(this.task);
    this.root.dataset.when = this.when;
    this.drawing.update(this.pose, this.view, this.hovered);
    if (this.mode !== "pose") this.boxes.update(this.task, this.drawn, this.view);
  }

  /**
   * Lay out the picture that is to be seen; the crop stands in for a whole frame that is not here yet.
   *
   * @param {Task} task
   */
  #layPictures(task) {
    const [width, height] = task.frame_size;
    const frame = this.pictures.at(task.frame_url);
    const urls = { now: task.picture.url, before: task.before?.url, after: task.after?.url };
    const crop = this.pictures.at(urls[this.when] ?? task.picture.url);
    const shown = [];
    if (frame && this.mode !== "pose") shown.push(this.#lay(frame, [0, 0, width, height]));
    else if (crop) shown.push(this.#lay(crop, task.picture.region));
    if (shown.length !== this.layers.childElementCount || shown.some((image, i) => this.layers.children[i] !== image)) {
      this.layers.replaceChildren(...shown);
    }
  }

  /**
   * Put a picture where it belongs. A keypoint at a whole number is at the centre of a pixel: pictures begin half a
   * pixel before their first.
   *
   * @param {HTMLImageElement} image
   * @param {Box} region
   */
  #lay(image, [x, y, width, height]) {
    const [left, top] = this.view.toScreen(x - 0.5, y - 0.5);
    const [across, down] = [
      (width * this.view.scale) / image.naturalWidth,
      (height * this.view.scale) / image.naturalHeight,
    ];
    image.style.transform = `translate(${left}px, ${top}px) scale(${across}, ${down})`;
    return image;
  }

  /** @param {Task} task */
  #fetchRest(task) {
    const urls = [task.before?.url, task.after?.url, task.frame_url].filter((url) => url !== undefined);
    for (const url of urls) {
      if (!this.pictures.at(url)) void this.pictures.load(url).then(() => this.task === task && this.refresh());
    }
  }

  #lookAtPose() {
    if (this.mode !== "pose") this.view.see(this.sight);
    if (this.view.fitted) this.view.fit();
  }

  /** @param {Task} task */
  #lookAtFrame({ frame_size: [width, height] }) {
    this.sight = this.view.sight;
    this.view.fit([0, 0, width, height]);
  }

  #resized() {
    this.view.resize(this.root.clientWidth, this.root.clientHeight);
    if (this.mode !== "pose" && this.task) this.sight.fitted = true;
    this.refresh();
  }
}
