/**
 * What there is to do with a stranger who came, or was called, through a door: compare safety words, and keep each other as
 * contacts. In the call and, for as long as it is possible, after it.
 */
import { h, setAttr, setText } from "../dom.js";
import { s } from "../strings.js";
import { button } from "./button.js";
import { comparison } from "./compare.js";

/** @import {Call, Context} from "../types.js" */

export class StrangerElement extends HTMLElement {
  #context;
  /** @type {Call|null} */
  #call = null;
  #read = h("p", { class: "stranger-read" });
  #compare;
  #wish = h("p", { role: "status", "data-wish": true, dir: "auto" });
  #keep;
  #acts;

  /** @param {Context} context */
  constructor(context) {
    super();
    this.#context = context;
    this.#compare = comparison("stranger", (result) => this.#compared(result));
    this.#keep = button("stranger-keep", s.stranger.keep, () => this.#say(true), { kind: "primary" });
    const no = button("stranger-no", s.stranger.no, () => this.#say(false), { kind: "quiet" });
    this.#acts = h("div", { class: "acts" }, this.#keep, no);
    this.setAttribute("role", "group");
    this.setAttribute("aria-label", s.stranger.label);
    this.append(this.#read, this.#compare.list, this.#compare.answer, this.#wish, this.#acts);
  }

  /** @param {Call|null} call */
  update(call) {
    const stranger = call?.stranger;
    this.#call = call;
    this.hidden = !call || !stranger || !(call.state === "active" || stranger.can_keep || stranger.keep === true);
    if (!call || !stranger || this.hidden) return;
    const { state, words } = stranger.safety;
    setAttr(this, "data-safety", state);
    const comparing = state === "compare" && call.state === "active";
    this.#compare.show(comparing);
    if (comparing) this.#compare.set(words);
    setText(this.#read, call.state === "active" ? s.stranger.words[state] : "");
    const known = call.contact !== null && stranger.keep !== true;
    this.#acts.hidden = !stranger.can_keep || stranger.keep !== null || known;
    setText(this.#wish, known ? "" : wishOf(call));
  }

  /** @param {"same"|"different"} result */
  async #compared(result) {
    if (!this.#call) return;
    try {
      await this.#context.api.compareStranger(this.#call.id, result);
    } catch (error) {
      this.#context.fail(error);
    }
  }

  /** @param {boolean} keep */
  async #say(keep) {
    if (!this.#call) return;
    try {
      this.#context.store.apply("call", await this.#context.api.keepStranger(this.#call.id, keep));
    } catch (error) {
      this.#context.fail(error);
    }
  }
}

/** Where the two wishes stand. @param {Call} call */
function wishOf(call) {
  const { keep, peer_keeps: wanted, can_keep: open } = call.stranger ?? { keep: null, peer_keeps: false, can_keep: false };
  if (keep === true && call.contact !== null) return s.stranger.kept(call.peer.name);
  if (keep === true) return open ? s.stranger.told : s.stranger.notKept;
  if (keep === false) return "";
  if (!open) return "";
  return wanted ? s.stranger.wanted : s.stranger.ask;
}

customElements.define("twocan-stranger", StrangerElement);
