/**
 * Of all tabs, one carries a call's picture and sound. Tabs agree on it by a Web Lock per call, which the browser
 * releases when a tab is closed, reloaded or crashes.
 */
export class TabLock {
  /** @type {(() => void)|null} */
  #release = null;

  /**
   * @param {string} id of the call
   * @param {boolean} steal take it from the tab that has it
   * @param {() => void} onLost called when another tab took it
   * @returns {Promise<boolean>} whether it is ours
   */
  claim(id, steal, onLost) {
    this.release();
    return new Promise((resolve) => {
      const options = steal ? { steal: true } : { ifAvailable: true };
      let held = false;
      let ours = true;
      navigator.locks
        .request(`twocan-call-${id}`, options, (lock) => {
          if (!lock) return resolve(false);
          held = true;
          return new Promise((/** @type {(value?: undefined) => void} */ done) => {
            this.#release = () => {
              ours = false;
              done();
            };
            resolve(true);
          });
        })
        .catch(() => {
          if (!held) resolve(false);
          else if (ours) onLost();
        });
    });
  }

  release() {
    this.#release?.();
    this.#release = null;
  }
}
