/** The top line of a call under way: with whom, for how long, and over what kind of path. */
import { clock, since } from "../clock.js";
import { h, setAttr, setText } from "../dom.js";
import { s } from "../strings.js";

/** @import {Call, Context, Path} from "../types.js" */

/** The path's round trip is asked for this often, while somebody looks. */
const PATH_MS = 5000;

export class TopElement extends HTMLElement {
  #context;
  /** @type {Call|null} */
  #call = null;
  #name = h("span", { class: "top-name", dir: "auto" });
  #time = h("span", { class: "top-time", role: "timer", "data-timer": true });
  #word = h("summary");
  #help = h("p");
  #badge = h("details", { class: "badge", "data-badge": true }, this.#word, this.#help);
  #asked = 0;

  /** @param {Context} context */
  constructor(context) {
    super();
    this.#context = context;
    this.append(this.#name, this.#time, this.#badge);
    setInterval(() => this.#tick(), 1000);
  }

  /** @param {Call|null} call an active one */
  update(call) {
    this.hidden = call === null;
    this.#call = call;
    if (!call) return;
    setText(this.#name, call.peer.name);
    setText(this.#time, clock(since(call.id)));
    const contact = call.contact ? this.#context.store.contacts.get(call.contact) : undefined;
    this.#drawPath(contact?.path ?? null);
  }

  /** @param {Path|null} path */
  #drawPath(path) {
    this.#badge.hidden = path === null;
    setAttr(this.#badge, "data-path", path?.kind ?? null);
    if (!path) return;
    setText(this.#word, s.call.badge(path));
    setText(this.#help, s.badge[path.kind].help);
  }

  #tick() {
    if (!this.#call) return;
    setText(this.#time, clock(since(this.#call.id)));
    if (document.hidden || this.#call.contact === null || performance.now() - this.#asked < PATH_MS) return;
    this.#asked = performance.now();
    void this.#ask(this.#call.contact);
  }

  /** @param {string} id */
  async #ask(id) {
    const { api, store } = this.#context;
    try {
      store.apply("contact", await api.contact(id));
    } catch {
      // The badge keeps what it shows; the event stream tells when something is wrong.
    }
  }
}

customElements.define("twocan-top", TopElement);
