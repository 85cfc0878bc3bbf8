// @ts-check
/** Earlier labels, newest first, and where among them the person looks. */

/**
 * @typedef {import("./types.js").Label} Label
 * @typedef {import("./types.js").Task} Task
 * @typedef {import("./server.js").Server} Server
 */

export class Earlier {
  /**
   * @param {Server} server
   * @param {string} tab
   */
  constructor(server, tab) {
    this.server = server;
    this.tab = tab;
    /** @type {Label[]} */
    this.labels = [];
    /** −1 at the queue itself. */
    this.place = -1;
  }

  /** Whether an earlier label is looked at. */
  get looking() {
    return this.place >= 0;
  }

  /** Back to the queue. */
  leave() {
    this.place = -1;
  }

  /**
   * The label before the one looked at: of this annotator, or of anybody if there is none of theirs.
   *
   * @param {string} annotator
   * @returns {Promise<Task | null>} null if there is none
   */
  async before(annotator) {
    if (!this.looking) this.labels = await this.#list(annotator);
    return this.place + 1 < this.labels.length ? this.#open(this.place + 1) : null;
  }

  /**
   * The label after the one looked at.
   *
   * @returns {Promise<Task | null>} null, and back at the queue, if there is none
   */
  async after() {
    if (this.place > 0) return this.#open(this.place - 1);
    this.leave();
    return null;
  }

  /** @param {string} annotator */
  async #list(annotator) {
    const { labels } = /** @type {{labels: Label[]}} */ (await this.server.get("/api/labels"));
    const own = labels.filter((label) => label.annotator === annotator);
    return own.length ? own : labels;
  }

  /**
   * @param {number} place
   * @returns {Promise<Task>}
   */
  async #open(place) {
    const { task } = await this.server.get(`/api/tasks/${this.labels[place].instance}?tab=${this.tab}`);
    this.place = place;
    return task;
  }
}
