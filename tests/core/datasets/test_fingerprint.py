"""Equal values have equal fingerprints; different ones can say where they differ."""

from __future__ import annotations

from labelkit.core.datasets.fingerprint import Fingerprint, explain


def test_a_fingerprint_is_the_sha256_of_its_canonical_json():
    assert str(Fingerprint({"b": [1.0, "é"], "a": None})) == "f8f17faab95c024891d173fa43442b0e52007736a1f36715ac721ab22deeefc5"


def test_the_order_of_fields_does_not_count_and_the_order_of_lists_does():
    assert Fingerprint({"a": 1, "b": 2}).value == Fingerprint({"b": 2, "a": 1}).value
    assert Fingerprint({"a": [1, 2]}).value != Fingerprint({"a": [2, 1]}).value


def test_explain_names_the_fields_that_differ_at_any_depth():
    left = Fingerprint({"capability": "ball", "split": {"seed": 1, "ratios": {"train": 0.8}}, "sources": [["p1", "h1"], ["p2", "h2"]]})
    right = Fingerprint({"capability": "ball", "split": {"seed": 2, "ratios": {"train": 0.8}}, "sources": [["p1", "h9"], ["p2", "h2"]]})
    assert [str(difference) for difference in explain(left, right)] == ["sources: ['p1', 'h1'] -> ['p1', 'h9']", "split.seed: 1 -> 2"]
    assert explain(left, left) == []


def test_a_field_that_one_side_lacks_is_nothing_there():
    found = explain(Fingerprint({}).extended(actor="ana"), Fingerprint({}))
    assert [(one.field, one.left, one.right) for one in found] == [("actor", "ana", None)]


def test_a_long_list_is_shown_by_its_first_items():
    found = explain(Fingerprint({"packs": list("abcde")}), Fingerprint({"packs": []}))
    assert str(found[0]) == "packs: a, b, c and 2 more -> nothing"
