// @ts-check
/** The dialogs: all keys, and what comes after drawing. */

import { byId, make, say } from "../dom.js";
import { plural } from "../words.js";
import { BINDINGS, OTHER_HELP } from "./keys.js";
import { stretches } from "./tracks.js";

/** @typedef {import("./album.js").Album} Album */

/** @returns {() => void} opens the help */
export function helpDialog() {
  const dialog = closing("help");
  const groups = new Map(BINDINGS.map(({ group }) => [group, /** @type {Node[]} */ ([])]));
  for (const { group, shown, help } of BINDINGS) groups.get(group)?.push(...entry(shown, help));
  for (const [group, keys, help] of OTHER_HELP) groups.get(group)?.push(...entry(keys, help));
  byId("help-keys").replaceChildren(
    ...[...groups].map(([name, entries]) => make("section", {}, make("h3", {}, name), make("dl", {}, ...entries))),
  );
  return () => dialog.showModal();
}

/**
 * What was drawn and what to type next.
 *
 * @param {Album} album
 * @param {() => void} finish  whoever draws is done for good
 * @returns {() => void} opens it
 */
export function doneDialog(album, finish) {
  const dialog = closing("done");
  byId("finish").addEventListener("click", () => {
    dialog.close();
    finish();
  });
  return () => {
    say(byId("done-summary"), album.tracks.size ? `${summary(album)} in ${album.video.file}, saved.` : "There is no box yet.");
    byId("done-next").hidden = !album.tracks.size;
    dialog.showModal();
  };
}

/** @param {Album} album */
export function summary(album) {
  let boxes = 0;
  for (const track of album.tracks.values()) for (const [first, last] of stretches(track)) boxes += last - first + 1;
  return `${plural(album.tracks.size, "track")}, ${boxes} ${boxes === 1 ? "box" : "boxes"}`;
}

/** @param {string} id */
function closing(id) {
  const dialog = /** @type {HTMLDialogElement} */ (byId(id));
  for (const button of dialog.querySelectorAll("[data-close]")) button.addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  dialog.addEventListener("close", () => byId("stage").focus({ preventScroll: true }));
  return dialog;
}

/**
 * @param {string} keys
 * @param {string} help
 */
function entry(keys, help) {
  return [make("dt", {}, make("kbd", {}, keys)), make("dd", {}, help)];
}
