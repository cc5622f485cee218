/** Line icons on a 24 grid, drawn in the colour of the text around them. */

const PATHS = {
  mic: "M12 3a3 3 0 0 0-3 3v5a3 3 0 0 0 6 0V6a3 3 0 0 0-3-3zM5 11a7 7 0 0 0 14 0M12 18v3",
  micOff: "M9 9v2a3 3 0 0 0 5.1 2.1M15 10V6a3 3 0 0 0-5.8-1M5 11a7 7 0 0 0 11.6 5.3M19 11a7 7 0 0 1-.5 2.6M12 18v3M4 3l16 18",
  camera: "M4 7h9a2 2 0 0 1 2 2v6a2 2 0 0 1-2 2H4a2 2 0 0 1-2-2V9a2 2 0 0 1 2-2zM15 11l6-3.5v9L15 13",
  cameraOff: "M10 7h3a2 2 0 0 1 2 2v2l6-3.5v9l-4-2.3M14.5 16.3a2 2 0 0 1-1.5.7H4a2 2 0 0 1-2-2V9a2 2 0 0 1 2-2h1M3 3l18 18",
  phone: "M6 3h3l1.5 5-2.2 1.5a13 13 0 0 0 6.2 6.2L16 13.5l5 1.5v3a3 3 0 0 1-3.2 3A17 17 0 0 1 3 6.2 3 3 0 0 1 6 3z",
  hangUp: "M2.5 13.6c5.3-5.5 13.7-5.5 19 0 .6.7.6 1.7 0 2.3l-1.6 1.6c-.5.5-1.3.6-1.9.2l-2.6-1.6c-.5-.3-.8-.8-.8-1.4v-1.9a9.5 9.5 0 0 0-5.2 0v1.9c0 .6-.3 1.1-.8 1.4l-2.6 1.6c-.6.4-1.4.3-1.9-.2l-1.6-1.6c-.6-.6-.6-1.6 0-2.3z",
  screen: "M3 5h18v11H3zM8 20h8M12 16v4M12 13V8M9.5 10L12 7.5 14.5 10",
  screenOff: "M3 5h18v11H3zM8 20h8M12 16v4M9.5 8.5l5 5M14.5 8.5l-5 5",
  devices: "M4 7h9M17 7h3M4 12h3M11 12h9M4 17h7M15 17h5M15 5v4M9 10v4M13 15v4",
  more: "M5 12h.01M12 12h.01M19 12h.01",
  words: "M4 5h16v11H10l-4 4v-4H4zM8 9h8M8 12h5",
  check: "M4 12.5l5 5L20 6.5",
  gear: "M12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6zM12 2.8v3M12 18.2v3M2.8 12h3M18.2 12h3M5.5 5.5l2.1 2.1M16.4 16.4l2.1 2.1M18.5 5.5l-2.1 2.1M7.6 16.4l-2.1 2.1",
  shield: "M12 3l7 3v5c0 5-3 8.500-7 10-4-1.500-7-5-7-10V6z",
  full: "M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5",
  keys: "M3 6h18v12H3zM7 10h.01M11 10h.01M15 10h.01M18 10h.01M7 14h10",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  sound: "M4 9v6h4l5 4V5L8 9zM16.5 8.5a5 5 0 0 1 0 7M19 6a8.5 8.5 0 0 1 0 12",
  close: "M6 6l12 12M18 6L6 18",
  note: "M12 8v5M12 16.5h.01M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z",
};

/** @typedef {keyof typeof PATHS} IconName */

const SVG = "http://www.w3.org/2000/svg";

/** @param {IconName} name */
export function icon(name) {
  return svg("0 0 24 24", "icon", [
    ["path", { d: PATHS[name] }],
  ]);
}

/** How good the connection is: three, two or one bar. @param {"good"|"fair"|"poor"} quality */
export function bars(quality) {
  const lit = { good: 3, fair: 2, poor: 1 }[quality];
  const shapes = [0, 1, 2].map((at) => {
    const height = String(5 + at * 4);
    return /** @type {[string, Record<string, string>]} */ ([
      "rect",
      { x: String(1 + at * 5), y: String(14 - Number(height)), width: "3.5", height, rx: "1", class: at < lit ? "lit" : "" },
    ]);
  });
  return svg("0 0 16 16", "bars", shapes);
}

/** The mark: two cans joined by a string, as in icon.svg. */
export function mark() {
  return svg("0 0 64 64", "mark", [
    ...can("rotate(20 15 24)"),
    ...can("translate(64) scale(-1 1) rotate(20 15 24)"),
    ["path", { d: "M24.5 28c2.5 26 12.5 26 15 0" }],
  ]);
}

/** @param {string} transform @returns {[string, Record<string, string>][]} */
function can(transform) {
  return [
    ["ellipse", { cx: "7", cy: "24", rx: "4", ry: "10", transform }],
    ["path", { d: "M7 14h14a4 10 0 0 1 0 20H7", transform }],
  ];
}

/**
 * The dot of a contact. Shape says it as well as colour: full disc, open ring with a gap, ring with a bar.
 * @param {"yes"|"checking"|"no"} reachable
 */
export function dot(reachable) {
  switch (reachable) {
    case "yes":
      return svg("0 0 16 16", "dot", [["circle", { cx: "8", cy: "8", r: "6.5", class: "full" }]]);
    case "checking":
      return svg("0 0 16 16", "dot", [["path", { d: "M8 2a6 6 0 1 1-6 6" }]]);
    case "no":
      return svg("0 0 16 16", "dot", [
        ["circle", { cx: "8", cy: "8", r: "6" }],
        ["path", { d: "M5 8h6" }],
      ]);
  }
}

/**
 * @param {string} viewBox
 * @param {string} kind the class
 * @param {[string, Record<string, string>][]} shapes
 */
function svg(viewBox, kind, shapes) {
  const root = document.createElementNS(SVG, "svg");
  root.setAttribute("viewBox", viewBox);
  root.setAttribute("class", kind);
  root.setAttribute("aria-hidden", "true");
  for (const [tag, attributes] of shapes) {
    const shape = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) shape.setAttribute(name, value);
    root.append(shape);
  }
  return root;
}
