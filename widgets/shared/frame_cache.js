/**
 * Pictures of frames on this side: bytes from the kernel become ImageBitmaps off the main thread, and the ones not used for longest go
 * when they take more memory than allowed.
 * @module
 */

/**
 * @typedef {{bitmap: ImageBitmap | null, problem: string | null, bytes: number}} Picture  a broken one has a problem in place of a bitmap
 */

/**
 * @param {{limit?: number, ready: (index: number) => void}} options  `limit` is in bytes of decoded pictures; `ready` is called when a
 *   picture, or the reason why there is none, is there
 */
export function frameCache({ limit = 256 * 2 ** 20, ready }) {
  /** @type {Map<number, Picture>} in the order of last use */
  const pictures = new Map();
  let total = 0;
  let closed = false;

  /** @param {number} index @param {Picture} picture */
  function keep(index, picture) {
    drop(index);
    pictures.set(index, picture);
    total += picture.bytes;
    for (const oldest of pictures.keys()) {
      if (total <= limit || pictures.size <= 2) break;
      if (oldest !== index) drop(oldest);
    }
    ready(index);
  }

  /** @param {number} index */
  function drop(index) {
    const picture = pictures.get(index);
    if (!picture) return;
    pictures.delete(index);
    total -= picture.bytes;
    picture.bitmap?.close();
  }

  return {
    /** Takes the bytes of a frame and decodes them. @param {number} index @param {string} mime @param {DataView} bytes */
    async put(index, mime, bytes) {
      try {
        const bitmap = await createImageBitmap(new Blob([/** @type {any} */ (bytes)], { type: mime }));
        if (closed) return bitmap.close();
        keep(index, { bitmap, problem: null, bytes: bitmap.width * bitmap.height * 4 });
      } catch {
        if (!closed) keep(index, { bitmap: null, problem: "FRAME_NOT_DECODABLE", bytes: 0 });
      }
    },
    /** Takes the reason why a frame has no picture. @param {number} index @param {string} problem */
    refuse(index, problem) {
      keep(index, { bitmap: null, problem, bytes: 0 });
    },
    /** Gives a picture and counts it as used; undefined where it has not come. @param {number} index */
    get(index) {
      const picture = pictures.get(index);
      if (picture) {
        pictures.delete(index);
        pictures.set(index, picture);
      }
      return picture;
    },
    /** Gives a picture without counting it as used. @param {number} index */
    peek: (index) => pictures.get(index),
    /** @param {number} index */
    has: (index) => pictures.has(index),
    /** Bytes of decoded pictures held now. */
    held: () => total,
    close() {
      closed = true;
      for (const index of [...pictures.keys()]) drop(index);
    },
  };
}
