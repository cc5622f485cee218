/** The pickers in a dialog, for while it rings and in a call. */
import { s } from "../strings.js";
import { dialog } from "./dialog.js";
import { PickersElement } from "./pickers.js";

/** @import {Context} from "../types.js" */

export class DevicesElement extends HTMLElement {
  #pickers;
  #dialog;

  /** @param {Context} context */
  constructor(context) {
    super();
    this.#pickers = new PickersElement(context);
    this.#dialog = dialog("devices-title", s.devices.heading, this.#pickers);
    this.#dialog.addEventListener("close", () => this.update());
    this.append(this.#dialog);
  }

  open() {
    this.#dialog.showModal();
    this.update();
  }

  update() {
    this.#pickers.update(this.#dialog.open);
  }
}

customElements.define("twocan-devices", DevicesElement);
