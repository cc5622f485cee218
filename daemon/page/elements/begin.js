/** The first minute, while nobody is in the list: one's own name, a look at oneself, and a call to try everything with. */
import { h } from "../dom.js";
import { s } from "../strings.js";
import { button } from "./button.js";
import { PickersElement } from "./pickers.js";
import { PreviewElement } from "./preview.js";
import { TestCallElement } from "./test-call.js";

/** @import {Context, Status} from "../types.js" */

export class BeginElement extends HTMLElement {
  #context;
  #name = h("input", { id: "begin-name", maxlength: 64, autocomplete: "name", dir: "auto", required: true });
  #saved = h("p", { class: "status", role: "status" });
  #preview;
  #pickers;
  #look;
  #close;
  #test;

  /** @param {Context} context */
  constructor(context) {
    super();
    this.#context = context;
    this.className = "card";
    this.#preview = new PreviewElement(context);
    this.#pickers = new PickersElement(context);
    this.#test = new TestCallElement(context);
    const { session } = context;
    this.#look = button("begin-look", s.begin.look, () => session.join("", { audio: true, video: true }), { icon: "camera", kind: "primary" });
    this.#close = button("begin-close", s.begin.close, () => session.unjoin(), { kind: "quiet" });
    this.append(
      h("h2", {}, s.begin.heading),
      h(
        "form",
        { class: "field", onsubmit: (event) => this.#save(event) },
        h("label", { for: "begin-name" }, s.me.label),
        h("div", { class: "with-button" }, this.#name, h("button", { type: "submit", "data-act": "begin-save" }, h("span", {}, s.me.save))),
        this.#saved,
      ),
      this.#preview,
      this.#pickers,
      h("div", { class: "acts" }, this.#look, this.#close, this.#test),
      h("p", { class: "help" }, s.begin.testHelp),
    );
  }

  /** @param {Status} status @param {boolean} shown */
  update(status, shown) {
    const { capture } = this.#context.session;
    if (document.activeElement !== this.#name) this.#name.value = status.person.name;
    const on = shown && (capture.on || capture.opening);
    this.hidden = !shown;
    this.#preview.hidden = !on;
    this.#pickers.hidden = !on;
    this.#pickers.update(on);
    if (on) this.#preview.update();
    this.#look.hidden = on;
    this.#close.hidden = !on;
    this.#test.update();
  }

  /** @param {SubmitEvent} event */
  async #save(event) {
    event.preventDefault();
    const { api, store, fail } = this.#context;
    try {
      store.apply("me", await api.rename(this.#name.value.trim()));
      this.#saved.textContent = s.settings.saved;
    } catch (error) {
      fail(error);
    }
  }
}

customElements.define("twocan-begin", BeginElement);
