"""Checking and collecting: which objects the rows name, and what is wrong with them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from labelkit.store.check import Finding


@pytest.fixture
def naming(db):
    """A store with columns that name one object, several, or none."""
    with db.transaction() as tx:
        tx.execute("CREATE TABLE named (content_object VARCHAR, chunk_objects VARCHAR[], object VARCHAR, xobject VARCHAR)")
    return db


def put(db, *words):
    return [db.objects.put_bytes(word.encode()) for word in words]


def test_a_whole_store_has_no_findings(naming):
    # given
    one, two, three = put(naming, "one", "two", "three")
    with naming.transaction() as tx:
        tx.insert("named", [{"content_object": one, "chunk_objects": [two, three]}, {"content_object": None, "chunk_objects": None}])

    # then
    assert naming.check() == []


def test_a_missing_and_a_damaged_object_are_found_with_the_columns_that_name_them(naming):
    # given
    whole, damaged, missing = put(naming, "whole", "damaged", "missing")
    with naming.transaction() as tx:
        tx.insert("named", [{"content_object": missing, "chunk_objects": [whole, damaged, missing]}])
    Path(naming.objects.path(damaged)).write_bytes(b"Damaged")
    Path(naming.objects.path(missing)).unlink()

    # then
    assert set(naming.check()) == {
        Finding(damaged, "named.chunk_objects", "damaged"),
        Finding(missing, "named.chunk_objects", "missing"),
        Finding(missing, "named.content_object", "missing"),
    }


def test_collection_keeps_what_any_row_names(naming):
    # given four old objects, two of them named
    one, two, three, four = put(naming, "one", "two", "three", "four")
    with naming.transaction() as tx:
        tx.insert("named", [{"content_object": one, "chunk_objects": [two], "object": three, "xobject": four}])
    for digest in (one, two, three, four):
        os.utime(naming.objects.path(digest), (0, 0))

    # when
    tried, done = naming.collect(dry_run=True), naming.collect()

    # then
    assert tried == done
    assert (set(done.digests), done.size_bytes) == ({three, four}, 9)
    assert naming.check() == []


def test_collection_spares_what_is_younger_than_a_week(naming):
    put(naming, "young")
    assert naming.collect().digests == ()
