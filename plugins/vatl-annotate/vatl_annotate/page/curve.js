// @ts-check
/** The learning curve: accuracy over the number of labels, and where the schedule leads. */

import { draw, make } from "./dom.js";
import { accuracy } from "./words.js";

/**
 * @typedef {import("./types.js").CurvePoint} CurvePoint
 * @typedef {import("./types.js").State} State
 * @typedef {"mean_oks" | "query_oks"} Measure
 * @typedef {{x: (labels: number) => number, y: (oks: number) => number}} Scale
 */

const WIDTH = 260;
const HEIGHT = 132;
const INSET = { left: 30, right: 8, top: 8, bottom: 24 };
/** @type {[Measure, string, string][]} */
const MEASURES = [
  ["mean_oks", "all instances", "Mean OKS against the ground truth, over all instances"],
  ["query_oks", "those asked for", "Mean OKS of the proposals against the labels given for them"],
];

/**
 * Draw the curve.
 *
 * @param {HTMLElement} parent
 * @param {State} state
 */
export function drawCurve(parent, state) {
  const told = JSON.stringify([state.curve, state.schedule]);
  if (parent.dataset.told === told) return;
  parent.dataset.told = told;
  const known = MEASURES.filter(([measure]) => state.curve.some((point) => point[measure] !== null));
  if (!known.length) {
    parent.replaceChildren(make("p", { class: "soft" }, "Appears when the first cycle is finished."));
    return;
  }
  parent.replaceChildren(
    plot(
      state,
      known.map(([measure]) => measure),
    ),
    legend(state, known),
  );
}

/**
 * @param {State} state
 * @param {Measure[]} measures
 */
function plot(state, measures) {
  const values = state.curve.flatMap((point) => measures.map((measure) => point[measure])).filter((v) => v !== null);
  const scale = scaled(state, values);
  const root = draw("svg", { class: "curve", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img" });
  const last = state.curve[state.curve.length - 1];
  root.append(
    draw("title", {}, `Learning curve: ${accuracy(last.mean_oks ?? last.query_oks)} with ${last.labelled} labels`),
  );
  root.append(grid(scale, values), axis(state, scale));
  for (const measure of measures) root.append(line(state.curve, measure, scale));
  return root;
}

/**
 * @param {State} state
 * @param {number[]} values
 * @returns {Scale}
 */
function scaled(state, values) {
  const most = Math.max(...state.curve.map(({ labelled }) => labelled), ...state.schedule, 1);
  const [low, high] = extent(values);
  const [width, height] = [WIDTH - INSET.left - INSET.right, HEIGHT - INSET.top - INSET.bottom];
  return {
    x: (labels) => INSET.left + (width * labels) / most,
    y: (oks) => INSET.top + (height * (high - oks)) / (high - low),
  };
}

/**
 * Tenths that hold all values.
 *
 * @param {number[]} values
 * @returns {[number, number]}
 */
function extent(values) {
  const low = Math.floor(Math.min(...values) * 10) / 10;
  const high = Math.ceil(Math.max(...values) * 10) / 10;
  return [low, Math.max(high, low + 0.1)];
}

/**
 * @param {Scale} scale
 * @param {number[]} values
 */
function grid(scale, values) {
  const group = draw("g", { class: "grid" });
  const [low, high] = extent(values);
  const step = high - low > 0.55 ? 0.2 : 0.1;
  for (let oks = low; oks <= high + 0.001; oks += step) {
    const y = scale.y(oks);
    group.append(draw("line", { x1: INSET.left, x2: WIDTH - INSET.right, y1: y, y2: y }));
    group.append(draw("text", { x: INSET.left - 6, y: y + 3.5, class: "end" }, oks.toFixed(1)));
  }
  return group;
}

/**
 * Numbers of labels: what there is, and ticks where the next cycles will be.
 *
 * @param {State} state
 * @param {Scale} scale
 */
function axis(state, scale) {
  const group = draw("g", { class: "axis" });
  const bottom = HEIGHT - INSET.bottom;
  for (const labels of state.schedule) {
    group.append(draw("line", { x1: scale.x(labels), x2: scale.x(labels), y1: bottom, y2: bottom - 5 }));
  }
  const now = state.curve[state.curve.length - 1].labelled;
  const end = Math.max(now, ...state.schedule);
  group.append(draw("text", { x: scale.x(0), y: HEIGHT - 8 }, "0"));
  if (end > 0) group.append(draw("text", { x: scale.x(end), y: HEIGHT - 8, class: "end" }, `${end} labels`));
  if (now > 0.12 * end && now < 0.6 * end) {
    group.append(draw("text", { x: scale.x(now), y: HEIGHT - 8, class: "middle" }, String(now)));
  }
  return group;
}

/**
 * @param {CurvePoint[]} curve
 * @param {Measure} measure
 * @param {Scale} scale
 */
function line(curve, measure, scale) {
  const known = curve.filter((point) => point[measure] !== null);
  const places = known.map((point) => [scale.x(point.labelled), scale.y(point[measure] ?? 0)]);
  const group = draw("g", { class: `line ${measure}` });
  group.append(draw("polyline", { points: places.map((place) => place.join(",")).join(" ") }));
  group.append(...places.map(([x, y]) => draw("circle", { cx: x, cy: y, r: 2.6 })));
  return group;
}

/**
 * @param {State} state
 * @param {[Measure, string, string][]} measures
 */
function legend(state, measures) {
  const items = measures.map(([measure, name, meaning]) => {
    const last = state.curve.findLast((point) => point[measure] !== null);
    const value = make("b", {}, accuracy(last?.[measure]));
    return make("span", { class: `key ${measure}`, title: meaning }, value, ` ${name}`);
  });
  return make("p", { class: "legend" }, "Mean OKS: ", ...items);
}
