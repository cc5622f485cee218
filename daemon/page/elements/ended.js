/** The end of a call: why, and what to do next. */
import { clock, lasted } from "../clock.js";
import { h, setAttr, setText } from "../dom.js";
import { start, startAt } from "../start.js";
import { s } from "../strings.js";
import { button, isDisabled, setDisabled, setLabel } from "./button.js";
import { StrangerElement } from "./stranger.js";

/** @import {Call, Context} from "../types.js" */

/** The call goes on somewhere else: nothing to call again. */
const GOES_ON = ["answered_elsewhere", "glare_merged"];

export class EndedElement extends HTMLElement {
  #context;
  /** @type {Call|null} */
  #call = null;
  #name = h("p", { class: "ended-name", dir: "auto" });
  #title = h("h1", { dir: "auto" });
  #next = h("p", { class: "ended-next", dir: "auto" });
  #facts = h("p", { class: "help" });
  #why = h("p", { class: "help", id: "again-why", dir: "auto" });
  #again;
  #goOn;
  #stranger;
  /** How long the call of this id lasted. @type {{id: string, ms: number|null}|null} */
  #lasted = null;

  /** @param {Context} context */
  constructor(context) {
    super();
    this.#context = context;
    this.#again = button("call-again", s.ended.again, () => this.#callAgain(), { kind: "primary", icon: "phone" });
    this.#again.setAttribute("aria-describedby", "again-why");
    this.#stranger = new StrangerElement(context);
    this.#goOn = button("go-on", s.ended.goOn, () => this.#toLive(), { kind: "primary" });
    const close = button("close", s.ended.close, () => context.go("/"));
    this.append(
      this.#name,
      this.#title,
      this.#next,
      this.#facts,
      this.#stranger,
      h("div", { class: "acts", role: "group" }, this.#again, this.#goOn, close),
      this.#why,
    );
  }

  /** @param {boolean} shown @param {Call|null} call null when the daemon has forgotten it */
  update(shown, call) {
    this.hidden = !shown;
    if (!shown) return;
    this.#call = call;
    const { store, session } = this.#context;
    const outcome = outcomeOf(call, session.endedHere);
    setAttr(this, "data-reason", call?.reason?.code ?? null);
    const name = call?.peer.name ?? "";
    setText(this.#name, outcome.title.includes(name) ? "" : name);
    setText(this.#title, outcome.title);
    setText(this.#next, outcome.next);
    setText(this.#facts, this.#factsOf(call));
    this.#stranger.update(call);
    const goesOn = GOES_ON.includes(call?.reason?.code ?? "");
    this.#goOn.hidden = !goesOn || store.live() === null;
    this.#drawAgain(call, goesOn);
    this.#see(call);
  }

  /** @param {Call|null} call @param {boolean} goesOn */
  #drawAgain(call, goesOn) {
    const contact = call?.contact ? this.#context.store.contacts.get(call.contact) : undefined;
    const address = call && !contact && call.direction === "out" ? call.peer.address : undefined;
    this.#again.hidden = (contact === undefined && address === undefined) || goesOn;
    this.#why.hidden = this.#again.hidden;
    const talked = ["hung_up", "lost", "failed"].includes(call?.reason?.code ?? "hung_up");
    setLabel(this.#again, call?.direction === "in" && !talked ? s.ended.back : s.ended.again);
    const green = contact?.reachable === "yes" || address !== undefined;
    setDisabled(this.#again, !green);
    setText(this.#why, green || !contact?.why ? "" : `${contact.why.text} ${contact.why.fix}`);
  }

  /** A missed call whose end is shown has been seen. @param {Call|null} call */
  #see(call) {
    const { store, api, fail } = this.#context;
    if (!call?.missed || store.seen.has(call.id)) return;
    store.seen.add(call.id);
    api.seeCall(call.id).catch(fail);
  }

  /** @param {Call|null} call */
  #factsOf(call) {
    if (!call) return "";
    if (this.#lasted?.id !== call.id) this.#lasted = { id: call.id, ms: lasted(call.id) };
    const { ms } = this.#lasted;
    return ms === null ? s.ended.off : `${s.ended.lasted(clock(ms))} · ${s.ended.off}`;
  }

  async #callAgain() {
    const call = this.#call;
    if (!call || isDisabled(this.#again)) return;
    if (call.contact) await start(this.#context, call.contact, call.media);
    else if (call.peer.address) await startAt(this.#context, call.peer.address, call.media);
  }

  #toLive() {
    const live = this.#context.store.live();
    if (live) this.#context.go(`/call/${live.id}`);
  }
}

/** @param {Call|null} call @param {string|null} endedHere */
function outcomeOf(call, endedHere) {
  if (!call) return s.ended.forgotten;
  const own = call.reason === null || ["hung_up", "cancelled"].includes(call.reason.code);
  if (endedHere === call.id && own) return s.ended.here(call);
  return call.reason ? s.ended.outcome(call, call.reason) : s.ended.forgotten;
}

customElements.define("twocan-ended", EndedElement);
