/** A call that goes on while another screen is shown. */
import { h, setText } from "../dom.js";
import { s } from "../strings.js";
import { button } from "./button.js";

/** @import {Call, Context} from "../types.js" */

export class BarElement extends HTMLElement {
  /** @type {Call|null} */
  #call = null;
  #text = h("p", { dir: "auto" });

  /** @param {Context} context */
  constructor(context) {
    super();
    this.append(
      this.#text,
      button("open-call", s.bar.open, () => this.#call && context.go(`/call/${this.#call.id}`), { kind: "primary" }),
      button("bar-hangup", s.bar.hangUp, () => this.#call && context.session.hangUp(this.#call.id).catch(context.fail), {
        kind: "danger",
        icon: "hangUp",
      }),
    );
  }

  /** @param {Call|null} call */
  update(call) {
    this.hidden = call === null;
    this.#call = call;
    if (call) setText(this.#text, call.state === "active" ? s.bar.active(call.peer.name) : s.bar.calling(call.peer.name));
  }
}

customElements.define("twocan-bar", BarElement);
