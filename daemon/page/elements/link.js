/**
 * A link that somebody sent and the user clicked: who made it, and what is to come of it. Nothing has happened until one
 * of the buttons is pressed; the link itself waits in the daemon, not in the address.
 */
import { Problem } from "../api.js";
import { h, setText } from "../dom.js";
import { s } from "../strings.js";
import { button, isDisabled, setDisabled } from "./button.js";

/** @import {Context, Paste} from "../types.js" */

export class LinkElement extends HTMLElement {
  #context;
  /** The link that is shown, or asked for. @type {string|null} */
  #id = null;
  /** @type {Paste|null} */
  #paste = null;
  #title = h("h1", { dir: "auto" });
  #detail = h("p", { dir: "auto" });
  #expiry = h("p", { class: "help" });
  #status = h("p", { role: "status", class: "status", dir: "auto" });
  #use;
  #leave;

  /** @param {Context} context */
  constructor(context) {
    super();
    this.#context = context;
    this.#use = button("link-use", "", () => this.#take(), { kind: "go" });
    this.#leave = button("link-leave", s.link.leave, () => context.go("/"), { kind: "quiet" });
    this.append(
      h("section", { class: "card" }, this.#title, this.#detail, this.#expiry, h("div", { class: "acts" }, this.#use, this.#leave), this.#status),
    );
  }

  /** @param {string|null} id null when another screen is shown */
  update(id) {
    this.hidden = id === null;
    if (id === this.#id) return;
    this.#id = id;
    this.#paste = null;
    this.#draw();
    if (id !== null) void this.#ask(id);
  }

  /** @param {string} id */
  async #ask(id) {
    try {
      const paste = await this.#context.api.paste(id);
      if (this.#id !== id) return;
      this.#paste = paste;
      this.#draw();
    } catch (error) {
      if (this.#id === id) this.#refuse(error);
    }
  }

  #draw() {
    const paste = this.#paste;
    const words = paste ? wordsOf(paste) : { title: s.link.asking, detail: "", use: "" };
    setText(this.#title, words.title);
    setText(this.#detail, words.detail);
    setText(this.#expiry, paste?.expires_at && !paste.why ? s.invite.expires(Date.parse(paste.expires_at) - Date.now()) : "");
    setText(this.#status, "");
    const text = this.#use.querySelector("span");
    if (text) setText(text, words.use);
    this.#use.hidden = words.use === "";
    setText(/** @type {HTMLElement} */ (this.#leave.querySelector("span")), paste && !paste.why ? s.link.leave : s.join.back);
    this.dataset["link"] = paste ? (paste.why ? "refused" : paste.kind) : "asking";
  }

  async #take() {
    const paste = this.#paste;
    if (!paste || isDisabled(this.#use)) return;
    setDisabled(this.#use, true);
    try {
      await this.#carryOut(paste);
    } catch (error) {
      this.#refuse(error);
    } finally {
      setDisabled(this.#use, false);
    }
  }

  /** @param {Paste} paste */
  async #carryOut(paste) {
    const { api, store, go } = this.#context;
    if (paste.kind === "reply") {
      await api.takeReply(paste.link);
      return go("/");
    }
    const contact = await api.addContact(paste.link);
    // The event stream may have told a later state already.
    if (!store.contacts.has(contact.id)) store.apply("contact", contact);
    go(`/join/${contact.id}`);
  }

  /** @param {unknown} error */
  #refuse(error) {
    if (!(error instanceof Problem)) return this.#context.fail(error);
    this.dataset["link"] = "refused";
    setText(this.#title, error.title);
    setText(this.#detail, error.detail);
    setText(this.#expiry, "");
    this.#use.hidden = true;
  }
}

/** @param {Paste} paste @returns {{title: string, detail: string, use: string}} `use` is empty where it cannot be used */
function wordsOf({ kind, name, contact, why }) {
  if (why) return { title: why.text, detail: why.fix, use: "" };
  if (kind === "reply") return s.link.reply;
  return contact === null ? s.link.invite(name ?? "") : s.link.known(name ?? "");
}

customElements.define("twocan-link", LinkElement);
