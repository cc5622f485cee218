/**
 * One leg: the RTCPeerConnection between this page and the user's own daemon.
 *
 * It is negotiated with the daemon once, with empty transceivers, while the call rings; tracks come and go by
 * `replaceTrack`. Another video format is chosen within the browser, by applying the same answer once more with that
 * format first: the daemon takes whatever was agreed and need not be asked. What the leg carries leaves this computer only after the daemon opened its gate.
 * The daemon is ICE-lite and learns our address from the first check, so the offer goes out without waiting for
 * candidates.
 */

import { withFirst } from "./formats.js";

/** @typedef {"connecting"|"connected"|"replaced"|"failed"|"closed"} LegState */

/** 1080p30 for a path that nobody bills. */
const MAX_VIDEO_BIT_S = 6_000_000;

/** Fires `state` when its state changed. */
export class Leg extends EventTarget {
  /** @type {LegState} */
  state = "connecting";
  /** Where the daemon keeps the leg. @type {string|null} */
  location = null;
  pc = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
  #audio = this.pc.addTransceiver("audio", { direction: "sendrecv" });
  #video = this.pc.addTransceiver("video", {
    direction: "sendrecv",
    sendEncodings: [{ maxBitrate: MAX_VIDEO_BIT_S }],
  });
  #answer = "";
  /** The format asked for last. @type {string|null} */
  #format = null;
  /** Negotiations follow one another. */
  #turn = Promise.resolve();
  /** What the other person sends; its tracks exist from the start and are silent until media flows. */
  remote = new MediaStream([this.#audio.receiver.track, this.#video.receiver.track]);

  constructor() {
    super();
    this.pc.addEventListener("connectionstatechange", () => this.#follow());
  }

  /**
   * Negotiates. Rejects with the exchange's error, or the browser's.
   * @param {(offer: string) => Promise<{answer: string, location: string|null}>} exchange
   */
  async open(exchange) {
    await this.pc.setLocalDescription();
    const { answer, location } = await exchange(this.pc.localDescription?.sdp ?? "");
    if (this.state === "closed") return;
    this.location = location;
    await this.pc.setRemoteDescription({ type: "answer", sdp: answer });
    this.#answer = answer;
    this.#audio.sender.transport?.addEventListener("statechange", () => this.#follow());
  }

  /** @param {MediaStreamTrack|null} audio @param {MediaStreamTrack|null} video */
  carry(audio, video) {
    if (this.state === "closed") return;
    replace(this.#audio.sender, audio);
    replace(this.#video.sender, video);
  }

  /** Sends pictures in this format from here on. @param {string} format */
  prefer(format) {
    if (this.#answer === "" || this.#format === format) return;
    this.#format = format;
    // A browser that refuses goes on as before; what the other side cannot show the daemon holds back, and says so.
    this.#turn = this.#turn.then(() => this.#renegotiate(format)).catch(() => undefined);
  }

  /** @param {string} format */
  async #renegotiate(format) {
    if (this.state === "closed" || this.#format !== format) return;
    await this.pc.setLocalDescription();
    await this.pc.setRemoteDescription({ type: "answer", sdp: withFirst(this.#answer, format) });
  }

  /** Ends it; also the remote tracks end. */
  close() {
    this.pc.close();
    this.#become("closed");
  }

  #follow() {
    if (this.state === "closed") return;
    const { connectionState } = this.pc;
    if (this.#closedByDaemon()) this.#become("replaced");
    else if (connectionState === "connected") this.#become("connected");
    else if (connectionState === "failed" || connectionState === "closed") this.#become("failed");
  }

  /** The daemon says goodbye over DTLS when another leg takes this one's place; a broken leg just goes silent. */
  #closedByDaemon() {
    return this.#audio.sender.transport?.state === "closed";
  }

  /** @param {LegState} state */
  #become(state) {
    if (this.state === state) return;
    this.state = state;
    this.dispatchEvent(new Event("state"));
  }
}

/** @param {RTCRtpSender} sender @param {MediaStreamTrack|null} track */
function replace(sender, track) {
  if (sender.track === track) return;
  // It rejects only for a closed connection, and then nothing is left to carry.
  sender.replaceTrack(track).catch(() => undefined);
}
