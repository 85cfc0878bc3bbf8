// @ts-check
/** The dialogs: all keys, and stopping here. */

import { byId, make } from "./dom.js";
import { BINDINGS, OTHER_HELP } from "./keys.js";

/**
 * Fill and wire the help.
 *
 * @returns {() => void} opens it
 */
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
 * Wire the question before stopping.
 *
 * @param {() => void} stop
 * @returns {() => void} opens it
 */
export function stopDialog(stop) {
  const dialog = closing("stop");
  byId("stop-yes").addEventListener("click", () => {
    dialog.close();
    stop();
  });
  return () => dialog.showModal();
}

/**
 * A dialog whose closing buttons close it, and which gives the keys back to the picture.
 *
 * @param {string} id
 */
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
