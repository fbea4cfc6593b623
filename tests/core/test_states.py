"""Machines: every state with every step, for every table that core defines."""

from __future__ import annotations

import importlib
import pkgutil

import pytest

import labelkit.core
from labelkit.core.review.annotations import FRAME
from labelkit.core.review.packs import PACK
from labelkit.core.review.revisions import ELIGIBILITY
from labelkit.core.states import Machine
from labelkit.errors import IllegalStep


def machines() -> list[Machine]:
    """Every machine that a module of core holds."""
    modules = [importlib.import_module(found.name) for found in pkgutil.walk_packages(labelkit.core.__path__, "labelkit.core.")]
    found = {machine.name: machine for module in modules for machine in vars(module).values() if isinstance(machine, Machine)}
    return [found[name] for name in sorted(found)]


PAIRS = [pytest.param(m, state, step, after, id=f"{m.name}: {state}, {step}") for m in machines() for state, step, after in m.every_pair()]


@pytest.mark.parametrize(("machine", "state", "step", "after"), PAIRS)
def test_a_machine_makes_the_steps_of_its_table_and_no_other(machine, state, step, after):
    # when the table has the step it leads to the next state
    assert machine.can(state, step) is (after is not None)
    if after is not None:
        assert machine.move(state, step) is after
        return

    # then where it has none the refusal names what is possible
    with pytest.raises(IllegalStep) as refusal:
        machine.move(state, step)
    assert refusal.value.facts["state"] == state.value
    assert all(possible in refusal.value.detail for possible in machine.table[state])


@pytest.mark.parametrize("machine", machines(), ids=lambda machine: machine.name)
def test_a_machine_has_a_row_for_each_of_its_states_and_reaches_all_of_them(machine):
    # given
    start, *_ = machine.table
    reached, waiting = {start}, [start]

    # when every step is taken from every state that is reached
    while waiting:
        for after in machine.table[waiting.pop()].values():
            if after not in reached:
                reached.add(after)
                waiting.append(after)

    # then no state of the enumeration is left out
    assert reached == set(type(start)) == set(machine.table)


@pytest.mark.parametrize(
    ("machine", "expected"),
    [
        pytest.param(
            FRAME,
            """
            untouched see seen | untouched edit edited | untouched accept accepted
            seen see seen | seen edit edited | seen accept accepted
            edited see edited | edited edit edited | edited accept accepted
            accepted see accepted | accepted edit edited | accepted accept accepted
            """,
            id="frame",
        ),
        pytest.param(
            PACK,
            """
            pending approve approved | pending reject rejected | pending revoke -
            approved approve - | approved reject - | approved revoke revoked
            rejected approve approved | rejected reject - | rejected revoke -
            revoked approve approved | revoked reject - | revoked revoke -
            """,
            id="label pack",
        ),
        pytest.param(
            ELIGIBILITY,
            """
            REVIEWED approve APPROVED | REVIEWED revoke -
            APPROVED approve - | APPROVED revoke REVOKED
            REVOKED approve APPROVED | REVOKED revoke -
            """,
            id="dataset eligibility",
        ),
    ],
)
def test_the_review_has_these_lifecycles(machine, expected):
    rows = [f"{state} {step.split()[0]} {after or '-'}" for state, step, after in machine.every_pair()]
    assert rows == [row.strip() for line in expected.strip().splitlines() for row in line.split("|")]


def test_a_machine_draws_itself():
    assert ELIGIBILITY.mermaid() == (
        "stateDiagram-v2\n"
        "    [*] --> REVIEWED\n"
        "    REVIEWED --> APPROVED: approve for dataset\n"
        "    APPROVED --> REVOKED: revoke\n"
        "    REVOKED --> APPROVED: approve for dataset"
    )
