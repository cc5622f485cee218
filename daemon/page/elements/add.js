/** The paste box: what somebody sent goes to the daemon as it came, and the daemon finds the link in it. */
import { Problem } from "../api.js";
import { h, setText } from "../dom.js";
import { s } from "../strings.js";
import { button, isDisabled, setDisabled, setLabel } from "./button.js";

/** @import {Context} from "../types.js" */

export class AddElement extends HTMLElement {
  #context;
  #box = h("textarea", {
    id: "paste",
    rows: 2,
    placeholder: s.add.placeholder,
    autocomplete: "off",
    autocapitalize: "off",
    spellcheck: "false",
    "data-paste": true,
    "aria-describedby": "paste-status",
  });
  #title = h("strong");
  #detail = h("span");
  #status = h("p", { role: "status", class: "status", id: "paste-status" }, this.#title, " ", this.#detail);
  #add;

  /** @param {Context} context */
  constructor(context) {
    super();
    this.#context = context;
    this.className = "card";
    this.#add = button("add", s.add.add, () => this.#send(), { kind: "primary" });
    // Enter adds, as in any one-field form; a link never holds a line break that matters.
    this.#box.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      void this.#send();
    });
    this.append(
      h("h2", {}, s.add.heading),
      h("label", { for: "paste", class: "help" }, s.add.label),
      this.#box,
      this.#add,
      this.#status,
    );
  }

  async #send() {
    if (isDisabled(this.#add)) return;
    const link = this.#box.value.trim();
    if (link === "") return this.#say("refused", s.add.empty, "");
    this.#working(true);
    try {
      if (link.toLowerCase().includes("twocan-reply:")) {
        await this.#context.api.takeReply(link);
        this.#box.value = "";
        return this.#say("replied", "", s.add.replied);
      }
      const contact = await this.#context.api.addContact(link);
      // The event stream may have told a later state already.
      if (!this.#context.store.contacts.has(contact.id)) this.#context.store.apply("contact", contact);
      this.#box.value = "";
      const pending = contact.state === "pending";
      this.#say(contact.state, "", pending ? s.add.pending(contact.name) : s.add.added(contact.name));
    } catch (error) {
      if (error instanceof Problem) this.#say("refused", error.title, error.detail);
      else this.#context.fail(error);
    } finally {
      this.#working(false);
    }
  }

  /** @param {boolean} on */
  #working(on) {
    setDisabled(this.#add, on);
    setLabel(this.#add, on ? s.add.adding : s.add.add);
  }

  /** @param {string} outcome @param {string} title @param {string} detail */
  #say(outcome, title, detail) {
    this.dataset["outcome"] = outcome;
    setText(this.#title, title);
    setText(this.#detail, detail);
  }
}

customElements.define("twocan-add", AddElement);
