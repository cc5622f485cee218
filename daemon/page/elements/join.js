/** Before a call: how one looks and sounds, which devices are used, and then the call. */
import { h, setText } from "../dom.js";
import { s } from "../strings.js";
import { place } from "../start.js";
import { button, isDisabled, setDisabled } from "./button.js";
import { PickersElement } from "./pickers.js";
import { PreviewElement } from "./preview.js";

/** @import {Contact, Context} from "../types.js" */

export class JoinElement extends HTMLElement {
  #context;
  /** @type {Contact|null} */
  #contact = null;
  #title = h("h1", { dir: "auto" });
  #why = h("p", { class: "help", id: "join-why", dir: "auto" });
  #preview;
  #pickers;
  #open;
  #video;
  #voice;
  #first = h("input", { type: "checkbox", id: "look-first" });

  /** @param {Context} context */
  constructor(context) {
    super();
    this.#context = context;
    this.#preview = new PreviewElement(context);
    this.#pickers = new PickersElement(context);
    this.#open = button("join-open", s.join.open, () => this.#look(), { icon: "camera", kind: "primary" });
    this.#video = button("join-video", s.people.video, () => this.#call(true), { icon: "camera", kind: "go" });
    this.#voice = button("join-voice", s.people.voice, () => this.#call(false), { icon: "phone" });
    for (const each of [this.#video, this.#voice]) each.setAttribute("aria-describedby", "join-why");
    const { devices } = context;
    this.#first.addEventListener("change", () => devices.setLookFirst(this.#first.checked));
    const check = h("p", { class: "check" }, this.#first, h("label", { for: "look-first" }, s.join.first));
    const back = button("join-back", s.join.back, () => context.go("/"), { kind: "quiet" });
    this.append(
      this.#preview,
      h(
        "div",
        { class: "join-side" },
        this.#title,
        h("p", { class: "help" }, s.join.help),
        this.#open,
        h("div", { class: "acts" }, this.#video, this.#voice),
        this.#why,
        this.#pickers,
      ),
      h("div", { class: "join-foot" }, check, back),
    );
  }

  /** @param {Contact|null} contact null when another screen is shown */
  update(contact) {
    this.hidden = contact === null;
    this.#contact = contact;
    this.#pickers.update(contact !== null);
    if (!contact) return;
    const { session, store, devices } = this.#context;
    setText(this.#title, s.join.title(contact.name));
    this.#preview.update();
    const { capture } = session;
    this.#open.hidden = capture.on || capture.opening;
    const busy = store.busy() !== null;
    const able = contact.reachable === "yes" && contact.state === "accepted" && !busy;
    for (const each of [this.#video, this.#voice]) setDisabled(each, !able);
    setText(this.#why, busy ? s.people.inCall : contact.why ? `${contact.why.text} ${contact.why.fix}` : "");
    this.#first.checked = devices.lookFirst;
  }

  #look() {
    if (this.#contact) void this.#context.session.join(this.#contact.id, { audio: true, video: true });
  }

  /** @param {boolean} video */
  async #call(video) {
    if (!this.#contact || isDisabled(this.#video)) return;
    const { capture } = this.#context.session;
    if (!video) void capture.setCamera(false);
    // Who switched the camera off on the preview calls with it off, and may turn it on later.
    const dark = capture.dark;
    await place(this.#context, this.#contact.id, { audio: true, video }, dark);
  }
}

customElements.define("twocan-join", JoinElement);
