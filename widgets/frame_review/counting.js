/**
 * Frames as people count them: the kernel's sentences number frames from nought, the review from one.
 * @module
 */

const NUMBERED = /\b(frames? )(\d+)( and )?(\d+)?/gi;

/** The kernel's sentence with the review's numbers. @param {string} sentence */
export function counted(sentence) {
  return sentence.replace(NUMBERED, (_, word, first, and = "", second = "") => `${word}${Number(first) + 1}${and}${second && Number(second) + 1}`);
}
