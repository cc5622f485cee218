/**
 * Keys of the call screen. Single letters can be switched off (WCAG 2.1.4), because speech input and cats type too.
 *
 * @typedef {{mute: () => void, camera: () => void, share: () => void, devices: () => void, facts: () => void, full: () => void, help: () => void, escape: () => void}} KeyActions
 */

const OFF = "twocan-keys-off";
/** Two presses of Escape count as one wish within this time. */
export const TWICE_MS = 2000;

export function keysOn() {
  return localStorage.getItem(OFF) === null;
}

/** @param {boolean} on */
export function setKeysOn(on) {
  if (on) localStorage.removeItem(OFF);
  else localStorage.setItem(OFF, "1");
}

/**
 * @param {() => boolean} inCall
 * @param {() => boolean} previewing whether one's own picture is looked at outside a call
 * @param {KeyActions} actions
 */
export function listenForKeys(inCall, previewing, actions) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.repeat || typing(event.target)) return;
    if (document.querySelector("dialog[open]")) return;
    const action = actionOf(event.key, inCall(), previewing(), actions);
    if (!action) return;
    event.preventDefault();
    action();
  });
}

/** @param {string} key @param {boolean} inCall @param {boolean} previewing @param {KeyActions} actions */
function actionOf(key, inCall, previewing, actions) {
  if (key === "Escape") return inCall ? actions.escape : null;
  if (!keysOn()) return null;
  if (key === "?") return actions.help;
  const letter = key.toLowerCase();
  if (inCall || previewing) {
    if (letter === "m") return actions.mute;
    if (letter === "v") return actions.camera;
  }
  if (!inCall) return null;
  switch (letter) {
    case "s":
      return actions.share;
    case "d":
      return actions.devices;
    case "i":
      return actions.facts;
    case "f":
      return actions.full;
    default:
      return null;
  }
}

/** @param {EventTarget|null} target */
function typing(target) {
  return target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement;
}
