"""Labels to test with: strategies for annotations and frames, odd texts included."""

from __future__ import annotations

from hypothesis import strategies as st

from labelkit.core.geometry import Box, Point
from labelkit.core.review.annotations import Annotation, FrameContent, FrameFlag, FrameState, Source, attributes_text

TEXT = st.text(max_size=12).filter(lambda text: text.encode("utf-8", "ignore").decode() == text)
ODD = st.sampled_from(
    ['"', "\\", "\\u001F", "a\x00b", "\x1f\x0b\x7f", "\u2028\u2029", "é", "e\u0301", "\U0001f600", "</script>", "'; --", ""]
)
LABELS = st.sampled_from(["player", "ball"]) | ODD | TEXT
AT = st.floats(0, 4_000)
POINTS = st.builds(Point.at, AT, AT, st.none() | st.floats(0.1, 200))
BOXES = st.builds(Box.at, AT, AT, st.floats(1, 500), st.floats(1, 500))
ATTRIBUTES = st.none() | st.dictionaries(LABELS, st.none() | st.booleans() | st.integers(-9, 9) | LABELS, min_size=1, max_size=3).map(
    attributes_text
)
ANNOTATIONS = st.builds(
    Annotation,
    id=st.uuids().map(str),
    label=LABELS,
    geometry=POINTS | BOXES,
    score=st.none() | st.floats(0, 1),
    source=st.sampled_from(Source),
    attributes=ATTRIBUTES,
)
FLAGS = st.sets(st.sampled_from(FrameFlag)).map(lambda flags: tuple(sorted(flags)))


INDEX = st.integers(0, 5)


def frames(index: st.SearchStrategy[int] = INDEX, most: int = 4) -> st.SearchStrategy[FrameContent]:
    """Frames with up to `most` annotations."""
    annotations = st.lists(ANNOTATIONS, max_size=most, unique_by=lambda annotation: annotation.id).map(tuple)
    return st.builds(FrameContent, index=index, annotations=annotations, flags=FLAGS, state=st.sampled_from(FrameState))
