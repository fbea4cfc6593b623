/**
 * Which frame to look at next, and why: the riskiest one that nobody has seen, or the next untouched one.
 * @module
 */

/**
 * What the kernel knows of every frame, a moment after the last save.
 * @typedef {{risk: number[], seen: boolean[], next: number | null, reasons: Record<string, string[]>, coverage: string}} Worth
 */

/**
 * @param {{kernel: import("../shared/commands.js").Channel, overview: import("./marks.js").Overview, changed: () => void}} options
 *   `overview` gets the risks; `changed` is called when they are new
 */
export function seeking({ kernel, overview, changed }) {
  /** @type {Worth | null} */
  let known = null;

  /** @param {Worth} worth */
  function take(worth) {
    known = worth;
    overview.risk = worth.risk;
    changed();
  }
  kernel.on("worth", take);

  return {
    /** What was looked at, without embellishment. */
    coverage: () => known?.coverage ?? "",
    /**
     * The riskiest frame that nobody has seen, with the reasons in words; null where all were seen.
     * @param {number} cursor @returns {Promise<{index: number, why: string} | null>}
     */
    async riskiest(cursor) {
      if (!known) take(await kernel.ask("worth", {}, { patience: 10_000 }));
      const { risk, seen, reasons } = /** @type {Worth} */ (known);
      const unseen = [...risk.keys()].filter((i) => i !== cursor && !seen[i] && overview.states[i] === "untouched");
      if (!unseen.length) return null;
      const index = unseen.reduce((best, i) => (risk[i] > risk[best] ? i : best));
      const why = reasons[index]?.join("; ");
      return { index, why: `Frame ${index + 1}, risk ${Math.round(risk[index] * 100)}%${why ? `: ${why}` : ""}` };
    },
    /** The next untouched frame after the cursor, from the start again at the end. @param {number} cursor */
    untouched: (cursor) => [...overview.states.keys()].map((i) => (cursor + 1 + i) % overview.states.length).find((i) => overview.states[i] === "untouched"),
  };
}
