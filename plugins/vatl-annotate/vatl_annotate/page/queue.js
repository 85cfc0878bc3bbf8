// @ts-check
/** The queue: claiming instances, sending labels, going back to earlier ones. Nothing accepted is ever lost. */

import { Earlier } from "./earlier.js";
import { randomId } from "./memory.js";
import { saved, skipOnce, skipped } from "./sending.js";
import { Refusal } from "./server.js";

/**
 * @typedef {import("./types.js").Answer} Answer
 * @typedef {import("./types.js").Box} Box
 * @typedef {import("./types.js").Point} Point
 * @typedef {import("./types.js").State} State
 * @typedef {import("./types.js").Submission} Submission
 * @typedef {import("./types.js").Task} Task
 * @typedef {import("./memory.js").Memory} Memory
 * @typedef {import("./server.js").Server} Server
 *
 * @typedef {object} Events
 * @property {(task: Task | null, correcting: boolean) => void} show
 * @property {(urls: string[]) => void} ahead  pictures that will be needed
 * @property {(state: State) => void} state
 * @property {(busy: boolean) => void} busy
 * @property {(text: string, kind: "good" | "info" | "bad") => void} say
 */

/** Statuses that say that the instance is no longer ours to label. */
const GONE = [404, 409, 410];

export class Queue {
  /**
   * @param {Server} server
   * @param {Memory} memory
   * @param {string} tab
   * @param {() => string} annotator  who is at the window
   * @param {Events} events
   */
  constructor(server, memory, tab, annotator, events) {
    this.server = server;
    this.memory = memory;
    this.tab = tab;
    this.annotator = annotator;
    this.events = events;
    this.busy = false;
    /** @type {Task | null} the instance claimed from the queue */
    this.claimed = null;
    /** @type {Task | null} the instance shown: the claimed one, or an earlier label */
    this.shown = null;
    this.earlier = new Earlier(server, tab);
  }

  /** Whether an earlier label is shown. */
  get correcting() {
    return this.earlier.looking;
  }

  /** Begin, or go on after a reload: first with an acceptance that was not confirmed. */
  async begin() {
    const { pending } = this.memory;
    if (pending) await this.#send(pending);
    else await this.claim();
  }

  /** Claim the next instance, unless one is claimed. */
  claim() {
    return this.#alone(async () => this.#received(await this.#next()));
  }

  /**
   * Accept the instance shown.
   *
   * @param {Point[]} keypoints
   * @param {number} seconds
   */
  async accept(keypoints, seconds) {
    const task = this.shown;
    if (!task || this.busy) return;
    const { instance, cycle } = task;
    const annotator = this.annotator();
    const correction = this.correcting;
    await this.#send({ submission: randomId(), instance, cycle, keypoints, seconds, annotator, correction });
  }

  /** Leave the claimed instance for later. */
  skip() {
    return this.#alone(async () => {
      const task = this.claimed;
      if (!task || this.correcting) return;
      const answer = await skipOnce(this.server, this.tab, task, this.annotator());
      if (answer.status === "left out") this.memory.forget(task.instance);
      this.events.say(skipped(answer.status), "info");
      this.#received(answer);
    });
  }

  /**
   * Give the claimed instance another box, or say that nobody is there.
   *
   * @param {Box | null} box
   */
  redraw(box) {
    return this.#alone(async () => {
      const task = this.claimed;
      if (!task || this.correcting) return;
      const { instance } = task;
      const annotator = this.annotator();
      const answer = await this.server.post("/api/box", { tab: this.tab, instance, box, annotator });
      if (!box) this.memory.forget(task.instance);
      this.events.say(box ? "The box is redrawn" : "Removed: nobody is there", "info");
      this.#received(answer);
    });
  }

  /**
   * Look at the label before the one shown; first at those of whoever is at the window.
   *
   * @param {() => void} leave  what to do before
   */
  back(leave) {
    return this.#alone(async () => {
      leave();
      const task = await this.earlier.before(this.annotator());
      if (task) this.#show(task);
      else this.events.say("There is no earlier label", "info");
    });
  }

  /**
   * Look at the label after the one shown, in the end at the queue again.
   *
   * @param {() => void} leave  what to do before
   */
  forward(leave) {
    return this.#alone(async () => {
      if (!this.correcting) return;
      leave();
      this.#show((await this.earlier.after()) ?? this.claimed);
    });
  }

  /** Return from earlier labels to the queue. */
  resume() {
    return this.#alone(async () => {
      this.earlier.leave();
      this.#show(this.claimed);
    });
  }

  /** Ask for no more labels in this run. */
  stop() {
    return this.#alone(async () => {
      const { state } = await this.server.post("/api/stop", { tab: this.tab, annotator: this.annotator() });
      this.#received({ task: null, ahead: [], state });
    });
  }

  /**
   * Say how a review goes on.
   *
   * @param {"learn" | "others" | "end"} wish
   */
  wish(wish) {
    return this.#alone(async () => {
      const said = { tab: this.tab, annotator: this.annotator(), wish };
      const { state } = await this.server.post("/api/review", said);
      this.#received({ task: null, ahead: [], state });
    });
  }

  /**
   * Follow the run: leave a queue that was closed, claim from one that is open.
   *
   * @param {State} state
   */
  follow(state) {
    if (this.busy) return;
    if (["finished", "failed", "left"].includes(state.phase)) return this.#leave();
    const closed = this.claimed && (state.phase !== "labelling" || state.cycle !== this.claimed.cycle);
    if (closed) {
      this.claimed = null;
      if (!this.correcting) this.#show(null);
    }
    if (!this.claimed && state.phase === "labelling" && state.queue.left > 0) void this.#claimQuietly();
  }

  /** The run has ended: there is nothing more to label. */
  #leave() {
    this.claimed = null;
    this.earlier.leave();
    if (this.shown) this.#show(null);
  }

  /** Claim without leaving the earlier label that is shown. */
  async #claimQuietly() {
    if (!this.correcting) return this.claim();
    await this.#alone(async () => {
      const answer = await this.#next();
      this.claimed = answer.task;
      this.events.ahead(answer.ahead);
      if (answer.task) this.events.say("The next queue is there: N leads to it", "info");
    });
  }

  /** @param {Submission} submission */
  async #send(submission) {
    this.memory.pending = submission;
    await this.#alone(async () => {
      try {
        const answer = await this.server.post("/api/labels", { tab: this.tab, ...submission });
        this.#settle(submission);
        this.#received(answer);
        this.events.say(saved(answer.state), "good");
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        await this.#refused(submission, error);
      }
    });
  }

  /** @param {Submission} submission */
  #settle(submission) {
    this.memory.pending = null;
    this.memory.forget(submission.instance);
  }

  /**
   * The label was not taken: somebody was faster, the queue is closed, or something is wrong with it.
   *
   * @param {Submission} submission
   * @param {Refusal} refusal
   */
  async #refused(submission, refusal) {
    this.memory.pending = null;
    this.events.say(refusal.message, "bad");
    if (refusal.status === 409) this.memory.forget(submission.instance);
    if (GONE.includes(refusal.status) || !this.shown) this.#received(await this.#next());
  }

  /** @returns {Promise<Answer>} */
  #next() {
    return this.server.get(`/api/task?tab=${this.tab}`);
  }

  /** @param {Answer} answer */
  #received(answer) {
    this.claimed = answer.task;
    this.earlier.leave();
    this.#show(answer.task);
    this.events.ahead(answer.ahead);
    if (answer.state) this.events.state(answer.state);
  }

  /** @param {Task | null} task */
  #show(task) {
    this.shown = task;
    this.events.show(task, this.correcting);
  }

  /**
   * One thing at a time; a refusal is told to the person.
   *
   * @param {() => Promise<unknown>} work
   */
  async #alone(work) {
    if (this.busy) return;
    this.busy = true;
    this.events.busy(true);
    try {
      await work();
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.events.say(error.message, "bad");
      if (GONE.includes(error.status) && !this.correcting) this.#received(await this.#next());
    } finally {
      this.busy = false;
      this.events.busy(false);
    }
  }
}
