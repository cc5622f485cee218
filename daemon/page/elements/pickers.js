/** Choosing camera, microphone and speaker, with a meter that shows that the microphone hears. */
import { h, setAttr } from "../dom.js";
import { measure } from "../meter.js";
import { s } from "../strings.js";
import { button } from "./button.js";

/** @import {Context} from "../types.js" */
/** @import {DeviceKind} from "../devices.js" */

const KINDS = /** @type {const} */ (["camera", "microphone", "speaker"]);
let instances = 0;

export class PickersElement extends HTMLElement {
  #context;
  #selects = /** @type {Record<DeviceKind, HTMLSelectElement>} */ ({});
  #bar = h("span", { class: "meter-bar" });
  #meter = h("div", { class: "meter", role: "meter", "aria-label": s.devices.meter, "aria-valuemin": 0, "aria-valuemax": 100, "aria-valuenow": 0, hidden: true }, this.#bar);
  #volume = h("input", { type: "range", min: 0, max: 100, step: 5 });
  /** What is measured. @type {MediaStreamTrack|null} */
  #track = null;
  #endMeter = () => {};

  /** @param {Context} context */
  constructor(context) {
    super();
    this.#context = context;
    instances += 1;
    for (const kind of KINDS) this.append(this.#field(kind, `${kind}-${instances}`));
    const id = `volume-${instances}`;
    this.#volume.id = id;
    this.#volume.addEventListener("input", () => context.devices.setVolume(Number(this.#volume.value) / 100));
    this.append(h("div", { class: "field" }, h("label", { for: id }, s.devices.volume), this.#volume));
    context.devices.addEventListener("change", () => void this.#fill());
  }

  disconnectedCallback() {
    this.#measure(null);
  }

  /** @param {boolean} shown */
  update(shown) {
    const { audio, muted } = this.#context.session.capture;
    this.#measure(shown && audio && !muted ? audio : null);
    if (shown) void this.#fill();
  }

  /** @param {DeviceKind} kind @param {string} id */
  #field(kind, id) {
    const select = h("select", { id, "data-device": kind });
    select.addEventListener("change", () => this.#choose(kind, select.value));
    this.#selects[kind] = select;
    const speaker = kind === "speaker" ? button("test-sound", s.devices.test, () => this.#sound(), { icon: "sound", kind: "quiet" }) : null;
    return h(
      "div",
      { class: "field", "data-field": kind, hidden: kind === "speaker" && !this.#context.devices.choosesSpeaker },
      h("label", { for: id }, s.devices[kind]),
      select,
      kind === "microphone" ? this.#meter : speaker,
    );
  }

  /** @param {DeviceKind} kind @param {string} id */
  #choose(kind, id) {
    const { devices, session } = this.#context;
    devices.choose(kind, id);
    if (kind !== "speaker") void session.capture.renew(kind === "camera" ? "video" : "audio");
  }

  async #fill() {
    for (const kind of KINDS) fillSelect(this.#selects[kind], kind, await this.#context.devices.list(kind), this.#context.devices.chosen(kind));
    this.#volume.value = String(Math.round(this.#context.devices.volume * 100));
  }

  /** @param {MediaStreamTrack|null} track */
  #measure(track) {
    if (track === this.#track) return;
    this.#endMeter();
    this.#endMeter = () => {};
    this.#track = track;
    this.#level(0);
    this.#meter.hidden = track === null;
    if (track) this.#endMeter = measure(track, (level) => this.#level(level));
  }

  /** @param {number} level */
  #level(level) {
    this.#bar.style.setProperty("--level", level.toFixed(2));
    // Told in tenths, or a screen reader would never stop.
    setAttr(this.#meter, "aria-valuenow", String(Math.round(level * 10) * 10));
  }

  /** Two soft tones from the chosen speaker. */
  async #sound() {
    const { devices } = this.#context;
    const context = new AudioContext();
    const out = context.createMediaStreamDestination();
    tone(context, out, 523, 0);
    tone(context, out, 659, 0.25);
    const audio = new Audio();
    audio.srcObject = out.stream;
    audio.volume = devices.volume;
    try {
      if (devices.choosesSpeaker) await /** @type {any} */ (audio).setSinkId(devices.chosen("speaker"));
    } catch {
      // The chosen speaker is gone: the browser's own choice plays.
    }
    audio.play().catch(() => undefined);
    setTimeout(() => void context.close(), 1500);
  }
}

/** @param {AudioContext} context @param {AudioNode} out @param {number} hertz @param {number} after seconds */
function tone(context, out, hertz, after) {
  const start = context.currentTime + after;
  const gain = new GainNode(context, { gain: 0 });
  gain.gain.setTargetAtTime(0.2, start, 0.02);
  gain.gain.setTargetAtTime(0, start + 0.3, 0.12);
  const wave = new OscillatorNode(context, { frequency: hertz });
  wave.connect(gain).connect(out);
  wave.start(start);
  wave.stop(start + 1);
}

/**
 * @param {HTMLSelectElement} select
 * @param {DeviceKind} kind
 * @param {import("../devices.js").Device[]} list
 * @param {string} chosen
 */
function fillSelect(select, kind, list, chosen) {
  const named = list.map(({ id, label }, index) => ({ id, label: label || s.devices.nameless(s.devices[kind], index + 1) })).filter(({ id }) => id !== "");
  if (chosen !== "" && !named.some(({ id }) => id === chosen)) named.push({ id: chosen, label: s.devices.away });
  const rows = [{ id: "", label: s.devices.auto }, ...named];
  const same = rows.length === select.options.length && rows.every((row, at) => select.options[at]?.value === row.id && select.options[at]?.text === row.label);
  // A list that is open must not be taken from under the pointer.
  if (!same) select.replaceChildren(...rows.map((row) => h("option", { value: row.id }, row.label)));
  select.value = chosen;
}

customElements.define("twocan-pickers", PickersElement);
