// @ts-check
/** Boxes as shapes: corners and edges to take hold of, moving and resizing inside the picture. */

/** @typedef {import("./types.js").Box} Box */

export const SMALLEST = 2;

/** What can be taken hold of: how far left, top, right and bottom edges follow the pointer. */
export const HANDLES = /** @type {const} */ ({
  nw: [1, 1, 0, 0],
  n: [0, 1, 0, 0],
  ne: [0, 1, 1, 0],
  e: [0, 0, 1, 0],
  se: [0, 0, 1, 1],
  s: [0, 0, 0, 1],
  sw: [1, 0, 0, 1],
  w: [1, 0, 0, 0],
  all: [1, 1, 1, 1],
});

/** @typedef {keyof typeof HANDLES} Handle */

/**
 * Where a handle is.
 *
 * @param {Box} box
 * @param {Handle} handle
 * @returns {[number, number]}
 */
export function handlePoint([x, y, width, height], handle) {
  const [left, top, right, bottom] = HANDLES[handle];
  return [x + (width * (1 + right - left)) / 2, y + (height * (1 + bottom - top)) / 2];
}

/**
 * A box whose handle was moved, inside the picture; a corner dragged past the opposite one turns the box over.
 *
 * @param {Box} box
 * @param {Handle} handle
 * @param {number} dx
 * @param {number} dy
 * @param {[number, number]} size
 * @returns {Box}
 */
export function moved([x, y, width, height], handle, dx, dy, size) {
  if (handle === "all") {
    return inHundredths([within(x + dx, size[0] - width), within(y + dy, size[1] - height), width, height]);
  }
  const [left, top, right, bottom] = HANDLES[handle];
  return between([x + left * dx, y + top * dy], [x + width + right * dx, y + height + bottom * dy], size);
}

/**
 * The box between two corners, inside the picture, and not too small.
 *
 * @param {[number, number]} a
 * @param {[number, number]} b
 * @param {[number, number]} size
 * @returns {Box}
 */
export function between(a, b, size) {
  const [left, right] = side(a[0], b[0], size[0]);
  const [top, bottom] = side(a[1], b[1], size[1]);
  return inHundredths([left, top, right - left, bottom - top]);
}

/**
 * A box that fits into a picture of another size.
 *
 * @param {Box} box
 * @param {[number, number]} size
 * @returns {Box}
 */
export function fitted([x, y, width, height], size) {
  return between([x, y], [x + width, y + height], size);
}

/**
 * @param {Box} box
 * @param {number} x
 * @param {number} y
 */
export function contains([left, top, width, height], x, y) {
  return x >= left && y >= top && x <= left + width && y <= top + height;
}

/**
 * @param {number} a
 * @param {number} b
 * @param {number} limit
 */
function side(a, b, limit) {
  const low = Math.min(within(Math.min(a, b), limit), limit - SMALLEST);
  return [low, Math.max(within(Math.max(a, b), limit), low + SMALLEST)];
}

/**
 * @param {number} value
 * @param {number} limit
 */
function within(value, limit) {
  return Math.max(Math.min(value, limit), 0);
}

/** @param {Box} box */
function inHundredths(box) {
  return /** @type {Box} */ (box.map((value) => Math.round(100 * value) / 100));
}
