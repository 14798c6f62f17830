/** A small generator of pseudo-random numbers (mulberry32): the same seed and index give the same case on any machine. */
export class Random {
  #state;

  constructor(seed, index) {
    this.#state = (Math.imul(seed, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b)) >>> 0;
    for (let i = 0; i < 4; i++) this.float();
  }

  /** From 0 to below 1. */
  float() {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number from 0 to below `bound`. */
  below(bound) {
    return Math.floor(this.float() * bound);
  }

  chance(probability) {
    return this.float() < probability;
  }

  pick(list) {
    return list[this.below(list.length)];
  }

  /** Picks a key of an object by its weight. */
  weighted(weights) {
    let left = this.float() * Object.values(weights).reduce((sum, weight) => sum + weight, 0);
    for (const [key, weight] of Object.entries(weights)) {
      left -= weight;
      if (left < 0) return key;
    }
    return Object.keys(weights)[0];
  }

  /** Any bytes, as a latin1 string. */
  bytes(length) {
    let text = "";
    for (let i = 0; i < length; i++) text += String.fromCharCode(this.below(256));
    return text;
  }
}
