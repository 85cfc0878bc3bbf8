// @ts-check
/** Telling the server something once, and what its answer means to the person. */

import { Away } from "./server.js";

/**
 * @typedef {import("./types.js").Answer} Answer
 * @typedef {import("./types.js").State} State
 * @typedef {import("./types.js").Task} Task
 * @typedef {import("./server.js").Server} Server
 */

/**
 * Skip exactly once: saying it twice would leave the instance out. If the answer is lost, what the server asks next
 * tells whether it had understood.
 *
 * @param {Server} server
 * @param {string} tab
 * @param {Task} task
 * @param {string} annotator
 * @returns {Promise<Answer>}
 */
export async function skipOnce(server, tab, task, annotator) {
  for (;;) {
    try {
      return await server.once("POST", "/api/skip", { tab, instance: task.instance, annotator });
    } catch (error) {
      if (!(error instanceof Away)) throw error;
    }
    const answer = /** @type {Answer} */ (await server.get(`/api/task?tab=${tab}`));
    if (answer.task?.instance !== task.instance || answer.task.skipped !== task.skipped) return answer;
  }
}

/**
 * @param {string | undefined} status
 * @returns {string}
 */
export function skipped(status) {
  if (status === "left out") return "Left out: it is not asked again";
  return status === "later" ? "Skipped: it comes back at the end" : "Skipped";
}

/**
 * @param {State | undefined} state
 * @returns {string}
 */
export function saved(state) {
  if (!state) return "Saved";
  return state.queue.left ? `Saved, ${state.queue.left} left` : "Saved, that was the last one";
}
