/** A call with Echo, who sends back what it gets: a test of camera, sound and connection that needs nobody else. */
import { s } from "../strings.js";
import { button, isDisabled, setDisabled, setLabel } from "./button.js";

/** @import {Context} from "../types.js" */

export class TestCallElement extends HTMLElement {
  #context;
  #button;
  #working = false;

  /** @param {Context} context */
  constructor(context) {
    super();
    this.#context = context;
    this.#button = button("test-call", s.test.call, () => this.#call(), { icon: "phone", help: s.test.help });
    this.append(this.#button);
  }

  update() {
    setDisabled(this.#button, this.#working || this.#context.store.busy() !== null);
  }

  async #call() {
    if (isDisabled(this.#button)) return;
    this.#work(true);
    try {
      await this.#context.session.test();
    } catch (error) {
      this.#context.fail(error);
    } finally {
      this.#work(false);
    }
  }

  /** @param {boolean} on */
  #work(on) {
    this.#working = on;
    setLabel(this.#button, on ? s.test.calling : s.test.call);
    this.update();
  }
}

customElements.define("twocan-test-call", TestCallElement);
