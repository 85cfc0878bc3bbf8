// @ts-check
/** What the page says in passing, on the picture and to screen readers, and whether the server is there. */

import { byId, say } from "./dom.js";

/** @typedef {"good" | "info" | "bad"} Kind */

const SHOWN = { good: 1600, info: 4000, bad: 9000 };

export class Messages {
  constructor() {
    this.line = byId("message");
    this.spoken = byId("spoken");
    this.link = byId("link");
    this.timer = 0;
  }

  /**
   * @param {string} text
   * @param {Kind} kind
   */
  say(text, kind) {
    if (kind === "good" && this.line.dataset.kind === "bad" && this.line.classList.contains("shown")) return;
    say(this.line, text);
    this.line.dataset.kind = kind;
    this.line.classList.add("shown");
    this.spoken.textContent = text;
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.line.classList.remove("shown"), SHOWN[kind]);
  }

  /** @param {import("./types.js").Link} link */
  showLink(link) {
    document.body.dataset.link = link;
    this.link.hidden = link === "there";
    const texts = {
      there: "",
      away: "The server is away. Your work is kept here; the page goes on by itself when it is back.",
      over: "This session is over. Open the link that the console shows again; your work is kept here.",
    };
    say(this.link, texts[link]);
    if (link === "there") this.say("The server is back", "good");
  }
}
