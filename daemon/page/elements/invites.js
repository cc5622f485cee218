/** The big [Call me] button, the message it makes, and the invites that nobody has used yet. */
import { h, keyed, setText } from "../dom.js";
import { s } from "../strings.js";
import { button } from "./button.js";

/** @import {Context, Invite} from "../types.js" */

export class InvitesElement extends HTMLElement {
  #context;
  #status = h("p", { role: "status", class: "status" });
  #heading = h("h3", {}, s.invite.open);
  #list = h("div", { role: "list", class: "invite-list" });

  /** @param {Context} context */
  constructor(context) {
    super();
    this.#context = context;
    this.append(
      h("h2", {}, s.invite.heading),
      h("p", { class: "help" }, s.invite.help),
      button("invite", s.invite.make, () => this.#make(), { kind: "go" }),
      this.#status,
      this.#heading,
      this.#list,
    );
    this.className = "card";
  }

  /** @param {Invite[]} invites */
  update(invites) {
    this.#heading.hidden = invites.length === 0;
    // A link that was used or has expired is not to be pasted any more.
    if (invites.length === 0) setText(this.#status, "");
    const newestFirst = [...invites].sort((a, b) => b.expires_at.localeCompare(a.expires_at));
    keyed(this.#list, newestFirst, (invite) => invite.id, (invite) => this.#row(invite), updateRow);
  }

  async #make() {
    try {
      const invite = await this.#context.api.createInvite();
      this.#context.store.apply("invite", invite);
      this.#showCode(invite);
      await this.#copy(invite);
    } catch (error) {
      this.#context.fail(error);
    }
  }

  /** A link that was just made can be scanned at once. @param {Invite} invite */
  #showCode(invite) {
    const code = this.querySelector(`[data-invite="${CSS.escape(invite.id)}"] details`);
    if (code instanceof HTMLDetailsElement) code.open = true;
  }

  /** @param {Invite} invite */
  #row(invite) {
    return h(
      "div",
      { role: "listitem", class: "invite", "data-invite": invite.id },
      h("p", { class: "invite-text", "data-invite-text": true, tabindex: 0 }, invite.text),
      codeOf(invite),
      h("p", { class: "expiry" }),
      h("p", { class: "help", "data-invite-why": true }),
      h(
        "div",
        { class: "acts" },
        button("invite-copy", s.invite.copy, () => this.#copy(invite), { icon: "copy", help: s.invite.copyHelp }),
        button("invite-delete", s.invite.takeBack, () => this.#takeBack(invite), {
          kind: "quiet",
          help: s.invite.takeBackHelp,
        }),
      ),
    );
  }

  /** @param {Invite} invite */
  async #copy(invite) {
    let copied = true;
    try {
      await navigator.clipboard.writeText(invite.text);
    } catch {
      copied = false;
      this.#select(invite);
    }
    setText(this.#status, copied ? s.invite.copied : s.invite.notCopied);
  }

  /** @param {Invite} invite */
  #select(invite) {
    const text = this.querySelector(`[data-invite="${CSS.escape(invite.id)}"] [data-invite-text]`);
    if (text) getSelection()?.selectAllChildren(text);
  }

  /** @param {Invite} invite */
  async #takeBack(invite) {
    try {
      await this.#context.api.deleteInvite(invite.id);
      this.#context.store.apply("invite_removed", { id: invite.id });
      setText(this.#status, "");
    } catch (error) {
      this.#context.fail(error);
    }
  }
}

/** The link to be scanned, made when somebody wants to see it. @param {Invite} invite */
function codeOf(invite) {
  const image = h("img", { alt: s.invite.codeAlt, width: 240, height: 240, "data-invite-code": true });
  const code = h("details", { class: "code" }, h("summary", {}, s.invite.code), image);
  code.addEventListener("toggle", () => {
    if (code.open) image.src = `/v1/invites/${encodeURIComponent(invite.id)}/code`;
  });
  return code;
}

/** @param {HTMLElement} row @param {Invite} invite */
function updateRow(row, invite) {
  const expiry = row.querySelector(".expiry");
  if (expiry) setText(expiry, s.invite.expires(Date.parse(invite.expires_at) - Date.now()));
  const why = row.querySelector("[data-invite-why]");
  if (!(why instanceof HTMLElement)) return;
  why.hidden = !invite.why;
  setText(why, invite.why ? `${invite.why.text} ${invite.why.fix}` : "");
}

customElements.define("twocan-invites", InvitesElement);
