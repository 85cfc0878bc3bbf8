// @ts-check
/** A finished run being reviewed: why an instance is looked at, and how the review goes on. */

import { byId, make, say } from "./dom.js";
import { plural } from "./words.js";

/**
 * @typedef {import("./types.js").State} State
 * @typedef {import("./types.js").Task} Task
 * @typedef {"learn" | "others" | "end"} Wish
 */

/**
 * Show what there is to learn from; the page has its own face while it reviews.
 *
 * @param {State} state
 */
export function showReview({ review }) {
  document.body.toggleAttribute("data-review", review !== null);
  if (!review) return;
  const waiting = `${plural(review.unlearnt, "label")} not learnt from yet`;
  say(byId("unlearnt"), review.unlearnt ? waiting : "Nothing to learn from yet");
  for (const button of document.querySelectorAll("[data-command='learn']")) {
    button.setAttribute("aria-disabled", String(!review.unlearnt));
  }
}

/**
 * Show why an instance is worth a look.
 *
 * @param {Task} task
 */
export function showReasons({ reasons }) {
  const list = byId("reasons");
  list.hidden = !reasons.length;
  list.replaceChildren(...reasons.map((reason) => make("li", {}, reason)));
}
