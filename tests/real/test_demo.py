"""The demo on real frames: the first labels of people are reviewed into their second ones."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

import labelkit
from labelkit.demo import Demo

pytestmark = pytest.mark.real


def test_the_demo_turns_the_first_labels_of_the_soccer_players_into_the_second(real_data, tmp_path):
    # given
    data = real_data("soccer_players")
    said = io.StringIO()

    # when
    demo = Demo(tmp_path / "labels.duckdb", data=data, labels="labels_rev1", corrected="labels_rev2", console=Console(file=said, width=200))
    result = demo.run()

    # then the published difference is the one that the data set documents: 134 removed, one class changed
    assert "2613 labels of 2613 records, 6 run(s)" in said.getvalue()
    assert "delete (134)" in said.getvalue()
    assert "relabel (1)" in said.getvalue()
    assert "add_box" not in said.getvalue()
    assert (result["outcome"], result["samples"], result["annotations"]) == ("created", 110, 2479)
    with labelkit.open(tmp_path / "labels.duckdb") as ws:
        assert ws.datasets.get("demo").to_polars()["group_key"].n_unique() == 6
