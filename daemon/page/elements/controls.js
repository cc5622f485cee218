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
  #share;
  #full;
  #hangUp;

  /** @param {Context} context @param {() => void} hangUp */
  constructor(context, hangUp) {
    super();
    this.#session = context.session;
    this.#mute = button("mute", s.call.mute, () => this.#session.toggleMute(), { icon: "mic" });
    this.#camera = button("camera", s.call.cameraOff, () => this.#session.toggleCamera(), { icon: "camera" });
    this.#share = button("share", s.call.share, () => this.#session.toggleShare(), { icon: "screen" });
    this.#share.hidden = !canShare();
    this.#full = button("full", s.call.full, toggleFull, { icon: "full" });
    this.#hangUp = button("hangup", s.call.hangUp, hangUp, { icon: "hangUp", kind: "danger" });
    const devices = button("devices", s.call.devices, () => context.dialogs.devices(), { icon: "devices" });
    const keys = button("keys", s.call.keys, () => context.dialogs.keys(), { icon: "keys" });
    this.#full.hidden = !document.fullscreenEnabled;
    keyOf(this.#mute, "M");
    keyOf(this.#camera, "V");
    keyOf(this.#share, "S");
    keyOf(devices, "D");
    keyOf(this.#full, "F");
    keyOf(keys, "?");
    this.append(this.#mute, this.#camera, this.#share, this.#hangUp, devices, this.#full, keys);
    document.addEventListener("fullscreenchange", () => this.#drawFull());
  }

  /** @param {Call|null} call */
  update(call) {
    this.hidden = call === null || (call.direction === "in" && call.state === "ringing" && !this.#session.accepted);
    const { capture } = this.#session;
    drawMute(this.#mute, capture);
    drawCamera(this.#camera, capture);
    const sharing = capture.screen !== null;
    draw(this.#share, sharing ? "screenOff" : "screen", sharing ? s.call.unshare : s.call.share, sharing);
    this.#share.hidden = !canShare() || call?.state !== "active";
    this.#hangUp.hidden = call?.state !== "active" && call?.direction === "out";
  }

  #drawFull() {
    setLabel(this.#full, document.fullscreenElement ? s.call.fullOff : s.call.full);
  }
}

/** Phones cannot show their screen. */
export function canShare() {
  return navigator.mediaDevices !== undefined && "getDisplayMedia" in navigator.mediaDevices;
}

/** @param {HTMLElement} element @param {import("../capture.js").Capture} capture */
export function drawMute(element, capture) {
  const silent = capture.muted || capture.audio === null;
  draw(element, silent ? "micOff" : "mic", silent ? s.call.unmute : s.call.mute, silent);
}

/** @param {HTMLElement} element @param {import("../capture.js").Capture} capture */
export function drawCamera(element, capture) {
  const blind = capture.video === null;
  draw(element, blind ? "cameraOff" : "camera", blind ? s.call.cameraOn : s.call.cameraOff, blind);
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
