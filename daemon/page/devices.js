/**
 * Which camera, microphone and speaker the user chose, and which there are. The choices live in this browser alone.
 *
 * A choice is a wish: a device that is not plugged in is passed over for the browser's own choice and remembered for
 * when it comes back.
 */

/** @typedef {"camera"|"microphone"|"speaker"} DeviceKind */
/** @typedef {{id: string, label: string}} Device */

const KINDS = /** @type {const} */ ({ camera: "videoinput", microphone: "audioinput", speaker: "audiooutput" });
const KEY = "twocan-device-";
const VOLUME = "twocan-volume";
const RINGBACK = "twocan-ringback";
const LOOK_FIRST = "twocan-look-first";

/** Fires `change` when devices came or went, or a choice was made. */
export class Devices extends EventTarget {
  constructor() {
    super();
    navigator.mediaDevices?.addEventListener("devicechange", () => this.#changed());
  }

  /** Whether a page can choose where the sound comes out. */
  get choosesSpeaker() {
    return "setSinkId" in HTMLMediaElement.prototype;
  }

  /** @param {DeviceKind} kind @returns {string} empty for the browser's own choice */
  chosen(kind) {
    return localStorage.getItem(KEY + kind) ?? "";
  }

  /** @param {DeviceKind} kind @param {string} id empty for the browser's own choice */
  choose(kind, id) {
    if (id === "") localStorage.removeItem(KEY + kind);
    else localStorage.setItem(KEY + kind, id);
    this.#changed();
  }

  /** How loud others are, 0 to 1. */
  get volume() {
    const stored = Number(localStorage.getItem(VOLUME) ?? "1");
    return stored >= 0 && stored <= 1 ? stored : 1;
  }

  /** @param {number} volume 0 to 1 */
  setVolume(volume) {
    localStorage.setItem(VOLUME, String(volume));
    this.#changed();
  }

  /** How loud the tone is while it rings at the other end, 0 to 1; 0 is none. */
  get ringback() {
    const stored = Number(localStorage.getItem(RINGBACK) ?? "0.6");
    return stored >= 0 && stored <= 1 ? stored : 0.6;
  }

  /** @param {number} volume 0 to 1 */
  setRingback(volume) {
    localStorage.setItem(RINGBACK, String(volume));
    this.#changed();
  }

  /** Whether every call starts with a look at oneself. */
  get lookFirst() {
    return localStorage.getItem(LOOK_FIRST) !== null;
  }

  /** @param {boolean} on */
  setLookFirst(on) {
    if (on) localStorage.setItem(LOOK_FIRST, "1");
    else localStorage.removeItem(LOOK_FIRST);
  }

  /** Devices have names only after the user once allowed one. @param {DeviceKind} kind @returns {Promise<Device[]>} */
  async list(kind) {
    const all = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
    const fitting = all.filter((device) => device.kind === KINDS[kind] && !["", "default", "communications"].includes(device.deviceId));
    return fitting.map(({ deviceId, label }) => ({ id: deviceId, label }));
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}
