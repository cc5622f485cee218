/** One's own name, and changing it. */
import { h, setText } from "../dom.js";
import { s } from "../strings.js";
import { button } from "./button.js";

/** @import {Context, Status} from "../types.js" */

export class MeElement extends HTMLElement {
  #context;
  #name = h("h1", { dir: "auto", "data-me": true });
  #input = h("input", { id: "my-name", maxlength: 64, autocomplete: "name", dir: "auto", required: true });
  #shown;
  #form;
  #quiet;

  /** @param {Context} context */
  constructor(context) {
    super();
    this.#context = context;
    this.#shown = h("div", { class: "me-line" }, this.#name, button("rename", s.me.change, () => this.#edit(true), { kind: "quiet" }));
    this.#form = h(
      "form",
      { hidden: true, onsubmit: (event) => this.#save(event) },
      h("label", { for: "my-name" }, s.me.label),
      h(
        "div",
        { class: "me-line" },
        this.#input,
        h("button", { type: "submit", class: "primary", "data-act": "rename-save" }, h("span", {}, s.me.save)),
        button("rename-cancel", s.me.cancel, () => this.#edit(false), { kind: "quiet" }),
      ),
    );
    this.#quiet = h(
      "p",
      { class: "quiet-line", "data-quiet-on": true },
      h("strong", {}, s.me.quiet),
      " ",
      h("span", {}, s.me.quietHelp),
      button("ring-again", s.me.ringAgain, () => this.#ringAgain()),
    );
    this.append(this.#shown, this.#form, this.#quiet);
  }

  /** @param {Status} status */
  update(status) {
    setText(this.#name, s.me.you(status.person.name));
    this.#quiet.hidden = status.presence !== "do_not_disturb";
    if (this.#form.hidden) this.#input.value = status.person.name;
  }

  /** @param {boolean} on */
  #edit(on) {
    this.#form.hidden = !on;
    this.#shown.hidden = on;
    if (on) this.#input.select();
    else this.#shown.querySelector("button")?.focus();
  }

  async #ringAgain() {
    const { api, store, fail } = this.#context;
    try {
      store.apply("me", await api.changeMe({ presence: "available" }));
    } catch (error) {
      fail(error);
    }
  }

  /** @param {SubmitEvent} event */
  async #save(event) {
    event.preventDefault();
    const { api, store, fail } = this.#context;
    try {
      store.apply("me", await api.rename(this.#input.value.trim()));
      this.#edit(false);
    } catch (error) {
      fail(error);
    }
  }
}

customElements.define("twocan-me", MeElement);
