/** One contact in a dialog: the name, the safety words, a look at oneself before the call, and the way out. */
import { h, setText } from "../dom.js";
import { look } from "../start.js";
import { s } from "../strings.js";
import { button, isDisabled, setDisabled, setLabel } from "./button.js";
import { dialog } from "./dialog.js";

/** @import {Contact, Context} from "../types.js" */

export class PersonElement extends HTMLElement {
  #context;
  /** @type {string|null} */
  #id = null;
  #title = h("span", { dir: "auto" });
  #input = h("input", { id: "petname", maxlength: 64, autocomplete: "off", dir: "auto", required: true });
  #trust = h("p", { class: "trust" });
  #words;
  #look;
  #block;
  #blockHelp = h("p", { class: "help" }, s.person.blockHelp);
  #oneClick = h("input", { type: "checkbox", id: "person-one-click" });
  #oneClickPart = h("section", { class: "part switches" });
  #relay = h("input", { type: "checkbox", id: "person-relay" });
  #relayOnly = h("input", { type: "checkbox", id: "person-relay-only" });
  #introduces = h("input", { type: "checkbox", id: "person-introduces" });
  #reach = h("details", { class: "part", hidden: true });
  #remove;
  #sure;
  #dialog;

  /** @param {Context} context */
  constructor(context) {
    super();
    this.#context = context;
    this.#words = button("words-open", s.words.compare, () => this.#compare(), { icon: "words", kind: "primary" });
    this.#look = button("look", s.person.look, () => this.#lookFirst(), { icon: "camera" });
    this.#block = button("block", s.person.block, () => this.#toggleBlock());
    this.#remove = button("person-remove", s.person.remove, () => this.#ask(true), { kind: "quiet" });
    this.#sure = h(
      "div",
      { class: "sure", hidden: true },
      h("p", {}, s.person.sure),
      h(
        "div",
        { class: "acts" },
        button("person-remove-yes", s.person.remove, () => this.#delete(), { kind: "danger" }),
        button("person-remove-no", s.person.keep, () => this.#ask(false)),
      ),
    );
    this.#dialog = dialog("person-title", this.#title, this.#form(), this.#safety(), this.#drawOneClick(), this.#drawReach(), this.#ways());
    this.append(this.#dialog);
  }

  /** @param {string} id of the contact */
  open(id) {
    this.#id = id;
    this.#sure.hidden = true;
    this.#remove.hidden = false;
    this.#reach.open = false;
    this.#input.value = this.#contact?.name ?? "";
    this.update();
    this.#dialog.showModal();
  }

  /** @returns {Contact|undefined} */
  get #contact() {
    return this.#id === null ? undefined : this.#context.store.contacts.get(this.#id);
  }

  update() {
    const contact = this.#contact;
    if (!contact) {
      this.#dialog.close();
      return;
    }
    setText(this.#title, contact.name);
    setText(this.#trust, contact.verified ? s.person.verified : s.person.unverified);
    this.#trust.dataset["verified"] = String(contact.verified);
    setLabel(this.#words, contact.verified ? s.words.again : s.words.compare);
    const green = contact.reachable === "yes";
    setDisabled(this.#words, !green);
    setDisabled(this.#look, this.#context.store.busy() !== null);
    const blocks = "blocked" in contact;
    this.#block.hidden = !blocks;
    this.#blockHelp.hidden = !blocks;
    this.#oneClickPart.hidden = !("one_click" in contact);
    this.#oneClick.checked = contact.one_click ?? false;
    this.#reach.hidden = !("relay" in contact);
    this.#introduces.checked = contact.introduces ?? false;
    this.#relay.checked = contact.relay ?? false;
    this.#relayOnly.checked = contact.relay_only ?? false;
    setLabel(this.#block, contact.blocked ? s.person.unblock : s.person.block);
  }

  #form() {
    return h(
      "form",
      { class: "field", onsubmit: (event) => this.#rename(event) },
      h("label", { for: "petname" }, s.person.name),
      h(
        "div",
        { class: "with-button" },
        this.#input,
        h("button", { type: "submit", "data-act": "petname-save" }, h("span", {}, s.me.save)),
      ),
    );
  }

  #safety() {
    return h("section", { class: "part" }, h("h3", {}, s.words.heading), this.#trust, h("div", { class: "acts" }, this.#words));
  }

  #drawOneClick() {
    this.#oneClick.onchange = () => void this.#answerBy(this.#oneClick.checked);
    this.#oneClickPart.append(...labelled(this.#oneClick, s.person.oneClick, s.person.oneClickHelp));
    return this.#oneClickPart;
  }

  /** What most people never need: it is folded away. */
  #drawReach() {
    this.#introduces.onchange = () => void this.#name(this.#introduces.checked);
    this.#relay.onchange = () => void this.#mark({ relay: this.#relay.checked });
    this.#relayOnly.onchange = () => void this.#mark({ relay_only: this.#relayOnly.checked });
    this.#reach.append(
      h("summary", { "data-act": "person-reach" }, s.person.reach),
      h(
        "div",
        { class: "switches" },
        ...labelled(this.#introduces, s.person.introduces, s.person.introducesHelp),
        ...labelled(this.#relay, s.person.relay, s.person.relayHelp),
        ...labelled(this.#relayOnly, s.person.relayOnly, s.person.relayOnlyHelp),
      ),
    );
    return this.#reach;
  }

  #ways() {
    return h(
      "section",
      { class: "part" },
      h("div", { class: "acts" }, this.#look, this.#block, this.#remove),
      this.#blockHelp,
      this.#sure,
    );
  }

  /** @param {SubmitEvent} event */
  async #rename(event) {
    event.preventDefault();
    const { api, store } = this.#context;
    await this.#try(async () => {
      if (this.#id === null) return;
      store.apply("contact", await api.renameContact(this.#id, this.#input.value.trim()));
      this.#dialog.close();
    });
  }

  #compare() {
    if (this.#id === null || isDisabled(this.#words)) return;
    this.#dialog.close();
    this.#context.dialogs.words(this.#id);
  }

  #lookFirst() {
    if (this.#id === null || isDisabled(this.#look)) return;
    this.#dialog.close();
    look(this.#context, this.#id, { audio: true, video: true });
  }

  /** @param {{relay?: boolean, relay_only?: boolean}} marks */
  async #mark(marks) {
    const { api, store } = this.#context;
    const contact = this.#contact;
    if (contact) await this.#try(async () => store.apply("contact", await api.setRelays(contact.id, marks)));
  }

  /** @param {boolean} introduces */
  async #name(introduces) {
    const { api, store } = this.#context;
    const contact = this.#contact;
    if (contact) await this.#try(async () => store.apply("contact", await api.nameIntroducer(contact.id, introduces)));
  }

  /** @param {boolean} oneClick */
  async #answerBy(oneClick) {
    const { api, store } = this.#context;
    const contact = this.#contact;
    if (contact) await this.#try(async () => store.apply("contact", await api.setOneClick(contact.id, oneClick)));
  }

  async #toggleBlock() {
    const { api, store } = this.#context;
    const contact = this.#contact;
    if (contact) await this.#try(async () => store.apply("contact", await api.blockContact(contact.id, !contact.blocked)));
  }

  /** @param {boolean} on */
  #ask(on) {
    this.#sure.hidden = !on;
    this.#remove.hidden = on;
    if (on) this.#sure.querySelector("button")?.focus();
    else this.#remove.focus();
  }

  async #delete() {
    await this.#try(async () => {
      if (this.#id !== null) await this.#context.api.deleteContact(this.#id);
      this.#dialog.close();
    });
  }

  /** @param {() => Promise<unknown>} act */
  async #try(act) {
    try {
      await act();
    } catch (error) {
      // The notice lies under the dialog.
      this.#dialog.close();
      this.#context.fail(error);
    }
  }
}

/** @param {HTMLElement} input @param {string} label @param {string} help */
function labelled(input, label, help) {
  return [
    h("p", { class: "check" }, input, h("label", { for: input.id }, label)),
    h("p", { class: "help under" }, help),
  ];
}

customElements.define("twocan-person", PersonElement);
