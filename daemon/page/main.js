/**
 * The call page. It owns nothing: the daemon owns the call, the page shows it and lends it a camera and a screen.
 *
 * `store.js` holds what the daemon said, `session.js` what this tab does, `view.js` decides the screen, `elements/`
 * draws, `media.js` and `capture.js` are the only files that touch WebRTC and devices.
 */
import "./elements/app.js";
