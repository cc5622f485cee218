/**
 * What the daemon said last. The page keeps no truth of its own: a snapshot replaces everything, an event replaces one
 * noun, and whoever listens to `change` draws again.
 *
 * @import {Call, Contact, Door, Invite, Me, Network, Snapshot, Status, Why} from "./types.js"
 */

/** Something to tell the user once. `id` is stable, so the same fact is told one time. */
/** @typedef {{id: string, title: string, detail: string}} Notice */

/** Fires `change` after every change, synchronously. */
export class Store extends EventTarget {
  /** @type {"connecting"|"open"|"offline"|"locked"} */
  connection = "connecting";
  /** @type {Status|null} null until the first snapshot */
  status = null;
  /** @type {Map<string, Contact>} */
  contacts = new Map();
  /** @type {Map<string, Call>} */
  calls = new Map();
  /** @type {Map<string, Invite>} */
  invites = new Map();
  /** @type {Door} */
  door = { open: false };
  /** What was last said of the own network, once it was asked for. @type {Network|null} */
  network = null;
  /** @type {Map<string, Notice>} */
  notices = new Map();
  /** Ids of missed calls that the user put away in this tab. @type {Set<string>} */
  seen = new Set();

  /** @param {"open"|"offline"|"locked"} connection */
  connected(connection) {
    if (this.connection === connection) return;
    this.connection = connection;
    this.#changed();
  }

  /**
   * Applies one event of the stream.
   * @param {string} noun
   * @param {any} body
   */
  apply(noun, body) {
    switch (noun) {
      case "snapshot":
        this.#replaceAll(body);
        break;
      case "contact":
        this.contacts.set(body.id, body);
        break;
      case "contact_removed":
        this.#removeContact(body);
        break;
      case "call":
        this.calls.set(body.id, named(body));
        break;
      case "call_removed":
        this.calls.delete(body.id);
        break;
      case "invite":
        this.invites.set(body.id, body);
        break;
      case "invite_removed":
        this.invites.delete(body.id);
        break;
      case "door":
        this.door = body;
        break;
      case "me":
        this.#me(body);
        break;
      case "network":
        this.network = body;
        break;
      case "key":
        this.#key(body);
        break;
      case "warning":
        this.#noticeWhy(body);
        break;
    }
    this.#changed();
  }

  /** @param {Notice} notice */
  notice(notice) {
    this.notices.set(notice.id, notice);
    this.#changed();
  }

  /** @param {string} id */
  dismiss(id) {
    this.notices.delete(id);
    this.#changed();
  }

  /** @param {string} id of a missed call */
  see(id) {
    this.seen.add(id);
    this.#changed();
  }

  /** The call that is ringing here, if any. @returns {Call|null} */
  ringing() {
    return this.#find((call) => call.direction === "in" && call.state === "ringing");
  }

  /** The call that is not over, if any. @returns {Call|null} */
  live() {
    return this.#find((call) => call.state !== "ended");
  }

  /** The call that keeps the user from placing another, if any. @returns {Call|null} */
  busy() {
    return this.#find((call) => call.state === "active" || (call.state !== "ended" && call.direction === "out"));
  }

  /** @returns {Call[]} missed calls not put away */
  missed() {
    return [...this.calls.values()].filter(
      (call) => call.missed && !this.seen.has(call.id),
    );
  }

  /** @param {(call: Call) => boolean} test */
  #find(test) {
    for (const call of this.calls.values()) if (test(call)) return call;
    return null;
  }

  /** @param {Snapshot} snapshot */
  #replaceAll(snapshot) {
    this.status = snapshot.status;
    this.contacts = byId(snapshot.contacts);
    this.calls = byId(snapshot.calls.map(named));
    this.invites = byId(snapshot.invites);
    this.door = snapshot.door;
  }

  /** @param {{id: string, why?: Why}} body */
  #removeContact(body) {
    const name = this.contacts.get(body.id)?.name;
    this.contacts.delete(body.id);
    if (body.why) {
      const title = name ? `${name}: ${body.why.text}` : body.why.text;
      this.notices.set(`removed-${body.id}`, { id: `removed-${body.id}`, title, detail: body.why.fix });
    }
  }

  /** @param {Me} me */
  #me(me) {
    if (this.status) this.status = { ...this.status, ...me };
  }

  /**
   * The warnings about the old place went with the key; those about the new one come as events.
   * @param {import("./types.js").Status["key"]} key
   */
  #key(key) {
    if (!this.status) return;
    const warnings = this.status.warnings.filter(({ code }) => code !== "key_in_file" && code !== "key_elsewhere");
    this.status = { ...this.status, key, warnings };
  }

  /** @param {Why} why */
  #noticeWhy(why) {
    const id = `warning-${why.code}-${why.text}`;
    this.notices.set(id, { id, title: why.text, detail: why.fix });
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}

/**
 * A stranger is called by the address: without its port where he rang, for that port says nothing.
 * @param {Call} call @returns {Call}
 */
function named(call) {
  const { name, address } = call.peer;
  if (name !== "" || address === undefined) return call;
  const port = call.direction === "in" ? /:\d+$/ : /:2226$/;
  return { ...call, peer: { ...call.peer, name: address.replace(port, "").replace(/^\[(.*)\]$/, "$1") } };
}

/** @template {{id: string}} T @param {T[]} items @returns {Map<string, T>} */
function byId(items) {
  return new Map(items.map((item) => [item.id, item]));
}
