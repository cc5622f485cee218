/**
 * The screen of one call: placing it, its ringing, and being in it. `pc` is the connection to the daemon, for whoever
 * wants its statistics.
 */
import { h, setAttr, setText } from "../dom.js";
import { TWICE_MS } from "../keys.js";
import { s } from "../strings.js";
import { avatar, setAvatar } from "./avatar.js";
import { button } from "./button.js";
import { canShare, ControlsElement } from "./controls.js";
import { HintsElement } from "./hints.js";
import { isStrange, ringActs, ringTitle } from "./ring.js";
import { StageElement } from "./stage.js";
import { StrangerElement } from "./stranger.js";
import { TopElement } from "./top.js";

/** @import {Call, Context} from "../types.js" */
/** @import {Screen} from "../view.js" */

export class CallElement extends HTMLElement {
  #context;
  /** @type {Call|null} */
  #call = null;
  #stage;
  #top;
  #hints;
  #controls;
  #face = avatar();
  #title = h("h1", { dir: "auto" });
  #line = h("p", { class: "call-line", role: "status" });
  #note = h("p", { class: "call-note" });
  #ring;
  #stranger;
  #preview;
  #devices;
  #cancel;
  #voiceFirst = false;
  #escapedAt = -Infinity;

  /** @param {Context} context */
  constructor(context) {
    super();
    this.#context = context;
    this.#stage = new StageElement(context.devices);
    this.#top = new TopElement(context);
    this.#hints = new HintsElement(context);
    this.#stranger = new StrangerElement(context);
    this.#controls = new ControlsElement(context, () => this.#hangUp());
    this.#ring = ringActs(context, () => this.#call);
    this.#preview = button("preview", s.ring.preview, () => this.#call && context.session.preview(this.#call.id), {
      icon: "camera",
      kind: "quiet",
    });
    this.#devices = button("ring-devices", s.devices.heading, () => context.dialogs.devices(), { icon: "devices", kind: "quiet" });
    this.#cancel = button("cancel", s.calling.cancel, () => this.#hangUp(), { kind: "danger", icon: "hangUp" });
    this.append(
      this.#stage,
      this.#top,
      h(
        "div",
        { class: "middle" },
        this.#face,
        this.#title,
        this.#line,
        this.#note,
        this.#ring.element,
        this.#preview,
        this.#devices,
        this.#cancel,
      ),
      this.#stranger,
      this.#hints,
      this.#controls,
    );
    this.#stage.addEventListener("picture", () => this.#draw());
  }

  /** The connection to the daemon. @returns {RTCPeerConnection|null} */
  get pc() {
    return this.#context.session.leg?.pc ?? null;
  }

  /** @param {Screen} screen @param {Call|null} call @param {boolean} voiceFirst the user means to answer without camera */
  update(screen, call, voiceFirst) {
    this.#voiceFirst = voiceFirst;
    this.hidden = call === null || !["calling", "ringing", "call"].includes(screen);
    this.#call = this.hidden ? null : call;
    this.dataset["phase"] = screen;
    this.#draw();
  }

  /** Escape twice hangs up; once says so. */
  escape() {
    const now = performance.now();
    if (now - this.#escapedAt < TWICE_MS) {
      void this.#hangUp();
      return;
    }
    this.#escapedAt = now;
    this.#hints.say(s.call.escOnce, TWICE_MS);
  }

  /** Shows or hides the numbers behind the badge. */
  toggleFacts() {
    this.#top.toggleFacts();
  }

  /** Shows the screen, or stops to. Only in a call under way. */
  async share() {
    if (this.#call?.state === "active" && canShare()) await this.#context.session.toggleShare();
  }

  #draw() {
    const { session } = this.#context;
    const call = this.#call;
    const active = call?.state === "active";
    setAttr(this, "data-call-state", call?.state ?? null);
    setAttr(this, "data-call-id", call?.id ?? null);
    setAttr(this, "data-leg", session.leg?.state ?? "none");
    setAttr(this, "data-capture", captureWord(session.capture));
    setAttr(this, "data-picture", pictureOf(call, this.#stage.picture));
    setAttr(this, "data-sharing", session.capture.screen ? "" : null);
    this.#stage.showSelf(session.capture.picture);
    this.#stage.showRemote(active ? (session.leg?.remote ?? null) : null);
    this.#top.update(active ? call : null);
    this.#stranger.update(active ? call : null);
    this.#hints.update(call);
    this.#controls.update(call);
    if (call) this.#drawMiddle(call);
  }

  /** @param {Call} call */
  #drawMiddle(call) {
    const { session } = this.#context;
    const ringingHere = call.direction === "in" && call.state === "ringing";
    const undecided = ringingHere && !session.accepted;
    this.#stage.name(call.peer.name);
    setAvatar(this.#face, isStrange(call) ? "?" : call.peer.name);
    setText(this.#title, ringingHere ? ringTitle(call) : call.peer.name);
    setText(this.#line, lineOf(call, session.accepted, pictureOf(call, this.#stage.picture)));
    setText(this.#note, noteOf(call, undecided, session.capture.video !== null));
    this.#ring.element.hidden = !undecided;
    this.#preview.hidden = !undecided || !call.media.video || session.capture.on;
    this.#devices.hidden = !undecided || !session.capture.on;
    this.#cancel.hidden = call.direction !== "out" || call.state === "active";
    this.#ring.update(call, this.#voiceFirst);
  }

  async #hangUp() {
    if (!this.#call) return;
    try {
      await this.#context.session.hangUp(this.#call.id);
    } catch (error) {
      this.#context.fail(error);
    }
  }
}

/** @param {import("../capture.js").Capture} capture */
function captureWord(capture) {
  if (capture.opening) return "opening";
  const words = [capture.audio ? "audio" : "", capture.video ? "video" : ""].filter((word) => word !== "");
  return words.join(" ") || "off";
}

/** A camera that was switched off there is believed at once. @param {Call|null} call @param {import("./stage.js").Picture} seen */
function pictureOf(call, seen) {
  return call?.media.video && call.peer_media?.video === false ? "none" : seen;
}

/** @param {Call} call @param {boolean} accepted @param {import("./stage.js").Picture} picture */
function lineOf(call, accepted, picture) {
  switch (call.state) {
    case "dialing":
      return s.calling.dialing;
    case "ringing":
      if (call.direction === "out") return s.calling.ringing;
      if (accepted) return s.ring.answering;
      return call.media.video ? s.ring.video : s.ring.voice;
    case "active":
      if (picture === "moving") return "";
      if (!call.media.video) return s.call.voice;
      if (call.peer_media?.video === false) return s.call.peerDark(call.peer.name);
      return picture === "waiting" ? s.call.waiting : s.call.noPicture(call.peer.name);
    case "ended":
      return "";
  }
}

/** @param {Call} call @param {boolean} undecided @param {boolean} seen whether one's own picture is on */
function noteOf(call, undecided, seen) {
  if (call.state === "active") return "";
  if (seen) return s.calling.preview;
  return undecided ? s.ring.off : "";
}

customElements.define("twocan-call", CallElement);
