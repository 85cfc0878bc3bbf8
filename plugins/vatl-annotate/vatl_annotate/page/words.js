// @ts-check
/** Numbers and sentences as a person meets them. */

/** @typedef {import("./types.js").State} State */

export const UNKNOWN = "—";

/**
 * Seconds as a person would say them.
 *
 * @param {number | null | undefined} seconds
 * @returns {string}
 */
export function duration(seconds) {
  if (seconds === null || seconds === undefined) return UNKNOWN;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const minutes = Math.floor(Math.round(seconds) / 60);
  const rest = String(Math.round(seconds) % 60).padStart(2, "0");
  if (minutes < 60) return `${minutes} min ${rest} s`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`;
}

/**
 * A running clock: 0:07.
 *
 * @param {number} seconds
 * @returns {string}
 */
export function clock(seconds) {
  return `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
}

/**
 * An OKS or AP, 0 to 1, in three decimals.
 *
 * @param {number | null | undefined} value
 * @returns {string}
 */
export function accuracy(value) {
  return value === null || value === undefined || value < 0 ? UNKNOWN : value.toFixed(3);
}

/**
 * A share: 20 %, and 2.5 % where a whole number would mislead.
 *
 * @param {number} part
 * @param {number} whole
 * @returns {string}
 */
export function percent(part, whole) {
  const share = whole ? (100 * part) / whole : 0;
  return `${share < 10 ? share.toFixed(1).replace(/\.0$/, "") : Math.round(share)} %`;
}

/**
 * 1 label, 3 labels.
 *
 * @param {number} count
 * @param {string} word
 * @returns {string}
 */
export function plural(count, word) {
  return `${count} ${word}${count === 1 ? "" : "s"}`;
}

/**
 * A sentence with a capital and a full stop.
 *
 * @param {string} text
 * @returns {string}
 */
export function sentence(text) {
  const trimmed = text.trim();
  const ended = /[.!?…]$/.test(trimmed) ? trimmed : `${trimmed}.`;
  return ended.charAt(0).toUpperCase() + ended.slice(1);
}
