/**
 * What a caller hears while it rings at the other end: two soft notes, then a pause.
 *
 * The sound is made here, and only in the tab in which the user called. It needs nobody's permission beyond the click
 * that called; where a browser keeps it silent all the same, nothing else is touched by that. Who is called hears the
 * ring of the tray, never one of the page.
 *
 * @import {Devices} from "./devices.js"
 */

/** One round, in seconds. */
const ROUND_S = 3.5;
/** When a note begins, in seconds, and its frequency in hertz. */
const NOTES = /** @type {const} */ ([[0, 392], [0.45, 493.88]]);
/** How fast a note begins and fades, in seconds. */
const ATTACK_S = 0.05;
const FADE_S = 0.35;
/** A tone beside a voice that is awaited, so no louder than this. */
const PEAK = 0.25;

export class Ringback {
  #devices;
  /** @type {AudioContext|null} */
  #context = null;
  /** @type {GainNode|null} */
  #gain = null;

  /** @param {Devices} devices */
  constructor(devices) {
    this.#devices = devices;
    devices.addEventListener("change", () => this.#tune());
  }

  /** Whether it plays, as far as the browser lets it. */
  get on() {
    return this.#context !== null;
  }

  /** @param {boolean} on */
  update(on) {
    if (on === this.on) return;
    if (on) this.#start();
    else this.#stop();
  }

  #start() {
    try {
      const context = new AudioContext();
      const source = context.createBufferSource();
      source.buffer = round(context);
      source.loop = true;
      this.#gain = context.createGain();
      source.connect(this.#gain).connect(context.destination);
      this.#context = context;
      this.#tune();
      source.start();
    } catch {
      // No sound device, or no sound at all in this browser: the screen says that it rings.
      this.#stop();
    }
  }

  #stop() {
    const context = this.#context;
    this.#context = null;
    this.#gain?.disconnect();
    this.#gain = null;
    context?.close().catch(() => undefined);
  }

  /** The volume, and the chosen speaker where the browser lets a page choose. */
  #tune() {
    const context = /** @type {any} */ (this.#context);
    if (!context || !this.#gain) return;
    this.#gain.gain.value = PEAK * this.#devices.ringback ** 2;
    const sink = this.#devices.chosen("speaker");
    if (context.setSinkId && (context.sinkId ?? "") !== sink) context.setSinkId(sink).catch(() => undefined);
  }
}

/** @param {AudioContext} context */
function round(context) {
  const rate = context.sampleRate;
  const buffer = context.createBuffer(1, Math.round(ROUND_S * rate), rate);
  const samples = buffer.getChannelData(0);
  for (let at = 0; at < samples.length; at += 1) samples[at] = sampleAt(at / rate);
  return buffer;
}

/** @param {number} now in seconds, in the round */
function sampleAt(now) {
  let sum = 0;
  for (const [from, hertz] of NOTES) {
    const t = now - from;
    if (t < 0) continue;
    const tone = Math.sin(2 * Math.PI * hertz * t) + 0.25 * Math.sin(4 * Math.PI * hertz * t);
    sum += tone * Math.min(1, t / ATTACK_S) * Math.exp(-t / FADE_S);
  }
  return sum / 2;
}
