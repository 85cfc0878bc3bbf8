// @ts-check
/**
 * What the server and the page tell each other, and the words that the modules share.
 * All positions are in pixels of the video's frame unless a name says otherwise.
 *
 * @typedef {"left" | "right" | "middle"} Side
 * @typedef {{name: string, keypoints: string[], edges: [number, number][], sides: Side[]}} Skeleton
 * @typedef {[x: number, y: number, width: number, height: number]} Box
 * @typedef {[x: number, y: number, v: number]} Point   v: 0 not visible, 1 occluded, 2 visible
 *
 * @typedef {{run: string, video: string, skeleton: Skeleton, frames: number,
 *   annotator: string, threshold: number}} Run
 *
 * @typedef {{url: string, region: Box, size: [number, number]}} Picture
 * @typedef {{url: string, frame: number}} Neighbour
 * @typedef {{instance: number, track: number, box: Box}} Other
 * @typedef {{instance: number, id: string, cycle: number, place: number, frame: number, frames: number, track: number,
 *   box: Box, picture: Picture, before: Neighbour | null, after: Neighbour | null, frame_url: string,
 *   frame_size: [number, number], others: Other[], proposal: [number, number, number][],
 *   label: {keypoints: Point[], annotator: string} | null, open: boolean, skipped: number, reasons: string[],
 *   swaps: {frame: number, tracks: [number, number]}[]}} Task
 *
 * @typedef {"starting" | "estimating" | "labelling" | "retraining" | "finished" | "failed" | "left"} Phase
 * @typedef {{name: string, done: number, total: number, left: number | null}} Stage
 * @typedef {{cycle: number, labelled: number, query_oks: number | null, mean_oks: number | null, ap: number | null,
 *   scores: Record<string, number>}} CurvePoint
 * @typedef {{name: string, own: boolean, fires: string | null}} Criterion
 * @typedef {{labelled: number, instances: number, stopped_by: string | null, reason: string | null,
 *   mean_oks: number | null, next: {predict: string, report: string}}} Closing
 * @typedef {{phase: Phase, cycle: number, stage: Stage | null,
 *   queue: {total: number, answered: number, left: number, pause: number | null},
 *   labelled: number, before: number, instances: number, schedule: number[], curve: CurvePoint[],
 *   figures: Record<string, string>, stopping: Criterion[],
 *   spent: {labels: number, seconds: number, last: number | null, mean: number | null},
 *   annotators: Record<string, number>, closing: Closing | null, error: string | null,
 *   review: {unlearnt: number} | null}} State
 *
 * @typedef {{status?: string, task: Task | null, ahead: string[], state?: State}} Answer
 * @typedef {{submission: string, instance: number, cycle: number, keypoints: Point[], seconds: number,
 *   annotator: string, correction: boolean}} Submission
 * @typedef {{instance: number, id: string, cycle: number, frame: number, track: number, annotator: string,
 *   seconds: number, moved: number, open: boolean}} Label
 *
 * @typedef {"there" | "away" | "over"} Link   whether the server answers, is away, or no longer knows this session
 */
export {};
