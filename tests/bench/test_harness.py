from __future__ import annotations

import json
import sys
import types
from pathlib import Path

import pytest

from tests.bench import __main__ as command
from tests.bench import report
from tests.bench.harness import Goal, Reading, Row, Times, alternate, row, seconds_text, timed


def test_sides_take_turns_forwards_and_backwards_and_the_warm_up_does_not_count():
    # given two sides that note when they are called
    calls: list[str] = []

    def side(name: str, seconds: float):
        def measured() -> Reading:
            calls.append(name)
            return Reading(seconds if len(calls) > 2 else 99.0)

        return measured

    # when they are measured twice after one warm-up
    times = alternate({"ours": side("ours", 1.0), "peer": side("peer", 2.0)}, repetitions=2, warmups=1)

    # then neither is always first, and the first readings are gone
    assert calls == ["ours", "peer", "peer", "ours", "ours", "peer"]
    assert (times["ours"].seconds, times["peer"].seconds) == ([1.0, 1.0], [2.0, 2.0])


@pytest.mark.parametrize(
    ("seconds", "median", "p95"),
    [
        pytest.param([3.0], 3.0, 3.0, id="one"),
        pytest.param([5.0, 1.0, 3.0], 3.0, 5.0, id="three, unordered"),
        pytest.param([float(n) for n in range(1, 21)], 10.5, 19.0, id="twenty"),
        pytest.param([float(n) for n in range(1, 101)], 50.5, 95.0, id="hundred"),
    ],
)
def test_median_and_p95_are_of_what_was_measured(seconds, median, p95):
    times = Times.of(seconds)
    assert (times.median, times.p95) == (median, p95)


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="peak memory is known on Linux only")
def test_the_peak_is_of_this_measurement_and_not_of_an_earlier_one():
    # given a side that takes 200 MB and one that takes nothing
    large, small = timed(lambda: b"x" * 200_000_000), timed(lambda: None)

    # when the large one comes first
    much, little = large().peak_mb, small().peak_mb

    # then the small one's peak does not remember it
    assert much is not None
    assert little is not None
    assert much - little > 150


def test_what_comes_before_is_not_measured():
    import time

    reading = timed(lambda: None, before=lambda: time.sleep(0.2))()
    assert reading.seconds < 0.1


@pytest.mark.parametrize(
    ("goal", "text", "met"),
    [
        pytest.param(Goal("p50", 2.0), "p50 <= 2.00 s", True, id="median, reached exactly"),
        pytest.param(Goal("p95", 2.9), "p95 <= 2.90 s", False, id="p95, missed"),
        pytest.param(Goal("peer", 0.5), "<= 0.5x peer", True, id="half of the peer"),
        pytest.param(Goal("peer p95", 0.5), "<= 0.5x peer p95", False, id="p95 against the peer's"),
        pytest.param(Goal("limit", 2.1), "<= 2.1x limit", None, id="no limit was measured"),
    ],
)
def test_a_goal_says_what_it_is_and_whether_it_is_met(goal, text, met):
    ours, peer = Times.of([1.0, 2.0, 3.0]), Times.of([4.0, 4.0, 4.0])
    assert str(goal) == text
    assert goal.met(ours, peer=peer) is met


def test_a_row_holds_both_ratios_sides_and_the_goal_in_the_table():
    # given a work that was measured beside a peer and a limit
    made = row(
        "open",
        Times((Reading(0.4, 120.0), Reading(0.4, 130.0))),
        peer=("slow tool 1.0", Times.of([2.0])),
        limit=("reading the file", Times.of([0.2])),
        goal=Goal("p50", 0.3),
        note="with a cold cache",
    )

    # when it is shown
    head, line, *below = (" ".join(text.split()) for text in report.table([made]).splitlines())

    # then everything is there once, in the order of the head
    assert head == "ours p95 peer limit x peer x limit peak MB goal"
    assert line == "open 400 ms 400 ms 2.00 s 200 ms 0.2 2 130 p50 <= 300 ms MISSED"
    assert below == ["peer: slow tool 1.0", "limit: reading the file", "with a cold cache"]


def test_a_plain_dictionary_of_a_benchmark_is_a_row():
    plain = Row(name="preflight", ours_s=0.25, limit_s=0.5, ratio=0.5, note="1,000,000 samples")
    _, line, note = report.table([plain]).splitlines()
    assert line.split() == ["preflight", "250", "ms", "500", "ms", "0.5"]
    assert note.strip() == "1,000,000 samples"


@pytest.mark.parametrize(
    ("seconds", "text"), [(61.234, "61.23 s"), (1.0, "1.00 s"), (0.0351, "35 ms"), (0.01, "10 ms"), (0.0042, "4.2 ms")]
)
def test_seconds_read_well(seconds, text):
    assert seconds_text(seconds) == text


def a_benchmark(monkeypatch: pytest.MonkeyPatch, name: str, run: object) -> None:
    module = types.ModuleType(f"tests.bench.{name}")
    module.run = run  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, f"tests.bench.{name}", module)
    monkeypatch.setitem(command.BENCHMARKS, name, "made for this test")


@pytest.fixture
def only_ours(monkeypatch):
    monkeypatch.setattr(command, "BENCHMARKS", {})


@pytest.mark.usefixtures("only_ours")
def test_all_benchmarks_run_even_when_one_raises_and_the_command_then_fails(monkeypatch, tmp_path, capsys):
    # given one that works, one that breaks and one that cannot run here
    def broken(quick: bool) -> list[Row]:  # noqa: FBT001
        raise RuntimeError(f"broken, quick={quick}")

    a_benchmark(monkeypatch, "broken", broken)
    a_benchmark(monkeypatch, "elsewhere", lambda _: pytest.skip("there is no browser"))
    a_benchmark(monkeypatch, "fine", lambda quick: [Row(name="a work", ours_s=1.0, note=f"quick={quick}")])

    # when all are asked for
    code = command.main(["--quick", "--json", str(tmp_path / "new" / "out.json")])

    # then the command fails, says which, and has the figures of the one that ran
    said = capsys.readouterr().out
    assert code == 1
    assert "did not run through: broken" in said
    assert "not run: there is no browser" in said
    written = json.loads((tmp_path / "new" / "out.json").read_text())
    assert written["benchmarks"] == {"fine": [{"name": "a work", "ours_s": 1.0, "note": "quick=True"}]}
    assert written["quick"] is True
    assert written["machine"]["cores"] >= 1


@pytest.mark.usefixtures("only_ours")
def test_a_missed_goal_is_shown_and_fails_nothing(monkeypatch, tmp_path, capsys):
    a_benchmark(monkeypatch, "slow", lambda _: [row("a work", Times.of([2.0]), goal=Goal("p50", 1.0))])
    assert command.main(["slow", "--json", str(tmp_path / "out.json")]) == 0
    assert "MISSED" in capsys.readouterr().out


def test_a_name_that_is_no_benchmark_is_refused(capsys):
    with pytest.raises(SystemExit, match="2"):
        command.main(["strat"])
    assert "strat" in capsys.readouterr().err
