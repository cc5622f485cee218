/** A call whose picture and sound another tab or program carries. */
import { h, setText } from "../dom.js";
import { s } from "../strings.js";
import { button } from "./button.js";

/** @import {Call, Context} from "../types.js" */

export class ElsewhereElement extends HTMLElement {
  /** @type {Call|null} */
  #call = null;
  #title = h("h1", { dir: "auto" });

  /** @param {Context} context */
  constructor(context) {
    super();
    const { session, go, fail } = context;
    this.append(
      this.#title,
      h("p", {}, s.elsewhere.detail),
      h(
        "div",
        { class: "acts" },
        button("take-over", s.elsewhere.take, () => this.#call && session.takeOver(this.#call), { kind: "primary" }),
        button("hangup-elsewhere", s.bar.hangUp, () => this.#call && session.hangUp(this.#call.id).catch(fail), {
          kind: "danger",
          icon: "hangUp",
        }),
        button("elsewhere-close", s.ended.close, () => go("/"), { kind: "quiet" }),
      ),
    );
  }

  /** @param {boolean} shown @param {Call|null} call */
  update(shown, call) {
    this.hidden = !shown;
    this.#call = call;
    if (call) setText(this.#title, s.elsewhere.title(call.peer.name));
  }
}

customElements.define("twocan-elsewhere", ElsewhereElement);
