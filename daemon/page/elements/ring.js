/** The panel of an incoming call. It shows on every screen but the call's own, and takes no focus from what is typed. */
import { h, setAttr, setText } from "../dom.js";
import { s } from "../strings.js";
import { avatar, setAvatar } from "./avatar.js";
import { button, setLabel } from "./button.js";

/** @import {Call, Context} from "../types.js" */

export class RingElement extends HTMLElement {
  #context;
  /** @type {Call|null} */
  #call = null;
  #face = avatar();
  #title = h("h2", { dir: "auto" });
  #kind = h("p", { class: "help" });
  #acts;

  /** @param {Context} context */
  constructor(context) {
    super();
    this.#context = context;
    this.#acts = ringActs(context, () => this.#call);
    this.setAttribute("role", "alert");
    this.append(this.#face, h("div", { class: "ring-who" }, this.#title, this.#kind), this.#acts.element);
  }

  /** @param {Call|null} call */
  update(call) {
    this.hidden = call === null;
    this.#call = call;
    if (!call) return;
    setAvatar(this.#face, isStrange(call) ? "?" : call.peer.name);
    setText(this.#title, ringTitle(call));
    setAttr(this, "data-stranger", isStrange(call) ? "" : null);
    const other = this.#context.store.busy();
    const kind = call.media.video ? s.ring.video : s.ring.voice;
    const strange = isStrange(call) ? `${kind} · ${s.stranger.noName}` : kind;
    setText(this.#kind, other && other.id !== call.id ? s.ring.waiting(kind, other.peer.name) : strange);
    this.dataset["waiting"] = String(other !== null && other.id !== call.id);
    this.#acts.update(call);
  }
}

/** Whether nothing but an address is known of the other end. @param {Call} call */
export function isStrange(call) {
  return call.stranger !== undefined && call.contact === null;
}

/** Who rings. @param {Call} call */
export function ringTitle(call) {
  return isStrange(call) ? s.stranger.from(call.peer.name) : s.ring.incoming(call.peer.name);
}

/**
 * The buttons of an incoming call, for the panel and for the call's own screen.
 * @param {Context} context
 * @param {() => Call|null} call
 */
export function ringActs(context, call) {
  /** @param {(call: Call) => Promise<unknown>} act */
  const on = (act) => async () => {
    const it = call();
    if (!it) return;
    try {
      await act(it);
    } catch (error) {
      context.fail(error);
    }
  };
  const { session } = context;
  const answer = button("answer", s.ring.answer, on((it) => session.answerInstead(it.id, { audio: true, video: it.media.video })), {
    kind: "go",
    icon: "phone",
  });
  const voice = button("answer-voice", s.ring.answerVoice, on((it) => session.answerInstead(it.id, { audio: true, video: false })));
  const decline = button("decline", s.ring.decline, on((it) => leave(context, it)), { kind: "danger", icon: "hangUp" });
  return {
    element: h("div", { class: "acts ring-acts" }, answer, voice, decline),
    /** @param {Call} it @param {boolean} [voiceFirst] the camera is to stay off, unless the user says so */
    update: (it, voiceFirst = false) => {
      const other = context.store.busy();
      const waiting = other !== null && other.id !== it.id;
      voice.hidden = !it.media.video || waiting;
      const dark = voiceFirst && !voice.hidden;
      setLabel(answer, waiting ? s.ring.answerInstead : dark ? s.ring.answerVideo : s.ring.answer);
      setAttr(answer, "class", dark ? null : "go");
      setAttr(voice, "class", dark ? "go" : null);
      if (dark !== (voice.nextElementSibling === answer)) (dark ? answer : voice).before(dark ? voice : answer);
    },
  };
}

/** @param {Context} context @param {Call} call */
async function leave(context, call) {
  await context.session.decline(call.id);
  if (context.session.shown === call.id) context.go("/");
}

customElements.define("twocan-ring", RingElement);
