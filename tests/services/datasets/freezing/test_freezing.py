"""Frozen test sets through the public surface: every code, state and history, ledger, audit, and protected content."""

from __future__ import annotations

import json

import pytest

import labelkit
from labelkit import BuildRequest
from tests.services.datasets.freezing.world import train
from tests.services.packs import change
from tests.services.worlds import refused, trail

# --- every code


def already_frozen(world, hold, _path):
    hold.freeze()
    world.ws.datasets.freeze("hold")


def in_use(_world, hold, _path):
    with hold.for_training():
        hold.freeze()


def sources_in_use(world, hold, _path):
    with world.build("more", "a b").for_training():
        hold.freeze()


def trained_on(_world, hold, _path):
    hold.freeze()
    train(hold)


def trained_on_another_version(world, hold, _path):
    hold.freeze()
    train(world.build("hold", "a", force=True))


def trained_beside_it(world, hold, _path):
    hold.freeze()
    train(world.build("more", "a b"))


def exported(_world, hold, path):
    hold.freeze()
    hold.export("coco", path / "out")


def exported_beside_it(world, hold, path):
    more = world.build("more", "a b")
    hold.freeze()
    more.export("coco", path / "out", purpose="training")


CASES = [
    ("frozen twice", already_frozen, "DATASET_ALREADY_FROZEN", 409),
    ("frozen while trained on", in_use, "DATASET_IN_ACTIVE_USE", 409),
    ("frozen while its pack is trained on", sources_in_use, "DATASET_IN_ACTIVE_USE", 409),
    ("frozen in another state", lambda _, hold, __: hold.freeze(expected_version=1), "FREEZE_STATE_CONFLICT", 409),
    ("frozen by a reviewer", lambda world, hold, _: world.seen_by(world.reviewer, hold).freeze("x"), "PERMISSION_DENIED", 403),
    ("trained on", trained_on, "FROZEN_DATASET_TRAINING_FORBIDDEN", 403),
    ("another version of it trained on", trained_on_another_version, "FROZEN_SOURCE_LEAKAGE_FORBIDDEN", 403),
    ("its pack trained on", trained_beside_it, "FROZEN_SOURCE_LEAKAGE_FORBIDDEN", 403),
    ("exported", exported, "FROZEN_DATASET_TRAINING_FORBIDDEN", 403),
    ("its pack exported", exported_beside_it, "FROZEN_SOURCE_LEAKAGE_FORBIDDEN", 403),
    ("exported for nothing known", lambda _, hold, path: hold.export("coco", path / "out", purpose="fun"), "INVALID_VALUE", 400),
    ("evaluated on though open", lambda _, hold, __: hold.for_evaluation(require_frozen=True).__enter__(), "DATASET_NOT_FROZEN", 409),
    ("unfrozen though open", lambda _, hold, __: hold.unfreeze("why not"), "DATASET_NOT_FROZEN", 409),
    ("unfrozen by support", lambda world, hold, _: world.seen_by(world.support, hold).unfreeze("x"), "UNFREEZE_PERMISSION_REQUIRED", 403),
    ("unfrozen by a reviewer", lambda world, hold, _: world.reviewer.datasets.unfreeze(hold.id, "x"), "UNFREEZE_PERMISSION_REQUIRED", 403),
    ("unfrozen without a reason", lambda world, _, __: world.ws.datasets.unfreeze("hold"), "UNFREEZE_REASON_REQUIRED", 400),
    ("unfrozen with blanks", lambda world, _, __: world.ws.datasets.unfreeze("hold", " \t"), "UNFREEZE_REASON_REQUIRED", 400),
    ("a split that is none", lambda _, hold, __: train(hold, split="dev"), "NOT_FOUND", 404),
]


@pytest.mark.parametrize(("case", "call", "code", "status"), CASES, ids=[case[0] for case in CASES])
def test_every_refusal_has_its_code(calm, tmp_path, case, call, code, status):
    # given
    before = trail(calm.ws, "code", "allowed")

    # when
    with pytest.raises(labelkit.LabelkitError) as found:
        call(calm, calm.ws.datasets.get("hold"), tmp_path)

    # then nothing was written, and the deny is audited
    assert (found.value.code, found.value.status) == (code, status), case
    assert not (tmp_path / "out").exists()
    denied = [row for row in trail(calm.ws, "code", "allowed")[len(before) :] if not row[1]]
    assert denied == ([] if code in ("INVALID_VALUE", "NOT_FOUND") else [(code, False)])


def test_a_dataset_without_content_cannot_be_frozen_or_trained_on(calm):
    # given a dataset that is being built
    seen = []

    def meanwhile(_done, _all):
        running = calm.ws.datasets.get("slow")
        seen.extend([refused(running.freeze), refused(lambda: train(running))])

    # when
    calm.ws.datasets.build(
        BuildRequest(capability="player_detection", label_pack_ids=[calm.ids["a"]], name="slow", ratios={"test": 1.0}), progress=meanwhile
    )

    # then
    assert set(seen) == {"DATASET_NOT_READY"}


# --- state and history


def test_support_freezes_and_a_developer_unfreezes_and_the_history_tells_all(world, hold):
    # when
    frozen = world.seen_by(world.support, hold)
    frozen.freeze("official test of 2026", expected_version=0)
    refused(lambda: frozen.unfreeze("sorry"))
    hold.unfreeze("wrong clip", expected_version=1)
    again = hold.freeze()

    # then
    assert (again.is_frozen, again.version, hold.is_frozen_test_set, hold.frozen_at) == (True, 3, True, again.last_freeze.at)
    assert (hold.last_freeze.actor, hold.last_unfreeze.actor, hold.last_unfreeze.reason) == ("ana", "ana", "wrong clip")
    history = hold.freeze_history()
    assert history.select("number", "action", "actor", "allowed", "code", "reason").rows() == [
        (3, "freeze", "ana", True, None, None),
        (2, "unfreeze", "ana", True, None, "wrong clip"),
        (None, "unfreeze", "sue", False, "UNFREEZE_PERMISSION_REQUIRED", None),
        (1, "freeze", "sue", True, None, "official test of 2026"),
    ]
    assert "needs a developer, and sue is no member" in history["detail"][2]
    assert history["changed_at"].is_sorted(descending=True)


def test_a_frozen_set_is_named_in_lists_and_looks(world, hold):
    other = world.build("other", "b")
    assert "frozen" not in repr(hold)
    hold.freeze()
    assert dict(world.ws.datasets.list().select("name", "is_frozen").iter_rows()) == {"hold": True, "other": False}
    assert "frozen test set" in repr(hold)
    assert "frozen test set" in world.ws.datasets.get("hold")._repr_html_()
    assert "frozen" not in repr(other)
    assert "frozen" not in repr(world.ws.datasets.unfreeze(hold, "over"))
    assert hold.freezing.badge == ""
    assert world.ws.datasets.freeze(hold).freezing.badge.startswith("Frozen test set since 20")


def test_every_allow_and_deny_leaves_an_audit_row_about_the_version(world, hold):
    # when
    train(hold)
    hold.freeze("official")
    refused(lambda: train(hold))
    with hold.for_evaluation(model="net-1") as data:
        data.record(ap50=0.5)
    hold.unfreeze("over")

    # then
    rows = world.ws.audit(subject=f"dataset:{hold.id}").reverse()
    assert rows.select("action", "code", "allowed").rows() == [
        ("train", "TRAINING_STARTED", True),
        ("train", "TRAINING_ENDED", True),
        ("freeze", "FROZEN", True),
        ("train", "FROZEN_DATASET_TRAINING_FORBIDDEN", False),
        ("evaluate", "EVALUATION_STARTED", True),
        ("evaluate", "EVALUATION_RECORDED", True),
        ("unfreeze", "UNFROZEN", True),
    ]
    assert json.loads(rows["facts"][2])["reason"] == "official"


def test_after_an_unfreeze_everything_may_be_trained_on_again(calm, held):
    more = calm.build("more", "a b")
    held.freeze()
    assert refused(lambda: train(more)) == "FROZEN_SOURCE_LEAKAGE_FORBIDDEN"
    assert refused(lambda: train(held)) == "FROZEN_DATASET_TRAINING_FORBIDDEN"
    held.unfreeze("over")
    assert (train(more), train(held)) == (6, 3)


# --- the ledger


def test_the_ledger_counts_who_evaluated_what_and_when(world, hold):
    # when
    with hold.for_evaluation(model="net-1", purpose="release 4") as data:
        data.record(ap50=0.71)
        data.record(by_class={"ball": 0.5}, count=3)
    hold.freeze()
    with world.seen_by(world.viewer, hold).for_evaluation(model="net-2", require_frozen=True, split="test") as data:
        assert data.to_polars().height == 3
    with pytest.raises(ZeroDivisionError), hold.for_evaluation(model="net-1") as data:
        data.record(ap50=0.72) or 1 / 0
    with world.build("other", "b").for_evaluation():
        pass

    # then, also of an evaluation that failed
    ledger = hold.holdout_ledger()
    columns = ("dataset", "version", "was_frozen", "split", "model", "purpose", "actor", "look", "looks_of_model")
    assert ledger.select(columns).rows() == [
        ("hold", 1, True, None, "net-1", None, "ana", 3, 2),
        ("hold", 1, True, "test", "net-2", None, "vic", 2, 1),
        ("hold", 1, False, None, "net-1", "release 4", "ana", 1, 1),
    ]
    assert [json.loads(text or "null") for text in ledger["metrics"]] == [
        {"ap50": 0.72},
        None,
        {"ap50": 0.71, "by_class": {"ball": 0.5}, "count": 3},
    ]
    assert ledger["evaluated_at"].is_sorted(descending=True)
    assert world.ws.datasets.holdout_ledger().height == 4
    assert world.ws.datasets.holdout_ledger("hold").equals(ledger)


@pytest.mark.parametrize("value", [float("nan"), object(), {1, 2}], ids=["no number", "an object", "a set"])
def test_a_metric_is_a_plain_value(held, value):
    with held.for_evaluation(model="net") as data:
        assert refused(lambda: data.record(ap=value)) == "INVALID_VALUE"
    assert held.holdout_ledger()["metrics"][0] is None


def test_a_frozen_set_is_exported_for_evaluation_and_the_ledger_knows(world, hold, tmp_path):
    # when
    hold.freeze()
    hold.export("coco", tmp_path / "out", purpose="evaluation")
    with hold.for_evaluation(model="net") as data:
        data.export("yolo", tmp_path / "inside")

    # then the export inside a door is no look of its own
    assert hold.holdout_ledger().select("model", "purpose").rows() == [("net", None), (None, "export")]
    assert [row for row in trail(world.ws, "action", "code") if row[1] == "EXPORTED"] == [("read", "EXPORTED")] * 2
    assert {json.loads(facts)["purpose"] for facts, code in trail(world.ws, "facts", "code") if code == "EXPORTED"} == {"evaluation"}


def test_an_export_in_an_unknown_format_is_no_look(hold, tmp_path):
    assert refused(lambda: hold.export("cocoa", tmp_path / "out", purpose="evaluation")) == "UNKNOWN_FORMAT"
    assert hold.holdout_ledger().is_empty()


# --- content


def test_frozen_content_is_not_collected_whatever_happens_to_the_rows_of_its_version(world, hold):
    # given a frozen set whose snapshot somebody forgot
    database = world.ws._database
    hold.freeze()
    with database.reading() as tx:
        protected = tx.freezing.protected_objects()
    change(world.ws, "DELETE FROM snapshot_chunks")

    # when
    kept = database.collect(grace_s=-60)

    # then
    assert protected
    assert not set(kept.digests) & set(protected)
    assert all(database.objects.verify(digest) for digest in protected)
    hold.unfreeze("over")
    with database.reading() as tx:
        assert tx.freezing.protected_objects() == []
    assert set(database.collect(grace_s=-60).digests) == set(protected)


def test_the_protected_content_is_that_of_every_frozen_set(world, hold):
    other = world.build("other", "b c")
    hold.freeze()
    other.freeze()
    with world.ws._database.reading() as tx:
        trees = [tx.datasets.snapshots.tree(one._row.snapshot_id) for one in (hold, other)]
        assert tx.freezing.protected_objects() == sorted({digest for tree in trees for digest in tree.objects})
