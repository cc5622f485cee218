/** The home screen: who can be called, how to be called, and what there is to know. */
import { h, keyed, setText } from "../dom.js";
import { icon } from "../icons.js";
import { start } from "../start.js";
import { s } from "../strings.js";
import { AddElement } from "./add.js";
import { BeginElement } from "./begin.js";
import { button } from "./button.js";
import { ContactElement } from "./contact.js";
import { DoorElement } from "./door.js";
import { InvitesElement } from "./invites.js";
import { MeElement } from "./me.js";
import { WarningsElement } from "./notices.js";

/** @import {Call, Contact, Context} from "../types.js" */

const byName = new Intl.Collator(undefined, { sensitivity: "base", numeric: true });

export class HomeElement extends HTMLElement {
  #context;
  #me;
  #begin;
  #warnings = new WarningsElement();
  #missed = h("div", { class: "missed", role: "list" });
  #people = h("div", { role: "list", class: "people" });
  #empty = h("ol", { class: "steps" }, ...s.people.steps.map((step) => h("li", {}, step)));
  #section;
  #columns = h("div", { class: "columns" });
  #add;
  #invites;
  #door;
  #narrow = matchMedia("(max-width: 60rem)");

  /** @param {Context} context */
  constructor(context) {
    super();
    this.#context = context;
    this.#me = new MeElement(context);
    this.#begin = new BeginElement(context);
    this.#invites = new InvitesElement(context);
    this.#add = new AddElement(context);
    this.#door = new DoorElement(context);
    this.#section = h("section", { class: "people-part", "aria-label": s.people.heading }, h("h2", {}, s.people.heading), this.#missed, this.#people, this.#empty);
    this.append(this.#me, this.#columns, this.#warnings);
    this.#narrow.addEventListener("change", () => this.#place());
  }

  /**
   * Nobody there yet: the two ways to begin come first, after oneself. On a small screen the way to be called stays on top of a list
   * of people that may be long. The order of the elements is the order in which they are seen and walked through.
   */
  #place() {
    const empty = this.dataset["empty"] === "true";
    const [people, invites, add] = [this.#section, this.#invites, this.#add];
    const begin = empty ? [this.#begin, invites, add, people] : this.#narrow.matches ? [invites, people, add] : [people, invites, add];
    const order = [...begin, this.#door];
    if (order.some((element, at) => this.#columns.children[at] !== element)) this.#columns.replaceChildren(...order);
  }

  update() {
    const { status, contacts, invites } = this.#context.store;
    if (!status) return;
    this.#me.update(status, contacts.size === 0);
    this.#begin.update(status, contacts.size === 0);
    this.#warnings.update(status.warnings);
    this.#missedCalls();
    this.#contacts([...contacts.values()]);
    this.#invites.update([...invites.values()]);
    this.#door.update(this.#context.store.door);
  }

  /** In the order of names, which does not move a row away from under the pointer. @param {Contact[]} contacts */
  #contacts(contacts) {
    const busy = this.#context.store.busy() !== null;
    contacts.sort((a, b) => byName.compare(a.name, b.name));
    this.#empty.hidden = contacts.length > 0;
    this.dataset["empty"] = String(contacts.length === 0);
    this.#place();
    keyed(
      this.#people,
      contacts,
      (contact) => contact.id,
      (contact) => new ContactElement(this.#context, contact),
      (row, contact) => row.update(contact, busy),
    );
  }

  #missedCalls() {
    const calls = this.#context.store.missed();
    this.#missed.hidden = calls.length === 0;
    keyed(this.#missed, calls, (call) => call.id, (call) => this.#missedRow(call), (row, call) => {
      const text = row.querySelector("p");
      if (text) setText(text, s.missed.text(call.peer.name));
      const back = row.querySelector("[data-act=call-back]");
      if (back instanceof HTMLElement) back.hidden = call.contact === null;
    });
  }

  /** @param {Call} call */
  #missedRow(call) {
    return h(
      "div",
      { class: "missed-row", role: "listitem", "data-missed": call.id },
      icon("phone"),
      h("p", { dir: "auto" }),
      button("call-back", s.missed.back, () => this.#callBack(call)),
      button("missed-dismiss", s.missed.dismiss, () => this.#see(call), { kind: "quiet" }),
    );
  }

  /** @param {Call} call */
  #see(call) {
    this.#context.store.see(call.id);
    this.#context.api.seeCall(call.id).catch(this.#context.fail);
  }

  /** @param {Call} call */
  async #callBack(call) {
    if (call.contact === null) return;
    this.#see(call);
    await start(this.#context, call.contact, call.media);
  }
}

customElements.define("twocan-home", HomeElement);
