/**
 * How long a call lasts, counted from when this tab first saw it active. It survives a reload in the tab's own session
 * storage, which holds one call at a time and nothing of who it is with.
 */
const KEY = "twocan-since";

/** @param {string} id of an active call @returns {number} milliseconds */
export function since(id) {
  const [known, start] = (sessionStorage.getItem(KEY) ?? "").split(" ");
  if (known === id) return Date.now() - Number(start);
  sessionStorage.setItem(KEY, `${id} ${Date.now()}`);
  return 0;
}

/** Ends the count. @param {string} id @returns {number|null} milliseconds, or null if it never was active here */
export function lasted(id) {
  const [known, start] = (sessionStorage.getItem(KEY) ?? "").split(" ");
  if (known !== id) return null;
  sessionStorage.removeItem(KEY);
  return Date.now() - Number(start);
}

/** `m:ss`, or `h:mm:ss` from an hour on. @param {number} ms */
export function clock(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const two = (/** @type {number} */ value) => String(value).padStart(2, "0");
  const rest = `${Math.floor(seconds / 60) % 60}:${two(seconds % 60)}`;
  if (seconds < 3600) return rest;
  return `${Math.floor(seconds / 3600)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}
