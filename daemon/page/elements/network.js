/**
 * What this device looks like from outside, in words: the daemon's sentence and the one thing that would help, then what is behind
 * it, and what it means for each contact. The daemon tells of changes by itself.
 */
import { h, keyed, setText } from "../dom.js";
import { s } from "../strings.js";
import { button, setDisabled } from "./button.js";

/** @import {ContactNetwork, Context, Network} from "../types.js" */

export class NetworkElement extends HTMLElement {
  #context;
  #shown = false;
  /** @type {Network|null} what is drawn */
  #drawn = null;
  #summary = h("p", { class: "lead", role: "status" });
  #fix = h("p", {});
  #check;
  #facts = h("dl", { class: "told", "data-facts": true });
  #sources = h("dl", { class: "told", "data-sources": true });
  #nobody = h("p", { class: "help" }, s.network.nobody);
  #disagreement = h("p", { class: "help", hidden: true }, s.network.disagreement);
  #addresses = h("ul", { class: "plain", "data-addresses": true });
  #people = h("dl", { class: "told", "data-people": true });
  #alone = h("p", { class: "help" }, s.network.nobodyYet);
  #told;

  /** @param {Context} context */
  constructor(context) {
    super();
    this.#context = context;
    this.#check = button("network-check", s.network.check, () => this.#look(), { kind: "primary" });
    this.#told = h(
      "div",
      { class: "privacy-grid", hidden: true },
      h("section", { class: "card" }, h("h2", {}, s.network.fix), this.#fix, h("div", { class: "acts" }, this.#check)),
      h("section", { class: "card" }, h("h2", {}, s.network.facts), this.#facts),
      h("section", { class: "card" }, h("h2", {}, s.network.sources), this.#disagreement, this.#nobody, this.#sources),
      h("section", { class: "card" }, h("h2", {}, s.network.addresses), this.#addresses),
      h("section", { class: "card" }, h("h2", {}, s.network.people), this.#alone, this.#people),
    );
    this.append(h("h1", {}, s.network.heading), h("p", {}, s.network.lead), this.#summary, this.#told);
  }

  /** @param {boolean} shown */
  update(shown) {
    const arrived = shown && !this.#shown;
    this.#shown = shown;
    this.hidden = !shown;
    if (!shown) return;
    if (arrived) void this.#ask();
    const { network } = this.#context.store;
    if (network && network !== this.#drawn) this.#tell(network);
  }

  async #ask() {
    const { api, store, fail } = this.#context;
    try {
      store.apply("network", await api.network());
      this.#pairs(await Promise.all([...store.contacts.keys()].map((contact) => api.contactNetwork(contact))));
    } catch (error) {
      fail(error);
    }
  }

  async #look() {
    const { api, store, fail } = this.#context;
    if (store.network?.checking) return;
    try {
      store.apply("network", await api.checkNetwork());
      await this.#ask();
    } catch (error) {
      fail(error);
    }
  }

  /** @param {Network} network */
  #tell(network) {
    this.#drawn = network;
    setText(this.#summary, network.checking ? s.network.checking : network.summary.text);
    setText(this.#fix, network.summary.fix);
    setDisabled(this.#check, network.checking);
    const { terms, known } = s.network;
    pairs(this.#facts, [
      [terms.reachable, known[network.reachable]],
      [terms.translated, known[network.translated]],
      [terms.mapping, s.network.mapping[network.mapping]],
      [terms.filtering, s.network.filtering[network.filtering]],
      [terms.hairpin, known[network.hairpin]],
      [terms.port_preservation, known[network.port_preservation]],
      [terms.lifetime, s.network.lifetime(network)],
      [terms.ipv6, known[network.ipv6]],
      [terms.ipv6_filtering, s.network.filtering[network.ipv6_filtering]],
      [terms.double_nat, known[network.double_nat]],
      [terms.mapper, s.network.mapper(network.port_mapping)],
    ]);
    this.#disagreement.hidden = !network.disagreement;
    const name = (/** @type {string|null} */ id) => this.#context.store.contacts.get(id ?? "")?.name ?? s.network.stranger;
    pairs(
      this.#sources,
      network.sources.map((source) => [s.network.source(source, name(source.contact)), s.network.seen(source.seen)]),
    );
    this.#sources.hidden = network.sources.length === 0;
    this.#nobody.hidden = !this.#sources.hidden;
    keyed(
      this.#addresses,
      network.addresses,
      ({ address }) => address,
      () => h("li", { dir: "auto" }),
      (row, { address, kind }) => setText(row, `${address} (${s.network.kinds[kind]})`),
    );
    this.#told.hidden = false;
  }

  /** @param {ContactNetwork[]} both */
  #pairs(both) {
    const { contacts } = this.#context.store;
    pairs(
      this.#people,
      both.map(({ contact, summary }) => [contacts.get(contact)?.name ?? s.network.stranger, `${summary.text} ${summary.fix}`]),
    );
    this.#people.hidden = both.length === 0;
    this.#alone.hidden = both.length > 0;
  }
}

/** @param {HTMLElement} element @param {string[][]} rows term and what is said of it */
function pairs(element, rows) {
  element.replaceChildren(...rows.flatMap(([term = "", said = ""]) => [h("dt", { dir: "auto" }, term), h("dd", { dir: "auto" }, said)]));
}

customElements.define("twocan-network", NetworkElement);
