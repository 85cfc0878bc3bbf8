// @ts-check
/** A pose being edited: its points, which one is chosen, and the way back. */

/**
 * @typedef {import("./types.js").Point} Point
 * @typedef {import("./types.js").Task} Task
 * @typedef {{points: Point[], past: Point[][], future: Point[][]}} Edits
 */

export const HIDDEN = 0;
export const OCCLUDED = 1;
export const VISIBLE = 2;

/** How many steps back there are, and how many of them outlive a reload. */
const REMEMBERED = 200;
const KEPT = 40;

export class Pose {
  /**
   * @param {Point[]} initial  where the points were before any edit
   * @param {[number, number]} frameSize  no point is put outside it
   */
  constructor(initial, frameSize) {
    this.initial = initial;
    this.frameSize = frameSize;
    this.points = initial;
    /** @type {Point[][]} */
    this.past = [];
    /** @type {Point[][]} */
    this.future = [];
    /** The chosen keypoint, or −1. */
    this.chosen = -1;
    this.stroke = "";
  }

  /**
   * The pose that a task starts from: its label if it has one, else its proposal with every point visible.
   *
   * @param {Task} task
   * @returns {Pose}
   */
  static of(task) {
    const proposed = task.proposal.map(([x, y]) => /** @type {Point} */ ([x, y, VISIBLE]));
    const labelled = task.label?.keypoints.map(([x, y, v], k) =>
      v === HIDDEN ? /** @type {Point} */ ([proposed[k][0], proposed[k][1], HIDDEN]) : /** @type {Point} */ ([x, y, v]),
    );
    return new Pose(labelled ?? proposed, task.frame_size);
  }

  /** Whether any point differs from where it was. */
  get edited() {
    return this.points.some((point, k) => !same(point, this.initial[k]));
  }

  /** @param {number} k */
  changed(k) {
    return !same(this.points[k], this.initial[k]);
  }

  /** @param {number} k */
  choose(k) {
    this.chosen = k;
    this.stroke = "";
  }

  /**
   * Choose the next keypoint, or the previous one.
   *
   * @param {number} by  1 or −1
   * @returns {boolean} false, and nothing chosen, where the list ends
   */
  step(by) {
    const next = this.chosen < 0 ? (by > 0 ? 0 : this.points.length - 1) : this.chosen + by;
    const there = next >= 0 && next < this.points.length;
    this.choose(there ? next : -1);
    return there;
  }

  /**
   * Put a keypoint somewhere in the frame; one that was not visible becomes visible.
   *
   * @param {number} k
   * @param {number} x
   * @param {number} y
   * @param {string} [stroke]  moves of the same keypoint with the same stroke are undone as one
   */
  place(k, x, y, stroke = "") {
    const [width, height] = this.frameSize;
    const v = this.points[k][2] || VISIBLE;
    this.#change(k, [round(x, width), round(y, height), v], stroke && `${k} ${stroke}`);
  }

  /**
   * Move a keypoint.
   *
   * @param {number} k
   * @param {number} dx
   * @param {number} dy
   */
  nudge(k, dx, dy) {
    const [x, y] = this.points[k];
    this.place(k, x + dx, y + dy, "nudge");
  }

  /** @param {number} k */
  toggleOccluded(k) {
    this.#setVisibility(k, this.points[k][2] === VISIBLE ? OCCLUDED : VISIBLE);
  }

  /** @param {number} k */
  toggleHidden(k) {
    this.#setVisibility(k, this.points[k][2] === HIDDEN ? this.#shownBefore(k) : HIDDEN);
  }

  /**
   * From visible to occluded, to not visible, and round again.
   *
   * @param {number} k
   */
  cycleVisibility(k) {
    const v = this.points[k][2];
    this.#setVisibility(k, v === HIDDEN ? VISIBLE : v - 1);
  }

  undo() {
    this.#travel(this.past, this.future);
  }

  redo() {
    this.#travel(this.future, this.past);
  }

  /** @returns {Edits | null} what was edited and how; null if nothing ever was */
  edits() {
    const touched = this.past.length + this.future.length > 0;
    const { points, past, future } = this;
    return touched ? { points, past: past.slice(-KEPT), future: future.slice(-KEPT) } : null;
  }

  /** @param {Edits} edits */
  restore(edits) {
    this.points = edits.points;
    this.past = edits.past;
    this.future = edits.future;
  }

  /**
   * How visible a hidden keypoint was when it was last shown.
   *
   * @param {number} k
   * @returns {number}
   */
  #shownBefore(k) {
    const shown = this.past.findLast((points) => points[k][2] !== HIDDEN);
    return shown ? shown[k][2] : VISIBLE;
  }

  /**
   * @param {number} k
   * @param {number} v
   */
  #setVisibility(k, v) {
    const [x, y] = this.points[k];
    this.#change(k, [x, y, v], "");
  }

  /**
   * @param {number} k
   * @param {Point} point
   * @param {string} stroke
   */
  #change(k, point, stroke) {
    if (this.points[k].every((value, i) => value === point[i])) return;
    if (!stroke || stroke !== this.stroke) this.past = [...this.past.slice(-REMEMBERED), this.points];
    this.stroke = stroke;
    this.future = [];
    this.points = this.points.with(k, point);
  }

  /**
   * @param {Point[][]} from
   * @param {Point[][]} to
   */
  #travel(from, to) {
    const points = from.pop();
    if (!points) return;
    to.push(this.points);
    this.points = points;
    this.stroke = "";
  }
}

/**
 * Whether two points say the same; the place of one that is not visible says nothing.
 *
 * @param {Point} a
 * @param {Point} b
 */
function same(a, b) {
  return a[2] === b[2] && (a[2] === HIDDEN || (a[0] === b[0] && a[1] === b[1]));
}

/**
 * A coordinate kept in the frame, to a hundredth of a pixel.
 *
 * @param {number} value
 * @param {number} limit
 */
function round(value, limit) {
  return Math.round(100 * Math.min(Math.max(value, 0), limit)) / 100;
}
