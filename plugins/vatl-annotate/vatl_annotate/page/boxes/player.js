// @ts-check
/** Playing: every frame in its turn, no faster than the video, and no faster than its pictures come. */

/**
 * @typedef {import("./desk.js").Desk} Desk
 * @typedef {import("./film.js").Film} Film
 */

export class Player {
  /**
   * @param {Desk} desk
   * @param {Film} film
   * @param {(playing: boolean) => void} show
   */
  constructor(desk, film, show) {
    this.desk = desk;
    this.film = film;
    this.show = show;
    this.playing = false;
    this.due = 0;
  }

  /** @param {boolean} [playing]  the other way round if not given */
  play(playing = !this.playing) {
    if (playing === this.playing) return;
    const { album } = this.desk;
    this.playing = playing;
    this.show(playing);
    if (!playing) return;
    if (album.frame === album.video.frames - 1) this.desk.go(0);
    this.due = performance.now();
    requestAnimationFrame((now) => this.#tick(now));
  }

  /** @param {number} now */
  #tick(now) {
    if (!this.playing) return;
    const { album } = this.desk;
    const next = album.frame + 1;
    if (next >= album.video.frames) return this.play(false);
    if (now >= this.due && this.film.has(next)) {
      this.due = Math.max(this.due + 1000 / album.video.rate, now - 1000 / album.video.rate);
      this.desk.go(next);
    }
    requestAnimationFrame((later) => this.#tick(later));
  }
}
