// @ts-check
/** What outlives a reload: which window this is, edits under way, an unanswered acceptance, the annotator's name. */

/**
 * @typedef {import("./types.js").Submission} Submission
 * @typedef {import("./types.js").Task} Task
 * @typedef {import("./pose.js").Edits} Edits
 * @typedef {{id: string, seconds: number, edits: Edits | null}} Draft
 */

const TAB = "vatl:tab";
const NAME = "vatl:annotator";

/**
 * This window's id: the same after a reload, another in another window. A duplicated window starts with a copy of
 * its original's storage, so an id counts as ours only while nobody else holds its lock.
 *
 * @returns {Promise<string>}
 */
export async function windowId() {
  const kept = sessionStorage.getItem(TAB);
  if (kept && (await hold(kept))) return kept;
  const fresh = randomId();
  sessionStorage.setItem(TAB, fresh);
  await hold(fresh);
  return fresh;
}

/**
 * Take an id's lock for as long as the window lives. Where the browser has no locks (plain HTTP to another machine),
 * every id counts as free.
 *
 * @param {string} id
 * @returns {Promise<boolean>} whether it was free
 */
async function hold(id) {
  if (!navigator.locks) return true;
  for (const patience of [150, 0]) {
    const free = await new Promise((resolve) => {
      void navigator.locks.request(`${TAB}:${id}`, { ifAvailable: true }, (lock) => {
        resolve(lock !== null);
        return lock ? new Promise(() => {}) : undefined;
      });
    });
    if (free) return true;
    await new Promise((resolve) => setTimeout(resolve, patience));
  }
  return false;
}

/**
 * A random id; `crypto.randomUUID` exists only where the page is served safely.
 *
 * @returns {string}
 */
export function randomId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

/** What this window keeps about one run. */
export class Memory {
  /** @param {string} run */
  constructor(run) {
    this.run = run;
  }

  /** @returns {Submission | null} an acceptance that the server has not confirmed */
  get pending() {
    return read(this.#key("pending"));
  }

  /** @param {Submission | null} submission */
  set pending(submission) {
    write(this.#key("pending"), submission);
  }

  /**
   * The edit left under way on this instance.
   *
   * @param {Task} task
   * @returns {Draft | null}
   */
  draft(task) {
    const draft = /** @type {Draft | null} */ (read(this.#key(`draft:${task.instance}`)));
    if (draft?.id !== task.id) return null;
    return !draft.edits || draft.edits.points.length === task.proposal.length ? draft : null;
  }

  /**
   * @param {Task} task
   * @param {Edits | null} edits
   * @param {number} seconds
   */
  keep(task, edits, seconds) {
    write(this.#key(`draft:${task.instance}`), { id: task.id, edits, seconds });
  }

  /** @param {number} instance */
  forget(instance) {
    write(this.#key(`draft:${instance}`), null);
  }

  /** @param {string} name */
  #key(name) {
    return `vatl:${this.run}:${name}`;
  }
}

/**
 * The annotator's name as last given in this browser.
 *
 * @param {string} otherwise
 * @returns {string}
 */
export function annotator(otherwise) {
  return localStorage.getItem(NAME) || otherwise;
}

/** @param {string} name */
export function rememberAnnotator(name) {
  localStorage.setItem(NAME, name);
}

/**
 * @param {string} key
 * @returns {any}
 */
function read(key) {
  try {
    return JSON.parse(sessionStorage.getItem(key) ?? "null");
  } catch {
    return null;
  }
}

/**
 * @param {string} key
 * @param {unknown} value
 */
function write(key, value) {
  try {
    if (value === null) sessionStorage.removeItem(key);
    else sessionStorage.setItem(key, JSON.stringify(value));
  } catch {
    // A full storage costs what a reload would find, not the work on the screen.
  }
}
