/** The list of keys, in a dialog. */
import { h } from "../dom.js";
import { keysOn, setKeysOn } from "../keys.js";
import { s } from "../strings.js";
import { button } from "./button.js";

export class KeySheetElement extends HTMLElement {
  #toggle = h("input", { type: "checkbox", id: "keys-on" });
  /** @type {HTMLDialogElement} */
  #dialog;

  constructor() {
    super();
    const list = h("dl", {});
    for (const [keys = "", what = ""] of s.keys.list) {
      const caps = keys.split(" ").map((key) => h("kbd", {}, key));
      list.append(h("dt", {}, ...caps), h("dd", {}, what));
    }
    this.#toggle.addEventListener("change", () => setKeysOn(this.#toggle.checked));
    this.#dialog = h(
      "dialog",
      { "aria-labelledby": "keys-title" },
      h("h2", { id: "keys-title" }, s.keys.heading),
      list,
      h("p", { class: "check" }, this.#toggle, h("label", { for: "keys-on" }, s.keys.toggle)),
      button("keys-close", s.keys.close, () => this.#dialog.close(), { kind: "primary" }),
    );
    this.append(this.#dialog);
  }

  open() {
    this.#toggle.checked = keysOn();
    this.#dialog.showModal();
  }
}

customElements.define("twocan-keys", KeySheetElement);
