// @ts-check
/**
 * What the server and the page tell each other about boxes. Positions are in pixels of the video's frame.
 *
 * @typedef {[x: number, y: number, width: number, height: number]} Box
 * @typedef {{frame: number, box: Box, leaves: boolean}} Key   a key frame; after one that leaves there is no box until
 *   the next one
 * @typedef {{number: number, keys: Key[]}} Track   keys in order of frames, one at least
 * @typedef {[frame: number, x: number, y: number, width: number, height: number, leaves: boolean]} WrittenKey
 * @typedef {Map<number, Track | null>} Changes   tracks as they are from now on; null for those that are deleted
 *
 * @typedef {{video: string, file: string, frames: number, rate: number, frame_size: [number, number],
 *   other_sizes: Record<string, [number, number]>, pictures: string, category: {name: string, keypoints: number},
 *   command: string}} Video
 */
export {};
