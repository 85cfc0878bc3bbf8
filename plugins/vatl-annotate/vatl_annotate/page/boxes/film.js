// @ts-check
/** The pictures: fetched about the frame that is shown, decoded beside the page, sharper where one looks closely. */

import { set } from "../dom.js";

/**
 * @typedef {import("../server.js").Server} Server
 * @typedef {import("./album.js").Album} Album
 * @typedef {import("../view.js").View} View
 */

const KEPT = 32;
const AHEAD = 16;
const BEHIND = 5;
const REST = 250;

export class Film {
  /**
   * @param {Server} server
   * @param {Album} album
   * @param {View} view
   * @param {HTMLCanvasElement} canvas
   * @param {(problem: string) => void} complain
   */
  constructor(server, album, view, canvas, complain) {
    this.server = server;
    this.album = album;
    this.view = view;
    this.canvas = canvas;
    this.complain = complain;
    /** @type {Map<string, ImageBitmap>} in the order of last use */
    this.ready = new Map();
    this.loading = false;
    this.drawn = "";
    this.direction = 1;
    this.last = 0;
    this.timer = 0;
  }

  /** Whether a frame can be shown at once. @param {number} frame */
  has(frame) {
    return this.ready.has(this.#url(frame));
  }

  /** Show the album's frame as soon as it is here. */
  show() {
    const { frame } = this.album;
    if (frame !== this.last) this.direction = frame < this.last ? -1 : 1;
    this.last = frame;
    const best = [this.#url(frame, true), this.#url(frame)].find((url) => this.ready.has(url));
    if (best) this.#draw(best);
    else this.canvas.classList.add("late");
    void this.#load();
    this.look();
  }

  /** Somebody looks at the frame, perhaps more closely than before: sharper after a moment. */
  look() {
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.#sharpen(), REST);
  }

  /** Put the picture where the view has it. */
  place() {
    const [width] = this.album.size;
    const { x, y, scale } = this.view;
    this.canvas.style.transform = `translate(${x}px, ${y}px) scale(${(scale * width) / (this.canvas.width || 1)})`;
    this.canvas.classList.toggle("near", scale > 3);
  }

  /** One picture after the other, the one that is shown now first: who hurries through a video skips some. */
  async #load() {
    if (this.loading) return;
    this.loading = true;
    for (let next = this.#missing(); next !== null; next = this.#missing()) {
      await this.#fetch(this.#url(next));
      if (next === this.album.frame) this.#draw(this.#url(next));
    }
    this.loading = false;
  }

  /** The next frame to fetch: the present one, then those that are likely to follow. */
  #missing() {
    const { frame, video } = this.album;
    for (let i = 0; i <= AHEAD; i += 1) {
      const steps = i > 0 && i <= BEHIND ? [i * this.direction, -i * this.direction] : [i * this.direction];
      for (const step of steps) {
        const near = frame + step;
        if (near >= 0 && near < video.frames && !this.has(near)) return near;
      }
    }
    return null;
  }

  /** The present frame in all its pixels, where the screen shows more of them than the scaled picture has. */
  async #sharpen() {
    const { frame, size } = this.album;
    const scaled = this.ready.get(this.#url(frame));
    if (!scaled || scaled.width >= size[0]) return;
    if (this.view.scale * window.devicePixelRatio <= (1.15 * scaled.width) / size[0]) return;
    const url = this.#url(frame, true);
    if (!this.ready.has(url)) await this.#fetch(url);
    if (frame === this.album.frame) this.#draw(url);
  }

  /** @param {string} url */
  async #fetch(url) {
    for (;;) {
      try {
        const response = await fetch(url);
        if (response.ok) return this.#keep(url, await createImageBitmap(await response.blob()));
        if (response.status !== 401 && response.status < 502) {
          this.complain((await response.json()).error);
          return this.#keep(url, await createImageBitmap(new ImageData(16, 9)));
        }
      } catch {
        // away; the next line waits until it is back
      }
      await this.server.get("/api/video");
    }
  }

  /**
   * @param {string} url
   * @param {ImageBitmap} bitmap
   */
  #keep(url, bitmap) {
    this.ready.set(url, bitmap);
    for (const old of this.ready.keys()) {
      if (this.ready.size <= KEPT) return;
      this.ready.get(old)?.close();
      this.ready.delete(old);
    }
  }

  /** @param {string} url */
  #draw(url) {
    const bitmap = this.ready.get(url);
    if (!bitmap) return;
    this.ready.delete(url);
    this.ready.set(url, bitmap);
    this.canvas.classList.remove("late");
    if (this.drawn === url) return;
    this.drawn = url;
    if (this.canvas.width !== bitmap.width || this.canvas.height !== bitmap.height) {
      set(this.canvas, { width: bitmap.width, height: bitmap.height });
    }
    this.canvas.getContext("2d", { alpha: false })?.drawImage(bitmap, 0, 0);
    this.canvas.dataset.frame = String(this.album.frame);
    this.place();
  }

  /**
   * @param {number} frame
   * @param {boolean} [full]
   */
  #url(frame, full = false) {
    return `/api/frames/${frame}?of=${this.album.video.pictures}${full ? "&full=1" : ""}`;
  }
}
