// @ts-check
/** Tracks from key frames: where their boxes are, and how drawing changes them. Nothing here changes what it is given. */

/**
 * @typedef {import("./types.js").Box} Box
 * @typedef {import("./types.js").Key} Key
 * @typedef {import("./types.js").Track} Track
 * @typedef {import("./types.js").WrittenKey} WrittenKey
 */

/**
 * The position of the last key frame at or before a frame, or −1.
 *
 * @param {Track} track
 * @param {number} frame
 */
export function before(track, frame) {
  let [low, high] = [0, track.keys.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (track.keys[middle].frame <= frame) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/**
 * @param {Track} track
 * @param {number} frame
 * @returns {Key | null} the key frame there
 */
export function keyAt(track, frame) {
  const key = track.keys[before(track, frame)];
  return key?.frame === frame ? key : null;
}

/**
 * @param {Track} track
 * @param {number} frame
 * @returns {Box | null} null where the individual is not in the picture
 */
export function boxAt(track, frame) {
  const i = before(track, frame);
  const [key, next] = [track.keys[i], track.keys[i + 1]];
  if (!key) return null;
  if (key.frame === frame) return key.box;
  if (!next || key.leaves) return null;
  const part = (frame - key.frame) / (next.frame - key.frame);
  return /** @type {Box} */ (key.box.map((value, k) => (1 - part) * value + part * next.box[k]));
}

/**
 * The last box of a track that nobody ended, in the frames after it: where the individual may still be.
 *
 * @param {Track} track
 * @param {number} frame
 * @returns {Box | null}
 */
export function ghostAt(track, frame) {
  const last = lastKey(track);
  return frame > last.frame && !last.leaves ? last.box : null;
}

/** @param {Track} track */
export function lastKey(track) {
  return track.keys[track.keys.length - 1];
}

/**
 * The stretches of frames with boxes: first and last frame of each.
 *
 * @param {Track} track
 * @returns {[number, number][]}
 */
export function stretches(track) {
  /** @type {[number, number][]} */
  const found = [];
  let start = track.keys[0].frame;
  track.keys.forEach((key, i) => {
    const next = track.keys[i + 1];
    if (next && (!key.leaves || next.frame === key.frame + 1)) return;
    found.push([start, key.frame]);
    start = next?.frame ?? 0;
  });
  return found;
}

/**
 * The track with a key frame there.
 *
 * @param {Track} track
 * @param {number} frame
 * @param {Box} box
 * @returns {Track}
 */
export function placed(track, frame, box) {
  const key = { frame, box, leaves: keyAt(track, frame)?.leaves ?? false };
  return { ...track, keys: inOrder([...track.keys.filter((other) => other.frame !== frame), key]) };
}

/**
 * The track without its key frame there; a gap that began there begins at the key frame before.
 *
 * @param {Track} track
 * @param {number} frame
 * @returns {Track | null} null if nothing is left
 */
export function withoutKey(track, frame) {
  const i = before(track, frame);
  const gone = track.keys[i];
  const keys = track.keys.filter((key) => key !== gone);
  if (gone.leaves && i > 0) keys[i - 1] = { ...keys[i - 1], leaves: true };
  return keys.length ? { ...track, keys } : null;
}

/**
 * The track with its end there: later key frames go. At or after the end of a track that has ended, it is open again.
 *
 * @param {Track} track
 * @param {number} frame
 * @returns {Track | null} null where it has no box that could be its last
 */
export function ended(track, frame) {
  const last = lastKey(track);
  if (frame >= last.frame && last.leaves) return { ...track, keys: [...track.keys.slice(0, -1), { ...last, leaves: false }] };
  const box = boxAt(track, frame);
  const keys = track.keys.filter((key) => key.frame < frame);
  if (box) keys.push({ frame, box, leaves: true });
  else if (keys.length) keys[keys.length - 1] = { ...keys[keys.length - 1], leaves: true };
  return keys.length ? { ...track, keys } : null;
}

/**
 * The track out of the picture from there until its next key frame; where it is out already, it is back.
 *
 * @param {Track} track
 * @param {number} frame
 * @returns {Track | null} null if nothing is left
 */
export function out(track, frame) {
  const i = before(track, frame);
  if (!boxAt(track, frame)) {
    const keys = [...track.keys];
    if (i >= 0) keys[i] = { ...keys[i], leaves: !keys[i].leaves };
    return { ...track, keys };
  }
  const next = boxAt(track, frame + 1);
  const previous = boxAt(track, frame - 1);
  let keys = track.keys.filter((key) => key.frame !== frame);
  if (previous) {
    keys = keys.filter((key) => key.frame !== frame - 1);
    keys.push({ frame: frame - 1, box: previous, leaves: true });
  } else if (next && i >= 0 && !track.keys[i].leaves) {
    keys = keys.filter((key) => key.frame !== frame + 1);
    keys.push({ frame: frame + 1, box: next, leaves: keyAt(track, frame + 1)?.leaves ?? false });
  }
  return keys.length ? { ...track, keys: inOrder(keys) } : null;
}

/**
 * The track cut in two before a frame.
 *
 * @param {Track} track
 * @param {number} frame
 * @param {number} number  of the second part
 * @returns {[Track, Track] | null} null where one of them would have nothing
 */
export function split(track, frame, number) {
  const first = track.keys.filter((key) => key.frame < frame);
  const second = track.keys.filter((key) => key.frame >= frame);
  if (!first.length || !second.length) return null;
  const [left, right] = [boxAt(track, frame - 1), boxAt(track, frame)];
  if (left) {
    if (first[first.length - 1].frame === frame - 1) first.pop();
    first.push({ frame: frame - 1, box: left, leaves: true });
  }
  if (right && second[0].frame !== frame) second.unshift({ frame, box: right, leaves: false });
  return [{ ...track, keys: first }, { number, keys: second }];
}

/**
 * Two tracks of one individual as one; where neither has a box, there is a gap.
 *
 * @param {Track} track
 * @param {Track} other
 * @returns {Track | null} null where both have a box in one frame
 */
export function joined(track, other) {
  const parts = [...stretches(track), ...stretches(other)].sort((a, b) => a[0] - b[0]);
  for (let i = 1; i < parts.length; i += 1) if (parts[i][0] <= parts[i - 1][1]) return null;
  const ends = new Set(parts.slice(0, -1).map(([, last]) => last));
  const keys = inOrder([...track.keys, ...other.keys]);
  return { ...track, keys: keys.map((key) => (ends.has(key.frame) ? { ...key, leaves: true } : key)) };
}

/**
 * How a track is sent.
 *
 * @param {Track} track
 * @returns {WrittenKey[]}
 */
export function written(track) {
  return track.keys.map(({ frame, box, leaves }) => [frame, ...box, leaves]);
}

/**
 * @param {number} number
 * @param {WrittenKey[]} keys
 * @returns {Track}
 */
export function read(number, keys) {
  return { number, keys: keys.map(([frame, x, y, width, height, leaves]) => ({ frame, box: [x, y, width, height], leaves })) };
}

/** @param {Key[]} keys */
function inOrder(keys) {
  return keys.sort((a, b) => a.frame - b.frame);
}
