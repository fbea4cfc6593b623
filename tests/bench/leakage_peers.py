"""The search for near hashes by the peers, run by their interpreter, without labelkit: `faiss|imagehash LEFT.npy RIGHT.npy MOST OUT.npy`.

Prints the seconds of the search and the peak memory in MB as JSON, and writes the pairs found, as rows of two hashes, to OUT.
"""

import json
import resource
import sys
import time

import numpy as np


def by_faiss(left: np.ndarray, right: np.ndarray, most: int) -> tuple[float, np.ndarray]:
    """Search by IndexBinaryFlat; its radius is exclusive. Putting the hashes into the index counts."""
    import faiss

    started = time.perf_counter()
    index = faiss.IndexBinaryFlat(64)
    index.add(right.view(np.uint8).reshape(-1, 8))
    limits, _, found = index.range_search(left.view(np.uint8).reshape(-1, 8), most + 1)
    seconds = time.perf_counter() - started
    return seconds, np.stack([np.repeat(left, np.diff(limits.astype(np.int64))), right[found]], axis=1)


def by_imagehash(left: np.ndarray, right: np.ndarray, most: int) -> tuple[float, np.ndarray]:
    """Search as the library's documentation does it: a loop that subtracts two hashes."""
    import imagehash

    lefts, rights = ([(one, imagehash.hex_to_hash(f"{one:016x}")) for one in side.tolist()] for side in (left, right))
    started = time.perf_counter()
    found = [(a, b) for a, x in lefts for b, y in rights if x - y <= most]
    return time.perf_counter() - started, np.array(found, dtype=np.uint64).reshape(-1, 2)


if __name__ == "__main__":
    name, left_file, right_file, most, out_file = sys.argv[1:]
    search = {"faiss": by_faiss, "imagehash": by_imagehash}[name]
    seconds, pairs = search(np.load(left_file), np.load(right_file), int(most))
    np.save(out_file, np.unique(pairs, axis=0))
    print(json.dumps([seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))
