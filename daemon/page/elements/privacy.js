/** What is stored, what is open at the moment, and who sees what. */
import { h, keyed, setText } from "../dom.js";
import { s } from "../strings.js";

/** @import {Context} from "../types.js" */

export class PrivacyElement extends HTMLElement {
  #context;
  #now = h("ul", { class: "plain" });

  /** @param {Context} context */
  constructor(context) {
    super();
    this.#context = context;
    this.append(h("h1", {}, s.privacy.heading), h("p", { class: "lead" }, s.privacy.lead));
    const grid = h("div", { class: "privacy-grid" });
    grid.append(h("section", { class: "card" }, h("h2", {}, s.privacy.now), this.#now));
    for (const { title, points } of s.privacy.parts) {
      const list = h("ul", { class: "plain" }, ...points.map((point) => h("li", {}, point)));
      grid.append(h("section", { class: "card" }, h("h2", {}, title), list));
    }
    this.append(grid);
  }

  /** @param {boolean} shown */
  update(shown) {
    this.hidden = !shown;
    if (!shown) return;
    const { contacts, door, invites, status } = this.#context.store;
    const { capture } = this.#context.session;
    const lines = s.privacy.state({
      contacts: contacts.size,
      invites: invites.size,
      camera: capture.on,
      quiet: status?.presence === "do_not_disturb",
      door: door.open,
    });
    keyed(this.#now, lines.map((text, at) => ({ text, at })), ({ at }) => String(at), () => h("li"), (row, { text }) => setText(row, text));
  }
}

customElements.define("twocan-privacy", PrivacyElement);
