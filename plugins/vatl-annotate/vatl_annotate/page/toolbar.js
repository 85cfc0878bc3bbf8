// @ts-check
/** The buttons: each runs the command it names, and is off while there is nothing for it to do. */

/**
 * @typedef {import("./keys.js").Command} Command
 * @typedef {import("./stage.js").When} When
 */

export class Toolbar {
  /**
   * @param {(command: Command) => void} run
   * @param {(when: When) => void} flicker
   */
  constructor(run, flicker) {
    this.buttons = /** @type {HTMLButtonElement[]} */ ([...document.querySelectorAll("[data-command]")]);
    for (const button of this.buttons) {
      button.addEventListener("click", (event) => {
        run(/** @type {Command} */ (button.dataset.command));
        if (event.detail > 0) giveBackFocus(button);
      });
    }
    for (const button of document.querySelectorAll("[data-hold]")) hold(/** @type {HTMLElement} */ (button), flicker);
  }

  /**
   * Switch commands off or on.
   *
   * @param {Partial<Record<Command, boolean>>} possible
   */
  update(possible) {
    for (const button of this.buttons) {
      const can = possible[/** @type {Command} */ (button.dataset.command)];
      if (can !== undefined) button.setAttribute("aria-disabled", String(!can));
    }
  }

  /**
   * Show which states the chosen keypoint has.
   *
   * @param {Partial<Record<Command, boolean>>} pressed
   */
  press(pressed) {
    for (const button of this.buttons) {
      const on = pressed[/** @type {Command} */ (button.dataset.command)];
      if (on !== undefined) button.setAttribute("aria-pressed", String(on));
    }
  }
}

/**
 * After a click the keys go to the picture again, so that Enter accepts and does not click once more.
 *
 * @param {HTMLElement} button
 */
function giveBackFocus(button) {
  if (document.activeElement === button && !document.querySelector("dialog[open]")) {
    document.getElementById("stage")?.focus({ preventScroll: true });
  }
}

/**
 * Show another frame for as long as a button is held, by pointer or by key.
 *
 * @param {HTMLElement} button
 * @param {(when: When) => void} flicker
 */
function hold(button, flicker) {
  const when = /** @type {When} */ (button.dataset.hold);
  button.addEventListener("pointerdown", (event) => {
    button.setPointerCapture(event.pointerId);
    flicker(when);
  });
  for (const end of ["pointerup", "pointercancel", "blur"]) button.addEventListener(end, () => flicker("now"));
  button.addEventListener("keydown", ({ key }) => (key === " " || key === "Enter") && flicker(when));
  button.addEventListener("keyup", () => flicker("now"));
  button.addEventListener("click", (event) => event.detail > 0 && giveBackFocus(button));
  button.addEventListener("contextmenu", (event) => event.preventDefault());
}
