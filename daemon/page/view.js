/**
 * Which screen is shown: a pure function of what the daemon said, what this tab does, and the address.
 *
 * @import {Call} from "./types.js"
 * @import {Store} from "./store.js"
 */

/**
 * @typedef {"loading"|"locked"|"offline"|"home"|"join"|"link"|"settings"|"privacy"|"network"|"calling"|"ringing"|"call"|"elsewhere"|"ended"} Screen
 * @typedef {{screen: Screen, call: Call|null}} View `call` is null on a call's screens only for one that is forgotten
 */

/**
 * What the address says of a call beside its id: `voice`, the user wants to answer without camera; `answered`, the user
 * has answered it outside of the page just now.
 * @typedef {"voice"|"answered"|null} Mark
 */
const CALL = /^\/call\/([^/]+)(?:\/(voice|answered))?\/?$/;

/** @param {string} path @returns {string|null} the call's id, where the address names one */
export function callOf(path) {
  const match = CALL.exec(path);
  return match?.[1] === undefined ? null : decodeURIComponent(match[1]);
}

/** @param {string} path @returns {Mark} */
export function markOf(path) {
  return /** @type {Mark} */ (CALL.exec(path)?.[2] ?? null);
}

/** @param {string} path @returns {string|null} the id of the contact who is about to be called, where the address names one */
export function joinOf(path) {
  const match = /^\/join\/([^/]+)\/?$/.exec(path);
  return match?.[1] === undefined ? null : decodeURIComponent(match[1]);
}

/** @param {string} path @returns {string|null} the id of the link that the user is asked about, where the address names one */
export function linkOf(path) {
  const match = /^\/link\/([0-9a-f]+)\/?$/.exec(path);
  return match?.[1] ?? null;
}

/** @param {string} path @param {Store} store @returns {Screen} for an address that names no call */
function plainScreen(path, store) {
  if (path === "/settings") return "settings";
  if (path === "/privacy") return "privacy";
  if (path === "/network") return "network";
  if (linkOf(path) !== null) return "link";
  const contact = joinOf(path);
  return contact !== null && store.contacts.has(contact) ? "join" : "home";
}

/**
 * @param {Store} store
 * @param {{id: string|null, endedHere: string|null}} session
 * @param {string} path the address
 * @returns {View}
 */
export function viewOf(store, session, path) {
  const id = callOf(path);
  if (store.connection === "locked") return { screen: "locked", call: null };
  if (store.connection === "offline") return { screen: "offline", call: null };
  if (store.status === null) return { screen: "loading", call: null };
  if (id === null) return { screen: plainScreen(path, store), call: null };
  const call = store.calls.get(id) ?? null;
  return { screen: callScreen(call, session), call };
}

/** @param {Call|null} call @param {{id: string|null, endedHere: string|null}} session @returns {Screen} */
function callScreen(call, session) {
  if (!call || call.state === "ended" || session.endedHere === call.id) return "ended";
  const held = session.id === call.id;
  switch (call.state) {
    case "dialing":
      return held ? "calling" : "elsewhere";
    case "ringing":
      if (call.direction === "in") return "ringing";
      return held ? "calling" : "elsewhere";
    case "active":
      return held ? "call" : "elsewhere";
  }
}
