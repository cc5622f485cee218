/**
 * Safety words: both people see four words and read them to each other. Who sits between them cannot make them equal.
 * "Same" marks the contact verified; "Different" says what that means and leaves the contact unverified.
 */
import { h, setText } from "../dom.js";
import { Problem } from "../api.js";
import { s } from "../strings.js";
import { button } from "./button.js";
import { comparison } from "./compare.js";
import { dialog } from "./dialog.js";

/** @import {Context} from "../types.js" */

/** @typedef {"asking"|"words"|"same"|"different"|"failed"} Step */

export class WordsElement extends HTMLElement {
  #context;
  /** @type {string|null} */
  #id = null;
  /** The words that are shown. @type {string|undefined} */
  #shown;
  #title = h("span", {}, s.words.heading);
  #text = h("p", { role: "status" });
  #after = h("p", { class: "help" });
  #number = h("p", { class: "number", tabindex: 0 });
  #paper = h("details", { class: "paper" }, h("summary", {}, s.words.paper), this.#number);
  #compare;
  #retry;
  #done;
  #dialog;

  /** @param {Context} context */
  constructor(context) {
    super();
    this.#context = context;
    this.#compare = comparison("words", (result) => this.#say(result));
    this.#retry = button("words-retry", s.call.retry, () => this.#ask(), { kind: "primary" });
    this.#done = button("words-done", s.close, () => this.#dialog.close(), { kind: "primary" });
    this.#dialog = dialog("words-title", this.#title, this.#text, this.#compare.list, this.#compare.answer, this.#after, this.#paper, h("div", { class: "acts" }, this.#retry, this.#done));
    this.append(this.#dialog);
  }

  /** A far side that restarted has other words, or none yet: those that are shown are of no use then. */
  update() {
    if (this.dataset["step"] !== "words" || this.#id === null || !this.#dialog.open) return;
    const safety = this.#context.store.contacts.get(this.#id)?.safety;
    if (safety && safety.state !== "running" && safety.words?.join(" ") !== this.#shown) void this.#ask();
  }

  /** @param {string} id of the contact */
  open(id) {
    this.#id = id;
    this.#dialog.showModal();
    void this.#ask();
  }

  get #name() {
    return (this.#id === null ? undefined : this.#context.store.contacts.get(this.#id)?.name) ?? "";
  }

  async #ask() {
    const id = this.#id;
    if (id === null) return;
    this.#show("asking", s.words.asking(this.#name), "");
    try {
      const { words, number } = await this.#context.api.safetyWords(id);
      if (this.#id !== id || !this.#dialog.open) return;
      this.#shown = words?.join(" ");
      this.#compare.set(words);
      setText(this.#number, number);
      this.#show("words", s.words.read(this.#name), s.words.readHelp);
    } catch (error) {
      this.#failed(error);
    }
  }

  /** @param {"same"|"different"} result */
  async #say(result) {
    const { api } = this.#context;
    if (this.#id === null) return;
    try {
      await api.compareWords(this.#id, result);
      const { title, next } = result === "same" ? s.words.wereSame(this.#name) : s.words.wereDifferent(this.#name);
      this.#show(result, title, next);
    } catch (error) {
      this.#failed(error);
    }
  }

  /** @param {unknown} error */
  #failed(error) {
    const problem = error instanceof Problem;
    if (!problem) console.error(error);
    this.#show("failed", problem ? error.title : s.problem.unexpected, problem ? error.detail : "");
  }

  /** @param {Step} step @param {string} text @param {string} after */
  #show(step, text, after) {
    this.dataset["step"] = step;
    setText(this.#text, text);
    setText(this.#after, after);
    this.#compare.show(step === "words");
    this.#paper.hidden = step !== "words";
    this.#retry.hidden = step !== "failed";
    this.#done.hidden = step === "words" || step === "asking";
  }
}

customElements.define("twocan-words", WordsElement);
