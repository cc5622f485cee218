/** A screen that is one message: the daemon is away, this browser is not known, or everything is still being asked for. */
import { h, setText } from "../dom.js";
import { s } from "../strings.js";

export class MessageElement extends HTMLElement {
  #title = h("h1");
  #detail = h("p");
  #command = h("code", { tabindex: 0 });
  #after = h("p", { class: "help" });

  constructor() {
    super();
    this.append(this.#title, this.#detail, this.#command, this.#after);
  }

  /** @param {"loading"|"locked"|"offline"} screen */
  update(screen) {
    const text = screen === "loading" ? { title: s.loading, detail: "", command: "", after: "" } : s[screen];
    setText(this.#title, text.title);
    setText(this.#detail, text.detail);
    setText(this.#command, text.command);
    setText(this.#after, text.after);
    this.#command.hidden = text.command === "";
  }
}

customElements.define("twocan-message", MessageElement);
