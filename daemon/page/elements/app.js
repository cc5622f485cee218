/**
 * The whole page: one screen at a time, and what lies over every screen. `data-screen` names the one that is shown,
 * `data-ringback` stands while a caller hears that it rings at the other end.
 */
import { followEvents, Api, Problem } from "../api.js";
import { Devices } from "../devices.js";
import { h, setAttr } from "../dom.js";
import { icon, mark } from "../icons.js";
import { listenForKeys } from "../keys.js";
import { Ringback } from "../ringback.js";
import { Session } from "../session.js";
import { Store } from "../store.js";
import { s } from "../strings.js";
import { callOf, joinOf, linkOf, markOf, viewOf } from "../view.js";
import { BarElement } from "./bar.js";
import { button } from "./button.js";
import { CallElement } from "./call.js";
import { toggleFull } from "./controls.js";
import { DevicesElement } from "./devices.js";
import { ElsewhereElement } from "./elsewhere.js";
import { EndedElement } from "./ended.js";
import { HomeElement } from "./home.js";
import { JoinElement } from "./join.js";
import { KeySheetElement } from "./keysheet.js";
import { LinkElement } from "./link.js";
import { MessageElement } from "./message.js";
import { NetworkElement } from "./network.js";
import { NoticesElement } from "./notices.js";
import { PersonElement } from "./person.js";
import { PrivacyElement } from "./privacy.js";
import { RingElement } from "./ring.js";
import { SettingsElement } from "./settings.js";
import { WordsElement } from "./words.js";

/** @import {Context} from "../types.js" */
/** @import {View} from "../view.js" */

/** Times of day are in words, and words grow old. */
const REDRAW_MS = 30_000;

export class AppElement extends HTMLElement {
  #store = new Store();
  #api = new Api();
  #devices = new Devices();
  #session = new Session(this.#api, this.#store, this.#devices, (path) => this.#go(path));
  /** @type {Context} */
  #context = {
    api: this.#api,
    store: this.#store,
    session: this.#session,
    devices: this.#devices,
    dialogs: {
      keys: () => this.#keys.open(),
      devices: () => this.#pickers.open(),
      person: (contact) => this.#person.open(contact),
      words: (contact) => this.#words.open(contact),
    },
    go: (path) => this.#go(path),
    fail: (error) => this.#fail(error),
  };
  #ringback = new Ringback(this.#devices);
  #keys = new KeySheetElement();
  #notices = new NoticesElement(this.#context);
  #ring = new RingElement(this.#context);
  #bar = new BarElement(this.#context);
  #message = new MessageElement();
  #home = new HomeElement(this.#context);
  #join = new JoinElement(this.#context);
  #link = new LinkElement(this.#context);
  #settings = new SettingsElement(this.#context);
  #privacy = new PrivacyElement(this.#context);
  #network = new NetworkElement(this.#context);
  #pickers = new DevicesElement(this.#context);
  #person = new PersonElement(this.#context);
  #words = new WordsElement(this.#context);
  #call = new CallElement(this.#context);
  #ended = new EndedElement(this.#context);
  #elsewhere = new ElsewhereElement(this.#context);
  #main = h("main", { id: "main", tabindex: -1 });
  #header = h("header");
  #nav = h(
    "nav",
    { "aria-label": s.nav.label },
    this.#anchor("/settings", s.nav.settings, "gear"),
    this.#anchor("/privacy", s.nav.privacy, "shield"),
    button("keys-open", s.call.keys, () => this.#keys.open(), { icon: "keys", kind: "quiet" }),
  );
  #drawing = false;

  connectedCallback() {
    const screens = [this.#home, this.#join, this.#link, this.#settings, this.#privacy, this.#network, this.#call, this.#elsewhere, this.#ended];
    this.#main.append(this.#message, ...screens);
    this.#header.append(
      h("a", { href: "/", class: "brand", onclick: (event) => this.#follow(event, "/") }, mark(), h("span", {}, s.app)),
      this.#nav,
    );
    const skip = h("a", { href: "#main", class: "skip" }, s.skip);
    const over = h("section", { class: "over", "aria-label": s.news }, this.#notices, this.#ring, this.#bar);
    this.replaceChildren(skip, this.#header, over, this.#main, this.#keys, this.#pickers, this.#person, this.#words);
    this.#listen();
    this.#draw();
  }

  #listen() {
    const later = () => this.#drawLater();
    this.#store.addEventListener("change", later);
    this.#session.addEventListener("change", later);
    this.#devices.addEventListener("change", later);
    window.addEventListener("popstate", later);
    setInterval(later, REDRAW_MS);
    listenForKeys(() => !this.#call.hidden, () => !this.#join.hidden, {
      mute: () => this.#session.toggleMute(),
      camera: () => this.#session.toggleCamera(),
      share: () => void this.#call.share(),
      devices: () => this.#pickers.open(),
      facts: () => this.#call.toggleFacts(),
      full: toggleFull,
      help: () => this.#keys.open(),
      escape: () => this.#call.escape(),
    });
    followEvents(
      this.#api,
      (noun, body) => this.#store.apply(noun, body),
      (connection) => this.#store.connected(connection),
    );
  }

  #drawLater() {
    if (this.#drawing) return;
    this.#drawing = true;
    queueMicrotask(() => {
      this.#drawing = false;
      this.#draw();
    });
  }

  #draw() {
    const id = callOf(location.pathname);
    this.#session.shown = id;
    const named = id === null ? undefined : this.#store.calls.get(id);
    if (named && this.#store.connection === "open") this.#attach(named);
    const view = viewOf(this.#store, this.#session, location.pathname);
    if (!this.#isForLooking(view.screen)) this.#session.unjoin();
    this.#drawScreen(view);
    this.#drawOver(view);
    document.title = this.#titleOf(view);
    this.#keepFocus(view);
  }

  /** @param {import("../types.js").Call} call */
  #attach(call) {
    const mark = markOf(location.pathname);
    void this.#session.attach(call, mark === "answered");
    // That was said for this once: a tab that is loaded again takes the call from no other.
    if (mark === "answered") history.replaceState(null, "", `/call/${call.id}`);
  }

  /** Whether one can look at oneself there. @param {import("../view.js").Screen} screen */
  #isForLooking(screen) {
    return screen === "join" || screen === "settings" || (screen === "home" && this.#store.contacts.size === 0);
  }

  /** @param {View} view */
  #drawScreen({ screen, call }) {
    const message = screen === "loading" || screen === "locked" || screen === "offline" ? screen : null;
    this.#message.hidden = message === null;
    this.#header.hidden = screen === "calling" || screen === "ringing" || screen === "call";
    if (message) this.#message.update(message);
    this.#home.hidden = screen !== "home";
    if (screen === "home") this.#home.update();
    this.#join.update(screen === "join" ? (this.#store.contacts.get(joinOf(location.pathname) ?? "") ?? null) : null);
    this.#link.update(screen === "link" ? linkOf(location.pathname) : null);
    this.#settings.update(screen === "settings");
    this.#privacy.update(screen === "privacy");
    this.#network.update(screen === "network");
    for (const link of this.#nav.querySelectorAll("a")) {
      setAttr(link, "aria-current", link.getAttribute("href") === location.pathname ? "page" : null);
    }
    this.#call.update(screen, call, markOf(location.pathname) === "voice");
    this.#elsewhere.update(screen === "elsewhere", call);
    this.#ended.update(screen === "ended", call);
  }

  /** @param {View} view */
  #drawOver({ screen, call }) {
    const talking = this.#store.connection === "open";
    const ringing = talking ? this.#store.ringing() : null;
    const live = talking ? this.#store.live() : null;
    this.#notices.update();
    this.#ringback.update(talking && this.#session.awaits);
    this.toggleAttribute("data-ringback", this.#ringback.on);
    const answered = this.#session.accepted && this.#session.id === ringing?.id;
    this.#ring.update(ringing && ringing.id !== call?.id && !answered ? ringing : null);
    this.#pickers.update();
    if (this.#person.querySelector("dialog[open]")) this.#person.update();
    this.#words.update();
    this.#bar.update(live && live !== ringing && live.id !== call?.id && live.id !== this.#session.endedHere ? live : null);
    if (screen !== "call" && document.fullscreenElement) void document.exitFullscreen();
  }

  /** @param {View} view */
  #titleOf({ screen, call }) {
    const ringing = this.#store.connection === "open" ? this.#store.ringing() : null;
    if (ringing && !(this.#session.accepted && this.#session.id === ringing.id)) return s.title.ringing(ringing.peer.name);
    if (screen === "calling" && call) return s.title.calling(call.peer.name);
    if (screen === "call" && call) return s.title.call(call.peer.name);
    return s.title.screens[screen] ?? s.title.home;
  }

  /** A new screen takes the focus that the old one had; nothing is taken from a field that is still there. @param {View} view */
  #keepFocus({ screen }) {
    const before = this.dataset["screen"];
    if (before === screen) return;
    this.dataset["screen"] = screen;
    if (before === "loading") return;
    const focused = document.activeElement;
    const lost = focused === null || focused === document.body || !focused.checkVisibility();
    if (lost) this.#main.focus({ preventScroll: true });
    if (screen !== "home") window.scrollTo(0, 0);
  }

  /** @param {string} path @param {string} label @param {import("../icons.js").IconName} name */
  #anchor(path, label, name) {
    const props = { href: path, class: "nav-link", "data-nav": path.slice(1), onclick: (/** @type {MouseEvent} */ event) => this.#follow(event, path) };
    return h("a", props, icon(name), h("span", {}, label));
  }

  /** @param {MouseEvent} event @param {string} path */
  #follow(event, path) {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    this.#go(path);
  }

  /** @param {string} path */
  #go(path) {
    if (location.pathname !== path) history.pushState(null, "", path);
    this.#drawLater();
  }

  /** @param {unknown} error */
  #fail(error) {
    const problem = error instanceof Problem;
    const detail = problem ? error.detail : String(error);
    if (!problem) console.error(error);
    this.#store.notice({
      id: `fail-${problem ? error.code : "page"}`,
      title: problem ? error.title : s.problem.unexpected,
      detail,
    });
  }
}

customElements.define("twocan-app", AppElement);
