// @ts-check
/** Mouse, pen and fingers over the picture: drawing, moving and resizing boxes, panning and zooming. */

import { between, moved } from "./shapes.js";

/**
 * @typedef {import("./desk.js").Desk} Desk
 * @typedef {import("./shapes.js").Handle} Handle
 * @typedef {import("./types.js").Box} Box
 * @typedef {{kind: "move", number: number, handle: Handle, box: Box, stroke: string}
 *   | {kind: "band"} | {kind: "pan"} | {kind: "pinch"} | {kind: "none"}} Gesture
 */

const REACH = { mouse: 9, pen: 12, touch: 22 };
const STILL = { mouse: 3, pen: 5, touch: 8 };

export class Hand {
  /**
   * @param {HTMLElement} stage
   * @param {Desk} desk
   */
  constructor(stage, desk) {
    this.stage = stage;
    this.desk = desk;
    /** @type {Map<number, [number, number]>} where pointers are down */
    this.down = new Map();
    /** @type {Gesture} */
    this.gesture = { kind: "none" };
    /** @type {[number, number]} */
    this.start = [0, 0];
    this.moved = false;
    this.strokes = 0;
    const on = stage.addEventListener.bind(stage);
    on("pointerdown", (event) => this.#press(event));
    on("pointermove", (event) => this.#move(event));
    on("pointerup", (event) => this.#release(event, true));
    on("pointercancel", (event) => this.#release(event, false));
    on("wheel", (event) => this.#wheel(event), { passive: false });
    on("contextmenu", (event) => event.preventDefault());
  }

  /** @param {PointerEvent} event */
  #press(event) {
    if (event.target instanceof Element && event.target.closest("button")) return;
    const place = this.#at(event);
    this.stage.setPointerCapture(event.pointerId);
    this.stage.focus({ preventScroll: true });
    this.down.set(event.pointerId, place);
    if (event.button === 1) event.preventDefault();
    if (this.down.size > 1) {
      this.#giveUp();
      this.gesture = { kind: this.down.size === 2 ? "pinch" : "none" };
      return;
    }
    [this.start, this.moved] = [place, false];
    this.gesture = this.#begin(place, event);
  }

  /**
   * @param {[number, number]} place
   * @param {PointerEvent} event
   * @returns {Gesture}
   */
  #begin([x, y], event) {
    if (event.button === 1 || event.button === 2) return { kind: "pan" };
    const hit = this.desk.overlay.hit(x, y, per(REACH, event.pointerType));
    if (this.desk.mode === "join") {
      if (hit) this.desk.choose(hit.number);
      return { kind: "none" };
    }
    if (this.desk.mode === "draw" || this.desk.mode === "redraw" || !hit) return { kind: "band" };
    this.desk.choose(hit.number);
    this.strokes += 1;
    return { kind: "move", ...hit, stroke: `drag ${this.strokes}` };
  }

  /** @param {PointerEvent} event */
  #move(event) {
    const place = this.#at(event);
    const last = this.down.get(event.pointerId);
    if (!last) return this.#hover(place, event);
    const still = Math.hypot(place[0] - this.start[0], place[1] - this.start[1]) < per(STILL, event.pointerType);
    if (!this.moved && still && this.gesture.kind !== "pinch") return undefined;
    this.moved = true;
    const [dx, dy] = [place[0] - last[0], place[1] - last[1]];
    if (this.gesture.kind === "pan") this.desk.look((view) => view.pan(dx, dy));
    else if (this.gesture.kind === "pinch") this.#pinch(event.pointerId, place);
    else if (this.gesture.kind === "band") this.desk.overlay.drawBand(this.#band(place));
    else if (this.gesture.kind === "move") this.#drag(this.gesture, place);
    this.down.set(event.pointerId, place);
    return undefined;
  }

  /**
   * @param {Extract<Gesture, {kind: "move"}>} gesture
   * @param {[number, number]} place
   */
  #drag({ number, handle, box, stroke }, place) {
    const { scale } = this.desk.view;
    const [dx, dy] = [(place[0] - this.start[0]) / scale, (place[1] - this.start[1]) / scale];
    this.desk.place(number, moved(box, handle, dx, dy, this.desk.album.size), stroke);
  }

  /** @param {[number, number]} place */
  #band(place) {
    const { view, album } = this.desk;
    return between(view.toFrame(...this.start), view.toFrame(...place), album.size);
  }

  /**
   * @param {PointerEvent} event
   * @param {boolean} kept
   */
  #release(event, kept) {
    if (!this.down.delete(event.pointerId)) return;
    const { kind } = this.gesture;
    if (!kept) this.#giveUp();
    else if (kind === "band" && this.moved) this.desk.drawn(this.#band(this.#at(event)));
    else if (kind === "band") this.desk.choose(null);
    else if (kind === "move") this.desk.lift();
    this.desk.overlay.drawBand(null);
    this.gesture = { kind: "none" };
  }

  /** Nothing of what is going on counts. */
  #giveUp() {
    if (this.gesture.kind === "move" && this.moved) this.desk.run("undo");
    this.desk.lift();
    this.desk.overlay.drawBand(null);
    this.gesture = { kind: "none" };
  }

  /**
   * @param {number} id
   * @param {[number, number]} place
   */
  #pinch(id, place) {
    const [other] = [...this.down].filter(([key]) => key !== id).map(([, where]) => where);
    const last = this.down.get(id);
    if (!other || !last) return;
    const factor = Math.hypot(place[0] - other[0], place[1] - other[1]) / Math.max(Math.hypot(last[0] - other[0], last[1] - other[1]), 1);
    this.desk.look((view) => {
      view.zoom(factor, (place[0] + other[0]) / 2, (place[1] + other[1]) / 2);
      view.pan((place[0] - last[0]) / 2, (place[1] - last[1]) / 2);
    });
  }

  /**
   * @param {[number, number]} place
   * @param {PointerEvent} event
   */
  #hover([x, y], event) {
    const free = this.desk.mode === "draw" || this.desk.mode === "redraw";
    const hit = free ? null : this.desk.overlay.hit(x, y, per(REACH, event.pointerType));
    this.stage.dataset.over = hit?.handle ?? "";
  }

  /** @param {WheelEvent} event */
  #wheel(event) {
    event.preventDefault();
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
    const factor = Math.exp((-event.deltaY * lines) / (event.ctrlKey ? 100 : 500));
    this.desk.look((view) => view.zoom(factor, ...this.#at(event)));
  }

  /**
   * @param {MouseEvent} event
   * @returns {[number, number]}
   */
  #at(event) {
    const { left, top } = this.stage.getBoundingClientRect();
    return [event.clientX - left, event.clientY - top];
  }
}

/**
 * @param {Record<string, number>} table
 * @param {string} type
 */
function per(table, type) {
  return table[type] ?? table.mouse;
}
