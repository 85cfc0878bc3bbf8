// @ts-check
/** Following the run: its state, asked again and again, more often while the person waits for it. */

/**
 * @typedef {import("./types.js").State} State
 * @typedef {import("./server.js").Server} Server
 */

const WAITING = 1000;
const WORKING = 3000;
const ENDED = 5000;

export class Watch {
  /**
   * @param {Server} server
   * @param {string} tab
   * @param {() => boolean} correcting  whether the person is at an earlier label: the run waits while it is told so
   * @param {(state: State) => void} heard
   */
  constructor(server, tab, correcting, heard) {
    this.server = server;
    this.tab = tab;
    this.correcting = correcting;
    this.heard = heard;
    this.working = false;
    this.age = 0;
    this.wake = () => {};
  }

  /** Something newer than what was asked for has been heard: an answer on its way is out of date. */
  outdate() {
    this.age += 1;
  }

  /**
   * Whether the person has an instance to work on.
   *
   * @param {boolean} working
   */
  work(working) {
    this.working = working;
    if (!working || this.correcting()) this.wake();
  }

  /** Follow the run for as long as the page is open. */
  async run() {
    for (;;) {
      const age = this.age;
      const state = /** @type {State} */ (await this.server.get(this.#question()));
      if (age !== this.age) continue;
      this.heard(state);
      await this.#wait(state);
    }
  }

  #question() {
    return `/api/state?tab=${this.tab}${this.correcting() ? "&correcting=1" : ""}`;
  }

  /** @param {State} state */
  #wait(state) {
    const ended = ["finished", "failed", "left"].includes(state.phase);
    const time = ended || document.hidden ? ENDED : this.working && !this.correcting() ? WORKING : WAITING;
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, time);
      this.wake = () => {
        clearTimeout(timer);
        setTimeout(resolve, WAITING / 2);
      };
    });
  }
}
