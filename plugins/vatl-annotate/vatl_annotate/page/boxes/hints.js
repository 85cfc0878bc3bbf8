// @ts-check
/** The line over the picture: what the next drag or key does. */

import { boxAt, ghostAt } from "./tracks.js";

/** @typedef {import("./desk.js").Desk} Desk */

const PARTS = /** @type {Record<string, string>} */ ({ all: "the box", se: "its lower right corner", nw: "its upper left corner" });

/**
 * @param {Desk} desk
 * @returns {string}
 */
export function hint({ album, mode, part }) {
  const { track, frame } = album;
  if (mode === "draw") return "Drag a box around the new individual, or press Enter for one to move with arrow keys. Esc leaves.";
  if (mode === "redraw") return `Drag a new box for track ${album.number}. Esc leaves.`;
  if (mode === "join") return `Which track is the same individual as track ${album.number}? Click its box or row, or press its number. Esc leaves.`;
  if (mode === "adjust") return `Arrow keys move ${PARTS[part]}, ⇧ by ten pixels. Tab: another part. The keys , and . change the frame. Enter when it fits.`;
  if (!album.tracks.size) return "Drag a box around an individual. Then go on some frames and move the box to where it is then.";
  if (!track) return "Drag a box around a new individual, or choose a track.";
  if (boxAt(track, frame)) return "";
  if (ghostAt(track, frame)) return `Track ${track.number}: drag the dashed box to where it is now. K if it is right, E if the track ended before.`;
  return `Track ${track.number} has no box here: drag one where it is back. N for a new track.`;
}
