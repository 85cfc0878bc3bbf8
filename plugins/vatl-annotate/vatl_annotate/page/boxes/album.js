// @ts-check
/** The tracks as they stand, which of them is chosen, the frame that is shown, and what can be undone. */

/**
 * @typedef {import("./types.js").Box} Box
 * @typedef {import("./types.js").Changes} Changes
 * @typedef {import("./types.js").Track} Track
 * @typedef {import("./types.js").Video} Video
 * @typedef {{changes: Changes, frame: number, chosen: number | null, stroke: string}} Step   what undoing brings back
 */

const COLOURS = ["#4cc3ff", "#ffb02e", "#62e0a1", "#ff7f9f", "#c9a5ff", "#f5ee6b", "#ff8b5c", "#7fe8e8", "#b7d36b", "#f0a6e0"];
const UNDONE = 500;

export class Album {
  /**
   * @param {Video} video
   * @param {(numbers: Iterable<number>) => void} changed  told which tracks changed
   */
  constructor(video, changed) {
    this.video = video;
    this.changed = changed;
    /** @type {Map<number, Track>} in the order of their numbers */
    this.tracks = new Map();
    this.frame = 0;
    /** @type {number | null} */
    this.number = null;
    /** @type {Step[]} */
    this.past = [];
    /** @type {Step[]} */
    this.future = [];
  }

  /** The chosen track. */
  get track() {
    return this.number === null ? null : (this.tracks.get(this.number) ?? null);
  }

  /** A number that no track has. */
  get free() {
    return Math.max(0, ...this.tracks.keys()) + 1;
  }

  /** @returns {[number, number]} width and height of the frame that is shown */
  get size() {
    return this.video.other_sizes[this.frame] ?? this.video.frame_size;
  }

  /**
   * All tracks at once, as the server has them.
   *
   * @param {Iterable<Track>} tracks
   */
  fill(tracks) {
    this.tracks = sorted(new Map([...tracks].map((track) => [track.number, track])));
    if (this.number !== null && !this.tracks.has(this.number)) this.number = null;
  }

  /**
   * A track gets another number, since another window has taken its own; what was done before cannot be undone.
   *
   * @param {Track} track
   * @param {number} number
   * @returns {Track}
   */
  renumber(track, number) {
    if (this.number === track.number) this.number = number;
    [this.past, this.future] = [[], []];
    return { ...track, number };
  }

  /**
   * Change tracks. Steps of one stroke, such as a drag, are undone together.
   *
   * @param {Changes} changes
   * @param {string} [stroke]
   */
  apply(changes, stroke = "") {
    const last = this.past.at(-1);
    if (!stroke || last?.stroke !== stroke) this.past.push(this.#swapped(changes, stroke));
    this.past.splice(0, this.past.length - UNDONE);
    this.future = [];
    this.#put(changes);
  }

  /** Nothing more belongs to the stroke under way. */
  lift() {
    const last = this.past.at(-1);
    if (last) last.stroke = "";
  }

  undo() {
    return this.#step(this.past, this.future);
  }

  redo() {
    return this.#step(this.future, this.past);
  }

  /**
   * @param {Step[]} from
   * @param {Step[]} to
   */
  #step(from, to) {
    const step = from.pop();
    if (!step) return false;
    to.push(this.#swapped(step.changes, ""));
    this.frame = step.frame;
    this.#put(step.changes);
    this.number = step.chosen !== null && this.tracks.has(step.chosen) ? step.chosen : null;
    return true;
  }

  /**
   * What brings the present back after these changes.
   *
   * @param {Changes} changes
   * @param {string} stroke
   * @returns {Step}
   */
  #swapped(changes, stroke) {
    const present = new Map([...changes.keys()].map((number) => [number, this.tracks.get(number) ?? null]));
    return { changes: present, frame: this.frame, chosen: this.number, stroke };
  }

  /** @param {Changes} changes */
  #put(changes) {
    for (const [number, track] of changes) {
      if (track) this.tracks.set(number, track);
      else this.tracks.delete(number);
    }
    this.tracks = sorted(this.tracks);
    if (this.number !== null && !this.tracks.has(this.number)) this.number = null;
    this.changed(changes.keys());
  }
}

/** @param {number} number */
export function colour(number) {
  return COLOURS[(number + COLOURS.length - 1) % COLOURS.length];
}

/** @param {Map<number, Track>} tracks */
function sorted(tracks) {
  return new Map([...tracks].sort(([a], [b]) => a - b));
}
