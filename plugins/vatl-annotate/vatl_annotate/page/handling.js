// @ts-check
/** What gestures on the stage do to the pose, the view and a box being drawn. */

import { between } from "./boxes.js";

/**
 * @typedef {import("./desk.js").Desk} Desk
 * @typedef {import("./pointer.js").Meaning} Meaning
 */

/**
 * @param {Desk} desk
 * @returns {Meaning}
 */
export function handling(desk) {
  const { stage } = desk;
  let stroke = 0;

  /** @param {() => void} change */
  const look = (change) => {
    change();
    stage.refresh();
  };

  return {
    hit: (x, y, reach) => (desk.queue.busy || desk.paused ? -1 : stage.hit(x, y, reach)),
    drawing: () => stage.mode === "box",
    grab(k) {
      stroke += 1;
      desk.choose(k);
      const [x, y] = desk.pose?.points[k] ?? [0, 0];
      return stage.view.toScreen(x, y);
    },
    drag(k, x, y, finger) {
      desk.edit((pose) => pose.place(k, ...stage.view.toFrame(x, y), `drag ${stroke}`));
      stage.root.classList.add("dragging");
      if (finger) stage.magnify(k, finger);
    },
    drop(k, kept) {
      if (!kept && desk.pose?.stroke === `${k} drag ${stroke}`) desk.edit((pose) => pose.undo());
      stage.root.classList.remove("dragging");
      stage.lens.hide();
    },
    tap(x, y) {
      if (desk.paused) return desk.pause(false);
      desk.edit((pose) => {
        if (pose.chosen >= 0) pose.place(pose.chosen, ...stage.view.toFrame(x, y), "");
      });
    },
    hover: (k) => stage.hover(k),
    pan: (dx, dy) => look(() => stage.view.pan(dx, dy)),
    zoom: (factor, x, y) => look(() => stage.view.zoom(factor, x, y)),
    band(from, to) {
      const [width, height] = stage.task?.frame_size ?? [0, 0];
      stage.drawBox(between(stage.view.toFrame(...from), stage.view.toFrame(...to), [width, height]));
    },
  };
}
