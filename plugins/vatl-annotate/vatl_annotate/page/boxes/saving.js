// @ts-check
/** Saving: every change is sent at once, kept here until the server has it on disk, and survives a reload. */

import { pause, Refusal } from "../server.js";
import { read, written } from "./tracks.js";

/**
 * @typedef {import("../server.js").Server} Server
 * @typedef {import("./album.js").Album} Album
 * @typedef {import("./types.js").Changes} Changes
 * @typedef {import("./types.js").Track} Track
 * @typedef {"saved" | "saving" | "refused"} Standing
 */

const AGAIN = 4000;
/** Milliseconds in which a drag or a row of key presses is sent as one. */
const SETTLE = 80;

export class Saving {
  /**
   * @param {Server} server
   * @param {Album} album
   * @param {(standing: Standing, why: string) => void} show
   * @param {() => void} others  told when another window's changes came in
   */
  constructor(server, album, show, others) {
    this.server = server;
    this.album = album;
    this.show = show;
    this.others = others;
    /** @type {Changes} what the server does not have yet */
    this.pending = new Map();
    this.base = "";
    /** @type {Set<number>} tracks that the server had when it was asked last */
    this.known = new Set();
    this.busy = false;
    this.key = `vatl:boxes:${album.video.file}:${album.video.pictures}`;
    window.addEventListener("pagehide", () => this.#remember());
    window.addEventListener("beforeunload", (event) => this.pending.size && event.preventDefault());
  }

  /** Take over what the server has, and send what a reload interrupted. Answers whether there was such. */
  async begin() {
    await this.#fetch();
    const kept = JSON.parse(sessionStorage.getItem(this.key) ?? "[]");
    /** @type {Changes} */
    const changes = new Map(kept.map(([number, keys]) => [number, keys && read(number, keys)]));
    if (changes.size) this.album.apply(changes);
    else this.show("saved", "");
    return changes.size > 0;
  }

  /**
   * These tracks have changed.
   *
   * @param {Iterable<number>} numbers
   */
  note(numbers) {
    for (const number of numbers) this.pending.set(number, this.album.tracks.get(number) ?? null);
    void this.#send();
  }

  async #send() {
    if (this.busy) return;
    this.busy = true;
    while (this.pending.size) {
      this.show("saving", "");
      await pause(SETTLE);
      this.#remember();
      const sent = new Map(this.pending);
      try {
        const body = { base: this.base, tracks: Object.fromEntries([...sent].map(([n, track]) => [n, track && written(track)])) };
        this.base = (await this.server.post("/api/boxes", body)).revision;
        for (const [number, track] of sent) if (this.pending.get(number) === track) this.pending.delete(number);
        this.known = new Set(this.album.tracks.keys());
        this.#remember();
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        await this.#refused(error);
      }
    }
    this.busy = false;
    this.show("saved", "");
  }

  /** @param {Refusal} refusal */
  async #refused(refusal) {
    if (refusal.status === 409) {
      await this.#fetch();
      this.others();
    } else {
      this.show("refused", refusal.message);
      await pause(AGAIN);
    }
  }

  /** What the server has, with what is still to be sent over it. */
  async #fetch() {
    const { revision, tracks } = await this.server.get("/api/boxes");
    /** @type {Map<number, Track | null>} */
    const present = new Map(tracks.map(({ number, keys }) => [number, read(number, keys)]));
    this.#makeRoom(present);
    this.known = new Set(present.keys());
    for (const [number, track] of this.pending) present.set(number, track);
    this.album.fill([...present.values()].filter((track) => track !== null));
    this.base = revision;
  }

  /**
   * New tracks of ours whose numbers another window has taken meanwhile get others.
   *
   * @param {Map<number, Track | null>} present
   */
  #makeRoom(present) {
    for (const [number, track] of [...this.pending]) {
      if (!track || this.known.has(number) || !present.has(number)) continue;
      const free = Math.max(...present.keys(), ...this.pending.keys()) + 1;
      this.pending.delete(number);
      this.pending.set(free, this.album.renumber(track, free));
    }
  }

  #remember() {
    const kept = [...this.pending].map(([number, track]) => [number, track && written(track)]);
    sessionStorage.removeItem(this.key);
    try {
      if (kept.length) sessionStorage.setItem(this.key, JSON.stringify(kept));
    } catch {
      // more than the browser keeps: it is still here, and asked about before the window closes
    }
  }
}
