"""The telco customers as versions: committed, edited, compared, taken back."""

from __future__ import annotations

import polars as pl
import pytest

import labelkit

pytestmark = pytest.mark.real


def test_an_edit_of_seven_thousand_customers_is_a_small_diff_and_can_be_taken_back(real_data, tmp_path):
    # given the customers as they came, eleven of them with blank charges
    (file,) = real_data("crm_telco_churn").glob("*.csv")
    customers = pl.read_csv(file, infer_schema_length=None)
    blank = customers.filter(pl.col("TotalCharges").str.strip_chars() == "")["customerID"].sort()
    assert (customers.height, len(blank)) == (7043, 11)

    with labelkit.open(tmp_path / "labels.duckdb", user="ana") as ws:
        first = ws.versions.commit("leads/telco", customers, key="customerID", message="as it came")
        ws.versions.tag("leads/telco", "v1", first)

        # when blanks become nulls and a contract is corrected, in another order of rows
        contract = customers.filter(Contract="Month-to-month")["customerID"].min()
        edited = customers.with_columns(
            TotalCharges=pl.when(pl.col("TotalCharges").str.strip_chars() != "").then("TotalCharges"),
            Contract=pl.when(pl.col("customerID") == contract).then(pl.lit("One year")).otherwise("Contract"),
        ).sample(fraction=1, shuffle=True, seed=7)
        second = ws.versions.commit("leads/telco", edited, message="blank charges are missing")

        # then the diff has these rows and fields, and nothing else
        found = ws.versions.diff("leads/telco@v1", second)
        assert found.summary["fields"] == {"TotalCharges": 11, "Contract": 1}
        assert found.changes.filter(field="TotalCharges")["key"].to_list() == blank.to_list()
        assert (found.summary["added"], found.summary["removed"]) == (0, 0)
        assert ws.versions.suggest_version(first, second).level == "major"

        # and the same rows again are no version, and the way back is a commit whose rows are the first ones
        assert ws.versions.commit("leads/telco", edited.reverse()).code == "NO_OP_UNCHANGED"
        back = ws.versions.revert("leads/telco", "v1")
        assert back.commit.tree == first.commit.tree
        assert ws.versions.checkout(back).collect().equals(customers.sort("customerID"))
        assert ws.versions.checkout(second).collect().equals(edited.sort("customerID"))
        assert ws.check() == []
