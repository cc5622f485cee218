/** A dialog over the screen: a heading, what it is about, and a way out. */
import { h } from "../dom.js";
import { s } from "../strings.js";
import { button } from "./button.js";

/**
 * @param {string} id of the heading
 * @param {Node|string} heading
 * @param {...(Node|null)} children
 */
export function dialog(id, heading, ...children) {
  const close = button(`${id}-close`, "", () => element.close(), { icon: "close", kind: "quiet", help: s.close });
  const element = h(
    "dialog",
    { "aria-labelledby": id },
    h("div", { class: "dialog-head" }, h("h2", { id, dir: "auto" }, heading), close),
    ...children,
  );
  // A click beside the dialog closes it.
  element.addEventListener("click", (event) => event.target === element && element.close());
  return element;
}
