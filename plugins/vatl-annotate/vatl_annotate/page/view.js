// @ts-check
/** Where the frame lies on the screen: scale and offset, and how zooming and panning change them. */

/**
 * @typedef {import("./types.js").Box} Box
 * @typedef {{scale: number, x: number, y: number, region: Box, fitted: boolean}} Sight
 */

const MARGIN = 0.03;
const FARTHEST = 0.5;
const NEAREST = 60;

export class View {
  constructor() {
    /** Screen pixels per frame pixel. */
    this.scale = 1;
    /** Screen position of the frame's origin. */
    this.x = 0;
    this.y = 0;
    /** Size of the window onto the frame, in screen pixels. */
    this.width = 1;
    this.height = 1;
    /** @type {Box} what `fit` shows, in frame pixels */
    this.region = [0, 0, 1, 1];
    /** Whether the whole region is shown, so that it stays fitted when the window changes size. */
    this.fitted = true;
  }

  /**
   * @param {number} x
   * @param {number} y
   * @returns {[number, number]} on the screen, from the frame
   */
  toScreen(x, y) {
    return [this.x + x * this.scale, this.y + y * this.scale];
  }

  /**
   * @param {number} x
   * @param {number} y
   * @returns {[number, number]} in the frame, from the screen
   */
  toFrame(x, y) {
    return [(x - this.x) / this.scale, (y - this.y) / this.scale];
  }

  /**
   * Show all of a region of the frame, centred.
   *
   * @param {Box} region
   */
  fit(region = this.region) {
    this.region = region;
    const [x, y, width, height] = region;
    this.scale = this.#fittedScale();
    this.x = this.width / 2 - (x + width / 2) * this.scale;
    this.y = this.height / 2 - (y + height / 2) * this.scale;
    this.fitted = true;
  }

  /** @returns {Sight} what is seen, to come back to */
  get sight() {
    const { scale, x, y, region, fitted } = this;
    return { scale, x, y, region, fitted };
  }

  /** @param {Sight} sight  from when the window had the same size */
  see(sight) {
    Object.assign(this, sight);
  }

  /**
   * The window has another size: stay fitted, or keep what was in the middle there.
   *
   * @param {number} width
   * @param {number} height
   */
  resize(width, height) {
    const [x, y] = this.toFrame(this.width / 2, this.height / 2);
    this.width = Math.max(width, 1);
    this.height = Math.max(height, 1);
    if (this.fitted) return this.fit();
    this.x = this.width / 2 - x * this.scale;
    this.y = this.height / 2 - y * this.scale;
  }

  /**
   * Zoom, keeping a place on the screen where it is.
   *
   * @param {number} factor
   * @param {number} x
   * @param {number} y
   */
  zoom(factor, x = this.width / 2, y = this.height / 2) {
    const fitted = this.#fittedScale();
    const scale = Math.min(Math.max(this.scale * factor, fitted * FARTHEST), Math.max(NEAREST, fitted));
    const [frameX, frameY] = this.toFrame(x, y);
    this.scale = scale;
    this.x = x - frameX * scale;
    this.y = y - frameY * scale;
    this.fitted = false;
    this.#stayNear();
  }

  /**
   * @param {number} dx  screen pixels
   * @param {number} dy
   */
  pan(dx, dy) {
    this.x += dx;
    this.y += dy;
    this.fitted = false;
    this.#stayNear();
  }

  /** Keep some of the region in the window. */
  #stayNear() {
    const [x, y, width, height] = this.region;
    const [left, top] = this.toScreen(x, y);
    const [right, bottom] = this.toScreen(x + width, y + height);
    this.x += Math.max(0, 0.2 * this.width - right) - Math.max(0, left - 0.8 * this.width);
    this.y += Math.max(0, 0.2 * this.height - bottom) - Math.max(0, top - 0.8 * this.height);
  }

  #fittedScale() {
    const [, , width, height] = this.region;
    return (1 - MARGIN) * Math.min(this.width / width, this.height / height);
  }
}
