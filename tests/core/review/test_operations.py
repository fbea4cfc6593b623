"""Operations as the browser sends them: known fields of the right type, or a refusal."""

from __future__ import annotations

import pytest

from labelkit.core.review.annotations import Source
from labelkit.core.review.operations import GEOMETRY_OPS, TOOL_OPS, OpKind, ReviewOp, with_ids
from labelkit.errors import InvalidOperation


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        pytest.param(
            {"kind": "add_box", "frame": 1, "id": "a", "label": "player", "x": 1, "y": 2.5, "width": 3, "height": 4},
            ReviewOp.add_box(1, "player", 1, 2.5, 3, 4, id="a"),
            id="add_box",
        ),
        pytest.param(
            {"kind": "add_point", "frame": 1, "id": "a", "label": "ball", "x": 1, "y": 2, "size": None},
            ReviewOp.add_point(1, "ball", 1, 2, id="a"),
            id="add_point",
        ),
        pytest.param({"kind": "move", "frame": 1, "id": "a", "x": 1, "y": 2}, ReviewOp.move(1, "a", 1, 2), id="move"),
        pytest.param(
            {"kind": "resize", "frame": 1, "id": "a", "x": 1, "y": 2, "width": 3, "height": 4},
            ReviewOp.resize(1, "a", 1, 2, 3, 4),
            id="resize a box",
        ),
        pytest.param({"kind": "resize", "frame": 1, "id": "a", "size": 9}, ReviewOp.resize(1, "a", size=9), id="resize a point"),
        pytest.param({"kind": "relabel", "frame": 1, "id": "a", "label": "b"}, ReviewOp.relabel(1, "a", "b"), id="relabel"),
        pytest.param({"kind": "delete", "frame": 1, "id": "a"}, ReviewOp.delete(1, "a"), id="delete"),
        pytest.param({"kind": "flag", "frame": 1, "flag_name": "bad_frame"}, ReviewOp.flag(1, "bad_frame"), id="flag"),
        pytest.param({"kind": "unflag", "frame": 1, "flag_name": "bad_frame"}, ReviewOp.unflag(1, "bad_frame"), id="unflag"),
        pytest.param({"kind": "accept", "frame": 1}, ReviewOp.accept(1), id="accept"),
        pytest.param({"kind": "see", "frame": 1}, ReviewOp.see(1), id="see"),
        pytest.param({"kind": "undo"}, ReviewOp.undo(), id="undo"),
        pytest.param({"kind": "redo"}, ReviewOp.redo(), id="redo"),
        pytest.param(
            {"kind": "add_point", "frame": 0, "id": "a", "label": "ball", "x": 0, "y": 0, "source": "propagated"},
            ReviewOp(OpKind.ADD_POINT, 0, "a", "ball", 0, 0, source=Source.PROPAGATED),
            id="with a source",
        ),
    ],
)
def test_an_operation_sent_as_json_is_the_operation_made_in_python(row, expected):
    assert ReviewOp.from_json(row) == expected


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        pytest.param({}, "unknown kind None", id="nothing"),
        pytest.param({"kind": "explode", "frame": 1}, "unknown kind 'explode'", id="unknown kind"),
        pytest.param({"kind": "delete", "frame": 1, "ids": ["a"]}, "unknown field 'ids'", id="unknown field"),
        pytest.param({"kind": "accept", "frame": "1"}, "frame cannot be '1'", id="a frame as text"),
        pytest.param({"kind": "accept", "frame": True}, "frame cannot be True", id="a frame as truth"),
        pytest.param({"kind": "accept", "frame": 1.0}, "frame cannot be 1.0", id="a frame as a fraction"),
        pytest.param({"kind": "accept", "frame": None}, "frame cannot be None", id="no frame"),
        pytest.param({"kind": "delete", "frame": 1, "id": 7}, "id cannot be 7", id="an id as a number"),
        pytest.param({"kind": "relabel", "frame": 1, "id": "a", "label": ["b"]}, "label cannot be \\['b'\\]", id="a label as a list"),
        pytest.param({"kind": "flag", "frame": 1, "flag_name": {}}, "flag_name cannot be {}", id="a flag as an object"),
        pytest.param({"kind": "move", "frame": 1, "id": "a", "x": "1", "y": 2}, "x cannot be '1'", id="a number as text"),
        pytest.param({"kind": "see", "frame": 1, "source": "god"}, "source cannot be 'god'", id="unknown source"),
        pytest.param({"kind": "see", "frame": 1, "source": []}, "source cannot be \\[\\]", id="a source as a list"),
    ],
)
def test_what_is_no_operation_is_refused_with_a_code(row, reason):
    with pytest.raises(InvalidOperation, match=reason) as refusal:
        ReviewOp.from_json(row)
    assert refusal.value.code == "INVALID_OPERATION"


@pytest.mark.parametrize("ops", [["accept"], [{"kind": "accept"}], "accept", [ReviewOp.accept(0), None]])
def test_what_is_given_in_place_of_operations_is_refused(ops):
    with pytest.raises(InvalidOperation, match="is no operation"):
        with_ids(ops, str)


def test_one_operation_counts_as_a_list_of_it():
    (op,) = with_ids(ReviewOp.add_box(0, "ball", 1, 2, 3, 4), lambda prefix: f"{prefix}_1")
    assert op == ReviewOp.add_box(0, "ball", 1, 2, 3, 4, id="ann_1")


def test_flags_states_and_travel_in_time_need_no_picture():
    assert set(OpKind) - GEOMETRY_OPS - TOOL_OPS == {OpKind.FLAG, OpKind.UNFLAG, OpKind.ACCEPT, OpKind.SEE, OpKind.UNDO, OpKind.REDO}
