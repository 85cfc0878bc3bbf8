// @ts-check
/** The server: requests that wait until it is there, and refusals that carry its words. */

/** @typedef {import("./types.js").Link} Link */

const FIRST_WAIT = 250;
const LONGEST_WAIT = 3000;
const PATIENCE = 15000;

/** The server understood the request and says no: its status, and one line for the person. */
export class Refusal extends Error {
  /**
   * @param {number} status
   * @param {string} message
   */
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** The request did not get through. */
export class Away extends Error {
  /** @param {Link} link */
  constructor(link) {
    super(link);
    this.link = link;
  }
}

/**
 * Wait.
 *
 * @param {number} milliseconds
 * @returns {Promise<void>}
 */
export function pause(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

export class Server {
  /** @param {(link: Link) => void} changed  told whenever the server goes or comes back */
  constructor(changed) {
    this.changed = changed;
    /** @type {Link} */
    this.link = "there";
    // The cookie is here by now: nobody looking over a shoulder, and no screenshot, need know the link's token.
    if (location.search) history.replaceState(null, "", location.pathname);
  }

  /**
   * Ask for something.
   *
   * @param {string} path
   * @returns {Promise<any>}
   * @throws {Refusal}
   */
  get(path) {
    return this.#until(() => this.once("GET", path));
  }

  /**
   * Tell the server something that may safely be said twice.
   *
   * @param {string} path
   * @param {object} body
   * @returns {Promise<any>}
   * @throws {Refusal}
   */
  post(path, body) {
    return this.#until(() => this.once("POST", path, body));
  }

  /**
   * One attempt.
   *
   * @param {"GET" | "POST"} method
   * @param {string} path
   * @param {object} [body]
   * @returns {Promise<any>}
   * @throws {Refusal | Away}
   */
  async once(method, path, body) {
    let response;
    let answer = null;
    try {
      response = await fetch(path, { ...said(method, body), cache: "no-store", signal: AbortSignal.timeout(PATIENCE) });
      answer = await response.json();
    } catch {
      if (!response || response.ok || response.status >= 502) this.#lost("away");
    }
    if (!response || [502, 503, 504].includes(response.status)) return this.#lost("away");
    if (response.status === 401) return this.#lost("over");
    this.#note("there");
    if (!response.ok) throw new Refusal(response.status, answer?.error ?? `the server says ${response.status}`);
    return answer;
  }

  /**
   * Try until the server answers, ever more slowly.
   *
   * @param {() => Promise<any>} attempt
   */
  async #until(attempt) {
    for (let wait = FIRST_WAIT; ; wait = Math.min(2 * wait, LONGEST_WAIT)) {
      try {
        return await attempt();
      } catch (error) {
        if (!(error instanceof Away)) throw error;
      }
      await pause(wait);
    }
  }

  /**
   * @param {Link} link
   * @returns {never}
   */
  #lost(link) {
    this.#note(link);
    throw new Away(link);
  }

  /** @param {Link} link */
  #note(link) {
    if (link === this.link) return;
    this.link = link;
    this.changed(link);
  }
}

/**
 * @param {string} method
 * @param {object | undefined} body
 * @returns {RequestInit}
 */
function said(method, body) {
  if (body === undefined) return { method };
  return { method, body: JSON.stringify(body), headers: { "Content-Type": "application/json", "X-Vatl": "1" } };
}
