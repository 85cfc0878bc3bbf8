// @ts-check
/** Identities that were mixed up: two tracks of the frame shown are swapped from it on, and the last swap is undone. */

import { byId, make, say } from "./dom.js";
import { Refusal } from "./server.js";

/**
 * @typedef {import("./types.js").Task} Task
 * @typedef {import("./server.js").Server} Server
 */

export class Identities {
  /**
   * @param {Server} server
   * @param {string} tab
   * @param {() => string} annotator  who is at the window
   * @param {(text: string, kind: "good" | "bad") => void} say
   */
  constructor(server, tab, annotator, say) {
    this.server = server;
    this.tab = tab;
    this.annotator = annotator;
    this.say = say;
    this.one = /** @type {HTMLSelectElement} */ (byId("swap-one"));
    this.other = /** @type {HTMLSelectElement} */ (byId("swap-other"));
    for (const select of [this.one, this.other]) select.addEventListener("change", () => byId("stage").focus());
  }

  /**
   * Offer the tracks of a task's frame: its own, and another.
   *
   * @param {Task} task
   */
  show({ track, others, swaps }) {
    const tracks = [track, ...others.map((other) => other.track)];
    for (const [place, select] of [this.one, this.other].entries()) {
      select.replaceChildren(...tracks.map((name) => make("option", { value: String(name) }, `track ${name}`)));
      select.selectedIndex = Math.min(place, tracks.length - 1);
    }
    byId("identity-bar").hidden = tracks.length < 2 && !swaps.length;
    const last = swaps.at(-1);
    byId("take-back").hidden = !last;
    if (last) say(byId("take-back"), `Take back ${last.tracks.join(" ↔ ")} from frame ${last.frame} on`);
  }

  /**
   * Swap the two that are chosen.
   *
   * @param {Task} task
   * @returns {Promise<boolean>} whether the task has changed
   */
  swap(task) {
    const tracks = [Number(this.one.value), Number(this.other.value)];
    return this.#change(task, "/api/swap", { tracks }, `Tracks ${tracks.join(" and ")} are swapped from here on`);
  }

  /**
   * Undo the last swap.
   *
   * @param {Task} task
   * @returns {Promise<boolean>} whether the task has changed
   */
  takeBack(task) {
    return this.#change(task, "/api/swap/back", {}, "The last swap is taken back");
  }

  /**
   * @param {Task} task
   * @param {string} path
   * @param {object} what
   * @param {string} done
   */
  async #change(task, path, what, done) {
    const { instance, swaps } = task;
    const body = { tab: this.tab, annotator: this.annotator(), instance, known: swaps.length, ...what };
    try {
      const answer = /** @type {{task: Task}} */ (await this.server.post(path, body));
      Object.assign(task, { track: answer.task.track, others: answer.task.others, swaps: answer.task.swaps });
      this.say(done, "good");
      return true;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.say(error.message, "bad");
      return false;
    }
  }
}
