// @ts-check
/** What commands and gestures do: to the tracks, to the frame that is shown, to the view. */

import { fitted, moved } from "./shapes.js";
import * as tracks from "./tracks.js";

/**
 * @typedef {import("./album.js").Album} Album
 * @typedef {import("./keys.js").Command} Command
 * @typedef {import("./overlay.js").Overlay} Overlay
 * @typedef {import("./shapes.js").Handle} Handle
 * @typedef {import("./types.js").Box} Box
 * @typedef {import("./types.js").Track} Track
 * @typedef {import("../view.js").View} View
 * @typedef {"" | "draw" | "redraw" | "adjust" | "join"} Mode   what the next drag, choice or arrow key does
 *
 * @typedef {object} Surroundings
 * @property {(text: string, kind?: "good" | "info" | "bad") => void} say
 * @property {() => void} refresh  the page shows how things stand
 * @property {(playing?: boolean) => void} play
 * @property {() => void} help
 * @property {() => void} done
 */

/** @type {Handle[]} */
const PARTS = ["all", "se", "nw"];
const CLOSER = 1.25;

export class Desk {
  /**
   * @param {Album} album
   * @param {View} view
   * @param {Overlay} overlay
   * @param {Surroundings} page
   */
  constructor(album, view, overlay, page) {
    this.album = album;
    this.view = view;
    this.overlay = overlay;
    this.page = page;
    /** @type {Mode} */
    this.mode = "";
    /** @type {Handle} what arrow keys move */
    this.part = "all";
    this.strokes = 0;
  }

  // ------------------------------------------------------------------------------------------------------ looking
  /** @param {number} frame */
  go(frame) {
    this.album.frame = Math.max(0, Math.min(Math.round(frame), this.album.video.frames - 1));
    this.strokes += 1;
    this.page.refresh();
  }

  /** @param {(view: View) => void} change */
  look(change) {
    change(this.view);
    this.page.refresh();
  }

  /**
   * Choose a track; while tracks are being joined, the one to join with.
   *
   * @param {number | null} number
   */
  choose(number) {
    if (this.mode === "join" && number !== null) return this.#joinWith(number);
    if (number !== this.album.number) this.strokes += 1;
    this.album.number = number;
    if (this.mode !== "adjust" || number === null) this.mode = "";
    return this.page.refresh();
  }

  /** @param {number} place  in the list */
  pick(place) {
    const number = [...this.album.tracks.keys()][place];
    if (number !== undefined) this.choose(number);
  }

  // ------------------------------------------------------------------------------------------------------ drawing
  /**
   * A track's box in this frame, which becomes a key frame.
   *
   * @param {number} number
   * @param {Box} box
   * @param {string} [stroke]
   */
  place(number, box, stroke = "") {
    const { frame, size } = this.album;
    const track = this.album.tracks.get(number);
    const key = fitted(box, size);
    const changed = track ? tracks.placed(track, frame, key) : { number, keys: [{ frame, box: key, leaves: false }] };
    this.album.number = number;
    this.album.apply(new Map([[number, changed]]), stroke);
    this.page.refresh();
  }

  /**
   * A box was drawn: of a new track, unless the chosen one has none in this frame or is drawn anew.
   *
   * @param {Box} box
   */
  drawn(box) {
    const { number, free } = this.album;
    const again = number !== null && (this.mode === "redraw" || (this.mode !== "draw" && !this.overlay.chosen));
    this.mode = "";
    this.place(again ? number : free, box);
  }

  /** A drag or a row of nudges is over. */
  lift() {
    this.album.lift();
  }

  /**
   * @param {number} dx
   * @param {number} dy
   */
  nudge(dx, dy) {
    const shown = this.overlay.chosen;
    if (shown) this.place(shown.number, moved(shown.box, this.part, dx, dy, this.album.size), `nudge ${this.strokes}`);
  }

  nextPart() {
    this.part = PARTS[(PARTS.indexOf(this.part) + 1) % PARTS.length];
    this.page.refresh();
  }

  // ----------------------------------------------------------------------------------------------------- commands
  /** @param {Command} command */
  run(command) {
    const { album, page, view } = this;
    /** @type {Record<Command, () => unknown>} */
    const meaning = {
      new: () => this.#begin("draw"),
      redraw: () => this.#chosen(() => this.#begin("redraw")),
      adjust: () => this.#adjust(),
      key: () => this.#shown((box, number) => this.place(number, box)),
      end: () => this.#chosen((track) => this.#end(track)),
      out: () => this.#chosen((track) => this.#out(track)),
      remove: () => this.#chosen((track) => this.#remove(track)),
      removeTrack: () => this.#chosen((track) => this.#replace(track.number, null, `Track ${track.number} deleted. Z brings it back.`)),
      split: () => this.#chosen((track) => this.#split(track)),
      join: () => this.#chosen(() => this.#begin("join")),
      undo: () => album.undo() || page.say("Nothing to undo"),
      redo: () => album.redo() || page.say("Nothing to do again"),
      play: () => page.play(),
      first: () => this.go(0),
      last: () => this.go(album.video.frames - 1),
      previousKey: () => this.#chosen((track) => this.#toKey(track.keys.findLast(({ frame }) => frame < album.frame))),
      nextKey: () => this.#chosen((track) => this.#toKey(track.keys.find(({ frame }) => frame > album.frame))),
      previousTrack: () => this.#along(-1),
      nextTrack: () => this.#along(1),
      zoomIn: () => view.zoom(CLOSER),
      zoomOut: () => view.zoom(1 / CLOSER),
      fit: () => view.fit(),
      help: () => page.help(),
      done: () => page.done(),
      escape: () => this.#leave(),
    };
    if (command !== "play") page.play(false);
    meaning[command]();
    page.refresh();
  }

  /** @param {Mode} mode */
  #begin(mode) {
    this.strokes += 1;
    this.part = "all";
    this.mode = this.mode === mode ? "" : mode;
  }

  #leave() {
    if (this.mode) this.mode = "";
    else this.album.number = null;
  }

  /** Arrow keys move the chosen box; a new track begins with a box in the middle. */
  #adjust() {
    if (this.mode === "draw" || this.mode === "redraw") this.#drawInTheMiddle();
    this.#shown(() => this.#begin("adjust"));
  }

  #drawInTheMiddle() {
    const [x, y] = this.view.toFrame(this.view.width / 2, this.view.height / 2);
    const height = (0.4 * this.view.height) / this.view.scale;
    this.drawn(fitted([x - height / 5, y - height / 2, 0.4 * height, height], this.album.size));
  }

  /** @param {Track} track */
  #end(track) {
    const changed = tracks.ended(track, this.album.frame);
    if (!changed) return this.page.say(`Track ${track.number} begins later: ⇧ Del deletes it`);
    const open = !tracks.lastKey(changed).leaves;
    return this.#replace(track.number, changed, open ? `Track ${track.number} goes on` : `Track ${track.number} ends with frame ${tracks.lastKey(changed).frame}`);
  }

  /** @param {Track} track */
  #out(track) {
    const { frame } = this.album;
    if (!tracks.boxAt(track, frame) && tracks.before(track, frame) < 0) return this.page.say(`Track ${track.number} begins later`);
    const changed = tracks.out(track, frame);
    const here = changed && (tracks.boxAt(changed, frame) ?? tracks.ghostAt(changed, frame));
    return this.#replace(track.number, changed, here ? `Track ${track.number} is in the picture` : `Track ${track.number} is out of the picture here`);
  }

  /** @param {Track} track */
  #remove(track) {
    const { frame } = this.album;
    if (!tracks.keyAt(track, frame)) return this.page.say("No key frame here. X: out of the picture; ⇧ Del: delete the track");
    return this.#replace(track.number, tracks.withoutKey(track, frame), "Key frame deleted");
  }

  /** @param {Track} track */
  #split(track) {
    const parts = tracks.split(track, this.album.frame, this.album.free);
    if (!parts) return this.page.say("Go to the frame in which the second track begins, then split");
    this.album.apply(new Map(parts.map((part) => [part.number, part])));
    this.album.number = parts[1].number;
    return this.page.say(`From here on it is track ${parts[1].number}`, "good");
  }

  /** @param {number} number */
  #joinWith(number) {
    this.mode = "";
    const [track, other] = [this.album.track, this.album.tracks.get(number)];
    if (track && other && track !== other) this.#join(track, other);
    this.page.refresh();
  }

  /**
   * @param {Track} track
   * @param {Track} other
   */
  #join(track, other) {
    const [kept, gone] = track.number < other.number ? [track, other] : [other, track];
    const whole = tracks.joined(kept, gone);
    if (!whole) return this.page.say("Both have a box in the same frame: split or end one of them first", "bad");
    this.album.apply(new Map([[kept.number, whole], [gone.number, null]]));
    this.album.number = kept.number;
    return this.page.say(`Tracks ${kept.number} and ${gone.number} are track ${kept.number}`, "good");
  }

  /**
   * @param {number} number
   * @param {Track | null} track
   * @param {string} said
   */
  #replace(number, track, said) {
    this.album.apply(new Map([[number, track]]));
    this.page.say(said, "good");
  }

  /** @param {(track: Track) => void} act */
  #chosen(act) {
    if (this.album.track) act(this.album.track);
    else this.page.say("Choose a track first: click its box, or press its number");
  }

  /** @param {(box: Box, number: number) => void} act  on the chosen box of this frame, its ghost included */
  #shown(act) {
    const { chosen } = this.overlay;
    if (chosen) act(chosen.box, chosen.number);
    else if (this.album.track) this.page.say("The chosen track has no box here: drag one");
    else this.page.say("Choose a track first: click its box, or press its number");
  }

  /** @param {import("./types.js").Key | undefined} key */
  #toKey(key) {
    if (key) this.go(key.frame);
    else this.page.say("No more key frames that way");
  }

  /** @param {1 | -1} direction */
  #along(direction) {
    const numbers = [...this.album.tracks.keys()];
    const place = this.album.number === null ? (direction > 0 ? -1 : numbers.length) : numbers.indexOf(this.album.number);
    const next = numbers[place + direction];
    if (next !== undefined) this.choose(next);
  }
}
