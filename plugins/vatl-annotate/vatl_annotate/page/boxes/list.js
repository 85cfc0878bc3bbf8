// @ts-check
/** The list of tracks, with the key that chooses each and what it does in the present frame. */

import { make, say, set } from "../dom.js";
import { plural } from "../words.js";
import { colour } from "./album.js";
import { before, boxAt, ghostAt, keyAt, lastKey } from "./tracks.js";

/**
 * @typedef {import("./desk.js").Desk} Desk
 * @typedef {import("./types.js").Track} Track
 */

export class List {
  /**
   * @param {HTMLElement} root
   * @param {HTMLElement} empty  what is shown while there is no track
   * @param {Desk} desk
   */
  constructor(root, empty, desk) {
    this.root = root;
    this.empty = empty;
    this.desk = desk;
    this.chosen = /** @type {number | null} */ (null);
    root.addEventListener("click", (event) => {
      const row = event.target instanceof Element && event.target.closest("[data-track]");
      if (row) desk.choose(Number(row.getAttribute("data-track")));
    });
  }

  update() {
    const tracks = [...this.desk.album.tracks.values()];
    this.empty.hidden = tracks.length > 0;
    while (this.root.childElementCount > tracks.length) this.root.lastElementChild?.remove();
    while (this.root.childElementCount < tracks.length) this.root.append(newRow());
    tracks.forEach((track, i) => this.#put(/** @type {HTMLElement} */ (this.root.children[i]), track, i));
    if (this.chosen !== this.desk.album.number) {
      this.chosen = this.desk.album.number;
      this.root.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
    }
  }

  /**
   * @param {HTMLElement} row
   * @param {Track} track
   * @param {number} place
   */
  #put(row, track, place) {
    const [swatch, key, name, here, reach] = row.children;
    const chosen = track.number === this.desk.album.number;
    set(row, { "data-track": track.number, "aria-selected": String(chosen), "data-here": this.#here(track)[0], "data-test": `track-${track.number}` });
    /** @type {HTMLElement} */ (swatch).style.background = colour(track.number);
    say(key, place < 10 ? String((place + 1) % 10) : "");
    say(name, `Track ${track.number}`);
    say(here, this.#here(track)[1]);
    say(reach, `${track.keys[0].frame}–${lastKey(track).frame}${lastKey(track).leaves ? ", ended" : ""} · ${plural(track.keys.length, "key")}`);
  }

  /**
   * What a track does in the present frame: a word for the style, and one for the person.
   *
   * @param {Track} track
   * @returns {[string, string]}
   */
  #here(track) {
    const { frame } = this.desk.album;
    if (keyAt(track, frame)) return ["key", "key frame"];
    if (boxAt(track, frame)) return ["between", "in between"];
    if (ghostAt(track, frame)) return ["ghost", "after its last"];
    if (before(track, frame) < 0) return ["gone", "not yet"];
    return ["gone", frame > lastKey(track).frame ? "ended" : "out"];
  }
}

function newRow() {
  return make(
    "li",
    { class: "track", role: "option" },
    make("span", { class: "swatch" }),
    make("kbd", {}),
    make("b", {}),
    make("span", { class: "here" }),
    make("span", { class: "reach" }),
  );
}
