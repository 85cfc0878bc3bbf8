// @ts-check
/** Active time on an instance: from one input to the next, leaving out pauses and long silences. */

const SILENCE = 60;

/** @typedef {"asked" | "hidden" | "saving"} Why */

export class Clock {
  /** @param {() => number} now  seconds, for ever growing */
  constructor(now = () => performance.now() / 1000) {
    this.now = now;
    this.counted = 0;
    this.last = 0;
    this.running = false;
    /** @type {Set<Why>} */
    this.stopped = new Set();
  }

  /**
   * Begin with an instance.
   *
   * @param {number} seconds  spent on it already
   */
  start(seconds) {
    this.counted = seconds;
    this.last = this.now();
    this.running = true;
  }

  /** No instance is shown. */
  end() {
    this.#count();
    this.running = false;
  }

  /** The person did something. */
  input() {
    this.#count();
  }

  /**
   * @param {Why} why
   * @param {boolean} stopped
   */
  stop(why, stopped) {
    this.#count();
    if (stopped) this.stopped.add(why);
    else this.stopped.delete(why);
  }

  /** Seconds of activity so far. */
  get seconds() {
    return this.counted + this.#sinceLast();
  }

  /** Whether time passes uncounted though an instance is shown. */
  get paused() {
    return this.running && (this.stopped.size > 0 || this.silent);
  }

  /** Whether nothing was done for a minute. */
  get silent() {
    return this.running && !this.stopped.size && this.now() - this.last > SILENCE;
  }

  #count() {
    this.counted += this.#sinceLast();
    this.last = this.now();
  }

  #sinceLast() {
    return this.running && !this.stopped.size ? Math.min(this.now() - this.last, SILENCE) : 0;
  }
}
