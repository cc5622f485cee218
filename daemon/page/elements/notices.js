/** Standing warnings of the daemon, and facts that are told until the user puts them away. */
import { h, keyed, setText } from "../dom.js";
import { icon } from "../icons.js";
import { s } from "../strings.js";
import { button } from "./button.js";

/** @import {Context} from "../types.js" */
/** @import {Notice} from "../store.js" */

export class NoticesElement extends HTMLElement {
  #context;

  /** @param {Context} context */
  constructor(context) {
    super();
    this.#context = context;
    this.setAttribute("role", "status");
  }

  update() {
    const notices = [...this.#context.store.notices.values()];
    keyed(this, notices, (notice) => notice.id, (notice) => this.#row(notice), updateRow);
    this.hidden = notices.length === 0;
  }

  /** @param {Notice} notice */
  #row(notice) {
    return h(
      "div",
      { class: "notice", "data-notice": notice.id },
      icon("note"),
      h("p", {}, h("strong", { dir: "auto" }), " ", h("span", { dir: "auto" })),
      button("dismiss", "", () => this.#context.store.dismiss(notice.id), {
        icon: "close",
        kind: "quiet",
        help: s.notes.dismiss,
      }),
    );
  }
}

/** The daemon's standing warnings, on the home screen. */
export class WarningsElement extends HTMLElement {
  #heading = h("h2", {}, s.notes.heading);
  #list = h("ul");

  constructor() {
    super();
    this.append(this.#heading, this.#list);
  }

  /** @param {import("../types.js").Why[]} warnings */
  update(warnings) {
    this.hidden = warnings.length === 0;
    keyed(
      this.#list,
      warnings,
      (warning) => warning.code,
      (warning) => h("li", { "data-warning": warning.code }, h("strong", { dir: "auto" }), " ", h("span", { dir: "auto" })),
      (row, warning) => fill(row, warning.text, warning.fix),
    );
  }
}

/** @param {HTMLElement} row @param {Notice} notice */
function updateRow(row, notice) {
  fill(row, notice.title, notice.detail);
}

/** @param {HTMLElement} row @param {string} title @param {string} detail */
function fill(row, title, detail) {
  const strong = row.querySelector("strong");
  const span = row.querySelector("p span, :scope > span");
  if (strong) setText(strong, title);
  if (span) setText(span, detail);
}

customElements.define("twocan-notices", NoticesElement);
customElements.define("twocan-warnings", WarningsElement);
