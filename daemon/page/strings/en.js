/** Every sentence of the page, in English. */

/** @import {Call, Path, Reason} from "../types.js" */
/** @import {CaptureProblem} from "../capture.js" */

/** Words for one outcome: what happened, and what to do next. @typedef {{title: string, next: string}} Outcome */

export const en = {
  app: "Twocan",
  motto: "Two can talk. No third party can.",
  skip: "Skip to content",
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
    ended: "Call ended · Twocan",
  },

  me: {
    /** @param {string} name */
    you: (name) => `You are ${name}`,
    change: "Change",
    label: "Your name, as others see it in your invites",
    save: "Save",
    cancel: "Cancel",
  },
  notes: {
    heading: "Good to know",
    dismiss: "Dismiss",
  },

  people: {
    heading: "People",
    empty: "Nobody here yet.",
    emptyNext: "Send somebody your link, or paste theirs. That is the whole set-up.",
    reachable: { yes: "Will ring", checking: "Checking", no: "Cannot be reached" },
    pending: "Waiting",
    contested: "Who is this?",
    unverified: "not verified",
    unverifiedHelp: "You have not compared safety words with this person yet.",
    /** @param {Path} path */
    path: (path) => `${en.path[path.kind]}, ${ms(path.rtt_ms)}`,
    video: "Video call",
    voice: "Voice call",
    /** @param {string} name */
    videoTo: (name) => `Video call with ${name}`,
    /** @param {string} name */
    voiceTo: (name) => `Voice call with ${name}`,
    inCall: "You are in a call already.",
    keep: "Keep",
    remove: "Remove",
    /** @param {string} name */
    removeOf: (name) => `Remove ${name}`,
  },
  path: { lan: "same network", direct: "direct", relay: "relayed" },

  invite: {
    heading: "Let somebody call you",
    help: "Makes a message with a link for one person. Send it any way you like; once they paste it, you can call each other.",
    make: "Call me",
    copied: "Copied. Now paste it into a message.",
    notCopied: "The browser did not let us copy. Select the text and copy it yourself.",
    open: "Links not used yet",
    copy: "Copy",
    copyHelp: "Copy this invite",
    takeBack: "Take back",
    takeBackHelp: "Take this invite back, so that it no longer works",
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
    empty: "Paste a link first.",
  },
  missed: {
    /** @param {string} name */
    text: (name) => `Missed call from ${name}`,
    back: "Call back",
    dismiss: "Dismiss",
  },

  ring: {
    video: "Video call",
    voice: "Voice call",
    /** @param {string} name */
    incoming: (name) => `${name} is calling`,
    answer: "Answer",
    answerVoice: "Answer without camera",
    decline: "Decline",
    preview: "Check my camera",
    answering: "Answering…",
    off: "Your camera and microphone are off until you answer.",
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
    full: "Full screen",
    fullOff: "Leave full screen",
    keys: "Keys",
    hangUp: "Hang up",
    /** @param {string} name */
    remoteVideo: (name) => `Picture of ${name}`,
    self: "Your own picture",
    escOnce: "Press Esc once more to hang up.",
    muted: "You are muted",
    /** @param {Path} path */
    badge: (path) => `${en.badge[path.kind].word} · ${ms(path.rtt_ms)}`,
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
      ["F", "Full screen"],
      ["Esc Esc", "Hang up"],
      ["?", "This list"],
    ],
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
        ? { title: "You hung up", next: "Call again whenever you like." }
        : { title: "You cancelled the call", next: `${call.peer.name} may see that you tried.` },
    /** @param {Call} call @param {Reason} reason @returns {Outcome} */
    outcome: (call, reason) => {
      const known = outcomes[reason.code] ?? unknown;
      return known(call.peer.name, call.direction === "out", reason);
    },
  },
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

/** @type {Record<string, (name: string) => string>} */
const unreachable = {
  no_answer: (name) => `Their Twocan does not answer. Ask ${name} to check that it is running, then call again.`,
  no_address: (name) => `No address of theirs is known. Ask ${name} for a new link.`,
  waiting_for_inviter: (name) => `${name} has not confirmed your invite yet. Wait until their Twocan is running.`,
  contested: (name) => `Somebody else used the same invite. Decide first whether this is ${name}.`,
  searching: () => "The way there was still being looked for. Try again in a moment.",
  went_away: (name) => `Their Twocan said goodbye a moment ago. ${name} turns green when it is back.`,
  silent: (name) => `The connection went quiet. ${name} turns green as soon as it is proven again.`,
  will_not_ring: (name) => `${name} does not want to be rung at the moment. Try again later.`,
};

/** @type {Record<string, (name: string) => string>} */
const failed = {
  leg_lost: () => "The page of the call was closed or lost for too long. Call again, and leave it open.",
  shutting_down: () => "Twocan was stopped. Start it with “twocan up”, then call again.",
  peer_restarted: (name) => `The Twocan of ${name} started anew. Call again as soon as it is green.`,
  unknown: () => "Something in Twocan went wrong. Call again; if it repeats, look into its log.",
};

/** @param {number} value */
function ms(value) {
  return value < 1 ? "under 1 ms" : `${Math.round(value)} ms`;
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
