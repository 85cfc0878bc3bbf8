// @ts-check
/** Mouse, pen and fingers on the stage: dragging points, placing, panning, pinching and drawing a box. */

/**
 * What gestures mean; positions in screen pixels from the stage's corner.
 *
 * @typedef {object} Meaning
 * @property {(x: number, y: number, reach: number) => number} hit  the keypoint there, or −1
 * @property {() => boolean} drawing  whether dragging draws a box
 * @property {(k: number) => [number, number]} grab  answers where the keypoint is
 * @property {(k: number, x: number, y: number, finger: [number, number] | null) => void} drag  to there
 * @property {(k: number, kept: boolean) => void} drop  kept is false where the drag was given up
 * @property {(x: number, y: number) => void} tap  on the background
 * @property {(k: number) => void} hover
 * @property {(dx: number, dy: number) => void} pan
 * @property {(factor: number, x: number, y: number) => void} zoom
 * @property {(from: [number, number], to: [number, number]) => void} band
 *
 * @typedef {{id: number, type: string, x: number, y: number}} Touch   a pointer that is down
 * @typedef {{kind: "point", k: number, offset: [number, number], start: [number, number], moved: boolean}
 *   | {kind: "pan", start: [number, number], moved: boolean, tap: boolean}
 *   | {kind: "band", start: [number, number]} | {kind: "pinch"} | {kind: "none"}} Gesture
 */

const REACH = { mouse: 13, pen: 16, touch: 26 };
const STILL = { mouse: 2, pen: 4, touch: 7 };

export class Gestures {
  /**
   * @param {HTMLElement} surface
   * @param {Meaning} meaning
   */
  constructor(surface, meaning) {
    this.surface = surface;
    this.meaning = meaning;
    /** @type {Map<number, Touch>} */
    this.down = new Map();
    /** @type {Gesture} */
    this.gesture = { kind: "none" };
    /** Whether a key asks for panning whatever is beneath. */
    this.panning = false;
    this.#listen();
  }

  #listen() {
    const on = this.surface.addEventListener.bind(this.surface);
    on("pointerdown", (event) => this.#press(event));
    on("pointermove", (event) => this.#move(event));
    on("pointerup", (event) => this.#release(event, true));
    on("pointercancel", (event) => this.#release(event, false));
    on("pointerleave", () => this.meaning.hover(-1));
    on("wheel", (event) => this.#wheel(event), { passive: false });
    on("contextmenu", (event) => event.preventDefault());
    on("auxclick", (event) => event.preventDefault());
  }

  /** Give up what is going on. */
  cancel() {
    if (this.gesture.kind === "point") this.meaning.drop(this.gesture.k, !this.gesture.moved);
    this.gesture = { kind: "none" };
  }

  /** The keypoint being dragged, or −1. */
  get dragged() {
    return this.gesture.kind === "point" && this.gesture.moved ? this.gesture.k : -1;
  }

  /** @param {PointerEvent} event */
  #press(event) {
    if (event.target instanceof Element && event.target.closest("button, select")) return;
    const [x, y] = this.#at(event);
    this.down.set(event.pointerId, { id: event.pointerId, type: event.pointerType, x, y });
    this.surface.setPointerCapture(event.pointerId);
    if (event.button === 1) event.preventDefault();
    if (this.down.size > 1) {
      this.cancel();
      this.gesture = this.down.size === 2 ? { kind: "pinch" } : { kind: "none" };
    } else if (event.button <= 1) {
      this.gesture = this.#begin(x, y, event);
    }
  }

  /**
   * @param {number} x
   * @param {number} y
   * @param {PointerEvent} event
   * @returns {Gesture}
   */
  #begin(x, y, event) {
    if (event.button === 1 || this.panning) return { kind: "pan", start: [x, y], moved: true, tap: false };
    if (this.meaning.drawing()) return { kind: "band", start: [x, y] };
    const k = this.meaning.hit(x, y, per(REACH, event.pointerType));
    if (k < 0) return { kind: "pan", start: [x, y], moved: false, tap: true };
    const [px, py] = this.meaning.grab(k);
    return { kind: "point", k, offset: [px - x, py - y], start: [x, y], moved: false };
  }

  /** @param {PointerEvent} event */
  #move(event) {
    const [x, y] = this.#at(event);
    const touch = this.down.get(event.pointerId);
    if (!touch) {
      if (event.pointerType !== "touch") this.meaning.hover(this.meaning.hit(x, y, per(REACH, event.pointerType)));
      return;
    }
    const gesture = this.gesture;
    if (gesture.kind === "pinch") this.#pinch(touch, x, y);
    else if (gesture.kind === "band") this.meaning.band(gesture.start, [x, y]);
    else if (gesture.kind === "pan" || gesture.kind === "point") {
      const still = Math.hypot(x - gesture.start[0], y - gesture.start[1]) < per(STILL, touch.type);
      if (!gesture.moved && still) return;
      gesture.moved = true;
      if (gesture.kind === "pan") this.meaning.pan(x - touch.x, y - touch.y);
      else this.#drag(gesture, touch, x, y);
    }
    [touch.x, touch.y] = [x, y];
  }

  /**
   * @param {Extract<Gesture, {kind: "point"}>} gesture
   * @param {Touch} touch
   * @param {number} x
   * @param {number} y
   */
  #drag({ k, offset }, touch, x, y) {
    this.meaning.drag(k, x + offset[0], y + offset[1], touch.type === "touch" ? [x, y] : null);
  }

  /**
   * Two fingers zoom by their distance and pan with their middle.
   *
   * @param {Touch} touch  the one that moved
   * @param {number} x
   * @param {number} y
   */
  #pinch(touch, x, y) {
    const other = [...this.down.values()].find(({ id }) => id !== touch.id);
    if (!other) return;
    const before = Math.max(Math.hypot(touch.x - other.x, touch.y - other.y), 1);
    const after = Math.max(Math.hypot(x - other.x, y - other.y), 1);
    this.meaning.pan((x - touch.x) / 2, (y - touch.y) / 2);
    this.meaning.zoom(after / before, (x + other.x) / 2, (y + other.y) / 2);
  }

  /**
   * @param {PointerEvent} event
   * @param {boolean} finished  false where the browser took the pointer away
   */
  #release(event, finished) {
    if (!this.down.delete(event.pointerId)) return;
    const gesture = this.gesture;
    this.gesture = { kind: "none" };
    if (gesture.kind === "point") this.meaning.drop(gesture.k, finished || !gesture.moved);
    if (gesture.kind === "pan" && finished && gesture.tap && !gesture.moved) this.meaning.tap(...this.#at(event));
  }

  /** @param {WheelEvent} event */
  #wheel(event) {
    event.preventDefault();
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 24 : 1;
    const speed = event.ctrlKey ? 0.012 : 0.0018;
    this.meaning.zoom(Math.exp(-event.deltaY * lines * speed), ...this.#at(event));
  }

  /**
   * @param {MouseEvent} event
   * @returns {[number, number]}
   */
  #at(event) {
    const { left, top } = this.surface.getBoundingClientRect();
    return [event.clientX - left, event.clientY - top];
  }
}

/**
 * @param {{mouse: number, pen: number, touch: number}} values
 * @param {string} type
 */
function per(values, type) {
  return type === "touch" ? values.touch : type === "pen" ? values.pen : values.mouse;
}
