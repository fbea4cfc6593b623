"""The telco customers as production decisions: extracted with churn as the outcome, scored, committed; then a file that changed."""

from __future__ import annotations

from typing import Literal

import polars as pl
import pytest
from pydantic import BaseModel, Field

import labelkit

pytestmark = pytest.mark.real


class Customer(BaseModel):
    tenure_months: int = Field(ge=0)
    contract: Literal["Month-to-month", "One year", "Two year"]
    internet: Literal["DSL", "Fiber optic", "No"]
    payment: str
    monthly_charges: float
    total_charges: float
    is_senior: bool


class Verdict(BaseModel):
    churns: bool
    priority: Literal["hot", "cold"]


class Notes(BaseModel):
    outcome: Literal["churned", "stayed"]


MAPPING = {
    "input": {
        "tenure_months": "tenure",
        "contract": "Contract",
        "internet": "InternetService",
        "payment": "PaymentMethod",
        "monthly_charges": "MonthlyCharges",
        "total_charges": "TotalCharges",
        "is_senior": {"column": "SeniorCitizen", "map": {"0": False, "1": True}},
    },
    "expected_output": {
        "churns": {"column": "Churn", "map": {"Yes": True, "No": False}},
        "priority": {"column": "Churn", "map": {"Yes": "hot", "No": "cold"}},
    },
    "labels.outcome": {"column": "Churn", "map": {"Yes": "churned", "No": "stayed"}},
}
NAME = "golden/churn-risk"


def test_seven_thousand_customers_become_examples_once_and_changes_are_found(real_data, tmp_path):
    # given a type for them, and what the file holds by itself
    (file,) = real_data("crm_telco_churn").glob("*.csv")
    customers = pl.read_csv(file, infer_schema=False)
    blank = customers.filter(pl.col("TotalCharges").str.strip_chars() == "")
    fields = ["tenure", "Contract", "InternetService", "PaymentMethod", "MonthlyCharges", "TotalCharges", "SeniorCitizen", "Churn"]
    different = customers.join(blank, on="customerID", how="anti").unique(fields).height
    assert (customers.height, blank.height, different) == (7043, 11, 6937)

    with labelkit.open(tmp_path / "labels.duckdb", user="ana") as ws:
        ws.golden.types.register("churn_risk", input=Customer, expected_output=Verdict, labels=Notes)
        pipeline = ws.golden.pipeline(file, "churn_risk", MAPPING, decision_id="customerID", quality_threshold=0)

        # when
        preview, report = pipeline.preview(), pipeline.extract()

        # then every customer is somewhere: the eleven without charges are named, and so is whoever looks like another
        assert report.tally == preview.tally
        assert (report.read, report.new, report.duplicates.height, report.refused.height) == (7043, 6937, 95, 11)
        assert report.refused["decision_id"].sort().to_list() == blank["customerID"].sort().to_list()
        assert report.refused["sentence"].unique().to_list() == ["TotalCharges has no value, and input.total_charges needs one"]
        assert sum(report.tally.tiers.values()) == report.kept
        found = ws.golden.to_polars("churn_risk")
        assert found["expected_output"].str.contains('"churns":true').sum() == customers.filter(Churn="Yes").unique(fields).height
        first = ws.versions.commit(NAME, found, key="example_id", message="as it came")

        # and a second run finds nothing new
        again = pipeline.extract()
        assert (again.kept, again.present, again.refused.height) == (0, 7032, 11)

        # when five customers come and two of the old ones leave
        known = report.rows.filter(place="new")["decision_id"].implode()
        leaving = customers.filter(pl.col("customerID").is_in(known), Churn="No")["customerID"].head(2).to_list()
        coming = customers.head(5).with_columns(
            customerID=pl.format("new-{}", pl.int_range(pl.len())), MonthlyCharges=pl.lit("21.37"), TotalCharges=pl.lit("4242.5")
        )
        assert coming.unique(fields).height == 5
        changed = tmp_path / file.name
        left = pl.when(pl.col("customerID").is_in(leaving)).then(pl.lit("Yes")).otherwise("Churn").alias("Churn")
        pl.concat([customers.with_columns(left), coming]).write_csv(changed)
        later = ws.golden.pipeline(changed, "churn_risk", MAPPING, decision_id="customerID", quality_threshold=0).extract()

        # then exactly these are taken, and the diff of the versions says so
        assert (later.read, later.new, later.present, later.duplicates.height, later.refused.height) == (7048, 5, 7030, 0, 11)
        assert sorted(later.changed["decision_id"]) == sorted(leaving)
        second = ws.versions.commit(NAME, ws.golden.to_polars("churn_risk"), key="example_id", message="a week later")
        diff = ws.versions.diff(first, second)
        assert (diff.summary["added"], diff.summary["removed"], diff.summary["modified"]) == (7, 0, 0)
        assert sorted(diff.added["source_decision_id"]) == sorted([*leaving, *coming["customerID"]])
        assert ws.golden.extractions("churn_risk").select("read", "new", "changed").rows() == [(7048, 5, 2), (7043, 0, 0), (7043, 6937, 0)]
        assert ws.check() == []
