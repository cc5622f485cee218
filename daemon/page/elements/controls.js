/** The buttons of a call under way. */
import { h, setAttr } from "../dom.js";
import { icon } from "../icons.js";
import { s } from "../strings.js";
import { button, setLabel } from "./button.js";

/** @import {Call, Context} from "../types.js" */
/** @import {IconName} from "../icons.js" */

export class ControlsElement extends HTMLElement {
  #session;
  #mute;
  #camera;
  #full;
  #hangUp;

  /** @param {Context} context @param {() => void} hangUp @param {() => void} help */
  constructor(context, hangUp, help) {
    super();
    this.#session = context.session;
    this.#mute = button("mute", s.call.mute, () => this.#session.toggleMute(), { icon: "mic" });
    this.#camera = button("camera", s.call.cameraOff, () => this.#session.toggleCamera(), { icon: "camera" });
    this.#full = button("full", s.call.full, toggleFull, { icon: "full" });
    this.#hangUp = button("hangup", s.call.hangUp, hangUp, { icon: "hangUp", kind: "danger" });
    const keys = button("keys", s.call.keys, help, { icon: "keys" });
    this.#full.hidden = !document.fullscreenEnabled;
    keyOf(this.#mute, "M");
    keyOf(this.#camera, "V");
    keyOf(this.#full, "F");
    keyOf(keys, "?");
    this.append(this.#mute, this.#camera, this.#hangUp, this.#full, keys);
    document.addEventListener("fullscreenchange", () => this.#drawFull());
  }

  /** @param {Call|null} call */
  update(call) {
    this.hidden = call === null || (call.direction === "in" && call.state === "ringing" && !this.#session.accepted);
    const { capture } = this.#session;
    const silent = capture.muted || capture.audio === null;
    draw(this.#mute, silent ? "micOff" : "mic", silent ? s.call.unmute : s.call.mute, silent);
    const blind = capture.video === null;
    draw(this.#camera, blind ? "cameraOff" : "camera", blind ? s.call.cameraOn : s.call.cameraOff, blind);
    this.#hangUp.hidden = call?.state !== "active" && call?.direction === "out";
  }

  #drawFull() {
    setLabel(this.#full, document.fullscreenElement ? s.call.fullOff : s.call.full);
  }
}

export function toggleFull() {
  if (document.fullscreenElement) void document.exitFullscreen();
  else document.documentElement.requestFullscreen().catch(() => undefined);
}

/** @param {HTMLElement} element @param {string} key */
function keyOf(element, key) {
  element.setAttribute("aria-keyshortcuts", key);
  element.append(h("kbd", { "aria-hidden": "true" }, key));
}

/** @param {HTMLElement} element @param {IconName} name @param {string} label @param {boolean} off */
function draw(element, name, label, off) {
  if (element.dataset["icon"] !== name) {
    element.dataset["icon"] = name;
    element.querySelector("svg")?.replaceWith(icon(name));
  }
  setLabel(element, label);
  setAttr(element, "data-off", off ? "" : null);
}

customElements.define("twocan-controls", ControlsElement);
