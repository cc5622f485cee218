/**
 * What a leg carries, in numbers: the difference between two looks at its statistics.
 *
 * The far side's packets pass this daemon unchanged, so what is lost on the whole way shows here.
 *
 * @typedef {{codec: string, width: number, height: number, fps: number, kbit: number}} Picture
 * @typedef {{picture: Picture|null, loss: number|null, jitterMs: number|null}} Facts `loss` is a share, 0 to 1
 */

/** Looks again and again; forgets when the connection is another one. */
export class FactFinder {
  /** @type {RTCPeerConnection|null} */
  #pc = null;
  #bytes = 0;
  #got = 0;
  #lost = 0;
  #at = 0;

  /** @param {RTCPeerConnection} pc @returns {Promise<Facts>} */
  async look(pc) {
    const fresh = this.#pc !== pc;
    const stats = await pc.getStats();
    const inbound = /** @type {any[]} */ ([]);
    stats.forEach((stat) => stat.type === "inbound-rtp" && inbound.push(stat));
    const video = inbound.find((stat) => stat.kind === "video");
    const got = sum(inbound, "packetsReceived");
    const lost = sum(inbound, "packetsLost");
    const facts = {
      picture: fresh || !video?.frameWidth ? null : this.#pictureOf(video, stats),
      loss: fresh ? null : share(lost - this.#lost, got - this.#got),
      jitterMs: video?.jitter === undefined ? null : video.jitter * 1000,
    };
    this.#pc = pc;
    this.#bytes = video?.bytesReceived ?? 0;
    this.#at = video?.timestamp ?? 0;
    this.#got = got;
    this.#lost = lost;
    return facts;
  }

  /** @param {any} video @param {RTCStatsReport} stats @returns {Picture} */
  #pictureOf(video, stats) {
    const codec = /** @type {any} */ (stats.get(video.codecId))?.mimeType ?? "";
    const ms = Math.max(1, video.timestamp - this.#at);
    return {
      codec: codec.replace(/^video\//, ""),
      width: video.frameWidth,
      height: video.frameHeight,
      fps: Math.round(video.framesPerSecond ?? 0),
      kbit: Math.round(((video.bytesReceived - this.#bytes) * 8) / ms),
    };
  }
}

/** @param {any[]} stats @param {string} name */
function sum(stats, name) {
  return stats.reduce((total, stat) => total + (stat[name] ?? 0), 0);
}

/** @param {number} lost @param {number} got */
function share(lost, got) {
  const missing = Math.max(0, lost);
  return missing + got <= 0 ? null : missing / (missing + Math.max(0, got));
}
