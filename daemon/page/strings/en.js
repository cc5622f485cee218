/** Every sentence of the page, in English. */

/** @import {Call, Path, Reason} from "../types.js" */
/** @import {Facts} from "../facts.js" */
/** @import {CaptureProblem} from "../capture.js" */

/** Words for one outcome: what happened, and what to do next. @typedef {{title: string, next: string}} Outcome */

export const en = {
  app: "Twocan",
  motto: "Two can talk. No third party can.",
  skip: "Skip to content",
  close: "Close",
  news: "What is going on",
  nav: { label: "Twocan", settings: "Settings", privacy: "Privacy" },
  loading: "Asking your Twocan…",
  locked: {
    title: "Open Twocan from its command",
    detail: "This page only works for the person who started Twocan on this computer. Open it once more with:",
    command: "twocan open",
    after: "If that opened another tab, you can close this one.",
  },
  offline: {
    title: "Twocan is not running",
    detail: "This page belongs to the Twocan on your computer, and it does not answer. Start it with:",
    command: "twocan up",
    after: "The page comes back by itself.",
  },
  problem: {
    title: "That did not work.",
    /** @param {number} status */
    detail: (status) => `Twocan answered with status ${status} and no explanation.`,
    unexpected: "Something in this page broke.",
  },
  title: {
    home: "Twocan",
    /** @param {string} name */
    ringing: (name) => `${name} is calling · Twocan`,
    /** @param {string} name */
    calling: (name) => `Calling ${name} · Twocan`,
    /** @param {string} name */
    call: (name) => `${name} · Twocan`,
    /** @type {Record<string, string>} */
    screens: {
      ended: "Call ended · Twocan",
      join: "Before the call · Twocan",
      link: "A link for you · Twocan",
      settings: "Settings · Twocan",
      privacy: "Privacy · Twocan",
      network: "Network · Twocan",
    },
  },

  me: {
    /** @param {string} name */
    you: (name) => `You are ${name}`,
    change: "Change",
    label: "Your name, as others see it in your invites",
    save: "Save",
    cancel: "Cancel",
    quiet: "Do not disturb is on.",
    quietHelp: "Nothing rings here, and others see that it would not.",
    ringAgain: "Let it ring again",
  },
  begin: {
    welcome: "Welcome to Twocan",
    heading: "You",
    look: "Check my camera",
    close: "Turn it off",
    testHelp: "A test call goes to Echo, a helper on this computer, who sends you back to yourself. Nobody else sees it.",
  },
  test: {
    call: "Test call",
    calling: "Starting Echo…",
    help: "Test call, to a helper on this computer",
  },
  link: {
    asking: "Looking at the link…",
    leave: "Not now",
    /** @param {string} name */
    invite: (name) => ({
      title: `Add ${name}?`,
      detail: `Whoever made this link calls themself ${name}. Add them only if you expected a link from them. Nothing has happened yet, and nobody is called before you press a call button.`,
      use: `Add ${name}`,
    }),
    /** @param {string} name */
    known: (name) => ({
      title: `${name} is in your list already`,
      detail: "This is a new link from somebody you know. Use it if the two of you no longer find each other; it does no harm.",
      use: "Use the link",
    }),
    reply: {
      title: "An answer to your link",
      detail: "Somebody to whom you gave a link could not reach you and sent you this by hand. With it your Twocan looks for theirs.",
      use: "Look for them",
    },
  },
  notes: {
    heading: "Good to know",
    dismiss: "Dismiss",
  },

  people: {
    heading: "People",
    steps: [
      "One of you presses Call me and sends the message to the other, any way you like.",
      "The other pastes it into their own Twocan.",
      "The dot turns green on both sides. Press Video call.",
    ],
    reachable: { yes: "Will ring", checking: "Checking", no: "Cannot be reached" },
    pending: "Waiting",
    contested: "Who is this?",
    unverified: "not verified",
    unverifiedHelp: "You have not compared safety words with this person yet.",
    verified: "verified",
    verifiedHelp: "You compared safety words: nobody sits between you.",
    /** @param {string} name */
    more: (name) => `More about ${name}`,
    /** @param {Path} path */
    path: (path) => `${through(path) ?? en.path[path.kind]}, ${ms(path.rtt_ms)}`,
    video: "Video call",
    voice: "Voice call",
    /** @param {string} name */
    videoTo: (name) => `Video call with ${name}`,
    /** @param {string} name */
    voiceTo: (name) => `Voice call with ${name}`,
    blocked: "Blocked",
    inCall: "You are in a call already.",
    keep: "Keep",
    remove: "Remove",
    nothingHappens: "Nothing happens?",
    /** @param {string} name */
    replyHelp: (name) => `Send this back to ${name}, who pastes it where you pasted the link. It tells ${name}, and nobody else, where your computer is.`,
    /** @param {string} name */
    removeOf: (name) => `Remove ${name}`,
  },
  path: { lan: "same network", direct: "direct", relay: "relayed" },

  invite: {
    heading: "Let somebody call you",
    help: "Makes a message with a link, for one person. Send it any way you like.",
    make: "Call me",
    copied: "Copied. Now paste it into a message and send it to someone.",
    code: "Code to scan",
    codeAlt: "The link as a code to be scanned with a camera",
    notCopied: "The browser did not let us copy. Select the text and copy it yourself.",
    open: "Links not used yet",
    copy: "Copy",
    copyHelp: "Copy this invite",
    takeBack: "Take back",
    takeBackHelp: "Take back this invite, so that it no longer works",
    /** @param {number} ms until it expires */
    expires: (ms) => (ms <= 0 ? "Has run out" : `Works for ${span(ms)}, for one person`),
  },
  add: {
    heading: "Got a link?",
    label: "Paste the message or link that somebody sent you",
    placeholder: "Call me: twocan:…",
    add: "Add",
    adding: "Adding…",
    /** @param {string} name */
    added: (name) => `${name} is in your list. You can call each other as soon as both are online.`,
    /** @param {string} name */
    pending: (name) => `${name} is in your list, waiting for their Twocan to confirm.`,
    replied: "Whoever sent this is being looked for, and appears in your list.",
    empty: "Paste a link first.",
  },
  missed: {
    /** @param {string} name */
    text: (name) => `Missed call from ${name}`,
    back: "Call back",
    dismiss: "Dismiss",
  },

  door: {
    heading: "Your door",
    help: "Lets people ring who know nothing but this computer’s address. It closes by itself; until then, and only then, your Twocan answers strangers.",
    open: "Open the door",
    time: "For how long",
    /** @param {number} minutes */
    minutes: (minutes) => (minutes === 60 ? "for an hour" : `for ${minutes} minutes`),
    isOpen: "Your door is open, still for",
    tell: "Tell whoever is to ring one of these addresses:",
    reached: "Somebody from outside your network has come through, so it can be reached.",
    close: "Close the door",
    /** @param {string} address */
    copy: (address) => `Copy ${address}`,
    copied: "Copied.",
    callHeading: "Call an address",
    label: "The address that somebody’s Twocan shows beside their open door",
    placeholder: "203.0.113.7",
    empty: "Type an address first.",
  },
  stranger: {
    label: "About this stranger",
    /** @param {string} address */
    from: (address) => `Unknown caller from ${address}`,
    noName: "strangers have no name here",
    noWayBack: "A stranger cannot be called back. To talk again, keep each other as contacts, or exchange a link.",
    /** @type {Record<"none"|"running"|"compare"|"same"|"different", string>} */
    words: {
      none: "Making safety words…",
      running: "Making safety words…",
      compare: "Read these words to each other. The same on both screens: nobody sits between you.",
      same: "You found the safety words the same: nobody sits between you.",
      different: "The safety words were different: somebody may sit between you.",
    },
    ask: "Keep each other as contacts? It takes both of you.",
    wanted: "The other person wants to keep you as a contact.",
    told: "Told. When the other person keeps you as well, you are contacts.",
    notKept: "The other person did not keep you.",
    keep: "Keep as contact",
    no: "No, thanks",
    /** @param {string} name */
    kept: (name) => `${name} is in your list now.`,
  },

  ring: {
    video: "Video call",
    voice: "Voice call",
    /** @param {string} name */
    incoming: (name) => `${name} is calling`,
    answer: "Answer",
    answerVoice: "Answer without camera",
    answerVideo: "Answer with camera",
    decline: "Decline",
    preview: "Check my camera",
    answering: "Answering…",
    off: "Your camera and microphone are off until you answer.",
    /** @param {string} kind @param {string} name */
    waiting: (kind, name) => `${kind} · you are in a call with ${name}`,
    answerInstead: "Hang up and answer",
  },
  join: {
    /** @param {string} name */
    title: (name) => `Call ${name}`,
    help: "Only you see and hear this. Nothing rings yet.",
    open: "Turn on camera and microphone",
    opening: "Waiting for your camera…",
    cameraOff: "Your camera is off.",
    first: "Look at myself before every call",
    back: "Back",
  },
  devices: {
    heading: "Camera and sound",
    camera: "Camera",
    microphone: "Microphone",
    speaker: "Speaker",
    volume: "Volume of others",
    auto: "Chosen by the browser",
    away: "Your choice, not plugged in",
    /** @param {string} kind @param {number} number */
    nameless: (kind, number) => `${kind} ${number}`,
    meter: "How loud you are",
    test: "Play a sound",
  },
  person: {
    name: "Name in your list",
    verified: "Verified: you compared safety words.",
    unverified: "Not verified: you have not compared safety words yet.",
    look: "Look first, then call",
    block: "Block",
    unblock: "Stop blocking",
    blockHelp: "Somebody you block hears nothing from your Twocan, not even a refusal.",
    oneClick: "Answer with one click",
    oneClickHelp: "A click on Answer in the notification or the tray takes the calls of this contact at once, and turns your camera and microphone on. Otherwise it opens this page, where you answer.",
    reach: "Reaching each other",
    relay: "May use my device as a relay",
    relayHelp: "If this contact and another one to whom you allow it cannot reach each other, their calls pass through your device, sealed. It costs what a call costs in data.",
    relayOnly: "Hide my address",
    relayOnlyHelp: "This contact reaches you through a relay alone: a friend of you both who allows it, or your own server. What it knows already stays known.",
    introduces: "Tells our common contacts where I am",
    introducesHelp: "When your address changes, this contact passes the new one on, sealed, to those who chose it for this too. It learns that you two know each other, nothing else.",
    remove: "Remove",
    sure: "Neither of you can call the other then. Becoming contacts again takes a new link.",
    keep: "Keep",
  },
  words: {
    heading: "Safety words",
    compare: "Compare safety words",
    waiting: "Safety words wait for you",
    paper: "The number for paper",
    again: "Compare again",
    /** @param {string} name */
    asking: (name) => `Asking ${name}’s Twocan…`,
    /** @param {string} name */
    read: (name) => `Read these words to each other, you and ${name}, by voice.`,
    readHelp: "The same on both screens: nobody sits between you. Different: somebody does, or the link was swapped on its way.",
    same: "Same",
    different: "Different",
    /** @param {string} name @returns {Outcome} */
    wereSame: (name) => ({ title: `${name} is verified.`, next: "Nobody sits between you, now and in later calls." }),
    /** @param {string} name @returns {Outcome} */
    wereDifferent: (name) => ({
      title: "Somebody may sit between you.",
      next: `Say nothing that matters. Remove ${name}, and exchange a new link some other way, best in person.`,
    }),
  },
  settings: {
    heading: "Settings",
    you: "You",
    quiet: "Do not disturb",
    quietHelp: "Nothing rings here. Others see that it would not, before they call.",
    wait: "Let a second call ring while I am in one",
    device: "This device",
    version: "Version",
    look: "See and hear myself",
    browser: "This browser",
    saved: "Saved. New links carry this name.",
    ringback: "Tone while it rings at the other end",
    ringbackHelp: "All the way down: none. What rings when others call you is set in the tray.",
  },
  network: {
    heading: "Network",
    lead: "How others find their way to this computer. What nobody has shown is unknown, and nothing here is guessed.",
    open: "Look at the network",
    check: "Look again",
    checking: "Looking. This takes some seconds.",
    fix: "What would help",
    facts: "What your router does",
    sources: "Who says what",
    disagreement: "They do not agree, so all of them are listed.",
    nobody: "Nobody has said anything yet.",
    addresses: "Where this computer may be reached",
    people: "You and each of your people",
    nobodyYet: "Nobody is here yet.",
    /** @type {Record<import("../types.js").Known, string>} */
    known: { yes: "Yes", no: "No", unknown: "Unknown" },
    terms: {
      reachable: "Strangers get through from outside",
      translated: "It shows another address to the outside",
      mapping: "That address is (mapping)",
      filtering: "It lets in (filtering)",
      hairpin: "Devices behind it meet by that address (hairpin)",
      port_preservation: "It keeps the port (port preservation)",
      lifetime: "A silent way stays open (mapping lifetime)",
      ipv6: "IPv6 works",
      ipv6_filtering: "It lets in over IPv6 (filtering)",
      double_nat: "There is a second one before it (double NAT)",
      mapper: "It opens ports on request (port mapping)",
    },
    /** @type {Record<import("../types.js").Network["mapping"], string>} */
    mapping: {
      endpoint_independent: "The same for everybody",
      address_dependent: "Another one for each IP address",
      address_and_port_dependent: "Another one for each address and port",
      dependent: "Not the same for everybody",
      unknown: "Unknown",
    },
    /** @type {Record<import("../types.js").Network["filtering"], string>} */
    filtering: {
      endpoint_independent: "Everybody",
      address_dependent: "IP addresses that were written to",
      address_and_port_dependent: "Addresses and ports that were written to",
      unknown: "Unknown",
    },
    /** @param {import("../types.js").Network} network */
    lifetime: ({ lifetime_at_least_s: least, lifetime_at_most_s: most, measuring_lifetime }) => {
      if (measuring_lifetime) return "Being measured, which takes some minutes";
      if (least === null) return most === null ? "Unknown" : `Less than ${counted(most, "second", "seconds")}`;
      if (most === null) return `At least ${counted(least, "second", "seconds")}`;
      return `Between ${least} and ${counted(most, "second", "seconds")}`;
    },
    /** @param {import("../types.js").Network["port_mapping"]} mapping */
    mapper: ({ enabled, upnp, nat_pmp, pcp, external }) => {
      if (!enabled) return "Not asked: the settings say no";
      const names = [upnp === "yes" ? "UPnP" : "", nat_pmp === "yes" ? "NAT-PMP" : "", pcp === "yes" ? "PCP" : ""].filter(Boolean);
      const who = names.length > 0 ? `Answers by ${names.join(", ")}` : "No answer";
      return external === null ? who : `${who}; gave ${external}`;
    },
    /** @param {import("../types.js").NetworkSource} source @param {string} name of the contact */
    source: ({ kind, address }, name) => (kind === "stun" ? `STUN server ${address}` : kind === "dht" ? `DHT node ${address}` : name),
    /** @param {string|null} seen */
    seen: (seen) => (seen === null ? "Did not answer" : `Sees you at ${seen}`),
    stranger: "Somebody who is no longer here",
    /** @type {Record<"host"|"mapped"|"reflexive", string>} */
    kinds: { host: "its own", mapped: "opened by the router", reflexive: "as others see it" },
  },

  privacy: {
    heading: "Privacy",
    lead: "There is no server and no account, so there is nobody who could be asked about you. This is all there is to know.",
    now: "Right now",
    /**
     * @type {Record<"keyring"|"passphrase"|"credential"|"file", string>}
     */
    key: {
      keyring: "The key to all that is stored is in your keyring, which opens with your login or its own password.",
      passphrase: "The key to all that is stored is sealed under your passphrase.",
      credential: "The key to all that is stored is handed over by systemd at each start.",
      file: "The key to all that is stored lies in a file beside it. Put it into your keyring with: twocan key move keyring",
    },
    /**
     * @param {{contacts: number, invites: number, camera: boolean, quiet: boolean, door: boolean,
     *   key: "keyring"|"passphrase"|"credential"|"file"|null}} now
     * @returns {string[]}
     */
    state: ({ contacts, invites, camera, quiet, door, key }) => [
      camera ? "Your camera or microphone is on." : "Your camera and microphone are off.",
      door ? "Your door is open: whoever knows your address can ring." : "Your door is closed: strangers get no answer.",
      contacts === 0 ? "No contact can ring here." : `${counted(contacts, "person", "people")} can ${quiet ? "not ring: do not disturb is on" : "ring here, and see whether it would"}.`,
      invites === 0 ? "No link of yours is open." : `${counted(invites, "link", "links")} of yours can still be used, each by one person.`,
      ...(key ? [en.privacy.key[key]] : []),
    ],
    outsiders: "Who sees what",
    stored: "What is kept",
    never: "What there never is",
    /** @param {string} text of the daemon, which begins small */
    title: (text) => text.charAt(0).toUpperCase() + text.slice(1),
    /** @param {string} what */
    sees: (what) => `They see ${what}.`,
    /** @param {string} what */
    hidden: (what) => `Hidden from them: ${what}.`,
    /** @param {number} many */
    count: (many) => ` (${many})`,
    /** @param {string} place @param {string} protection */
    kept: (place, protection) => `In ${place}: ${protection}.`,
    /** @param {string} event */
    until: (event) => `Until ${event}.`,
    erase: {
      heading: "Erase everything",
      help: "Your identity, your contacts and your links are gone for good, and Twocan ends. Your contacts are told nothing.",
      open: "Erase everything…",
      sure: "Erase everything?",
      effect: "Nobody can undo this. Your contacts will see a device that is off; to talk again you invite each of them anew. A call that goes on ends.",
      yes: "Erase everything",
      no: "Keep it all",
      done: { title: "Everything is erased, and Twocan has ended.", detail: "Its next start makes a new person." },
    },
  },
  facts: {
    quality: { good: "Good connection", fair: "Fair connection", poor: "Poor connection" },
    /**
     * @param {Path|null} path
     * @param {Facts|null} facts
     * @param {"good"|"fair"|"poor"} quality
     * @param {boolean|null} verified null for somebody who is no contact
     * @returns {[string, string][]}
     */
    lines: (path, facts, quality, verified) => {
      /** @type {[string, string][]} */
      const lines = [["Quality", en.facts.quality[quality]]];
      if (path) lines.push(["Way", through(path) ?? en.badge[path.kind].word], ["Round trip", ms(path.rtt_ms)]);
      if (facts?.loss !== null && facts?.loss !== undefined) lines.push(["Lost on the way", percent(facts.loss)]);
      if (facts?.picture) {
        const { width, height, fps, codec, kbit } = facts.picture;
        lines.push(["Their picture", `${width} × ${height}, ${fps} a second`], ["Codec", `${codec}, ${rate(kbit)}`]);
      }
      if (verified !== null) lines.push(["Safety words", verified ? "Compared, the same" : "Not compared yet"]);
      return lines;
    },
  },
  calling: {
    dialing: "Reaching them…",
    ringing: "Ringing…",
    cancel: "Cancel",
    preview: "Only you see this until they answer.",
  },
  bar: {
    /** @param {string} name */
    active: (name) => `In a call with ${name}`,
    /** @param {string} name */
    calling: (name) => `Calling ${name}`,
    open: "Go to the call",
    hangUp: "Hang up",
  },
  elsewhere: {
    /** @param {string} name */
    title: (name) => `Your call with ${name} is going on elsewhere`,
    detail: "Another tab or program on this computer carries its picture and sound.",
    take: "Use this tab",
  },

  call: {
    connecting: "Connecting…",
    waiting: "Waiting for the picture…",
    voice: "Voice call",
    /** @param {string} name */
    noPicture: (name) => `No picture from ${name} at the moment.`,
    reconnecting: "Reconnecting…",
    hear: "Tap to hear",
    captureOff: "Your camera and microphone are off.",
    capture: "Turn them on",
    retry: "Try again",
    legTitle: "This page has no picture and sound.",
    legFailed: "The connection between this page and Twocan broke.",
    mute: "Mute",
    unmute: "Unmute",
    cameraOff: "Camera off",
    cameraOn: "Camera on",
    share: "Share screen",
    unshare: "Stop sharing",
    sharing: "They see your screen.",
    stopSharing: "Stop sharing",
    devices: "Devices",
    /** @param {string} name */
    peerMuted: (name) => `${name} is muted`,
    /** @param {string} name */
    peerDark: (name) => `${name}’s camera is off.`,
    full: "Full screen",
    fullOff: "Exit full screen",
    keys: "Keys",
    hangUp: "Hang up",
    /** @param {string} name */
    remoteVideo: (name) => `Picture of ${name}`,
    self: "Your own picture",
    escOnce: "Press Esc once more to hang up.",
    muted: "You are muted",
    /** @param {Path} path */
    badge: (path) => `${through(path) ?? en.badge[path.kind].word} · ${ms(path.rtt_ms)}`,
  },
  badge: {
    lan: { word: "Same network", help: "Picture and sound stay on this computer or network." },
    direct: { word: "Direct", help: "Picture and sound go straight between the two of you." },
    relay: { word: "Relayed", help: "Picture and sound pass, sealed, through a relay that one of you chose." },
  },
  capture: {
    /** @type {Record<"audio"|"video", Record<CaptureProblem, string>>} */
    problem: {
      audio: {
        refused: "The browser may not use your microphone. Allow it beside the address, then press M.",
        missing: "No microphone was found. You can hear, but not be heard.",
        busy: "Another program has the microphone. Close it there, then press M.",
        unsupported: "This browser offers no microphone. You can hear, but not be heard.",
        broken: "The microphone stopped. Plug it in again, then press M.",
      },
      video: {
        refused: "The browser may not use your camera. Allow it beside the address, then press V.",
        missing: "No camera was found. You can see, but not be seen.",
        busy: "Another program has the camera. Close it there, then press V.",
        unsupported: "This browser offers no camera. You can see, but not be seen.",
        broken: "The camera stopped. Plug it in again, then press V.",
      },
    },
  },
  keys: {
    heading: "Keys",
    list: [
      ["M", "Mute or unmute"],
      ["V", "Camera on or off"],
      ["S", "Share screen, or stop"],
      ["D", "Devices and volume"],
      ["I", "About the connection"],
      ["F", "Full screen"],
      ["Esc Esc", "Hang up"],
      ["?", "This list"],
    ],
    open: "List of keys",
    toggle: "Use the letter keys",
    close: "Close",
  },

  ended: {
    again: "Call again",
    back: "Call back",
    close: "Close",
    goOn: "Go to the call",
    off: "Camera and microphone are off.",
    /** @param {string} time */
    lasted: (time) => `Lasted ${time}`,
    /** @type {Outcome} */
    forgotten: { title: "This call is over", next: "Twocan keeps no history of it." },
    /** The user ended it in this tab. @param {Call} call @returns {Outcome} */
    here: (call) =>
      call.state === "active" || call.reason?.code === "hung_up"
        ? { title: "You hung up", next: noWayBack(call) ? en.stranger.noWayBack : "Call again whenever you like." }
        : { title: "You cancelled the call", next: `${call.peer.name} may see that you tried.` },
    /** @param {Call} call @param {Reason} reason @returns {Outcome} */
    outcome: (call, reason) => {
      const strange = call.stranger && call.direction === "out" ? strangers[reason.why ?? reason.code] : undefined;
      if (strange) return strange(call.peer.name);
      const known = outcomes[reason.code] ?? unknown;
      const outcome = known(call.peer.name, call.direction === "out", reason);
      return noWayBack(call) ? { title: outcome.title, next: en.stranger.noWayBack } : outcome;
    },
  },
};

/** Whether the other end was a stranger who rang here and is none of the contacts: there is nowhere to call back. @param {Call} call */
function noWayBack(call) {
  return call.stranger !== undefined && call.contact === null && call.direction === "in";
}

/** A call to an address ends in ways of its own. @type {Record<string, (address: string) => Outcome>} */
const strangers = {
  no_answer: (address) => ({
    title: `Nobody answers at ${address}`,
    next: "The door there is closed, or calls from here do not get through. Ask for a link instead.",
  }),
  busy: (address) => ({
    title: `${address} lets nobody in at the moment`,
    next: "Somebody else rings there, or you rang a moment ago. Try again in a minute.",
  }),
};

/** @type {(name: string, out: boolean, reason: Reason) => Outcome} */
const unknown = (_name, _out, reason) => ({
  title: "The call ended",
  next: `Twocan gave the reason “${reason.code}”. Call again if you like.`,
});

/** One entry a reason code. @type {Record<string, (name: string, out: boolean, reason: Reason) => Outcome>} */
const outcomes = {
  hung_up: () => ({ title: "The call has ended", next: "Call again whenever you like." }),
  declined: (name, out) =>
    out
      ? { title: `${name} declined`, next: "Try again later, or send a message first." }
      : { title: "You declined", next: `Call ${name} back when it suits you.` },
  declined_elsewhere: (name, out) =>
    out
      ? { title: `${name} declined`, next: "Try again later, or send a message first." }
      : { title: "Declined on another device of yours", next: `Call ${name} back when it suits you.` },
  answered_elsewhere: () => ({
    title: "Answered on another device of yours",
    next: "Go on talking there.",
  }),
  busy: (name, out) =>
    out
      ? { title: `${name} is in another call`, next: "Try again in a few minutes." }
      : { title: `${name} called while you were in a call`, next: "Call back when you are ready." },
  missed: (name, out) =>
    out
      ? { title: `${name} did not answer`, next: "They are told that you called. Try again later." }
      : { title: `You missed a call from ${name}`, next: "Call back now, if you like." },
  cancelled: (name, out) =>
    out
      ? { title: "You cancelled the call", next: `${name} may see that you tried.` }
      : { title: `${name} stopped calling`, next: "Call back to find out why." },
  unreachable: (name, _out, reason) => {
    const why = unreachable[reason.why ?? ""] ?? unreachable["no_answer"];
    return { title: `${name} could not be reached`, next: why(name) };
  },
  lost: (name, _out, reason) => ({
    title: `The connection to ${name} was lost`,
    next: `Nothing came through${reason.after_s === undefined ? "" : ` for ${seconds(reason.after_s)}`}. Check your network, then call again.`,
  }),
  glare_merged: (name) => ({
    title: `You and ${name} called each other at once`,
    next: "The two calls became one; go on in that one.",
  }),
  blocked: (name) => ({
    title: "The call was not accepted",
    next: `Ask ${name} another way whether your calls are welcome.`,
  }),
  failed: (name, _out, reason) => {
    const why = failed[reason.why ?? ""] ?? failed["unknown"];
    return { title: "The call broke off", next: why(name) };
  },
};

/** Who carries a relayed path. @param {Path} path */
function through(path) {
  if (path.kind !== "relay") return null;
  if (path.carrier === "own_server") return "through your server";
  if (path.carrier === "their_server") return "through their server";
  return path.via ? `through ${path.via}` : null;
}

/** @type {Record<string, (name: string) => string>} */
const unreachable = {
  no_answer: (name) => `Their Twocan does not answer. Ask ${name} to check that it is running, then call again.`,
  no_address: (name) => `No address of theirs is known. Ask ${name} for a new link.`,
  waiting_for_inviter: (name) => `${name} has not confirmed your invite yet. Wait until their Twocan is running.`,
  contested: (name) => `Somebody else used the same invite. Decide first whether this is ${name}.`,
  searching: () => "The way there was still being looked for. Try again in a moment.",
  went_away: (name) => `Their Twocan said goodbye a moment ago. ${name} turns green when it is back.`,
  silent: (name) => `The connection went quiet. ${name} turns green as soon as it is proven again.`,
  no_relay: (name) => `You hide your address from ${name}, and there is no relay between you at the moment.`,
  blocked: (name) => `You have blocked ${name}. Stop blocking first, then call.`,
  will_not_ring: (name) => `${name} does not want to be rung at the moment. Try again later.`,
};

/** @type {Record<string, (name: string) => string>} */
const failed = {
  leg_lost: () => "The page of the call was closed or lost for too long. Call again, and leave it open.",
  words_differ: (name) => `The safety words were different, so the call was ended. Exchange a new link with ${name} some other way, best in person.`,
  shutting_down: () => "Twocan was stopped. Start it with “twocan up”, then call again.",
  peer_restarted: (name) => `The Twocan of ${name} started anew. Call again as soon as it is green.`,
  unknown: () => "Something in Twocan went wrong. Call again; if it repeats, look into its log.",
};

/** @param {number} value */
function ms(value) {
  return value < 1 ? "under 1\u00a0ms" : `${Math.round(value)}\u00a0ms`;
}

/** @param {number} share 0 to 1 */
function percent(share) {
  return share === 0 ? "nothing" : share < 0.001 ? "under 0.1 %" : `${(share * 100).toFixed(1)} %`;
}

/** @param {number} kbit a second */
function rate(kbit) {
  return kbit < 1000 ? `${kbit} kbit/s` : `${(kbit / 1000).toFixed(1)} Mbit/s`;
}

/** @param {number} count @param {string} one @param {string} many */
function counted(count, one, many) {
  return `${count} ${count === 1 ? one : many}`;
}

/** @param {number} count */
function seconds(count) {
  return count === 1 ? "1 second" : `${count} seconds`;
}

/** @param {number} value milliseconds */
function span(value) {
  const minutes = Math.max(1, Math.round(value / 60_000));
  if (minutes < 90) return minutes === 1 ? "1 minute" : `${minutes} minutes`;
  return `${Math.round(minutes / 60)} hours`;
}
