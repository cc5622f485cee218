/**
 * This tab's part in a call: the leg, the capture, and who decided what.
 *
 * Invariants:
 * - a ringing call is only warmed: its leg is negotiated and carries nothing of ours;
 * - capture opens by `place`, `test`, `join`, `answer`, `preview`, `resume` and the keys for camera and screen, each the user's own act, and by `attach` to
 *   a call that the user is in already: where the browser had been given permission, or where the user has just answered
 *   it outside of the page, which opened this one. A camera that was said to be off stays off;
 * - a call that is answered anywhere but here opens nothing here; its warm leg stays, silent, until another takes its
 *   place, for a call that loses its only leg ends;
 * - when a call ends, or the daemon is gone, every track is stopped in the same turn of the event loop.
 *
 * @import {Call, Media} from "./types.js"
 * @import {Api} from "./api.js"
 * @import {Store} from "./store.js"
 * @import {Devices} from "./devices.js"
 */
import { Capture, granted } from "./capture.js";
import { madeHere, suitable } from "./formats.js";
import { keepManners, mannersOf } from "./manners.js";
import { Leg } from "./media.js";
import { Problem } from "./api.js";
import { TabLock } from "./tab-lock.js";

/** A leg that broke is opened again this often, after these waits. */
const REOPEN_AFTER_MS = [300, 1000, 3000];
/** Both called at once: how long the picture may wait for the call that goes on. Below the 500 ms of an ended call. */
const MERGE_WAIT_MS = 400;
/** A leg that the daemon closed: how long to wait for the news that the call has ended. */
const ENDED_WAIT_MS = 250;

/** Fires `change` when anything a screen shows has changed. */
export class Session extends EventTarget {
  /** The call that this tab holds, or null. @type {string|null} */
  id = null;
  /** Whether the user chose, in this tab, to be in it. */
  accepted = false;
  /** The call that the user ended in this tab. @type {string|null} */
  endedHere = null;
  /** @type {Capture} */
  capture;
  /** @type {Leg|null} */
  leg = null;
  /** Why there is no leg. @type {Problem|null} */
  problem = null;
  /** The call whose page is shown, whether held or not. @type {string|null} */
  shown = null;

  #api;
  #store;
  #go;
  #lock = new TabLock();
  /** A call that another tab took from this one, or that this tab was told to leave alone. @type {string|null} */
  #ceded = null;
  #reopens = 0;
  /** The state of the call when its leg was last asked for. */
  #askedIn = "";
  /** The contact whom the user is about to call and looks at the own picture first. @type {string|null} */
  #joining = null;
  /** What was last said about one's own sending, as text. */
  #told = "";

  /** @param {Api} api @param {Store} store @param {Devices} devices @param {(path: string) => void} go */
  constructor(api, store, devices, go) {
    super();
    this.#api = api;
    this.#store = store;
    this.#go = go;
    this.capture = new Capture(devices);
    store.addEventListener("change", () => this.#sync());
    this.capture.addEventListener("change", () => this.#captured());
    document.addEventListener("visibilitychange", () => this.#lookedAt());
    window.addEventListener("pagehide", () => {
      this.unjoin();
      this.#let();
    });
  }

  /** The call that this tab holds. @returns {Call|null} */
  get call() {
    return this.id === null ? null : (this.#store.calls.get(this.id) ?? null);
  }

  /** Whether the user called in this tab, and it rings at the other end. */
  get awaits() {
    const { call } = this;
    return this.accepted && call?.direction === "out" && call.state === "ringing";
  }

  /**
   * The user calls somebody. Throws the API's problem.
   * @param {string} contact
   * @param {Media} media what the call is for
   * @param {boolean} dark whether the camera stays off at first
   */
  async place(contact, media, dark = false) {
    const busy = this.#store.busy();
    if (busy && busy.contact !== contact) return this.#go(`/call/${busy.id}`);
    return this.#dial(() => this.#api.startCall(contact, media), { audio: media.audio, video: media.video && !dark });
  }

  /** The user calls Echo. Throws the API's problem. */
  async test() {
    const busy = this.#store.busy();
    if (busy) return this.#go(`/call/${busy.id}`);
    return this.#dial(() => this.#api.testCall(), { audio: true, video: true });
  }

  /** @param {() => Promise<Call>} start @param {Media} capture what is opened meanwhile */
  async #dial(start, capture) {
    this.#joining = null;
    const preview = this.capture.open(capture);
    try {
      const call = await start();
      this.accepted = true;
      // The event stream may have told a later state already.
      if (!this.#store.calls.has(call.id)) this.#store.apply("call", call);
      this.#hold(call.id, true, true);
      this.#go(`/call/${call.id}`);
    } catch (error) {
      if (!this.accepted) this.capture.stop();
      throw error;
    }
    return preview;
  }

  /** The user wants to look at the own picture before calling. @param {string} contact @param {Media} media */
  async join(contact, media) {
    if (this.accepted) return;
    this.#joining = contact;
    await this.capture.open(media);
  }

  /** Not about to call any more: what was opened to look at is closed. */
  unjoin() {
    if (this.#joining === null) return;
    this.#joining = null;
    if (!this.accepted) this.capture.stop();
  }

  /** The user answers one call while in another, which ends. Throws the API's problem. @param {string} id @param {Media} media */
  async answerInstead(id, media) {
    const before = this.#store.busy();
    if (before && before.id !== id) await this.hangUp(before.id);
    await this.answer(id, media);
  }

  /** The user answers. Throws the API's problem. @param {string} id @param {Media} media */
  async answer(id, media) {
    this.#joining = null;
    this.#hold(id, true, true);
    this.#go(`/call/${id}`);
    void this.capture.open(media);
    if (!media.video) void this.capture.setCamera(false);
    try {
      await this.#api.actOnCall(id, "answer");
    } catch (error) {
      this.#let();
      throw error;
    }
  }

  /** The user looks at the own picture before answering. @param {string} id */
  async preview(id) {
    this.#joining = null;
    this.#hold(id, true, false);
    await this.capture.open({ audio: true, video: true });
  }

  /** The user declines. Throws the API's problem. @param {string} id */
  async decline(id) {
    if (id === this.id) this.#let();
    if (this.id === null) this.#ceded = id;
    await this.#api.actOnCall(id, "decline");
  }

  /** The user hangs up or cancels. Throws the API's problem, but not for a call that is over. @param {string} id */
  async hangUp(id) {
    this.endedHere = id;
    if (id === this.id) this.#let();
    this.#ceded = id;
    try {
      await this.#api.actOnCall(id, "hangup");
    } catch (error) {
      if (!(error instanceof Problem) || ![404, 409].includes(error.status)) throw error;
    }
  }

  /**
   * The page of a call was opened. It takes part in a call that nobody carries yet; a visible page takes a ringing
   * call over from tabs in the background, and the page that an answer opened takes it from any, and asks for devices.
   * @param {Call} call
   * @param {boolean} answered whether the user has just answered it, outside of the page
   */
  async attach(call, answered) {
    if (this.id === call.id) return this.#relock(call.id);
    if (this.#ceded === call.id || call.state === "ended") return;
    const active = call.state === "active";
    const mine = call.direction === "out" || active;
    const clicked = answered && active;
    const { muted, blind } = mannersOf(call.id);
    const dark = blind || saidDark(call);
    if (!(await this.#hold(call.id, active ? clicked : !document.hidden, mine)) || !mine) return;
    const want = { audio: call.media.audio, video: call.media.video && !dark };
    if (!(clicked || (await granted(want))) || this.id !== call.id) return;
    this.capture.muted = muted;
    this.capture.dark = dark;
    await this.capture.open(want);
  }

  /** A call that was answered elsewhere is open to other tabs until this one shows it. @param {string} id */
  #relock(id) {
    if (this.#lock.held) return;
    void this.#lock.claim(id, false, () => this.#taken(id));
  }

  /** The user wants this tab to carry a call that another tab or program carries. @param {Call} call */
  async takeOver(call) {
    this.#joining = null;
    this.#ceded = null;
    this.capture.dark = saidDark(call);
    void this.capture.open({ audio: call.media.audio, video: call.media.video && !this.capture.dark });
    await this.#hold(call.id, true, true);
  }

  /** The user turns camera and microphone on in a call that this tab only receives. @param {Call} call */
  async resume(call) {
    this.accepted = true;
    await this.capture.open(call.media);
  }

  /** The user asks for the leg once more. */
  retry() {
    this.#reopens = 0;
    if (this.id !== null) void this.#openLeg(this.id);
  }

  toggleMute() {
    if (this.capture.audio) this.capture.setMuted(!this.capture.muted);
    else void this.capture.open({ audio: true, video: false });
  }

  toggleCamera() {
    void this.capture.setCamera(this.capture.video === null);
  }

  /** Shows the screen, or stops showing it. */
  async toggleShare() {
    if (this.capture.screen) this.capture.unshare();
    else await this.capture.share();
  }

  /**
   * @param {string} id
   * @param {boolean} steal
   * @param {boolean} accepted
   * @returns {Promise<boolean>} whether this tab holds it
   */
  async #hold(id, steal, accepted) {
    if (this.id === id) {
      this.accepted ||= accepted;
      this.#changed();
      return true;
    }
    if (this.id !== null) this.#dropLeg();
    this.id = id;
    this.accepted = accepted;
    this.#ceded = null;
    this.#reopens = 0;
    this.problem = null;
    if (!(await this.#lock.claim(id, steal, () => this.#taken(id)))) {
      this.#taken(id);
      return false;
    }
    if (this.id !== id) return false;
    void this.#openLeg(id);
    return true;
  }

  /** @param {string} id */
  async #openLeg(id) {
    this.#dropLeg();
    const leg = new Leg();
    this.leg = leg;
    this.problem = null;
    this.#askedIn = this.call?.state ?? "";
    leg.addEventListener("state", () => this.#legChanged(leg));
    this.#carry();
    this.#changed();
    try {
      await leg.open((offer) => this.#api.openLeg(id, offer));
      this.#suit();
    } catch (error) {
      if (this.leg !== leg) return;
      this.#dropLeg();
      this.problem = error instanceof Problem ? error : browserProblem(error);
      this.#changed();
    }
  }

  /** @param {Leg} leg */
  #legChanged(leg) {
    if (this.leg !== leg || this.id === null) return;
    if (leg.state === "connected") this.#reopens = 0;
    if (leg.state === "failed") this.#reopen(this.id, leg);
    if (leg.state === "replaced") this.#cede(this.id, leg);
    this.#changed();
  }

  /** The daemon closes the legs of a call that ends, too, and says so a moment later. @param {string} id @param {Leg} leg */
  #cede(id, leg) {
    setTimeout(() => {
      if (this.leg === leg) this.#taken(id);
    }, ENDED_WAIT_MS);
  }

  /** @param {string} id @param {Leg} leg */
  #reopen(id, leg) {
    const wait = REOPEN_AFTER_MS[this.#reopens];
    this.#reopens += 1;
    if (wait === undefined) return;
    setTimeout(() => {
      if (this.leg === leg && this.id === id) void this.#openLeg(id);
    }, wait);
  }

  /** Another tab or program carries the call. @param {string} id */
  #taken(id) {
    if (this.id !== id) return;
    this.#let();
    this.#ceded = id;
    this.#changed();
  }

  #captured() {
    this.#carry();
    this.#tell();
    this.#changed();
  }

  /** A look at oneself before calling somebody is no part of a call that rings meanwhile. */
  #carry() {
    if (this.#joining === null) this.leg?.carry(this.capture.audio, this.capture.picture);
  }

  /** Remembers what is switched off, and lets the other person know. */
  #tell() {
    const { call, capture } = this;
    if (call?.state !== "active" || !this.accepted || capture.opening) return;
    keepManners(call.id, { muted: capture.muted, blind: capture.dark });
    // A daemon that says what the other person sends also wants to hear what we do.
    if (!call.peer_media) return;
    const media = { audio: capture.audio !== null && !capture.muted, video: capture.picture !== null };
    const told = `${call.id} ${media.audio} ${media.video}`;
    const known = call.own_media?.audio === media.audio && call.own_media.video === media.video;
    if (known || told === this.#told) return;
    this.#told = told;
    this.#api.setMedia(call.id, media).catch(() => {
      this.#told = "";
    });
  }

  #dropLeg() {
    const leg = this.leg;
    this.leg = null;
    leg?.close();
  }

  /** Lets go of the call: camera, microphone, leg, lock. */
  #let() {
    this.id = null;
    this.accepted = false;
    this.problem = null;
    if (this.#joining === null) this.capture.stop();
    this.#dropLeg();
    this.#lock.release();
    this.#changed();
  }

  #sync() {
    if (this.id !== null && ["offline", "locked"].includes(this.#store.connection)) this.#let();
    else if (this.id !== null) this.#follow();
    const ringing = this.#store.ringing();
    if (this.id === null && ringing && ringing.id !== this.#ceded) void this.#hold(ringing.id, !document.hidden, false);
  }

  #follow() {
    const call = this.call;
    if (call?.state === "ended" && call.reason?.code === "glare_merged" && this.accepted) this.#merge(call);
    else if (!call || call.state === "ended") this.#let();
    else if (call.state === "active" && !this.accepted && this.shown !== call.id) this.#lock.release();
    else if (this.problem && call.state !== this.#askedIn && this.id !== null) void this.#openLeg(this.id);
    else {
      this.#tell();
      this.#suit();
    }
  }

  /** Sends what the other side can show. */
  #suit() {
    const format = suitable(this.call?.peer_takes, madeHere(), navigator.hardwareConcurrency);
    if (format !== null) this.leg?.prefer(format);
  }

  /** Both called at once: the user's own act goes over to the call that goes on. @param {Call} ended */
  #merge(ended) {
    const next = this.#store.live();
    if (next && next.contact === ended.contact) {
      const { id } = next;
      void this.#hold(id, true, true);
      this.#go(`/call/${id}`);
      return;
    }
    setTimeout(() => {
      if (this.id === ended.id) this.#let();
    }, MERGE_WAIT_MS);
  }

  /** Somebody looks at this tab: it warms a ringing call in place of a hidden one. */
  #lookedAt() {
    const ringing = this.#store.ringing();
    if (document.hidden || !ringing || this.id !== null) return;
    this.#ceded = null;
    void this.#hold(ringing.id, true, false);
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}

/** Whether the camera is off in a call for pictures, as the daemon was last told. @param {Call} call */
function saidDark(call) {
  return call.media.video && call.own_media?.video === false;
}

/** @param {unknown} error */
function browserProblem(error) {
  const detail = error instanceof Error ? error.message : String(error);
  return new Problem({ status: 0, code: "browser", title: "", detail });
}
