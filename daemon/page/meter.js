/** How loud the microphone is, for as long as somebody looks. */

/** Speech lies between these, in decibels below full scale. */
const QUIET_DB = -60;
const LOUD_DB = -12;
const LOOK_MS = 80;

/**
 * @param {MediaStreamTrack} track
 * @param {(level: number) => void} onLevel 0 (nothing) to 1 (loud)
 * @returns {() => void} ends it
 */
export function measure(track, onLevel) {
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  analyser.fftSize = 1024;
  context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const timer = setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    onLevel(levelOf(samples));
  }, LOOK_MS);
  return () => {
    clearInterval(timer);
    void context.close();
  };
}

/** @param {Float32Array} samples */
function levelOf(samples) {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  const db = 10 * Math.log10(sum / samples.length + 1e-12);
  return Math.min(1, Math.max(0, (db - QUIET_DB) / (LOUD_DB - QUIET_DB)));
}
