"""Adding examples: what fits is kept, what does not is refused with its row, path and reason, what is there stays as it is."""

from __future__ import annotations

import json
import math

import polars as pl
import pytest
from pydantic import BaseModel

import labelkit
from labelkit import LabelkitError
from labelkit.core.golden.examples import Example
from tests.services.worlds import as_user, in_memory_and_file, refused, tables, trail
from tests.store.processes import run_all, start

CTO = {"input": {"title": "CTO", "seniority": "executive"}, "expected_output": {"tier": "A", "confidence": 1.0}}
CEO = {"input": {"title": "CEO"}, "expected_output": {"tier": "A"}, "labels": {"difficulty": "easy"}, "source_decision_id": "d7"}


class Contact(BaseModel):
    title: str
    seniority: str | None = None


class Verdict(BaseModel):
    tier: str


class Lesson(BaseModel):
    input: Contact
    expected_output: Verdict


def deep(levels: int) -> object:
    value: object = 1
    for _ in range(levels):
        value = [value]
    return value


@in_memory_and_file
def test_examples_are_added_pending_with_their_parts_as_canonical_json(ws):
    # when
    report = ws.golden.add("contact_tier", [CTO, CEO])

    # then
    frame = ws.golden.to_polars()
    assert (report.added, report.present, report.refused.height) == (2, 0, 0)
    assert set(frame["input"]) == {'{"seniority":"executive","title":"CTO"}', '{"title":"CEO"}'}
    assert set(frame["expected_output"]) == {'{"confidence":1,"tier":"A"}', '{"tier":"A"}'}
    assert frame.select("status", "version", "created_by", "type").unique().rows() == [("pending", 1, "ana", "contact_tier")]
    assert dict(zip(frame["source_decision_id"], frame["labels"], strict=True)) == {None: "{}", "d7": '{"difficulty":"easy"}'}


def test_an_added_example_is_got_back_as_the_value_it_is(ws):
    # when
    report = ws.golden.add("contact_tier", [CEO])
    found = ws.golden.get(report.rows["example_id"][0])

    # then
    assert (found.input, found.expected_output, found.labels) == ({"title": "CEO"}, {"tier": "A"}, {"difficulty": "easy"})
    assert found.example_id == report.rows["example_id"][0] == Example("contact_tier", {"title": "CEO"}, {"tier": "A"}).example_id
    assert (found.created_by, found.source_decision_id, found.validator, found.tier) == ("ana", "d7", None, None)


GIVEN = {
    "mappings": [CTO, {"input_data": {"title": "CEO"}, "output": {"tier": "B"}}],
    "models": [Lesson(input=Contact(title="CTO"), expected_output=Verdict(tier="A"))],
    "models within mappings": [{"input": Contact(title="CTO"), "expected_output": Verdict(tier="A")}],
    "example values": [Example("contact_tier", {"title": "CTO"}, {"tier": "A"})],
    "a generator": (one for one in [CTO]),
    "JSON texts in a frame": pl.DataFrame({"input": ['{"title": "CTO"}'], "expected_output": ['{"tier":"A"}']}),
    "structs in a frame": pl.DataFrame([CTO]),
    "names of production decisions": pl.DataFrame({"input_data": ["{}"], "expected_output": ['{"tier":"A"}'], "labels": [None]}),
}


@pytest.mark.parametrize("form", GIVEN)
def test_examples_come_in_many_forms(memory, form):
    report = memory.golden.add("contact_tier", GIVEN[form])
    assert (report.added, report.refused.height) == (report.rows.height, 0)
    assert report.added > 0


def test_a_frame_a_mapping_and_a_model_of_equal_content_are_one_example(memory):
    # given
    value = {"input": {"title": "CTO", "seniority": "x"}, "expected_output": {"tier": "A"}}
    memory.golden.add("contact_tier", [value])

    # when
    reports = [
        memory.golden.add("contact_tier", pl.DataFrame([value])),
        memory.golden.add("contact_tier", [Lesson(**value)]),
        memory.golden.add("contact_tier", pl.DataFrame({name: [json.dumps(part, indent=2)] for name, part in value.items()})),
    ]

    # then
    assert [(report.added, report.present) for report in reports] == [(0, 1)] * 3


OK = {"expected_output": {"tier": "A"}}
BAD = {
    "a missing field": ({"input": {}, "expected_output": {}}, "expected_output", "", "'tier' is a required property"),
    "another type": ({"input": {"title": 5}} | OK, "input", "title", "5 is not of type 'string', 'null'"),
    "out of range": ({"input": {}, "expected_output": {"tier": "A", "confidence": 1.5}}, "expected_output", "confidence", "1.5 is greater"),
    "inside a list": ({"input": {}, **OK, "labels": {"clear_indicators": ["a", 2]}}, "labels", "clear_indicators/1", "2 is not of type"),
    "no object": ({"input": [1]} | OK, "input", "", "[1] is not of type 'object'"),
    "NaN": ({"input": {"title": math.nan}} | OK, "input", "", "nan is no JSON number"),
    "no JSON": ({"input": {"title": {1, 2}}} | OK, "input", "", "set is no JSON value"),
    "a key that is no text": ({"input": {1: "x"}} | OK, "input", "", "the key 1 is int, keys are text"),
    "a key that is no text, inside": ({"input": {"a": [{True: 1}]}} | OK, "input", "", "the key True is bool"),
    "deep nesting": ({"input": {"title": "x", "more": deep(5000)}} | OK, "input", "", "more than 100 deep"),
    "half a character": ({"input": {"title": "\ud83d"}} | OK, "input", "", "half a character"),
    "a number that no double holds": ({"input": {"id": 2**60 + 1}} | OK, "input", "", "beyond what a JSON number holds exactly"),
    "no input": (OK, "input", "", "it is missing"),
    "a field that nobody knows": ({"input": {}, "label": {}} | OK, "", "", "nobody knows what 'label' is"),
    "no example at all": ("x", "", "", "str is no example"),
    "an id that is no text": ({"input": {}, "source_decision_id": 5} | OK, "source_decision_id", "", "an id is text, this is int"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_row_that_does_not_fit_is_refused_alone(memory, case):
    # given a bad row between two good ones
    bad, part, path, reason = BAD[case]

    # when
    report = memory.golden.add("contact_tier", [CTO, bad, CEO])

    # then
    assert report.added == 2
    assert report.rows["outcome"].to_list() == ["ADDED", "REFUSED", "ADDED"]
    assert [row[:3] for row in report.refused.iter_rows()] == [(1, part, path)]
    assert reason in report.refused["reason"][0]
    assert "row 1" in repr(report)
    assert memory.golden.to_polars().height == 2


TEXTS = {
    "a key that comes twice": '{"title":"a","title":"b"}',
    "NaN": '{"title":NaN}',
    "no JSON": "title: CTO",
    "cut short": '{"title":"CTO"',
    "nothing": "",
    "null": None,
    "deep nesting": '{"x":' * 200 + "1" + "}" * 200,
    "half a character": '{"title":"\\ud83d"}',
}


@pytest.mark.parametrize("rows", [1, 2000], ids=["few", "many"])
@pytest.mark.parametrize("case", TEXTS)
def test_a_text_that_is_no_json_is_refused_alone(memory, case, rows):
    # given
    inputs = [*(f'{{"title":"{n}"}}' for n in range(rows)), TEXTS[case]]
    frame = pl.DataFrame({"input": inputs, "expected_output": ['{"tier":"A"}'] * len(inputs)})

    # when
    report = memory.golden.add("contact_tier", frame)

    # then
    assert report.added == rows
    assert report.refused.select("row", "part").rows() == [(rows, "input")]


def test_an_example_of_ten_megabytes_is_an_example_like_others(ws):
    # given
    text = "é" * 5_000_000

    # when
    report = ws.golden.add("contact_tier", [{"input": {"title": text}, "expected_output": {"tier": "A"}}])

    # then
    assert ws.golden.get(report.rows["example_id"][0]).input == {"title": text}


def test_content_that_is_there_stays_as_it_is_and_other_labels_are_reported(memory):
    # given
    memory.golden.add("contact_tier", [CEO])
    before = tables(memory)

    # when the same content comes again, twice with other labels, once in another order of keys
    again = [CEO, CEO | {"labels": {"difficulty": "hard"}}, {"input": {"title": "CEO"}, "expected_output": {"tier": "A"}}]
    report = memory.golden.add("contact_tier", again)

    # then
    assert (report.added, report.present) == (0, 3)
    assert report.rows["outcome"].to_list() == ["PRESENT", "PRESENT_OTHER_LABELS", "PRESENT_OTHER_LABELS"]
    assert report.differing.select("row", "labels", "present_labels").rows() == [
        (1, '{"difficulty":"hard"}', '{"difficulty":"easy"}'),
        (2, "{}", '{"difficulty":"easy"}'),
    ]
    assert tables(memory) == before


def test_content_that_comes_twice_in_one_batch_is_added_once(memory):
    report = memory.golden.add("contact_tier", [CTO, CTO, CTO | {"labels": {"edge_case": True}}])
    assert (report.added, report.present) == (1, 2)
    assert report.rows["outcome"].to_list() == ["ADDED", "PRESENT", "PRESENT_OTHER_LABELS"]
    assert report.rows["example_id"].n_unique() == 1


def test_source_ids_may_come_beside_the_examples(memory):
    # when the row in the middle falls out
    report = memory.golden.add("contact_tier", [CTO, {}, CEO], source_decision_ids=["a", "b", "c"])

    # then each of the others keeps its own
    ids = dict(zip(report.rows["row"], report.rows["example_id"], strict=True))
    assert [memory.golden.get(ids[row]).source_decision_id for row in (0, 2)] == ["a", "c"]


@pytest.mark.parametrize(
    ("call", "code"),
    [
        pytest.param(lambda golden: golden.add("contact", [CTO]), "NOT_FOUND", id="a type that there is not"),
        pytest.param(
            lambda golden: golden.add("contact_tier", pl.DataFrame({"input": ["{}"]})), "INVALID_VALUE", id="a frame without output"
        ),
        pytest.param(
            lambda golden: golden.add("contact_tier", pl.DataFrame({"input": ["{}"], "expected_output": ["1"], "lables": [1]})),
            "INVALID_VALUE",
            id="a column that nobody knows",
        ),
        pytest.param(
            lambda golden: golden.add("contact_tier", pl.DataFrame({"input": ["{}"], "expected_output": [b"1"]})),
            "INVALID_VALUE",
            id="a column of bytes",
        ),
        pytest.param(lambda golden: golden.add("contact_tier", None), "INVALID_VALUE", id="nothing"),
        pytest.param(lambda golden: golden.add("contact_tier", CTO), "INVALID_VALUE", id="one example that is in no list"),
        pytest.param(lambda golden: golden.add("contact_tier", "a text"), "INVALID_VALUE", id="a text"),
        pytest.param(lambda golden: golden.add("contact_tier", [CTO], source_decision_ids=[]), "INVALID_VALUE", id="too few source ids"),
        pytest.param(lambda golden: golden.get("ex_00"), "NOT_FOUND", id="an id that there is not"),
        pytest.param(lambda golden: golden.history("ex_00"), "NOT_FOUND", id="the history of none"),
        pytest.param(lambda golden: golden.to_polars(status="done"), "INVALID_VALUE", id="a status that there is not"),
        pytest.param(lambda golden: golden.to_polars(tier="iron"), "INVALID_VALUE", id="a tier that there is not"),
    ],
)
def test_what_cannot_be_meant_is_refused_as_a_whole(memory, call, code):
    assert refused(lambda: call(memory.golden)) == code
    assert memory.golden.to_polars().is_empty()


def test_no_examples_are_no_error(memory):
    report = memory.golden.add("contact_tier", [])
    assert (report.added, report.rows.height) == (0, 0)
    assert memory.golden.to_polars().is_empty()
    assert memory.golden.list().is_empty()


def test_adding_is_for_annotators_and_leaves_an_audit_row_either_way(memory):
    # given
    viewer, annotator = as_user(memory, "vi", "viewer"), as_user(memory, "an", "annotator")

    # when
    assert refused(lambda: viewer.golden.add("contact_tier", [CTO])) == "PERMISSION_DENIED"
    annotator.golden.add("contact_tier", [CTO, {}])

    # then
    assert trail(memory, "actor", "action", "code", "allowed")[-2:] == [
        ("vi", "label an example", "PERMISSION_DENIED", False),
        ("an", "label an example", "EXAMPLES_ADDED", True),
    ]
    assert json.loads(memory.audit()["facts"][0]) == {"added": 1, "present": 0, "refused": 1}


def test_examples_of_one_workspace_are_none_of_another(memory):
    # given
    memory.golden.add("contact_tier", [CTO])
    with memory._database.transaction() as tx:
        other = tx.workspaces.create("club-b", owner="ana")

    # when
    elsewhere = labelkit.Workspace(memory._database, other, "ana")

    # then
    assert elsewhere.golden.to_polars().is_empty()
    assert elsewhere.golden.add("contact_tier", [CTO]).added == 1
    assert memory.golden.to_polars().height == 1


def test_the_list_counts_by_type_and_status(memory):
    # given
    added = memory.golden.add("contact_tier", [CTO, CEO]).rows["example_id"]
    memory.golden.add("lead_score", [{"input": {"fit_score": 85}, "expected_output": {"lead_score": 88}}])
    memory.golden.validate(added[0])

    # then
    columns = ("type", "examples", "pending", "validated", "rejected")
    assert memory.golden.list().select(columns).rows() == [("contact_tier", 2, 1, 1, 0), ("lead_score", 1, 1, 0, 0)]
    assert memory.golden.to_polars(type="contact_tier", status="validated")["example_id"].to_list() == [added[0]]


# --- several processes

ADDER = """
import sys
import labelkit
with labelkit.open(sys.argv[1], workspace="club-a", user="ana", deadline_s=60) as ws:
    rows = [{"input": {"title": str(n)}, "expected_output": {"tier": "A"}} for n in range(3000)]
    report = ws.golden.add("contact_tier", rows)
    print(report.added, report.present)
"""
# Ends without a word in the middle of its transaction, when the rows are in and nothing is committed.
KILLED = """
import os, sys
import labelkit
from labelkit.store.audit import AuditRows
AuditRows.record = lambda *_, **__: os._exit(9)
with labelkit.open(sys.argv[1], workspace="club-a", user="ana") as ws:
    ws.golden.add("contact_tier", [{"input": {"title": str(n)}, "expected_output": {"tier": "A"}} for n in range(3000)])
"""


def test_two_processes_that_add_the_same_content_keep_it_once(tmp_path):
    # given
    path = tmp_path / "labels.duckdb"
    with labelkit.open(path, workspace="club-a", user="ana") as ws:
        # when
        printed = run_all(ADDER, [(path,), (path,)])

        # then one was first with all of it
        assert sorted(text.strip() for text in printed) == ["0 3000", "3000 0"]
        assert ws.golden.to_polars().height == 3000


def test_an_adding_that_was_killed_leaves_nothing(tmp_path):
    # given
    path = tmp_path / "labels.duckdb"
    with labelkit.open(path, workspace="club-a", user="ana") as ws:
        # when
        process = start(KILLED, path)
        process.communicate(timeout=60)

        # then
        assert process.returncode == 9
        assert ws.golden.to_polars().is_empty()
        assert ws.golden.add("contact_tier", [CTO]).added == 1


def test_a_refusal_of_the_store_leaves_nothing_of_a_batch(memory, monkeypatch):
    # given an audit trail that fails
    monkeypatch.setattr("labelkit.store.audit.new_id", lambda _: None)

    # when
    with pytest.raises(LabelkitError):
        memory.golden.add("contact_tier", [CTO])

    # then
    assert memory.golden.to_polars().is_empty()
