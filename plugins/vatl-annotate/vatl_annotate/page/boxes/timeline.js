// @ts-check
/** The video as a bar to scrub along, and beneath it each track's boxes and key frames. */

import { set } from "../dom.js";
import { colour } from "./album.js";
import { stretches } from "./tracks.js";

/** @typedef {import("./desk.js").Desk} Desk */

const GUTTER = 46;
const EDGE = 14;
const LANE = 18;
const RULER = 26;
const STEPS = [1, 2, 5, 10, 20, 25, 50, 100, 200, 250, 500, 1000, 2000, 2500, 5000, 10000, 20000, 50000];

export class Timeline {
  /**
   * @param {HTMLCanvasElement} ruler
   * @param {HTMLCanvasElement} lanes
   * @param {Desk} desk
   */
  constructor(ruler, lanes, desk) {
    this.ruler = ruler;
    this.lanes = lanes;
    this.desk = desk;
    this.scrubbing = false;
    this.chosen = /** @type {number | null} */ (null);
    this.#listen(ruler, () => {});
    this.#listen(lanes, (y) => this.#choose(y));
    set(ruler, { "aria-valuemin": 0, "aria-valuemax": desk.album.video.frames - 1 });
  }

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {(y: number) => void} chosen
   */
  #listen(canvas, chosen) {
    canvas.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      canvas.setPointerCapture(event.pointerId);
      this.scrubbing = true;
      chosen(event.offsetY);
      this.desk.go(this.#frame(event.offsetX));
    });
    canvas.addEventListener("pointermove", (event) => this.scrubbing && this.desk.go(this.#frame(event.offsetX)));
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => (this.scrubbing = false));
  }

  update() {
    const { frame, video, number } = this.desk.album;
    set(this.ruler, { "aria-valuenow": frame, "aria-valuetext": `frame ${frame} of ${video.frames}` });
    this.#drawRuler();
    this.#drawLanes();
    if (number !== this.chosen) this.#reveal();
  }

  /** The chosen track's lane, scrolled to. */
  #reveal() {
    this.chosen = this.desk.album.number;
    const lane = [...this.desk.album.tracks.keys()].indexOf(this.chosen ?? -1);
    const box = this.lanes.parentElement;
    if (lane < 0 || !box) return;
    box.scrollTop = Math.max(Math.min(box.scrollTop, lane * LANE), (lane + 1) * LANE - box.clientHeight);
  }

  #drawRuler() {
    const context = prepared(this.ruler, RULER);
    const { frame, video } = this.desk.album;
    const wanted = (70 * video.frames) / Math.max(this.#width, 1);
    const step = STEPS.find((size) => size >= wanted) ?? STEPS[STEPS.length - 1];
    context.font = "11px ui-monospace, monospace";
    context.textBaseline = "middle";
    const label = String(frame);
    const width = context.measureText(label).width + 12;
    const x = Math.max(2, Math.min(this.#x(frame) - width / 2, this.ruler.clientWidth - width - 2));
    for (let mark = 0; mark < video.frames; mark += step) {
      context.fillStyle = "#3a4554";
      context.fillRect(this.#x(mark), RULER - 7, 1, 7);
      const text = this.#x(mark) + 4;
      context.fillStyle = "#97a2b0";
      if (text > x + width || text + context.measureText(String(mark)).width < x) context.fillText(String(mark), text, RULER / 2 - 2);
    }
    context.fillStyle = "#e8ebef";
    context.beginPath();
    context.roundRect(x, 3, width, 17, 5);
    context.fill();
    context.fillRect(this.#x(frame) - 0.75, 19, 1.5, RULER - 19);
    context.fillStyle = "#0c0f14";
    context.fillText(label, x + 6, 12);
  }

  #drawLanes() {
    const { album } = this.desk;
    const context = prepared(this.lanes, Math.max(album.tracks.size * LANE, LANE));
    context.font = "11px ui-monospace, monospace";
    context.textBaseline = "middle";
    [...album.tracks.values()].forEach((track, i) => this.#drawLane(context, track, i * LANE, track.number === album.number));
    context.fillStyle = "#e8ebef";
    context.fillRect(this.#x(album.frame) - 0.75, 0, 1.5, this.lanes.clientHeight);
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {import("./types.js").Track} track
   * @param {number} top
   * @param {boolean} chosen
   */
  #drawLane(context, track, top, chosen) {
    const middle = top + LANE / 2;
    if (chosen) {
      context.fillStyle = "#1f2936";
      context.fillRect(0, top, this.lanes.clientWidth, LANE);
    }
    context.fillStyle = colour(track.number);
    context.textAlign = "right";
    context.fillText(String(track.number), GUTTER - 14, middle + 0.5);
    context.textAlign = "left";
    context.globalAlpha = chosen ? 0.55 : 0.35;
    for (const [first, last] of stretches(track)) {
      context.fillRect(this.#x(first), middle - 2.5, Math.max(this.#x(last) - this.#x(first), 2), 5);
    }
    context.globalAlpha = 1;
    let drawn = -Infinity;
    for (const { frame } of track.keys) {
      const x = this.#x(frame);
      if (x - drawn < 1.5) continue;
      diamond(context, x, middle, chosen ? 4.6 : 3.6);
      drawn = x;
    }
  }

  /** @param {number} y */
  #choose(y) {
    const number = [...this.desk.album.tracks.keys()][Math.floor(y / LANE)];
    if (number !== undefined) this.desk.choose(number);
  }

  get #width() {
    return this.ruler.clientWidth - GUTTER - EDGE;
  }

  /** @param {number} frame */
  #x(frame) {
    return GUTTER + (frame / Math.max(this.desk.album.video.frames - 1, 1)) * this.#width;
  }

  /** @param {number} x */
  #frame(x) {
    return ((x - GUTTER) / Math.max(this.#width, 1)) * (this.desk.album.video.frames - 1);
  }
}

/**
 * A canvas as sharp as the screen, empty.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {number} height
 */
function prepared(canvas, height) {
  const ratio = window.devicePixelRatio;
  const [width, tall] = [Math.round(canvas.clientWidth * ratio), Math.round(height * ratio)];
  canvas.style.height = `${height}px`;
  if (canvas.width !== width || canvas.height !== tall) set(canvas, { width, height: tall });
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, canvas.clientWidth, height);
  return context;
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {number} x
 * @param {number} y
 * @param {number} reach
 */
function diamond(context, x, y, reach) {
  context.beginPath();
  context.moveTo(x, y - reach);
  context.lineTo(x + reach, y);
  context.lineTo(x, y + reach);
  context.lineTo(x - reach, y);
  context.fill();
}
