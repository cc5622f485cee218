/** One's own name, and changing it. */
import { h, setText } from "../dom.js";
import { s } from "../strings.js";
import { button } from "./button.js";

/** @import {Context, Status} from "../types.js" */

export class MeElement extends HTMLElement {
  #context;
  #name = h("h1", { dir: "auto", "data-me": true });
  #input = h("input", { id: "my-name", maxlength: 64, autocomplete: "name", dir: "auto", required: true });
  #rename;
  #shown;
  #form;
  #quiet;

  /** @param {Context} context */
  constructor(context) {
    super();
    this.#context = context;
    this.#rename = button("rename", s.me.change, () => this.#edit(true), { kind: "quiet" });
    this.#shown = h("div", { class: "me-line" }, this.#name, this.#rename);
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

  /** @param {Status} status @param {boolean} first whether nobody is in the list, and the name is asked for below */
  update(status, first) {
    setText(this.#name, first ? s.begin.welcome : s.me.you(status.person.name));
    this.#rename.hidden = first;
    if (first) this.#edit(false);
    this.#quiet.hidden = status.presence !== "do_not_disturb";
    if (this.#form.hidden) this.#input.value = status.person.name;
  }

  /** @param {boolean} on */
  #edit(on) {
    if (this.#form.hidden === !on) return;
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
