/**
 * What the user had switched off in a call, kept over a reload of the tab: somebody who was muted must not be heard
 * because a page was loaded again. One call at a time, in the tab's own session storage.
 *
 * @typedef {{muted: boolean, blind: boolean}} Manners
 */
const KEY = "twocan-manners";

/** @param {string} id of the call @returns {Manners} */
export function mannersOf(id) {
  const [known, muted, blind] = (sessionStorage.getItem(KEY) ?? "").split(" ");
  return { muted: known === id && muted === "1", blind: known === id && blind === "1" };
}

/** @param {string} id of the call @param {Manners} manners */
export function keepManners(id, { muted, blind }) {
  sessionStorage.setItem(KEY, `${id} ${muted ? 1 : 0} ${blind ? 1 : 0}`);
}
