/** Settings: who one is, whether it rings, devices, keys. Devices and keys are this browser's; the rest is the daemon's. */
import { h, setAttr, setText } from "../dom.js";
import { keysOn, setKeysOn } from "../keys.js";
import { s } from "../strings.js";
import { button } from "./button.js";
import { PickersElement } from "./pickers.js";
import { PreviewElement } from "./preview.js";
import { TestCallElement } from "./test-call.js";

/** @import {Context, Presence} from "../types.js" */

export class SettingsElement extends HTMLElement {
  #context;
  #name = h("input", { id: "settings-name", maxlength: 64, autocomplete: "name", dir: "auto", required: true });
  #saved = h("p", { class: "status", role: "status" });
  #device = h("span", { dir: "auto" });
  #version = h("span");
  #quiet = h("input", { type: "checkbox", id: "quiet", "data-quiet": true });
  #wait = h("input", { type: "checkbox", id: "wait" });
  #waitLine = h("p", { class: "check" }, this.#wait, h("label", { for: "wait" }, s.settings.wait));
  #first = h("input", { type: "checkbox", id: "settings-look-first" });
  #keys = h("input", { type: "checkbox", id: "settings-keys" });
  #ringback = h("input", { type: "range", id: "settings-ringback", min: 0, max: 100, step: 10 });
  #preview;
  #pickers;
  #test;
  #show;
  #shown = false;

  /** @param {Context} context */
  constructor(context) {
    super();
    this.#context = context;
    this.#preview = new PreviewElement(context);
    this.#pickers = new PickersElement(context);
    this.#test = new TestCallElement(context);
    this.#show = button("settings-look", s.settings.look, () => context.session.join("", { audio: true, video: true }), {
      icon: "camera",
      kind: "primary",
    });
    this.#quiet.addEventListener("change", () => this.#change({ presence: this.#quiet.checked ? "do_not_disturb" : "available" }));
    this.#wait.addEventListener("change", () => this.#change({ second_call: this.#wait.checked ? "wait" : "busy" }));
    this.#first.addEventListener("change", () => context.devices.setLookFirst(this.#first.checked));
    this.#keys.addEventListener("change", () => setKeysOn(this.#keys.checked));
    this.#ringback.addEventListener("input", () => context.devices.setRingback(Number(this.#ringback.value) / 100));
    this.append(
      h("h1", {}, s.settings.heading),
      h("div", { class: "settings-columns" }, this.#you(), this.#media(), this.#browser()),
    );
  }

  /** @param {boolean} shown */
  update(shown) {
    const { store } = this.#context;
    const { status } = store;
    const arrived = shown && !this.#shown;
    this.#shown = shown;
    this.hidden = !shown;
    this.#pickers.update(shown);
    if (!shown || !status) return;
    if (arrived) this.#arrive(status.person.name);
    setText(this.#device, status.device.name);
    setText(this.#version, status.version);
    this.#quiet.checked = status.presence === "do_not_disturb";
    this.#waitLine.hidden = status.second_call === undefined;
    this.#wait.checked = status.second_call === "wait";
    const { capture } = this.#context.session;
    this.#preview.hidden = !capture.on && !capture.opening;
    if (!this.#preview.hidden) this.#preview.update();
    this.#show.hidden = !this.#preview.hidden;
    setAttr(this.#show, "aria-disabled", store.busy() ? "true" : null);
    this.#test.update();
    this.#first.checked = this.#context.devices.lookFirst;
    this.#keys.checked = keysOn();
    this.#ringback.value = String(Math.round(this.#context.devices.ringback * 100));
  }

  /** @param {string} name */
  #arrive(name) {
    this.#name.value = name;
    setText(this.#saved, "");
  }

  #you() {
    return h(
      "section",
      { class: "card" },
      h("h2", {}, s.settings.you),
      h(
        "form",
        { class: "field", onsubmit: (event) => this.#rename(event) },
        h("label", { for: "settings-name" }, s.me.label),
        h("div", { class: "with-button" }, this.#name, h("button", { type: "submit", "data-act": "settings-save" }, h("span", {}, s.me.save))),
        this.#saved,
      ),
      h("p", { class: "check" }, this.#quiet, h("label", { for: "quiet" }, s.settings.quiet)),
      h("p", { class: "help under" }, s.settings.quietHelp),
      this.#waitLine,
      h("dl", { class: "facts" }, h("dt", {}, s.settings.device), h("dd", {}, this.#device), h("dt", {}, s.settings.version), h("dd", {}, this.#version)),
      h("div", { class: "acts" }, button("settings-network", s.network.open, () => this.#context.go("/network"), { icon: "shield" })),
    );
  }

  #media() {
    return h("section", { class: "card" }, h("h2", {}, s.devices.heading), this.#preview, this.#show, this.#pickers, this.#test);
  }

  #browser() {
    return h(
      "section",
      { class: "card" },
      h("h2", {}, s.settings.browser),
      h("p", { class: "check" }, this.#first, h("label", { for: "settings-look-first" }, s.join.first)),
      h("p", { class: "check" }, this.#keys, h("label", { for: "settings-keys" }, s.keys.toggle)),
      h("div", { class: "field" }, h("label", { for: "settings-ringback" }, s.settings.ringback), this.#ringback),
      h("p", { class: "help" }, s.settings.ringbackHelp),
      h("div", { class: "acts" }, button("settings-keys-list", s.keys.open, () => this.#context.dialogs.keys(), { icon: "keys" })),
    );
  }

  /** @param {SubmitEvent} event */
  async #rename(event) {
    event.preventDefault();
    if (await this.#change({ name: this.#name.value.trim() })) setText(this.#saved, s.settings.saved);
  }

  /** @param {{name?: string, presence?: Presence, second_call?: "busy"|"wait"}} changes @returns {Promise<boolean>} */
  async #change(changes) {
    const { api, store, fail } = this.#context;
    try {
      store.apply("me", await api.changeMe(changes));
      return true;
    } catch (error) {
      fail(error);
      return false;
    }
  }
}

customElements.define("twocan-settings", SettingsElement);
