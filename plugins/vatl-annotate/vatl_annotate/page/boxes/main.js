// @ts-check
/** The page on which a video's boxes are drawn: makes its parts and keeps what they show together. */

import { byId, say, set } from "../dom.js";
import { Messages } from "../messages.js";
import { Server } from "../server.js";
import { View } from "../view.js";
import { Album } from "./album.js";
import { Desk } from "./desk.js";
import { doneDialog, helpDialog, summary } from "./dialogs.js";
import { Film } from "./film.js";
import { Hand } from "./hand.js";
import { hint } from "./hints.js";
import { Keyboard } from "./keys.js";
import { List } from "./list.js";
import { Overlay } from "./overlay.js";
import { Player } from "./player.js";
import { Saving } from "./saving.js";
import { Timeline } from "./timeline.js";

/** @typedef {import("./types.js").Video} Video */

const ALIVE = 4000;
const stage = byId("stage");
const messages = new Messages();
const server = new Server((link) => messages.showLink(link));

/** @param {Video} video */
async function begin(video) {
  document.title = `${video.video} – boxes`;
  say(byId("video-name"), video.video);
  for (const code of document.querySelectorAll("code.next")) say(code, video.command);
  const view = new View();
  const album = new Album(video, (numbers) => saving.note(numbers));
  const canvas = /** @type {HTMLCanvasElement} */ (byId("picture"));
  const film = new Film(server, album, view, canvas, (problem) => messages.say(problem, "bad"));
  const overlay = new Overlay(byId("overlay"), album, view);
  const desk = new Desk(album, view, overlay, {
    say: (text, kind = "info") => messages.say(text, kind),
    refresh: () => refresh(),
    play: (playing) => player.play(playing),
    help: helpDialog(),
    done: doneDialog(album, () => void finish()),
  });
  const player = new Player(desk, film, (playing) => say(byId("play-word"), playing ? "Pause" : "Play"));
  const parts = [
    overlay,
    new List(byId("tracks"), byId("no-tracks"), desk),
    new Timeline(/** @type {HTMLCanvasElement} */ (byId("ruler")), /** @type {HTMLCanvasElement} */ (byId("lanes")), desk),
  ];
  const saving = new Saving(server, album, (standing, why) => showStanding(video, standing, why), () => {
    messages.say("Another window changed these boxes, too: its changes are shown now", "info");
    refresh();
  });

  /** Show how things stand, once however much has changed. */
  let waiting = false;
  const refresh = () => {
    stand(desk);
    if (film.last !== album.frame || !film.drawn) film.show();
    else film.look();
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      for (const part of parts) part.update();
      film.place();
    });
  };

  const finish = async () => {
    await server.post("/api/done", {});
    clearInterval(alive);
    player.play(false);
    say(byId("finished-summary"), album.tracks.size ? `${summary(album)} in ${video.file}.` : "No box was drawn.");
    byId("finished-next").hidden = !album.tracks.size;
    document.body.dataset.view = "finished";
  };

  new Hand(stage, desk);
  new Keyboard({
    run: (command) => desk.run(command),
    step: (frames) => (player.play(false), desk.go(album.frame + frames)),
    pick: (place) => desk.pick(place),
    adjusting: () => desk.mode === "adjust",
    nudge: (dx, dy) => desk.nudge(dx, dy),
    part: () => desk.nextPart(),
  });
  for (const button of document.querySelectorAll("[data-command]")) {
    button.addEventListener("click", () => desk.run(/** @type {import("./keys.js").Command} */ (button.getAttribute("data-command"))));
  }
  for (const button of document.querySelectorAll("[data-step]")) {
    button.addEventListener("click", () => (player.play(false), desk.go(album.frame + Number(button.getAttribute("data-step")))));
  }
  new ResizeObserver(() => {
    view.resize(stage.clientWidth, stage.clientHeight);
    refresh();
  }).observe(stage);
  const alive = window.setInterval(() => document.hidden || void server.get("/api/video"), ALIVE);

  if (await saving.begin()) messages.say("What was not saved before the page was loaded again is here", "info");
  view.resize(stage.clientWidth, stage.clientHeight);
  view.fit([0, 0, ...album.size]);
  album.number = [...album.tracks.keys()][0] ?? null;
  document.body.dataset.view = "drawing";
  stage.focus({ preventScroll: true });
  refresh();
}

/**
 * What the page says of itself: for styles, for tests, and in the line over the picture.
 *
 * @param {Desk} desk
 */
function stand(desk) {
  const { album, mode } = desk;
  if (desk.view.region[2] !== album.size[0] || desk.view.region[3] !== album.size[1]) desk.view.fit([0, 0, ...album.size]);
  Object.assign(document.body.dataset, { frame: String(album.frame), track: String(album.number ?? ""), mode });
  say(byId("frame"), String(album.frame));
  say(byId("frames"), `of ${album.video.frames - 1}`);
  say(byId("count"), summary(album));
  say(byId("hint"), hint(desk));
  const chosen = album.track;
  for (const button of document.querySelectorAll("[data-needs=track]")) set(button, { "aria-disabled": String(!chosen) });
}

/**
 * @param {Video} video
 * @param {import("./saving.js").Standing} standing
 * @param {string} why
 */
function showStanding({ file }, standing, why) {
  document.body.dataset.saved = standing;
  const words = { saved: `Saved in ${file}`, saving: "Saving …", refused: `Not saved: ${why}` };
  say(byId("saved"), words[standing]);
}

void server.get("/api/video").then(begin);
