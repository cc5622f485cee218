/**
 * The door: lets people who know nothing but this computer's address ring, for a time; and calling such an address.
 * How long it stays open is the daemon's to say; the page only counts down.
 */
import { clock } from "../clock.js";
import { h, keyed, setText } from "../dom.js";
import { startAt } from "../start.js";
import { s } from "../strings.js";
import { button, isDisabled, setDisabled } from "./button.js";

/** @import {Context, Door} from "../types.js" */

/** What can be chosen, in seconds; the first is what it is unless chosen otherwise. */
const TIMES = [600, 1800, 3600];

export class DoorElement extends HTMLElement {
  #context;
  /** @type {Door|null} */
  #door = null;
  /** When it closes, by this page's own clock. */
  #closesAt = 0;
  #seconds = h("select", { id: "door-time" }, ...TIMES.map((seconds) => h("option", { value: seconds }, s.door.minutes(seconds / 60))));
  #shut;
  #left = h("strong", { role: "timer", "data-door-left": true });
  #addresses = h("ul", { class: "addresses" });
  #why = h("p", { class: "help", "data-door-why": true });
  #status = h("p", { class: "status", role: "status" });
  #open;
  #address = h("input", {
    id: "address",
    "data-address": true,
    autocomplete: "off",
    autocapitalize: "off",
    spellcheck: "false",
    inputmode: "url",
    maxlength: 64,
    placeholder: s.door.placeholder,
    dir: "ltr",
  });
  #video;
  #voice;
  #busy = h("p", { class: "help", id: "address-why" });

  /** @param {Context} context */
  constructor(context) {
    super();
    this.#context = context;
    this.className = "card";
    this.#shut = h(
      "div",
      { class: "door-shut" },
      h("p", { class: "help" }, s.door.help),
      h(
        "div",
        { class: "acts" },
        button("door-open", s.door.open, () => this.#put(true), { kind: "primary" }),
        h("label", { for: "door-time", class: "unseen" }, s.door.time),
        this.#seconds,
      ),
    );
    this.#open = h(
      "div",
      { class: "door-open" },
      h("p", {}, s.door.isOpen, " ", this.#left),
      h("p", { class: "help" }, s.door.tell),
      this.#addresses,
      this.#why,
      h("div", { class: "acts" }, button("door-close", s.door.close, () => this.#put(false), { kind: "danger" })),
    );
    this.#video = button("address-video", s.people.video, () => this.#call(true), { icon: "camera", kind: "go" });
    this.#voice = button("address-voice", s.people.voice, () => this.#call(false), { icon: "phone" });
    for (const each of [this.#video, this.#voice]) each.setAttribute("aria-describedby", "address-why");
    const box = h(
      "form",
      { class: "address-box", onsubmit: (event) => this.#submit(event) },
      h("label", { for: "address" }, s.door.label),
      this.#address,
      h("div", { class: "acts" }, this.#video, this.#voice),
      this.#busy,
    );
    this.append(h("h2", {}, s.door.heading), this.#shut, this.#open, this.#status, h("h3", {}, s.door.callHeading), box);
    setInterval(() => this.#tick(), 1000);
  }

  /** @param {Door} door */
  update(door) {
    if (this.#door !== door) {
      this.#door = door;
      this.#closesAt = performance.now() + (door.closes_in_s ?? 0) * 1000;
    }
    this.dataset["open"] = String(door.open);
    this.#shut.hidden = door.open;
    this.#open.hidden = !door.open;
    keyed(this.#addresses, door.addresses ?? [], (address) => address, (address) => this.#row(address), () => {});
    setText(this.#why, door.why ? `${door.why.text} ${door.why.fix}` : s.door.reached);
    const busy = this.#context.store.busy() !== null;
    for (const each of [this.#video, this.#voice]) setDisabled(each, busy);
    setText(this.#busy, busy ? s.people.inCall : "");
    this.#tick();
  }

  #tick() {
    if (this.#door?.open) setText(this.#left, clock(this.#closesAt - performance.now()));
  }

  /** @param {string} address */
  #row(address) {
    return h(
      "li",
      {},
      h("code", { tabindex: 0, dir: "ltr" }, address),
      button("address-copy", s.invite.copy, () => this.#copy(address), { icon: "copy", kind: "quiet", help: s.door.copy(address) }),
    );
  }

  /** @param {string} address */
  async #copy(address) {
    try {
      await navigator.clipboard.writeText(address);
      setText(this.#status, s.door.copied);
    } catch {
      setText(this.#status, s.invite.notCopied);
    }
  }

  /** @param {boolean} open */
  async #put(open) {
    const { api, store, fail } = this.#context;
    setText(this.#status, "");
    try {
      store.apply("door", await api.setDoor(open, Number(this.#seconds.value)));
    } catch (error) {
      fail(error);
    }
  }

  /** @param {SubmitEvent} event */
  #submit(event) {
    event.preventDefault();
    void this.#call(true);
  }

  /** @param {boolean} video */
  async #call(video) {
    const address = this.#address.value.trim();
    if (isDisabled(this.#video)) return;
    if (address === "") return setText(this.#busy, s.door.empty);
    await startAt(this.#context, address, { audio: true, video });
  }
}

customElements.define("twocan-door", DoorElement);
