// @ts-check
/** The run beside the picture: pace, learning curve, what the stopping criteria say, who is labelling. */

import { drawCurve } from "./curve.js";
import { byId, make, say } from "./dom.js";
import { annotator, rememberAnnotator } from "./memory.js";
import { duration, percent, plural, sentence } from "./words.js";

/**
 * @typedef {import("./types.js").Criterion} Criterion
 * @typedef {import("./types.js").State} State
 */

export class Panel {
  /** @param {string} defaultName */
  constructor(defaultName) {
    this.defaultName = defaultName;
    this.field = /** @type {HTMLInputElement} */ (byId("annotator"));
    this.field.value = annotator(defaultName);
    this.field.addEventListener("change", () => this.#renamed());
    this.field.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === "Escape") byId("stage").focus();
    });
  }

  /** Who is labelling here. */
  get annotator() {
    return this.field.value.trim() || this.defaultName;
  }

  /** @param {State} state */
  update(state) {
    const { spent } = state;
    say(byId("last"), duration(spent.last));
    say(byId("mean"), duration(spent.mean));
    say(
      byId("total"),
      spent.labels ? `${plural(spent.labels, "label")} in ${duration(spent.seconds)}` : "No labels yet",
    );
    say(
      byId("labelled"),
      `${state.labelled} of ${state.instances} labelled, ${percent(state.labelled, state.instances)}` +
        (state.before ? `; ${state.before} of them came with the data` : ""),
    );
    drawCurve(byId("curve"), state);
    renew(byId("cycle-figures"), Object.entries(state.figures), figure, "");
    renew(byId("stopping"), state.stopping, opinion, "No stopping criterion has spoken yet.");
    renew(byId("people"), Object.entries(state.annotators), (one) => this.#person(one), "Nobody has labelled yet.");
  }

  #renamed() {
    this.field.value = this.annotator;
    rememberAnnotator(this.annotator);
  }

  /** @param {[string, number]} person */
  #person([name, labels]) {
    const own = name === this.annotator ? " (you)" : "";
    return make("li", {}, make("span", {}, `${name}${own}`), make("b", {}, plural(labels, "label")));
  }
}

/** @param {[string, string]} figure  what a plugin says of the last cycle */
function figure([name, value]) {
  return make("li", {}, `${name}: `, make("b", {}, value));
}

/** @param {Criterion} criterion */
function opinion({ name, own, fires }) {
  const role = own ? "ends this run" : "advice only";
  const verdict = make("b", { class: "verdict" }, fires === null ? "go on" : "stop");
  const said = make(
    "p",
    {},
    make("span", { class: "name" }, name),
    " says ",
    verdict,
    make("i", { class: own ? "tag own" : "tag" }, role),
  );
  const reason = fires === null ? [] : [make("p", { class: "soft" }, sentence(fires))];
  return make("li", { "data-fires": String(fires !== null), "data-own": String(own) }, said, ...reason);
}

/**
 * Fill a list anew where what it tells has changed.
 *
 * @template T
 * @param {HTMLElement} list
 * @param {T[]} items
 * @param {(item: T) => HTMLElement} item
 * @param {string} otherwise
 */
function renew(list, items, item, otherwise) {
  const told = JSON.stringify(items);
  if (list.dataset.told === told) return;
  list.dataset.told = told;
  list.replaceChildren(...(items.length || !otherwise ? items.map(item) : [make("li", { class: "soft" }, otherwise)]));
}
