/**
 * The local API over fetch, and its event stream. Same origin only; the session is the cookie that the daemon set.
 *
 * @import {Call, Contact, ContactNetwork, Door, Invite, Me, Media, Network, Presence, Paste, Privacy, ProblemBody, Safety} from "./types.js"
 */
import { s } from "./strings.js";

/** An error of the API, or of reaching it (status 0), in words for people. */
export class Problem extends Error {
  /** @param {ProblemBody} body */
  constructor(body) {
    super(body.title);
    this.status = body.status;
    this.code = body.code;
    this.title = body.title;
    this.detail = body.detail;
  }
}

/** Each method is one request; each throws a {@link Problem}. */
export class Api {
  /** @returns {Promise<void>} whether the daemon is there and knows this browser */
  async probe() {
    await request("GET", "/v1/status");
  }

  /** @returns {Promise<Privacy>} */
  async privacy() {
    return (await request("GET", "/v1/privacy")).json();
  }

  /** @returns {Promise<Network>} */
  async network() {
    return (await request("GET", "/v1/network")).json();
  }

  /** Looks at the network now, which takes some seconds. @returns {Promise<Network>} */
  async checkNetwork() {
    return (await send("POST", "/v1/network/check", {})).json();
  }

  /** Both sides of a path. @param {string} contact @returns {Promise<ContactNetwork>} */
  async contactNetwork(contact) {
    return (await request("GET", `/v1/contacts/${encodeURIComponent(contact)}/network`)).json();
  }

  /** Erases everything; the daemon ends. */
  async erase() {
    await send("DELETE", "/v1/data", { everything: true });
  }

  /** @param {string} name @returns {Promise<Me>} */
  async rename(name) {
    return this.changeMe({ name });
  }

  /** @param {{name?: string, presence?: Presence, second_call?: "busy"|"wait"}} changes @returns {Promise<Me>} */
  async changeMe(changes) {
    return (await send("PATCH", "/v1/me", changes)).json();
  }

  /** @returns {Promise<Invite>} */
  async createInvite() {
    return (await create("/v1/invites", {})).json();
  }

  /** @param {string} id */
  async deleteInvite(id) {
    await request("DELETE", `/v1/invites/${encodeURIComponent(id)}`);
  }

  /** @param {string} link the pasted text as it came @returns {Promise<Contact>} */
  async addContact(link) {
    return (await create("/v1/contacts", { link })).json();
  }

  /** Takes a reply link that an invitee sent back. @param {string} reply @returns {Promise<Invite>} */
  async takeReply(reply) {
    return (await send("POST", "/v1/invites/replies", { reply })).json();
  }

  /** @param {string} id @returns {Promise<Contact>} */
  async contact(id) {
    return (await request("GET", `/v1/contacts/${encodeURIComponent(id)}`)).json();
  }

  /** Keeps a contested contact. @param {string} id @returns {Promise<Contact>} */
  async keepContact(id) {
    return (await send("PATCH", `/v1/contacts/${encodeURIComponent(id)}`, { state: "accepted" })).json();
  }

  /** @param {string} id @param {string} name @returns {Promise<Contact>} */
  async renameContact(id, name) {
    return (await send("PATCH", `/v1/contacts/${encodeURIComponent(id)}`, { name })).json();
  }

  /** @param {string} id @param {boolean} introduces @returns {Promise<Contact>} */
  async nameIntroducer(id, introduces) {
    return (await send("PATCH", `/v1/contacts/${encodeURIComponent(id)}`, { introduces })).json();
  }

  /** @param {string} id @param {boolean} oneClick @returns {Promise<Contact>} */
  async setOneClick(id, oneClick) {
    return (await send("PATCH", `/v1/contacts/${encodeURIComponent(id)}`, { one_click: oneClick })).json();
  }

  /** @param {string} id @param {boolean} blocked @returns {Promise<Contact>} */
  async blockContact(id, blocked) {
    return (await send("PATCH", `/v1/contacts/${encodeURIComponent(id)}`, { blocked })).json();
  }

  /** @param {string} id @param {{relay?: boolean, relay_only?: boolean}} marks @returns {Promise<Contact>} */
  async setRelays(id, marks) {
    return (await send("PATCH", `/v1/contacts/${encodeURIComponent(id)}`, marks)).json();
  }

  /** Makes safety words, or gives those that wait for an answer. @param {string} id @returns {Promise<Safety>} */
  async safetyWords(id) {
    return (await send("POST", `/v1/contacts/${encodeURIComponent(id)}/verify`, {})).json();
  }

  /** What the user found when comparing them. @param {string} id @param {"same"|"different"} result */
  async compareWords(id, result) {
    await send("POST", `/v1/contacts/${encodeURIComponent(id)}/verify`, { result });
  }

  /** @param {string} id */
  async deleteContact(id) {
    await request("DELETE", `/v1/contacts/${encodeURIComponent(id)}`);
  }

  /** @param {string} to @param {Media} media @returns {Promise<Call>} */
  async startCall(to, media) {
    return (await create("/v1/calls", { to, media })).json();
  }

  /** Calls Echo, a throw-away person on this machine. @returns {Promise<Call>} */
  async testCall() {
    return (await create("/v1/test-call", {})).json();
  }

  /** What a link that waits is. @param {string} id @returns {Promise<Paste>} */
  async paste(id) {
    return (await request("GET", `/v1/pastes/${encodeURIComponent(id)}`)).json();
  }

  /** Opens the door for a time, or closes it. @param {boolean} open @param {number} seconds @returns {Promise<Door>} */
  async setDoor(open, seconds) {
    return (await send("PUT", "/v1/door", open ? { open, seconds } : { open })).json();
  }

  /** Whether to keep the stranger of a call. @param {string} id @param {boolean} keep @returns {Promise<Call>} */
  async keepStranger(id, keep) {
    return (await send("POST", `/v1/calls/${encodeURIComponent(id)}/keep`, { keep })).json();
  }

  /** What the user found when comparing words with the stranger of a call. @param {string} id @param {"same"|"different"} result */
  async compareStranger(id, result) {
    await send("POST", `/v1/calls/${encodeURIComponent(id)}/verify`, { result });
  }

  /** @param {string} id @returns {Promise<Call>} */
  async call(id) {
    return (await request("GET", `/v1/calls/${encodeURIComponent(id)}`)).json();
  }

  /** @param {string} id @param {"answer"|"decline"|"hangup"} act */
  async actOnCall(id, act) {
    await send("POST", `/v1/calls/${encodeURIComponent(id)}/${act}`, {});
  }

  /** Tells the other person what is being sent. @param {string} id @param {Media} media */
  async setMedia(id, media) {
    await send("PATCH", `/v1/calls/${encodeURIComponent(id)}`, { media });
  }

  /** A missed call was seen; the daemon forgets it. @param {string} id */
  async seeCall(id) {
    await request("DELETE", `/v1/calls/${encodeURIComponent(id)}`);
  }

  /**
   * Hands an SDP offer to the daemon's local leg.
   * @param {string} id of the call
   * @param {string} offer
   * @returns {Promise<{answer: string, location: string|null}>}
   */
  async openLeg(id, offer) {
    const path = `/v1/calls/${encodeURIComponent(id)}/media`;
    const response = await request("POST", path, offer, { "content-type": "application/sdp" });
    return { answer: await response.text(), location: response.headers.get("location") };
  }
}

/** @param {string} path @param {object} body */
function create(path, body) {
  return send("POST", path, body, { "idempotency-key": crypto.randomUUID() });
}

/** @param {string} method @param {string} path @param {object} body @param {Record<string, string>} [headers] */
function send(method, path, body, headers = {}) {
  return request(method, path, JSON.stringify(body), { "content-type": "application/json", ...headers });
}

/**
 * @param {string} method
 * @param {string} path
 * @param {string} [body]
 * @param {Record<string, string>} [headers]
 * @returns {Promise<Response>}
 */
async function request(method, path, body, headers = {}) {
  let response;
  try {
    response = await fetch(path, { method, headers, body, cache: "no-store", redirect: "error" });
  } catch {
    throw new Problem({ status: 0, code: "offline", title: s.offline.title, detail: s.offline.detail });
  }
  if (!response.ok) throw await problemOf(response);
  return response;
}

/** @param {Response} response */
async function problemOf(response) {
  const { status } = response;
  /** @type {Partial<ProblemBody>} */
  let body = {};
  try {
    body = await response.json();
  } catch {
    // Not a problem document: the status alone has to do.
  }
  return new Problem({
    status,
    code: body.code ?? `http_${status}`,
    title: body.title ?? s.problem.title,
    detail: body.detail ?? s.problem.detail(status),
  });
}

const NOUNS = ["snapshot", "contact", "contact_removed", "call", "call_removed", "invite", "invite_removed", "door", "me", "network", "key", "warning"];
const BACK_OFF_MS = [200, 1000, 2000, 4000];

/**
 * Keeps an event stream open for as long as the page lives. Every connection starts with a snapshot, so nothing needs
 * to be remembered between two; `gap` needs no handling, a snapshot follows it.
 * @param {Api} api
 * @param {(noun: string, body: any) => void} onEvent
 * @param {(connection: "open"|"offline"|"locked") => void} onConnection
 */
export function followEvents(api, onEvent, onConnection) {
  let failures = 0;
  let waiting = false;
  let timer = 0;

  const connect = () => {
    clearTimeout(timer);
    waiting = false;
    const source = new EventSource("/v1/events");
    source.onopen = () => {
      failures = 0;
      onConnection("open");
    };
    for (const noun of NOUNS) {
      source.addEventListener(noun, (event) => onEvent(noun, JSON.parse(event.data)));
    }
    source.onerror = () => {
      source.close();
      void retry();
    };
  };

  // EventSource hides the status of a refused stream, so a plain request finds out why it ended.
  const retry = async () => {
    let locked = false;
    try {
      await api.probe();
    } catch (error) {
      locked = error instanceof Problem && error.status === 401;
      onConnection(locked ? "locked" : "offline");
    }
    const wait = BACK_OFF_MS[Math.min(failures, BACK_OFF_MS.length - 1)];
    failures += 1;
    waiting = true;
    // Only the user can open the lock, and comes back here afterwards.
    if (!locked) timer = setTimeout(connect, wait);
  };

  // Coming back to the tab is when somebody looks: no waiting then.
  const looked = () => {
    if (!document.hidden && waiting) connect();
  };
  document.addEventListener("visibilitychange", looked);
  window.addEventListener("focus", looked);
  connect();
}
