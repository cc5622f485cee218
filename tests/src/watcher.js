// Runs in the page before the page's own code. Records what opens a camera or microphone, when it ends, what the user
// clicked, how loud it plays what it makes itself, and what went wrong. Times are milliseconds since the epoch, so that two pages on one machine compare.
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

  // Whatever a page plays by itself is listened to as well.
  const ears = [];
  const connect = AudioNode.prototype.connect;
  AudioNode.prototype.connect = function (to, ...more) {
    if (to === this.context.destination) {
      const ear = this.context.createAnalyser();
      ear.fftSize = 32768;
      ears.push(ear);
      connect.call(this, ear);
    }
    return connect.call(this, to, ...more);
  };
  watched.loudness = () => {
    const samples = new Float32Array(32768);
    const peaks = ears
      .filter((ear) => ear.context.state === "running")
      .map((ear) => (ear.getFloatTimeDomainData(samples), samples.reduce((most, it) => Math.max(most, Math.abs(it)), 0)));
    return Math.max(0, ...peaks);
  };

  const act = (target) => target?.closest?.("[data-act]")?.dataset.act ?? null;
  addEventListener("click", (event) => watched.clicks.push({ act: act(event.target), at: Date.now() }), true);
  addEventListener("error", (event) => watched.wrong.push(`error: ${event.message}`), true);
  addEventListener("unhandledrejection", (event) => watched.wrong.push(`unhandled: ${event.reason}`));
  addEventListener("securitypolicyviolation", (event) => watched.wrong.push(`policy: ${event.violatedDirective} ${event.blockedURI}`));
})();
