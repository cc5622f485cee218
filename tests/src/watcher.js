// Runs in the page before the page's own code. Records what opens a camera or microphone, when it ends, what the user
// clicked, and what went wrong. Times are milliseconds since the epoch, so that two pages on one machine compare.
(() => {
  if (globalThis.watched) return;
  const watched = { asked: [], tracks: [], clicks: [], wrong: [] };
  globalThis.watched = watched;

  const follow = (track) => {
    const entry = { kind: track.kind, opened: Date.now(), stopped: null, live: () => track.readyState === "live" };
    watched.tracks.push(entry);
    const stop = track.stop.bind(track);
    track.stop = () => {
      stop();
      entry.stopped ??= Date.now();
    };
    const clone = track.clone.bind(track);
    track.clone = () => follow(clone());
    return track;
  };

  const devices = navigator.mediaDevices;
  for (const name of devices ? ["getUserMedia", "getDisplayMedia"] : []) {
    const ask = devices[name].bind(devices);
    devices[name] = async (wish) => {
      watched.asked.push({ name, at: Date.now() });
      const stream = await ask(wish);
      stream.getTracks().forEach(follow);
      return stream;
    };
  }

  const act = (target) => target?.closest?.("[data-act]")?.dataset.act ?? null;
  addEventListener("click", (event) => watched.clicks.push({ act: act(event.target), at: Date.now() }), true);
  addEventListener("error", (event) => watched.wrong.push(`error: ${event.message}`), true);
  addEventListener("unhandledrejection", (event) => watched.wrong.push(`unhandled: ${event.reason}`));
  addEventListener("securitypolicyviolation", (event) => watched.wrong.push(`policy: ${event.violatedDirective} ${event.blockedURI}`));
})();
