/** One's own picture before a call, with the two switches on it. Nobody else sees it. */
import { h, setText } from "../dom.js";
import { s } from "../strings.js";
import { button } from "./button.js";
import { drawCamera, drawMute } from "./controls.js";

/** @import {Context} from "../types.js" */

export class PreviewElement extends HTMLElement {
  #session;
  #video = h("video", { "data-preview": true, playsinline: true, muted: true, "aria-label": s.call.self });
  #off = h("p", { class: "preview-off", role: "status" });
  #mute;
  #camera;

  /** @param {Context} context */
  constructor({ session }) {
    super();
    this.#session = session;
    // The attribute alone does not mute an element made by script.
    this.#video.muted = true;
    this.#mute = button("preview-mute", "", () => session.toggleMute(), { icon: "mic" });
    this.#camera = button("preview-camera", "", () => session.toggleCamera(), { icon: "camera" });
    this.append(this.#video, this.#off, h("div", { class: "preview-acts" }, this.#mute, this.#camera));
  }

  update() {
    const { capture } = this.#session;
    const track = capture.video;
    const stream = this.#video.srcObject instanceof MediaStream ? this.#video.srcObject : null;
    if ((stream?.getVideoTracks()[0] ?? null) !== track) {
      this.#video.srcObject = track ? new MediaStream([track]) : null;
      if (track) this.#video.play().catch(() => undefined);
    }
    this.#video.hidden = track === null;
    setText(this.#off, track ? "" : offText(capture));
    drawMute(this.#mute, capture);
    drawCamera(this.#camera, capture);
  }
}

/** @param {import("../capture.js").Capture} capture */
function offText(capture) {
  if (capture.opening) return s.join.opening;
  const { audio, video } = capture.problems;
  if (video) return s.capture.problem.video[video];
  return audio ? s.capture.problem.audio[audio] : s.join.cameraOff;
}

customElements.define("twocan-preview", PreviewElement);
