/**
 * Starting a call: at once, or by way of a look at oneself. The look comes first where the browser would ask for
 * camera or microphone, so that nobody's phone rings while the caller reads a question; and where the user wants it.
 *
 * @import {Context, Media} from "./types.js"
 */
import { granted } from "./capture.js";

/** @param {Context} context @param {string} contact @param {Media} media */
export async function start(context, contact, media) {
  const { devices, store } = context;
  const free = store.busy() === null;
  if (free && (devices.lookFirst || !(await granted(media)))) return look(context, contact, media);
  await place(context, contact, media);
}

/**
 * The same for an address. What the browser asks is answered first; then it rings.
 * @param {Context} context @param {string} address @param {Media} media
 */
export async function startAt(context, address, media) {
  const { session, store } = context;
  if (store.busy() === null && !(await granted(media))) await session.join(address, media);
  await place(context, address, media);
}

/** @param {Context} context @param {string} contact @param {Media} media */
export function look({ go, session }, contact, media) {
  void session.join(contact, media);
  go(`/join/${contact}`);
}

/**
 * @param {Context} context
 * @param {string} contact
 * @param {Media} media
 * @param {boolean} [dark] whether the camera stays off at first
 */
export async function place({ session, fail }, contact, media, dark = false) {
  try {
    await session.place(contact, media, dark);
  } catch (error) {
    fail(error);
  }
}
