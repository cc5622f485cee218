/**
 * The user's own camera and microphone, and the screen that the user shows.
 *
 * Invariants: nothing here runs without a call to `open`, `setCamera`, `share` or `renew`, and all are called only for
 * the user's own act; after `stop` no track of ours is live, not even one whose permission is granted later.
 *
 * @import {Media} from "./types.js"
 * @import {Devices} from "./devices.js"
 */

/** Why a device is not captured. @typedef {"refused"|"missing"|"busy"|"unsupported"|"broken"} CaptureProblem */

const VIDEO = { width: { ideal: 1920 }, height: { ideal: 1080 }, frameRate: { ideal: 30 } };
const AUDIO = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };

/** Fires `change` when a track or a problem changed. */
export class Capture extends EventTarget {
  /** @type {MediaStreamTrack|null} */
  audio = null;
  /** @type {MediaStreamTrack|null} */
  video = null;
  /** The screen, a window or a tab that the user shows in place of the camera. @type {MediaStreamTrack|null} */
  screen = null;
  muted = false;
  /** Whether the user switched the camera off. */
  dark = false;
  /** True while the browser asks the user or opens a device. */
  opening = false;
  /** @type {{audio: CaptureProblem|null, video: CaptureProblem|null}} */
  problems = { audio: null, video: null };
  /** Counts stops: a device that opens after a stop is closed at once. */
  #epoch = 0;
  #devices;

  /** @param {Devices} devices */
  constructor(devices) {
    super();
    this.#devices = devices;
  }

  /** Whether anything is being captured. */
  get on() {
    return this.audio !== null || this.video !== null || this.screen !== null;
  }

  /** What the other person is to see: the screen, else the camera. */
  get picture() {
    return this.screen ?? this.video;
  }

  /**
   * Opens what is wanted and not open yet; what cannot be opened is left out and named in `problems`. Never throws.
   * @param {Media} want
   */
  async open(want) {
    const epoch = this.#epoch;
    const audio = want.audio && !this.audio;
    const video = want.video && !this.video;
    if (!audio && !video) return;
    this.opening = true;
    if (audio) this.problems.audio = null;
    if (video) this.problems.video = null;
    this.#changed();
    for (const attempt of attempts(audio, video)) {
      // A user who refused the camera is not asked for it twice.
      if (!attempt.audio && this.problems.video === "refused" && audio) break;
      if (await this.#try(attempt, epoch)) break;
    }
    if (epoch === this.#epoch) this.opening = false;
    this.#changed();
  }

  /** @param {boolean} muted */
  setMuted(muted) {
    this.muted = muted;
    if (this.audio) this.audio.enabled = !muted;
    this.#changed();
  }

  /** Off closes the camera, light and all. @param {boolean} on */
  async setCamera(on) {
    this.dark = !on;
    if (on) return this.open({ audio: false, video: true });
    this.video?.stop();
    this.video = null;
    this.#changed();
    return undefined;
  }

  /** Takes the chosen device in place of the one that is open. @param {"audio"|"video"} kind */
  async renew(kind) {
    if (!this[kind]) return;
    // The same device may not be opened twice on some systems, so the old one is closed first.
    this[kind].stop();
    this[kind] = null;
    await this.open({ audio: kind === "audio", video: kind === "video" });
  }

  /** Shows a screen that the user picks in the browser's own dialog. @returns {Promise<boolean>} whether one was picked */
  async share() {
    const epoch = this.#epoch;
    let stream;
    try {
      stream = await navigator.mediaDevices.getDisplayMedia({ video: { frameRate: { ideal: 30 } }, audio: false });
    } catch {
      return false;
    }
    const [track = null] = stream.getVideoTracks();
    if (epoch !== this.#epoch || !track) {
      for (const each of stream.getTracks()) each.stop();
      return false;
    }
    this.unshare();
    track.contentHint = "detail";
    // The browser's own "Stop sharing".
    track.addEventListener("ended", () => this.screen === track && this.unshare());
    this.screen = track;
    this.#changed();
    return true;
  }

  unshare() {
    this.screen?.stop();
    this.screen = null;
    this.#changed();
  }

  /** Closes everything, at once. */
  stop() {
    this.#epoch += 1;
    this.audio?.stop();
    this.video?.stop();
    this.screen?.stop();
    this.audio = null;
    this.video = null;
    this.screen = null;
    this.muted = false;
    this.dark = false;
    this.opening = false;
    this.problems = { audio: null, video: null };
    this.#changed();
  }

  /**
   * @param {Media} want
   * @param {number} epoch
   * @returns {Promise<boolean>} whether to stop trying
   */
  async #try(want, epoch) {
    let stream;
    try {
      if (!navigator.mediaDevices) throw new DOMException("", "NotSupportedError");
      stream = await this.#ask(want);
    } catch (error) {
      if (epoch !== this.#epoch) return true;
      const problem = problemOf(error);
      if (want.audio) this.problems.audio = problem;
      if (want.video) this.problems.video = problem;
      return problem === "unsupported";
    }
    if (epoch !== this.#epoch) {
      for (const track of stream.getTracks()) track.stop();
      return true;
    }
    for (const track of stream.getTracks()) this.#take(track);
    // The microphone by itself is not the end: the camera may open by itself too.
    return want.video || this.problems.video === null;
  }

  /** Asks for the chosen devices, and for any where one of those is not plugged in. @param {Media} want */
  async #ask(want) {
    const microphone = chosen(this.#devices.chosen("microphone"));
    const camera = chosen(this.#devices.chosen("camera"));
    try {
      return await navigator.mediaDevices.getUserMedia({
        audio: want.audio && { ...AUDIO, ...microphone },
        video: want.video && { ...VIDEO, ...camera },
      });
    } catch (error) {
      const away = error instanceof Error && ["OverconstrainedError", "NotFoundError"].includes(error.name);
      if (!away || !((want.audio && microphone) || (want.video && camera))) throw error;
      return navigator.mediaDevices.getUserMedia({ audio: want.audio && AUDIO, video: want.video && VIDEO });
    }
  }

  /** @param {MediaStreamTrack} track */
  #take(track) {
    const kind = track.kind === "audio" ? "audio" : "video";
    this[kind]?.stop();
    this[kind] = track;
    this.problems[kind] = null;
    if (kind === "audio") track.enabled = !this.muted;
    else track.contentHint = "motion";
    track.addEventListener("ended", () => {
      // Unplugged, or taken back in the browser's own controls.
      if (this[kind] !== track) return;
      this[kind] = null;
      this.problems[kind] = "broken";
      this.#changed();
    });
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}

/**
 * Both in one question to the user; if that fails, each by itself, the microphone first.
 * @param {boolean} audio
 * @param {boolean} video
 * @returns {Media[]}
 */
function attempts(audio, video) {
  if (!audio || !video) return [{ audio, video }];
  return [
    { audio, video },
    { audio, video: false },
    { audio: false, video },
  ];
}

/** A wish for one device would lose against one for a size, so it is a demand. @param {string} id of the device, or empty */
function chosen(id) {
  return id === "" ? null : { deviceId: { exact: id } };
}

/** @param {unknown} error @returns {CaptureProblem} */
function problemOf(error) {
  const name = error instanceof DOMException ? error.name : "";
  switch (name) {
    case "NotAllowedError":
    case "SecurityError":
      return "refused";
    case "NotFoundError":
    case "OverconstrainedError":
      return "missing";
    case "NotReadableError":
    case "AbortError":
      return "busy";
    case "NotSupportedError":
    case "TypeError":
      return "unsupported";
    default:
      return "broken";
  }
}

/**
 * Whether the browser would open these without asking.
 * @param {Media} want
 */
export async function granted(want) {
  /** @type {string[]} */
  const names = [];
  if (want.audio) names.push("microphone");
  if (want.video) names.push("camera");
  try {
    for (const name of names) {
      const status = await navigator.permissions.query({ name: /** @type {PermissionName} */ (name) });
      if (status.state !== "granted") return false;
    }
    return true;
  } catch {
    return false;
  }
}
