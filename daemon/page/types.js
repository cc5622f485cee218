/**
 * The shapes of the local API, as the page reads them. The daemon's API crate is their source; fields that the page
 * does not use are left out.
 *
 * @typedef {{code: string, text: string, fix: string}} Why
 * @typedef {{id: string, name: string}} Ref
 * @typedef {{audio: boolean, video: boolean}} Media
 * @typedef {"available"|"do_not_disturb"} Presence
 * @typedef {{kind: "lan"|"direct"|"relay", via: string|null, carrier?: "contact"|"own_server"|"their_server"|null, rtt_ms: number, last_proof_ms: number}} Path
 *
 * Four words, the same on both screens.
 * @typedef {{state: "none"|"running"|"compare"|"same"|"different", words: string[]|null, number: string}} Safety
 *
 * @typedef {object} Contact
 * @property {string} id
 * @property {string} name
 * @property {"pending"|"accepted"|"contested"} state
 * @property {boolean} verified
 * @property {boolean} [blocked] where the daemon can block
 * @property {boolean} [relay] it may use this device as a relay
 * @property {boolean} [relay_only] this device's addresses are hidden from it
 * @property {boolean} [one_click] Answer in the notification or the tray takes its calls at once
 * @property {boolean} [quiet] it rang too often and does not ring for a while
 * @property {Safety} [safety]
 * @property {Why|null} [alarm] what speaks against it
 * @property {boolean} [introduces] it passes on where we are to contacts of both
 * @property {string|null} [reply] while it is pending: what to send back by hand
 * @property {"yes"|"checking"|"no"} reachable
 * @property {Why|null} why
 * @property {Path|null} path
 *
 * @typedef {{code: string, why?: string, after_s?: number}} Reason
 *
 * The other end of a call through a door.
 * @typedef {{safety: Safety, keep: boolean|null, peer_keeps: boolean, can_keep: boolean, path: Path|null}} Stranger
 *
 * @typedef {{open: boolean, closes_in_s?: number|null, addresses?: string[], reachable?: "yes"|"no"|"unknown", why?: Why|null}} Door
 *
 * @typedef {object} Call
 * @property {string} id
 * @property {"in"|"out"} direction
 * @property {"dialing"|"ringing"|"active"|"ended"} state
 * @property {string|null} contact
 * @property {{name: string, address?: string}} peer a stranger is called by the address until he is a contact
 * @property {Stranger} [stranger] what is known of the other end of a call through a door
 * @property {Media} media
 * @property {Media} [own_media] what this page sends, as it last said
 * @property {Media} [peer_media] what the other person sends, where the daemon tells
 * @property {string[]} [peer_takes] the video formats that the other side can show, once it has said so
 * @property {Why} [picture_held] why one's own picture does not get there, where the daemon holds it back
 * @property {boolean} reconnecting its path is silent and being looked for again
 * @property {boolean} missed it went by unanswered and was not seen
 * @property {Reason|null} reason
 *
 * A link that somebody sent, before it is used.
 * @typedef {{id: string, kind: "invite"|"reply", link: string, name: string|null, expires_at: string|null, contact: string|null, why: Why|null}} Paste
 *
 * @typedef {{id: string, link: string, text: string, expires_at: string, reachable?: Known, why?: Why|null}} Invite
 * @typedef {{person: Ref, device: Ref, presence: Presence, second_call?: "busy"|"wait"}} Me
 * @typedef {"keyring"|"passphrase"|"credential"|"file"} KeyStore
 * @typedef {Me & {version: string, key: {store: KeyStore, text: string}, warnings: Why[]}} Status
 * @typedef {{status: Status, contacts: Contact[], calls: Call[], invites: Invite[], door: Door}} Snapshot
 *
 * @typedef {{what: string, count: number|null, place: string, protection: string, until: string}} Stored
 * @typedef {{who: string, sees: string, hidden: string}} Outsider
 * @typedef {{stored: Stored[], outsiders: Outsider[], never: string[]}} Privacy
 *
 * @typedef {"yes"|"no"|"unknown"} Known
 * @typedef {"easy"|"hard"|"unknown"} NatKind
 * @typedef {{kind: "stun"|"dht"|"contact", address: string|null, contact: string|null, seen: string|null, s_ago: number}} NetworkSource
 *
 * @typedef {object} Network what this device looks like from outside
 * @property {boolean} checking
 * @property {number|null} checked_s_ago
 * @property {NatKind} kind
 * @property {Why} summary
 * @property {Known} reachable
 * @property {Known} translated
 * @property {"endpoint_independent"|"address_dependent"|"address_and_port_dependent"|"dependent"|"unknown"} mapping
 * @property {"endpoint_independent"|"address_dependent"|"address_and_port_dependent"|"unknown"} filtering
 * @property {Known} hairpin
 * @property {Known} port_preservation
 * @property {number|null} lifetime_at_least_s
 * @property {number|null} lifetime_at_most_s
 * @property {boolean} measuring_lifetime
 * @property {Known} ipv6
 * @property {"endpoint_independent"|"address_dependent"|"address_and_port_dependent"|"unknown"} ipv6_filtering
 * @property {Known} double_nat
 * @property {boolean} disagreement
 * @property {{enabled: boolean, upnp: Known, nat_pmp: Known, pcp: Known, external: string|null}} port_mapping
 * @property {NetworkSource[]} sources
 * @property {{address: string, kind: "host"|"mapped"|"reflexive"}[]} addresses
 *
 * @typedef {{contact: string, own: NatKind, theirs: NatKind, works: "now"|"soon"|"slowly"|"relay"|"unknown", summary: Why}} ContactNetwork
 *
 * @typedef {{status: number, code: string, title: string, detail: string}} ProblemBody
 *
 * What opens over the screen.
 * @typedef {object} Dialogs
 * @property {() => void} keys
 * @property {() => void} devices
 * @property {(contact: string) => void} person
 * @property {(contact: string) => void} words
 *
 * What every element is given.
 * @typedef {object} Context
 * @property {import("./api.js").Api} api
 * @property {import("./store.js").Store} store
 * @property {import("./session.js").Session} session
 * @property {import("./devices.js").Devices} devices
 * @property {(path: string) => void} go
 * @property {Dialogs} dialogs
 * @property {(error: unknown) => void} fail Tells the user about something that did not work.
 */
export {};
