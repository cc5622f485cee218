/** Four safety words in a row, and the two answers to them. What the answer does is for whoever asked. */
import { h } from "../dom.js";
import { s } from "../strings.js";
import { button } from "./button.js";

/**
 * @param {string} prefix of the buttons' names: `PREFIX-same` and `PREFIX-different`
 * @param {(result: "same"|"different") => unknown} onAnswer
 */
export function comparison(prefix, onAnswer) {
  const list = h("ol", { class: "words", "data-words": prefix });
  const answer = h(
    "div",
    { class: "acts" },
    button(`${prefix}-same`, s.words.same, () => onAnswer("same"), { kind: "go", icon: "check" }),
    button(`${prefix}-different`, s.words.different, () => onAnswer("different"), { kind: "danger", icon: "close" }),
  );
  return {
    list,
    answer,
    /** @param {string[]|null|undefined} words */
    set(words) {
      if (list.textContent !== (words ?? []).join("")) list.replaceChildren(...(words ?? []).map((word) => h("li", {}, word)));
    },
    /** @param {boolean} shown */
    show(shown) {
      list.hidden = !shown;
      answer.hidden = !shown;
    },
  };
}
