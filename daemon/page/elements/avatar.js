/** The first letter of a name in a disc: the stand-in for a picture that is not there. */
import { h, setText } from "../dom.js";

export function avatar() {
  return h("span", { class: "avatar", "aria-hidden": "true" });
}

/** @param {HTMLElement} element @param {string} name */
export function setAvatar(element, name) {
  const [first = "?"] = [...name.trim()];
  setText(element, first.toLocaleUpperCase());
}
