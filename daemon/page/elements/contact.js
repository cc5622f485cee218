/** One row of the list of people: dot, name, what the dot means, and the two ways to call. */
import { h, setText } from "../dom.js";
import { dot, icon } from "../icons.js";
import { start } from "../start.js";
import { s } from "../strings.js";
import { button, isDisabled, setDisabled } from "./button.js";

/** @import {Contact, Context} from "../types.js" */

export class ContactElement extends HTMLElement {
  #context;
  /** @type {Contact} */
  #contact;
  #dot = h("span", { class: "dot-box" });
  #name = h("span", { class: "name", dir: "auto" });
  #tag = h("span", { class: "tag", title: s.people.unverifiedHelp }, s.people.unverified);
  #checked = h("span", { class: "tag verified", title: s.people.verifiedHelp }, icon("check"), s.people.verified);
  #word = h("strong");
  #alarm = h("p", { class: "alarm", role: "alert", hidden: true }, icon("note"), h("span"));
  #compare;
  #why = h("span", { class: "why" });
  #fix = h("p", { class: "fix" });
  #replyHelp = h("p", { class: "help" });
  #replyText = h("textarea", { rows: 3, readonly: true, spellcheck: "false", "data-reply": true });
  #reply = h("details", { class: "reply", hidden: true }, h("summary", {}, s.people.nothingHappens), this.#replyHelp, this.#replyText);
  #video;
  #voice;
  #keep;
  #remove;
  #more;

  /** @param {Context} context @param {Contact} contact */
  constructor(context, contact) {
    super();
    this.#context = context;
    this.#contact = contact;
    const why = `why-${contact.id}`;
    this.#video = button("call-video", s.people.video, () => this.#call(true), { icon: "camera", kind: "primary" });
    this.#voice = button("call-voice", s.people.voice, () => this.#call(false), { icon: "phone" });
    for (const each of [this.#video, this.#voice]) each.setAttribute("aria-describedby", why);
    this.#keep = button("contact-keep", s.people.keep, () => this.#settle(true), { kind: "primary" });
    this.#remove = button("contact-remove", s.people.remove, () => this.#settle(false));
    this.#more = button("more", "", () => context.dialogs.person(this.#contact.id), { icon: "more", kind: "quiet" });
    this.#compare = button("words-waiting", s.words.waiting, () => context.dialogs.words(this.#contact.id), { icon: "words" });
    this.append(
      this.#dot,
      h(
        "div",
        { class: "who" },
        h("p", { class: "name-line" }, this.#name, this.#checked, this.#tag),
        h("p", { id: why, class: "state" }, this.#word, this.#why),
        this.#fix,
        this.#reply,
        this.#alarm,
        this.#compare,
      ),
      h("div", { class: "acts" }, this.#keep, this.#remove, this.#video, this.#voice, this.#more),
    );
  }

  connectedCallback() {
    this.setAttribute("role", "listitem");
  }

  /** @param {Contact} contact @param {boolean} busy whether a call is on */
  update(contact, busy) {
    if (this.#dot.childElementCount === 0 || contact.reachable !== this.dataset["reachable"]) {
      this.#dot.replaceChildren(dot(contact.reachable));
    }
    this.#contact = contact;
    this.dataset["contact"] = contact.id;
    this.dataset["reachable"] = contact.reachable;
    this.dataset["state"] = contact.state;
    setText(this.#name, contact.name);
    this.#checked.hidden = !contact.verified;
    this.#tag.hidden = contact.verified || contact.state !== "accepted";
    setText(this.#word, wordOf(contact));
    setText(this.#why, busy && contact.reachable === "yes" ? s.people.inCall : reasonOf(contact));
    setText(this.#fix, contact.why?.fix ?? "");
    this.#fix.hidden = this.#fix.textContent === "";
    this.#drawAlarm(contact);
    this.#drawReply(contact);
    this.#buttons(contact, busy);
  }

  /** @param {Contact} contact */
  #drawAlarm({ alarm, safety }) {
    this.#alarm.hidden = !alarm;
    const text = this.#alarm.querySelector("span");
    if (alarm && text) setText(text, `${alarm.text} ${alarm.fix}`);
    this.#compare.hidden = safety?.state !== "compare";
  }

  /** @param {Contact} contact */
  #drawReply({ name, reply }) {
    this.#reply.hidden = !reply;
    setText(this.#replyHelp, s.people.replyHelp(name));
    this.#replyText.setAttribute("aria-label", s.people.replyHelp(name));
    if (this.#replyText.value !== (reply ?? "")) this.#replyText.value = reply ?? "";
  }

  /** @param {Contact} contact @param {boolean} busy */
  #buttons(contact, busy) {
    const accepted = contact.state === "accepted";
    this.#video.setAttribute("aria-label", s.people.videoTo(contact.name));
    this.#voice.setAttribute("aria-label", s.people.voiceTo(contact.name));
    this.#remove.setAttribute("aria-label", s.people.removeOf(contact.name));
    this.#more.setAttribute("aria-label", s.people.more(contact.name));
    this.#more.hidden = !accepted;
    this.#video.hidden = !accepted;
    this.#voice.hidden = !accepted;
    this.#keep.hidden = contact.state !== "contested";
    this.#remove.hidden = accepted;
    for (const each of [this.#video, this.#voice]) setDisabled(each, busy || contact.reachable !== "yes");
  }

  /** @param {boolean} video */
  async #call(video) {
    if (isDisabled(this.#video)) return;
    await start(this.#context, this.#contact.id, { audio: true, video });
  }

  /** @param {boolean} keep */
  async #settle(keep) {
    const { api } = this.#context;
    try {
      await (keep ? api.keepContact(this.#contact.id) : api.deleteContact(this.#contact.id));
    } catch (error) {
      this.#context.fail(error);
    }
  }
}

/** @param {Contact} contact */
function wordOf(contact) {
  switch (contact.state) {
    case "pending":
      return s.people.pending;
    case "contested":
      return s.people.contested;
    case "accepted":
      if (contact.blocked) return s.people.blocked;
      return s.people.reachable[contact.reachable];
  }
}

/** @param {Contact} contact */
function reasonOf(contact) {
  if (contact.why) return contact.why.text;
  return contact.path ? s.people.path(contact.path) : "";
}

customElements.define("twocan-contact", ContactElement);
