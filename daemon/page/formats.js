/**
 * In which format this page sends its picture: one that the other side can show and this browser can make. Pure, so that
 * it can be reasoned about; the browser's abilities are arguments.
 */

/** From this many cores on, a better picture for the same bits is worth the work that VP9 makes. */
const CORES_FOR_VP9 = 4;

/**
 * The format to send, or null where there is none that suits both, or where the other side has not said.
 * @param {string[]|null|undefined} shown what the other side can show
 * @param {string[]} made what this browser can make
 * @param {number} cores
 */
export function suitable(shown, made, cores) {
  const liked = cores >= CORES_FOR_VP9 ? ["VP9", "VP8", "H264", "AV1"] : ["VP8", "H264", "VP9", "AV1"];
  return liked.find((format) => shown?.includes(format) && made.includes(format)) ?? null;
}

/** The formats that this browser can make. @returns {string[]} */
export function madeHere() {
  const codecs = RTCRtpSender.getCapabilities?.("video")?.codecs ?? [];
  return [...new Set(codecs.map((codec) => codec.mimeType.replace(/^video\//i, "").toUpperCase()))];
}

/**
 * A session description whose video section names `format` first: who reads it as an answer sends that.
 * @param {string} sdp @param {string} format
 */
export function withFirst(sdp, format) {
  return sdp
    .split(/(?=^m=)/m)
    .map((section) => (section.startsWith("m=video ") ? sectionWithFirst(section, format) : section))
    .join("");
}

/** @param {string} section @param {string} format */
function sectionWithFirst(section, format) {
  const maps = section.matchAll(/^a=rtpmap:(\d+) ([^/\s]+)\//gm);
  const wanted = [...maps].filter((map) => map[2]?.toUpperCase() === format).map((map) => map[1]);
  return section.replace(/^(m=video \d+ \S+ )(.*)$/m, (_, head, list) => {
    const numbers = /** @type {string} */ (list).trim().split(" ");
    const rest = numbers.filter((number) => !wanted.includes(number));
    return `${head}${[...numbers.filter((number) => wanted.includes(number)), ...rest].join(" ")}`;
  });
}
