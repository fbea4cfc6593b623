/**
 * Frames as people count them: the kernel's sentences name frames by their index, from nought, the review counts from one.
 * @module
 */

const ONE = String.raw`\bframe \d+`;
const SEVERAL = String.raw`\bframes (?:changed since: )?\d+(?:(?:, and |, | and | to )\d+)*`;
const NAMED = new RegExp(`${SEVERAL}|${ONE}`, "gi");

/** The kernel's sentence with the review's numbers, in lists too; how many frames there are stays. @param {string} sentence */
export function counted(sentence) {
  return sentence.replace(NAMED, (named) => named.replace(/\d+/g, (index) => String(Number(index) + 1)));
}
