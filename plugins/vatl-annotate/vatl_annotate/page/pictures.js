// @ts-check
/** Pictures: fetched ahead and decoded, so that showing the next instance waits for nothing. */

import { pause } from "./server.js";

const KEPT = 48;
const FIRST_WAIT = 300;
const LONGEST_WAIT = 3000;

export class Pictures {
  constructor() {
    /** @type {Map<string, Promise<HTMLImageElement>>} in the order of last use */
    this.loading = new Map();
    /** @type {Map<string, HTMLImageElement>} */
    this.ready = new Map();
  }

  /**
   * A decoded picture; tried again for as long as the server is away.
   *
   * @param {string} url
   * @returns {Promise<HTMLImageElement>}
   */
  load(url) {
    const loading = this.loading.get(url) ?? this.#fetch(url);
    this.loading.delete(url);
    this.loading.set(url, loading);
    this.#tidy();
    return loading;
  }

  /**
   * A picture if it is here already.
   *
   * @param {string} url
   * @returns {HTMLImageElement | undefined}
   */
  at(url) {
    return this.ready.get(url);
  }

  /**
   * Fetch pictures that will be needed, the most urgent first.
   *
   * @param {string[]} urls
   */
  async ahead(urls) {
    for (const url of urls.slice(0, KEPT / 2)) await this.load(url);
  }

  /** @param {string} url */
  async #fetch(url) {
    for (let wait = FIRST_WAIT; ; wait = Math.min(2 * wait, LONGEST_WAIT)) {
      const image = new Image();
      image.alt = "";
      image.draggable = false;
      image.src = url;
      try {
        await image.decode();
        this.ready.set(url, image);
        return image;
      } catch {
        await pause(wait);
      }
      if (!this.loading.has(url)) return image;
    }
  }

  #tidy() {
    for (const url of this.loading.keys()) {
      if (this.loading.size <= KEPT) return;
      this.loading.delete(url);
      this.ready.delete(url);
    }
  }
}
