// @ts-check
/** How the run goes: the bar above the picture, and what is shown while there is nothing to label. */

import { byId, make, say } from "./dom.js";
import { accuracy, duration, percent, plural, sentence } from "./words.js";

/**
 * @typedef {import("./types.js").Run} Run
 * @typedef {import("./types.js").State} State
 * @typedef {import("./types.js").Stage} Stage
 */

/** @type {Record<string, string>} */
const DOING = { estimate: "Estimating poses", retrain: "Learning from the labels", label: "Labelling" };

export class Progress {
  /** @param {Run} run */
  constructor(run) {
    this.run = run;
    say(byId("run-name"), run.run);
    say(byId("video-name"), run.video);
  }

  /** An instance is shown, even before the first state is known. */
  work() {
    document.body.dataset.view = "task";
  }

  /**
   * Show the state of the run.
   *
   * @param {State} state
   * @param {boolean} working  whether an instance is shown
   */
  update(state, working) {
    const { phase } = state;
    const ended = phase === "finished" || phase === "failed" || phase === "left";
    document.body.dataset.phase = phase;
    document.body.dataset.view = working ? "task" : ended ? phase : "waiting";
    this.#bar(state);
    this.#title(state);
    if (phase === "finished") this.#finish(state);
    else if (phase === "failed") say(byId("failure"), state.error ?? "The console says why.");
    else if (!working) this.#wait(state);
  }

  /** @param {State} state */
  #bar({ phase, cycle, queue, stage, review }) {
    const labelling = phase === "labelling";
    const counted = labelling ? { done: queue.answered, total: queue.total } : stage;
    say(byId("cycle"), review ? "Review" : `Cycle ${cycle + 1}`);
    say(byId("left"), labelling ? `${queue.left} left` : heading(phase, stage));
    say(byId("of"), labelling ? `of ${queue.total}` : "");
    fill(byId("queue-bar"), counted);
  }

  /** @param {State} state */
  #title({ phase, queue }) {
    const front = phase === "labelling" && queue.left ? `(${queue.left}) ` : phase === "finished" ? "✓ " : "";
    const title = `${front}${this.run.run} · vatl`;
    if (document.title !== title) document.title = title;
  }

  /** @param {State} state */
  #wait(state) {
    const { phase, stage, queue } = state;
    const bar = byId("stage-bar");
    bar.hidden = phase === "labelling" || !stage;
    fill(bar, stage);
    if (phase === "labelling") return this.#between(queue, state.review !== null);
    say(byId("waiting-title"), heading(phase, stage));
    say(
      byId("waiting-text"),
      phase === "starting" ? "The run is getting ready." : "The next instances appear here by themselves.",
    );
    say(byId("waiting-detail"), detail(stage));
  }

  /**
   * @param {State["queue"]} queue  without an instance for this window
   * @param {boolean} review
   */
  #between({ left, pause, total }, review) {
    const others = left > 0;
    const rest = `${plural(left, "instance")} of ${total} ${left === 1 ? "is" : "are"} being labelled in other windows.`;
    const thanks = "Thank you. B leads back to the last label, should one need a correction.";
    say(byId("waiting-title"), others ? "Others have the rest" : review ? "All reviewed" : "All labelled");
    say(byId("waiting-text"), others ? `${rest} What is given back appears here.` : thanks);
    say(byId("waiting-detail"), !others && pause !== null ? `Learning begins in ${Math.ceil(pause)} s` : "");
  }

  /** @param {State} state */
  #finish(state) {
    const { closing, spent, figures: said } = state;
    if (!closing) return;
    const by = closing.stopped_by ? `${closing.stopped_by}: ` : "";
    say(byId("closing-reason"), closing.reason ? sentence(`${by}${closing.reason}`) : "The run has come to its end.");
    const figures = [
      ["labelled", `${closing.labelled}`, `of ${closing.instances}, ${percent(closing.labelled, closing.instances)}`],
      ["time spent", duration(spent.seconds), `${duration(spent.mean)} a label`],
      ...Object.entries(said).map(([name, figure]) => [name, ...parted(figure)]),
      ...(closing.mean_oks === null ? [] : [["mean OKS", accuracy(closing.mean_oks), "over all instances"]]),
    ];
    const items = figures.map(([name, value, note]) =>
      make("div", {}, make("dt", {}, name), make("dd", {}, value), make("dd", {}, note)),
    );
    byId("figures").replaceChildren(...items);
    say(byId("predict"), closing.next.predict);
    say(byId("report"), closing.next.report);
  }
}

/**
 * What a plugin says in figures, and what it adds in brackets.
 *
 * @param {string} figure
 */
function parted(figure) {
  const [, value, note] = /^(.*?)(?: \((.*)\))?$/.exec(figure) ?? ["", figure];
  return [value, note ?? ""];
}

/**
 * @param {string} phase
 * @param {Stage | null} stage
 */
function heading(phase, stage) {
  if (phase === "starting") return "Starting";
  if (phase === "finished") return "Finished";
  if (phase === "failed") return "Failed";
  if (phase === "left") return "Paused";
  return (stage && DOING[stage.name]) ?? (phase === "estimating" ? DOING.estimate : DOING.retrain);
}

/** @param {Stage | null} stage */
function detail(stage) {
  if (!stage?.total) return "";
  const left =
    stage.left === null ? "" : `, about ${duration(Math.max(Math.ceil(stage.left), 1)).replace(".0", "")} left`;
  return `${stage.done} of ${stage.total}${left}`;
}

/**
 * @param {HTMLElement} bar
 * @param {{done: number, total: number} | null} counted
 */
function fill(bar, counted) {
  const share = counted?.total ? Math.min(counted.done / counted.total, 1) : 0;
  bar.setAttribute("aria-valuenow", String(Math.round(100 * share)));
  const inner = /** @type {HTMLElement} */ (bar.firstElementChild);
  inner.style.width = `${100 * share}%`;
}
