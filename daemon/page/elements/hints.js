/** What the user should know while in a call, one line each, most urgent first. */
import { h, setText } from "../dom.js";
import { s } from "../strings.js";
import { button } from "./button.js";

/** @import {Call, Context} from "../types.js" */

export class HintsElement extends HTMLElement {
  #context;
  /** @type {Call|null} */
  #call = null;
  #said = h("p", { class: "hint", role: "status", hidden: true });
  #path = h("p", { class: "hint", "data-hint": "path", hidden: true }, s.call.reconnecting);
  #legText = h("span");
  #leg = h("div", { class: "hint", "data-hint": "leg", role: "alert", hidden: true }, h("p", {}, this.#legText));
  #off = h("div", { class: "hint", "data-hint": "capture", hidden: true }, h("p", {}, s.call.captureOff));
  #audio = h("p", { class: "hint", "data-hint": "audio", hidden: true });
  #video = h("p", { class: "hint", "data-hint": "video", hidden: true });
  #held = h("p", { class: "hint", "data-hint": "held", role: "status", hidden: true });
  #sharing = h("div", { class: "hint", "data-hint": "sharing", role: "status", hidden: true }, h("p", {}, s.call.sharing));
  #alarm = h("p", { class: "hint alarm", "data-hint": "alarm", role: "alert", hidden: true });
  #words = h("div", { class: "hint", "data-hint": "words", role: "status", hidden: true }, h("p", {}, s.words.waiting));
  #timer = 0;

  /** @param {Context} context */
  constructor(context) {
    super();
    this.#context = context;
    const { session } = context;
    this.#leg.append(button("retry", s.call.retry, () => session.retry(), { kind: "primary" }));
    this.#off.append(button("capture", s.call.capture, () => this.#call && session.resume(this.#call), { kind: "primary" }));
    this.#words.append(button("words-hint", s.words.compare, () => this.#call?.contact && context.dialogs.words(this.#call.contact), { kind: "primary" }));
    this.#sharing.append(button("unshare", s.call.stopSharing, () => session.toggleShare()));
    this.append(this.#said, this.#path, this.#leg, this.#alarm, this.#words, this.#sharing, this.#off, this.#held, this.#audio, this.#video);
  }

  /** Says something for a while. @param {string} text @param {number} ms */
  say(text, ms) {
    show(this.#said, text);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => show(this.#said, null), ms);
  }

  /** @param {Call|null} call */
  update(call) {
    this.#call = call;
    const { session } = this.#context;
    const { problems, on, opening } = session.capture;
    this.#path.hidden = !call?.reconnecting;
    show(this.#audio, problems.audio && s.capture.problem.audio[problems.audio]);
    show(this.#video, problems.video && s.capture.problem.video[problems.video]);
    const tried = on || opening || problems.audio !== null || problems.video !== null;
    this.#off.hidden = tried || call === null || !wanted(call, session.accepted);
    const held = call?.state === "active" ? call.picture_held : undefined;
    show(this.#held, held ? `${held.text} ${held.fix}` : null);
    const contact = call?.contact ? this.#context.store.contacts.get(call.contact) : undefined;
    show(this.#alarm, contact?.alarm ? `${contact.alarm.text} ${contact.alarm.fix}` : null);
    this.#words.hidden = call?.state !== "active" || contact?.safety?.state !== "compare";
    this.#sharing.hidden = session.capture.screen === null;
    this.#drawLeg();
  }

  #drawLeg() {
    const { problem, leg } = this.#context.session;
    const text = problem ? `${problem.title || s.call.legTitle} ${problem.detail}` : s.call.legFailed;
    this.#leg.hidden = problem === null && leg?.state !== "failed";
    if (!this.#leg.hidden) setText(this.#legText, text);
  }
}

/** Whether camera and microphone are expected to be on. @param {Call} call @param {boolean} accepted */
function wanted(call, accepted) {
  return call.state === "active" || (call.direction === "out" && accepted);
}

/** @param {HTMLElement} element @param {string|null} text */
function show(element, text) {
  element.hidden = text === null;
  if (text !== null) setText(element, text);
}

customElements.define("twocan-hints", HintsElement);
