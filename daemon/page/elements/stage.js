/**
 * The two pictures: the other person's, large, and one's own in a corner (large while there is no other).
 *
 * The other person's sound has an element of its own: a video element whose picture never comes, as in a voice call,
 * plays no sound either. Browsers may refuse to play sound before a click. Then one button turns it on.
 */
import { h } from "../dom.js";
import { s } from "../strings.js";
import { button } from "./button.js";

/** A picture that stands still this long is not shown as one. */
const STILL_MS = 2500;

/** @typedef {"none"|"waiting"|"moving"} Picture */

/** Fires `picture` when the other's picture came or went. */
export class StageElement extends HTMLElement {
  /** @type {Picture} */
  picture = "waiting";
  #remote = h("video", { "data-remote": true, playsinline: true });
  #sound = h("audio", { "data-sound": true });
  #self = h("video", { "data-self": true, playsinline: true, muted: true, "aria-label": s.call.self });
  #hear = button("hear", s.call.hear, () => this.#unmute(), { icon: "sound", kind: "go" });
  #devices;
  #lastFrame = 0;
  #timer = 0;

  /** @param {import("../devices.js").Devices} devices */
  constructor(devices) {
    super();
    this.#devices = devices;
    devices.addEventListener("change", () => this.#tune());
    // The attribute alone does not mute an element made by script.
    this.#self.muted = true;
    this.#remote.muted = true;
    this.#hear.hidden = true;
    this.append(this.#remote, this.#sound, this.#self, this.#hear);
    this.#watch();
    this.#tune();
  }

  connectedCallback() {
    this.#timer = setInterval(() => this.#look(), 500);
  }

  disconnectedCallback() {
    clearInterval(this.#timer);
  }

  /** @param {string} name */
  name(name) {
    this.#remote.setAttribute("aria-label", s.call.remoteVideo(name));
  }

  /** @param {MediaStream|null} stream */
  showRemote(stream) {
    if (this.#remote.srcObject === stream) return;
    this.#remote.srcObject = stream;
    this.#sound.srcObject = stream && new MediaStream(stream.getAudioTracks());
    this.#hear.hidden = true;
    this.#lastFrame = 0;
    this.#become("waiting");
    if (stream) this.#play();
  }

  /** @param {MediaStreamTrack|null} track */
  showSelf(track) {
    const stream = this.#self.srcObject instanceof MediaStream ? this.#self.srcObject : null;
    const shown = stream?.getVideoTracks()[0] ?? null;
    this.#self.hidden = track === null;
    if (shown === track) return;
    this.#self.srcObject = track ? new MediaStream([track]) : null;
    if (track) this.#self.play().catch(() => undefined);
  }

  /** The chosen speaker and volume; a speaker that is gone is passed over. */
  #tune() {
    this.#sound.volume = this.#devices.volume;
    if (!this.#devices.choosesSpeaker) return;
    const sink = this.#devices.chosen("speaker");
    const sound = /** @type {any} */ (this.#sound);
    if (sound.sinkId !== sink) sound.setSinkId(sink).catch(() => undefined);
  }

  #play() {
    this.#remote.play().catch(() => undefined);
    void this.#playSound();
  }

  async #playSound() {
    const stream = this.#sound.srcObject;
    try {
      await this.#sound.play();
    } catch (error) {
      const refused = error instanceof DOMException && error.name === "NotAllowedError";
      if (refused && this.#sound.srcObject === stream) this.#hear.hidden = false;
    }
  }

  #unmute() {
    this.#hear.hidden = true;
    void this.#playSound();
  }

  #watch() {
    const video = this.#remote;
    if (!("requestVideoFrameCallback" in video)) return;
    const onFrame = () => {
      this.#lastFrame = performance.now();
      this.#become("moving");
      video.requestVideoFrameCallback(onFrame);
    };
    video.requestVideoFrameCallback(onFrame);
  }

  /** Frames are not reported to a hidden tab, so it draws no conclusions. */
  #look() {
    if (document.hidden || this.picture !== "moving") return;
    if (performance.now() - this.#lastFrame > STILL_MS) this.#become("none");
  }

  /** @param {Picture} picture */
  #become(picture) {
    if (this.picture === picture) return;
    this.picture = picture;
    this.dataset["picture"] = picture;
    this.dispatchEvent(new Event("picture"));
  }
}

customElements.define("twocan-stage", StageElement);
