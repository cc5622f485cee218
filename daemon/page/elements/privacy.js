/**
 * What is open at the moment; what is stored and who sees what, as the daemon says it (so it is said in one place); and the way to
 * erase all of it.
 */
import { h, keyed, setText } from "../dom.js";
import { s } from "../strings.js";
import { button } from "./button.js";
import { dialog } from "./dialog.js";

/** @import {Context, Privacy} from "../types.js" */

export class PrivacyElement extends HTMLElement {
  #context;
  #shown = false;
  #now = h("ul", { class: "plain" });
  #never = h("ul", { class: "plain" });
  #outsiders = h("dl", { class: "told", "data-outsiders": true });
  #stored = h("dl", { class: "told", "data-stored": true });
  #told;
  /** @type {HTMLDialogElement} */
  #sure;

  /** @param {Context} context */
  constructor(context) {
    super();
    this.#context = context;
    this.#told = h(
      "div",
      { class: "privacy-grid", hidden: true },
      h("section", { class: "card" }, h("h2", {}, s.privacy.outsiders), this.#outsiders),
      h("section", { class: "card" }, h("h2", {}, s.privacy.stored), this.#stored),
      h("section", { class: "card" }, h("h2", {}, s.privacy.never), this.#never),
      this.#erasing(),
    );
    this.#sure = this.#question();
    this.append(
      h("h1", {}, s.privacy.heading),
      h("p", { class: "lead" }, s.privacy.lead),
      h("section", { class: "card" }, h("h2", {}, s.privacy.now), this.#now),
      this.#told,
      this.#sure,
    );
  }

  /** @param {boolean} shown */
  update(shown) {
    const arrived = shown && !this.#shown;
    this.#shown = shown;
    this.hidden = !shown;
    if (!shown) return;
    if (arrived) void this.#ask();
    const { contacts, door, invites, status } = this.#context.store;
    const lines = s.privacy.state({
      contacts: contacts.size,
      invites: invites.size,
      camera: this.#context.session.capture.on,
      quiet: status?.presence === "do_not_disturb",
      door: door.open,
      key: status?.key.store ?? null,
    });
    list(this.#now, lines);
  }

  async #ask() {
    try {
      this.#tell(await this.#context.api.privacy());
    } catch (error) {
      this.#context.fail(error);
    }
  }

  /** @param {Privacy} told */
  #tell({ stored, outsiders, never }) {
    this.#outsiders.replaceChildren(
      ...outsiders.flatMap(({ who, sees, hidden }) => [
        h("dt", {}, s.privacy.title(who)),
        h("dd", {}, h("p", {}, s.privacy.sees(sees)), h("p", { class: "help" }, s.privacy.hidden(hidden))),
      ]),
    );
    this.#stored.replaceChildren(
      ...stored.flatMap(({ what, count, place, protection, until }) => [
        h("dt", {}, s.privacy.title(what), count === null ? null : h("span", { class: "count" }, s.privacy.count(count))),
        h("dd", {}, h("p", {}, s.privacy.kept(place, protection)), h("p", { class: "help" }, s.privacy.until(until))),
      ]),
    );
    list(this.#never, never.map(s.privacy.title));
    this.#told.hidden = false;
  }

  #erasing() {
    const { heading, help, open } = s.privacy.erase;
    const act = button("erase", open, () => this.#sure.showModal(), { kind: "danger", icon: "close" });
    return h("section", { class: "card" }, h("h2", {}, heading), h("p", { class: "help" }, help), h("div", { class: "acts" }, act));
  }

  #question() {
    const { sure, effect, yes, no } = s.privacy.erase;
    const acts = h(
      "div",
      { class: "acts" },
      button("erase-no", no, () => this.#sure.close(), { kind: "primary" }),
      button("erase-yes", yes, () => this.#erase(), { kind: "danger", icon: "close" }),
    );
    return dialog("erase-title", sure, h("p", {}, effect), acts);
  }

  async #erase() {
    try {
      await this.#context.api.erase();
      // What this browser keeps belongs to it.
      localStorage.clear();
      sessionStorage.clear();
      this.#context.store.notice({ id: "erased", ...s.privacy.erase.done });
    } catch (error) {
      this.#context.fail(error);
    }
    this.#sure.close();
  }
}

/** @param {HTMLElement} element @param {string[]} lines */
function list(element, lines) {
  const rows = lines.map((text, at) => ({ text, at }));
  keyed(element, rows, ({ at }) => String(at), () => h("li"), (row, { text }) => setText(row, text));
}

customElements.define("twocan-privacy", PrivacyElement);
