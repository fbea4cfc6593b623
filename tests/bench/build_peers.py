"""Split and statistics of a data set by datumaro, run by its interpreter, without labelkit: `SAMPLES BOXES`.

Prints the seconds of the split and the statistics together, and the peak memory in MB, as JSON. The items are made before, untimed.
"""

import json
import random
import resource
import sys
import time
import warnings

CLASSES = ["player", "goalkeeper", "referee", "ball"]
RATIOS = [("train", 0.8), ("val", 0.1), ("test", 0.1)]


def split_and_count(samples: int, boxes: int) -> float:
    """Return the seconds that a random split into three and the statistics of the annotations take."""
    from datumaro.components.annotation import Bbox
    from datumaro.components.dataset import Dataset
    from datumaro.components.dataset_base import DatasetItem
    from datumaro.components.media import Image
    from datumaro.components.operations import compute_ann_statistics

    drawn = random.Random(1)
    made = Dataset.from_iterable(
        [
            DatasetItem(
                id=f"{index:07}",
                media=Image.from_file(path=f"{index:07}.jpg", size=(720, 1280)),
                annotations=[
                    Bbox(drawn.randrange(1000), drawn.randrange(600), 50, 80, label=drawn.randrange(4), id=n, group=n) for n in range(boxes)
                ],
            )
            for index in range(samples)
        ],
        categories=CLASSES,
        media_type=Image,
    )
    assert len(made) == samples
    started = time.perf_counter()
    made.transform("random_split", splits=RATIOS, seed=1)
    counts = {name: len(subset) for name, subset in made.subsets().items()}
    compute_ann_statistics(made)
    seconds = time.perf_counter() - started
    assert sum(counts.values()) == samples
    return seconds


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    seconds = split_and_count(*map(int, sys.argv[1:]))
    print(json.dumps([seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))
