/** The top line of a call under way: with whom, for how long, and how good the way between the two is. */
import { clock, since } from "../clock.js";
import { h, setAttr, setText } from "../dom.js";
import { FactFinder } from "../facts.js";
import { bars, icon } from "../icons.js";
import { s } from "../strings.js";
import { button } from "./button.js";

/** @import {Call, Contact, Context} from "../types.js" */
/** @import {Facts} from "../facts.js" */

/** The path's round trip is asked for this often, while somebody looks. */
const PATH_MS = 5000;
/** Statistics are looked at this often. */
const FACTS_MS = 2000;
/** From these on, a connection is no longer good, and then poor: share lost, round trip in milliseconds. */
const FAIR = { loss: 0.02, rtt: 250 };
const POOR = { loss: 0.08, rtt: 600 };

/** @typedef {"good"|"fair"|"poor"} Quality */

export class TopElement extends HTMLElement {
  #context;
  /** @type {Call|null} */
  #call = null;
  #finder = new FactFinder();
  /** @type {Facts|null} */
  #facts = null;
  #name = h("span", { class: "top-name", dir: "auto" });
  #verified = h("span", { class: "top-verified", title: s.people.verifiedHelp, hidden: true }, icon("check"), h("span", { class: "unseen" }, s.people.verified));
  #time = h("span", { class: "top-time", role: "timer", "data-timer": true });
  #muted = h("span", { class: "top-muted", "data-peer-muted": true, hidden: true }, icon("micOff"), h("span"));
  #bars = h("span", { class: "bars-box" });
  #word = h("span");
  #help = h("p", { class: "help" });
  #list = h("dl", { class: "facts" });
  #words;
  #badge;
  #askedPath = 0;
  #askedFacts = 0;

  /** @param {Context} context */
  constructor(context) {
    super();
    this.#context = context;
    this.#words = button("badge-words", s.words.compare, () => this.#compare(), { icon: "words" });
    this.#badge = h(
      "details",
      { class: "badge", "data-badge": true },
      h("summary", { "aria-keyshortcuts": "I" }, this.#bars, this.#word),
      h("div", { class: "badge-body" }, this.#help, this.#list, this.#words),
    );
    this.append(h("span", { class: "top-who" }, this.#name, this.#verified), this.#time, this.#muted, this.#badge);
    setInterval(() => this.#tick(), 1000);
  }

  /** @param {Call|null} call an active one */
  update(call) {
    this.hidden = call === null;
    this.#call = call;
    if (!call) {
      this.#facts = null;
      return;
    }
    setText(this.#name, call.peer.name);
    setText(this.#time, clock(since(call.id)));
    const muted = call.peer_media?.audio === false;
    this.#muted.hidden = !muted;
    const text = this.#muted.querySelector("span");
    if (text) setText(text, muted ? s.call.peerMuted(call.peer.name) : "");
    this.#draw();
  }

  toggleFacts() {
    this.#badge.open = !this.#badge.open;
  }

  /** @returns {Contact|undefined} */
  get #contact() {
    return this.#call?.contact ? this.#context.store.contacts.get(this.#call.contact) : undefined;
  }

  #draw() {
    const contact = this.#contact;
    const path = this.#call?.stranger ? this.#call.stranger.path : (contact?.path ?? null);
    const verified = this.#call?.stranger ? this.#call.stranger.safety.state === "same" : contact?.verified;
    this.#verified.hidden = !verified;
    this.#badge.hidden = path === null && this.#facts === null;
    setAttr(this.#badge, "data-path", path?.kind ?? null);
    const quality = qualityOf(path?.rtt_ms ?? 0, this.#facts?.loss ?? 0);
    if (this.#badge.dataset["quality"] !== quality) {
      this.#badge.dataset["quality"] = quality;
      this.#bars.replaceChildren(bars(quality), h("span", { class: "unseen" }, s.facts.quality[quality]));
    }
    setText(this.#word, path ? s.call.badge(path) : s.facts.quality[quality]);
    setText(this.#help, path ? s.badge[path.kind].help : "");
    this.#drawFacts(contact, path, quality);
  }

  /** @param {Contact|undefined} contact @param {import("../types.js").Path|null} path @param {Quality} quality */
  #drawFacts(contact, path, quality) {
    const lines = s.facts.lines(path, this.#facts, quality, contact?.verified ?? null);
    const text = JSON.stringify(lines);
    if (this.#list.dataset["text"] !== text) {
      this.#list.dataset["text"] = text;
      this.#list.replaceChildren(...lines.flatMap(([what, is]) => [h("dt", {}, what), h("dd", {}, is)]));
    }
    this.#words.hidden = !contact || contact.verified;
  }

  #compare() {
    if (this.#call?.contact) this.#context.dialogs.words(this.#call.contact);
  }

  #tick() {
    if (!this.#call) return;
    setText(this.#time, clock(since(this.#call.id)));
    if (document.hidden) return;
    const now = performance.now();
    if (this.#call.contact !== null && now - this.#askedPath >= PATH_MS) {
      this.#askedPath = now;
      void this.#askPath(this.#call.contact);
    }
    if (now - this.#askedFacts >= FACTS_MS) {
      this.#askedFacts = now;
      void this.#askFacts();
    }
  }

  /** @param {string} id */
  async #askPath(id) {
    const { api, store } = this.#context;
    try {
      store.apply("contact", await api.contact(id));
    } catch {
      // The badge keeps what it shows; the event stream tells when something is wrong.
    }
  }

  async #askFacts() {
    const { leg } = this.#context.session;
    if (leg?.state !== "connected") return;
    this.#facts = await this.#finder.look(leg.pc);
    if (this.#call) this.#draw();
  }
}

/** @param {number} rtt @param {number} loss @returns {Quality} */
function qualityOf(rtt, loss) {
  if (loss >= POOR.loss || rtt >= POOR.rtt) return "poor";
  return loss >= FAIR.loss || rtt >= FAIR.rtt ? "fair" : "good";
}

customElements.define("twocan-top", TopElement);
