// @ts-check
/** The keyboard: which key does what, in one table that the help shows, too. */

/**
 * @typedef {"accept" | "acceptProposed" | "skip" | "back" | "forward" | "toggleOccluded" | "toggleHidden" | "undo"
 *   | "redo" | "nextPoint" | "previousPoint" | "zoomIn" | "zoomOut" | "fit" | "frame" | "redraw" | "remove" | "pause"
 *   | "help" | "stop" | "escape" | "run" | "learn" | "others" | "endReview" | "swap" | "takeBack"} Command
 * @typedef {{command: Command, keys: string[], shown: string, help: string, group: string, repeats: boolean}} Binding
 * @typedef {object} Actions
 * @property {(command: Command) => void} run
 * @property {(k: number) => void} choose
 * @property {(dx: number, dy: number, shift: boolean) => void} nudge
 * @property {(direction: 1 | -1) => boolean} tab  whether there was a keypoint to step to
 * @property {(when: "now" | "before" | "after") => void} flicker
 * @property {(panning: boolean) => void} pan
 */

/** @type {[group: string, command: Command, keys: string[], shown: string, help: string, repeats?: boolean][]} */
const TABLE = [
  ["Going on", "accept", ["Enter"], "Enter", "accept and go on"],
  ["Going on", "acceptProposed", ["Shift+Enter"], "⇧ Enter", "accept as it was proposed, without your edits"],
  ["Going on", "skip", ["S"], "S", "skip: it comes back at the end, a second skip leaves it out"],
  ["Going on", "back", ["B"], "B", "back to the previous label"],
  ["Going on", "forward", ["N"], "N", "forward again"],
  ["Going on", "pause", ["P"], "P", "pause the clock"],
  ["Keypoints", "previousPoint", ["["], "[", "previous keypoint (also Shift Tab)", true],
  ["Keypoints", "nextPoint", ["]"], "]", "next keypoint (also Tab)", true],
  ["Keypoints", "toggleOccluded", ["V"], "V", "visible or occluded"],
  ["Keypoints", "toggleHidden", ["X"], "X", "not visible, and back"],
  ["Keypoints", "undo", ["Z", "Ctrl+Z"], "Z", "undo", true],
  ["Keypoints", "redo", ["Shift+Z", "Ctrl+Shift+Z", "Ctrl+Y"], "⇧ Z", "redo", true],
  ["Looking", "zoomIn", ["+", "="], "+", "closer (also the wheel, or two fingers)", true],
  ["Looking", "zoomOut", ["-", "_"], "−", "farther", true],
  ["Looking", "fit", ["F"], "F", "fit the picture into the window"],
  ["Looking", "frame", ["M"], "M", "the whole frame with its boxes, and back"],
  ["The box", "redraw", ["R"], "R", "redraw the box"],
  ["The box", "remove", ["Delete", "Backspace"], "Delete", "nobody is there: remove the box (twice)"],
  ["Looking", "escape", ["Escape"], "Esc", "choose no keypoint, or leave the whole frame"],
  ["Looking", "help", ["?"], "?", "these keys"],
];

/** @type {Binding[]} */
export const BINDINGS = TABLE.map(([group, command, keys, shown, help, repeats = false]) => {
  return { group, command, keys, shown, help, repeats };
});

/** What the pointer and keys outside the table do, for the help: group, keys, meaning. */
export const OTHER_HELP = [
  ["Keypoints", "1 … 9, letters", "choose the keypoint beside which the list shows the key"],
  ["Keypoints", "Click", "put the chosen keypoint there; drag any keypoint"],
  ["Keypoints", "← ↑ → ↓", "move it by one pixel of the frame; ⇧ by ten, Alt by a quarter"],
  ["Looking", ",", "the previous frame, while held"],
  ["Looking", ".", "the next frame, while held"],
  ["Looking", "Drag", "move the picture (over a keypoint: with Space or the middle button)"],
  ["The box", "← ↑ → ↓", "move a box being drawn; ⇧ its lower right corner"],
];

const ARROWS = new Map([
  ["ArrowLeft", [-1, 0]],
  ["ArrowRight", [1, 0]],
  ["ArrowUp", [0, -1]],
  ["ArrowDown", [0, 1]],
]);
const FLICKER = new Map([
  [",", /** @type {const} */ ("before")],
  [".", /** @type {const} */ ("after")],
]);
const LETTERS = [..."ACDEGHIJKLOQTUWY"];

/** Keys that choose a keypoint, in order: digits, letters that are no command, the same letters with Shift. */
export const POINT_KEYS = [..."1234567890", ...LETTERS, ...LETTERS.map((letter) => `Shift+${letter}`)];

/**
 * How a keypoint's key is written; empty beyond the last key.
 *
 * @param {number} k
 * @returns {string}
 */
export function pointKey(k) {
  return (POINT_KEYS[k] ?? "").replace("Shift+", "⇧");
}

/**
 * A key press in the words of the table: letters in capitals, Shift only where it does not make another sign.
 *
 * @param {KeyboardEvent} event
 * @returns {string}
 */
export function combination(event) {
  const { key } = event;
  const letter = key.length === 1 && key.toLowerCase() !== key.toUpperCase();
  const sign = key.length === 1 && !letter;
  const control = (event.ctrlKey || event.metaKey) && !event.getModifierState("AltGraph");
  return `${control ? "Ctrl+" : ""}${event.shiftKey && !sign ? "Shift+" : ""}${letter ? key.toUpperCase() : key}`;
}

export class Keyboard {
  /** @param {Actions} actions */
  constructor(actions) {
    this.actions = actions;
    this.commands = new Map(BINDINGS.flatMap((binding) => binding.keys.map((key) => [key, binding])));
    this.points = new Map(POINT_KEYS.map((key, k) => [key, k]));
    document.addEventListener("keydown", (event) => this.#press(event));
    document.addEventListener("keyup", (event) => this.#release(event));
    window.addEventListener("blur", () => this.#letGo());
  }

  /** @param {KeyboardEvent} event */
  #press(event) {
    if (event.defaultPrevented || event.isComposing || elsewhere(event)) return;
    if (this.#act(event, combination(event))) event.preventDefault();
  }

  /**
   * @param {KeyboardEvent} event
   * @param {string} key
   * @returns {boolean} whether the key means something here
   */
  #act(event, key) {
    const arrow = ARROWS.get(event.key);
    if (arrow && !event.ctrlKey && !event.metaKey) return this.#nudge(event, arrow);
    if (event.altKey && !event.getModifierState("AltGraph")) return false;
    if (key === "Tab" || key === "Shift+Tab") return onStage() && this.actions.tab(event.shiftKey ? -1 : 1);
    if (key === " ") return onStage() && this.#always(() => this.actions.pan(true));
    const when = FLICKER.get(key);
    if (when) return this.#always(() => !event.repeat && this.actions.flicker(when));
    const binding = this.commands.get(key);
    if (binding) return this.#always(() => (!event.repeat || binding.repeats) && this.actions.run(binding.command));
    const k = this.points.get(key);
    return k !== undefined && this.#always(() => this.actions.choose(k));
  }

  /**
   * @param {KeyboardEvent} event
   * @param {number[]} arrow
   */
  #nudge(event, [dx, dy]) {
    const step = event.shiftKey ? 10 : event.altKey ? 0.25 : 1;
    this.actions.nudge(dx * step, dy * step, event.shiftKey);
    return true;
  }

  /** @param {() => unknown} act */
  #always(act) {
    act();
    return true;
  }

  /** @param {KeyboardEvent} event */
  #release(event) {
    if (FLICKER.has(event.key) || event.key === ";" || event.key === ":") this.actions.flicker("now");
    if (event.key === " ") this.actions.pan(false);
  }

  #letGo() {
    this.actions.flicker("now");
    this.actions.pan(false);
  }
}

/** Whether keys go to the picture rather than to a control. */
function onStage() {
  return !document.activeElement || document.activeElement === document.body || document.activeElement.id === "stage";
}

/**
 * Whether a key press belongs to a field, a dialog, or the control that has the focus.
 *
 * @param {KeyboardEvent} event
 */
function elsewhere(event) {
  const target = event.target instanceof Element ? event.target : document.body;
  if (document.querySelector("dialog[open]") || target.matches("input, textarea, select")) return true;
  return target.matches("button, summary, a") && (event.key === "Enter" || event.key === " ");
}
