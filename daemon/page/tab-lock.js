/**
 * Of all tabs, one carries a call's picture and sound. Tabs agree on it by a Web Lock per call, which the browser
 * releases when a tab is closed, reloaded or crashes.
 */
export class TabLock {
  /** The claim that counts; an older one that is granted late lets go at once. @type {object|null} */
  #claim = null;
  /** @type {(() => void)|null} */
  #done = null;

  /** Whether it is ours, or asked for. */
  get held() {
    return this.#claim !== null;
  }

  /**
   * @param {string} id of the call
   * @param {boolean} steal take it from the tab that has it
   * @param {() => void} onLost called when another tab took it
   * @returns {Promise<boolean>} whether it is ours
   */
  async claim(id, steal, onLost) {
    this.release();
    const claim = {};
    this.#claim = claim;
    const granted = await new Promise((resolve) => {
      navigator.locks
        .request(`twocan-call-${id}`, steal ? { steal } : { ifAvailable: true }, (lock) => {
          resolve(lock !== null);
          return lock && this.#claim === claim ? this.#keep() : undefined;
        })
        .catch(() => {
          resolve(false);
          if (this.#claim === claim) this.#lost(onLost);
        });
    });
    if (!granted && this.#claim === claim) this.#claim = null;
    return granted && this.#claim === claim;
  }

  release() {
    this.#claim = null;
    this.#done?.();
    this.#done = null;
  }

  #keep() {
    return new Promise((/** @type {(value?: undefined) => void} */ done) => {
      this.#done = () => done();
    });
  }

  /** @param {() => void} onLost */
  #lost(onLost) {
    this.release();
    onLost();
  }
}
