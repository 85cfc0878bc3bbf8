// @ts-check
/** The keyboard: which key does what, in one table that the help shows, too. */

/**
 * @typedef {"new" | "redraw" | "key" | "end" | "out" | "remove" | "removeTrack" | "split" | "join" | "undo" | "redo"
 *   | "adjust" | "play" | "first" | "last" | "previousKey" | "nextKey" | "previousTrack" | "nextTrack" | "zoomIn"
 *   | "zoomOut" | "fit" | "help" | "done" | "escape"} Command
 * @typedef {{command: Command, keys: string[], shown: string, help: string, group: string, repeats?: boolean}} Binding
 *
 * @typedef {object} Actions
 * @property {(command: Command) => void} run
 * @property {(frames: number) => void} step
 * @property {(place: number) => void} pick  the track at this place of the list
 * @property {() => boolean} adjusting  whether arrow keys move the box
 * @property {(dx: number, dy: number) => void} nudge
 * @property {() => void} part  what arrow keys move is another part of the box
 */

const [MOVING, DRAWING, CORRECTING] = ["Through the video", "Drawing", "Correcting"];

/** @type {Binding[]} */
export const BINDINGS = [
  { command: "new", keys: ["N"], shown: "N", help: "new track: drag a box, or press Enter for one to move with arrow keys", group: DRAWING },
  { command: "adjust", keys: ["Enter"], shown: "Enter", help: "move the chosen box with arrow keys, ⇧ by ten pixels; Enter again when it fits", group: DRAWING },
  { command: "key", keys: ["K"], shown: "K", help: "key frame here: the box is right as it is", group: DRAWING },
  { command: "end", keys: ["E"], shown: "E", help: "the track ends with this frame; after its end: open again", group: DRAWING },
  { command: "out", keys: ["X"], shown: "X", help: "out of the picture from here to the next key frame, and back", group: DRAWING },
  { command: "undo", keys: ["Z", "Ctrl+Z"], shown: "Z", help: "undo", group: CORRECTING, repeats: true },
  { command: "redo", keys: ["Shift+Z", "Ctrl+Shift+Z", "Ctrl+Y"], shown: "⇧ Z", help: "redo", group: CORRECTING, repeats: true },
  { command: "redraw", keys: ["R"], shown: "R", help: "draw the chosen box anew", group: CORRECTING },
  { command: "remove", keys: ["Delete", "Backspace"], shown: "Del", help: "delete the key frame here", group: CORRECTING },
  { command: "removeTrack", keys: ["Shift+Delete", "Shift+Backspace"], shown: "⇧ Del", help: "delete the whole track", group: CORRECTING },
  { command: "split", keys: ["S"], shown: "S", help: "split the track: from this frame on it is another one", group: CORRECTING },
  { command: "join", keys: ["J"], shown: "J", help: "join the track with the one that you choose next", group: CORRECTING },
  { command: "play", keys: [" "], shown: "Space", help: "play and pause", group: MOVING },
  { command: "previousKey", keys: ["["], shown: "[", help: "previous key frame of the chosen track", group: MOVING, repeats: true },
  { command: "nextKey", keys: ["]"], shown: "]", help: "next key frame", group: MOVING, repeats: true },
  { command: "first", keys: ["Home"], shown: "Home", help: "first frame", group: MOVING },
  { command: "last", keys: ["End"], shown: "End", help: "last frame", group: MOVING },
  { command: "previousTrack", keys: ["ArrowUp"], shown: "↑", help: "choose the track above", group: "Looking", repeats: true },
  { command: "nextTrack", keys: ["ArrowDown"], shown: "↓", help: "choose the track below", group: "Looking", repeats: true },
  { command: "zoomIn", keys: ["+", "="], shown: "+", help: "closer (also the wheel, or two fingers)", group: "Looking", repeats: true },
  { command: "zoomOut", keys: ["-", "_"], shown: "−", help: "farther", group: "Looking", repeats: true },
  { command: "fit", keys: ["F"], shown: "F", help: "the whole frame", group: "Looking" },
  { command: "help", keys: ["?"], shown: "?", help: "these keys", group: "Looking" },
  { command: "done", keys: ["D"], shown: "D", help: "done: what to type next", group: "Looking" },
  { command: "escape", keys: ["Escape"], shown: "Esc", help: "leave what was begun; choose no track", group: "Looking" },
];

/** What other keys and the pointer do, for the help: group, keys, meaning. */
export const OTHER_HELP = [
  [MOVING, "← →", "one frame back or on; ⇧ ten frames"],
  [MOVING, ", .", "the same, also while a box is being moved"],
  [DRAWING, "Drag", "draw a box; move a box, or its edges and corners"],
  [DRAWING, "Tab", "while a box is being moved: arrow keys move a corner"],
  ["Looking", "1 … 9, 0", "choose a track by its place in the list"],
  ["Looking", "Right drag", "move the picture"],
];

const ARROWS = new Map([
  ["ArrowLeft", [-1, 0]],
  ["ArrowRight", [1, 0]],
  ["ArrowUp", [0, -1]],
  ["ArrowDown", [0, 1]],
]);
const STEPS = new Map([
  ["ArrowLeft", -1],
  ["ArrowRight", 1],
  [",", -1],
  [".", 1],
  ["<", -10],
  [">", 10],
]);
const FAR = 10;

export class Keyboard {
  /** @param {Actions} actions */
  constructor(actions) {
    this.actions = actions;
    this.commands = new Map(BINDINGS.flatMap((binding) => binding.keys.map((key) => [key, binding])));
    document.addEventListener("keydown", (event) => {
      if (event.defaultPrevented || event.isComposing || elsewhere(event)) return;
      if (this.#act(event)) event.preventDefault();
    });
  }

  /**
   * @param {KeyboardEvent} event
   * @returns {boolean} whether the key means something here
   */
  #act(event) {
    const held = event.ctrlKey || event.metaKey || event.altKey;
    const arrow = ARROWS.get(event.key);
    const factor = event.shiftKey && arrow ? FAR : 1;
    if (this.actions.adjusting() && !held) {
      if (arrow) return yes(() => this.actions.nudge(arrow[0] * factor, arrow[1] * factor));
      if (event.key === "Tab" && onStage()) return yes(() => this.actions.part());
    }
    const frames = STEPS.get(event.key);
    if (frames && !held) return yes(() => this.actions.step(frames * factor));
    if (/^\d$/.test(event.key) && !held) return yes(() => this.actions.pick((Number(event.key) + 9) % 10));
    const binding = this.commands.get(combination(event));
    return binding !== undefined && yes(() => (!event.repeat || binding.repeats) && this.actions.run(binding.command));
  }
}

/** @param {() => unknown} act */
function yes(act) {
  act();
  return true;
}

/**
 * A key press in the words of the table: letters in capitals, Shift only where it does not make another sign.
 *
 * @param {KeyboardEvent} event
 */
function combination({ key, ctrlKey, metaKey, shiftKey }) {
  const letter = key.length === 1 && key.toLowerCase() !== key.toUpperCase();
  const sign = key.length === 1 && !letter;
  return `${ctrlKey || metaKey ? "Ctrl+" : ""}${shiftKey && !sign ? "Shift+" : ""}${letter ? key.toUpperCase() : key}`;
}

/** Whether keys go to the picture rather than to a control. */
function onStage() {
  return !document.activeElement || document.activeElement === document.body || document.activeElement.id === "stage";
}

/**
 * Whether a key press belongs to a dialog, or to the button that has the focus.
 *
 * @param {KeyboardEvent} event
 */
function elsewhere(event) {
  if (document.querySelector("dialog[open]") || document.body.dataset.view === "finished") return true;
  const target = event.target instanceof Element ? event.target : document.body;
  return target.matches("button, a") && (event.key === "Enter" || event.key === " ");
}
