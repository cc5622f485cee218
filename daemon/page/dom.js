/** Building elements without markup in strings: names and texts of others can only ever become text. */

/** @typedef {Record<string, string|number|boolean|null|undefined|((event: any) => void)>} Props */

/**
 * `on…` are listeners, booleans toggle the attribute, null and undefined leave it out, the rest are attributes.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Props} [props]
 * @param {...(Node|string|null)} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (typeof value === "boolean") element.toggleAttribute(name, value);
    else if (value !== null && value !== undefined) element.setAttribute(name, String(value));
  }
  for (const child of children) if (child !== null) element.append(child);
  return element;
}

/** Sets a text only when it differs, so that a screen reader is not told the same thing again. */
/** @param {Element} element @param {string} text */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** @param {Element} element @param {string} name @param {string|null} value */
export function setAttr(element, name, value) {
  if (value === null) element.removeAttribute(name);
  else if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

/** @type {WeakMap<Element, Map<string, HTMLElement>>} */
const rows = new WeakMap();

/**
 * Makes the children of `parent` one element an item, in order. The element of a key stays the same, so focus and a
 * half-made click survive an update.
 * @template T
 * @template {HTMLElement} E
 * @param {Element} parent holds nothing else
 * @param {T[]} items
 * @param {(item: T) => string} key
 * @param {(item: T) => E} make
 * @param {(element: E, item: T) => void} update
 */
export function keyed(parent, items, key, make, update) {
  const old = rows.get(parent) ?? new Map();
  const fresh = new Map();
  items.forEach((item, index) => {
    const element = /** @type {E} */ (old.get(key(item)) ?? make(item));
    fresh.set(key(item), element);
    update(element, item);
    if (parent.children[index] !== element) parent.insertBefore(element, parent.children[index] ?? null);
  });
  for (const [id, element] of old) if (!fresh.has(id)) element.remove();
  rows.set(parent, fresh);
}
