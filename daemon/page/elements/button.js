/** Buttons, all made alike. `data-act` names what a button does; it is stable, for tests and scripts. */
import { h, setAttr, setText } from "../dom.js";
import { icon } from "../icons.js";

/** @import {IconName} from "../icons.js" */

/**
 * @param {string} act
 * @param {string} label
 * @param {() => unknown} onclick
 * @param {{icon?: IconName, kind?: "primary"|"danger"|"quiet"|"go", help?: string}} [look] `help` is the accessible
 *   name where the label alone says too little
 */
export function button(act, label, onclick, look = {}) {
  return h(
    "button",
    { type: "button", "data-act": act, class: look.kind, "aria-label": look.help, onclick: () => void onclick() },
    look.icon ? icon(look.icon) : null,
    h("span", {}, label),
  );
}

/** @param {HTMLElement} element @param {string} label */
export function setLabel(element, label) {
  const text = element.querySelector("span");
  if (text) setText(text, label);
}

/**
 * Disabled buttons stay focusable, so that everybody can find out why: the reason is in the text they point to.
 * @param {HTMLElement} element
 * @param {boolean} disabled
 */
export function setDisabled(element, disabled) {
  setAttr(element, "aria-disabled", disabled ? "true" : null);
}

/** @param {HTMLElement} element */
export function isDisabled(element) {
  return element.getAttribute("aria-disabled") === "true";
}
