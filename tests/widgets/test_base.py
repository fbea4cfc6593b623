"""The base of every widget: commands, refusals, instances, the static fallback, the bundle of its browser half."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from labelkit.errors import LabelkitError, ReasonRequired
from labelkit.widgets import assets, bundle
from labelkit.widgets.base import CommandWidget, command
from tests.widgets.messages import Wire

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def halves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Browser halves in a folder of their own: `halves("shared/a.js", text)` writes one."""
    monkeypatch.setattr(assets, "folder", lambda: tmp_path)

    def write(name: str, text: str) -> None:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")

    write("shared/theme.css", ".lk-root {}")
    write("counter.js", "export default { render() {} };\n")
    return write


@pytest.fixture
def counter(halves: object, monkeypatch: pytest.MonkeyPatch) -> Wire:  # noqa: ARG001 - its halves must be there
    return Wire.to(Counter(), monkeypatch)


class Counter(CommandWidget):
    """A widget that counts, for these tests."""

    _browser = "counter"

    def __init__(self, start: int = 0, *, height: int = 100, key: str | None = None) -> None:
        self.count = start
        self.height = height
        super().__init__(key=key)

    @command("add")
    def add(self, by: int) -> dict[str, int]:
        self.count += by
        return {"count": self.count}

    @command("clear")
    def clear(self, reason: str = "") -> dict[str, int]:
        if not reason:
            raise ReasonRequired(action="clear")
        self.count //= 0
        return {}

    def describe(self) -> str:
        return f"A counter at {self.count} <now>"


def test_a_command_is_answered_with_its_id_and_result(counter: Wire) -> None:
    # when
    answer = counter.ask("add", by=3)
    # then
    assert answer["ok"] is True
    assert answer["result"] == {"count": 3}
    assert counter.widget.count == 3


def test_a_refusal_is_answered_with_title_detail_and_hint_and_kept(counter: Wire) -> None:
    # when
    answer = counter.ask("clear")
    # then
    assert answer["ok"] is False
    assert answer["error"]["code"] == "REASON_REQUIRED"
    assert all(answer["error"][part] for part in ("title", "detail", "hint"))
    assert isinstance(counter.widget.errors[-1], ReasonRequired)


@pytest.mark.parametrize(
    ("name", "args", "code"),
    [
        pytest.param("clear", {"reason": "x"}, "UNEXPECTED_ERROR", id="a fault in a command"),
        pytest.param("multiply", {}, "UNKNOWN_COMMAND", id="a command nobody answers"),
        pytest.param("add", {"of": 3}, "INVALID_VALUE", id="arguments that do not fit"),
    ],
)
def test_whatever_goes_wrong_is_answered_and_kept(counter: Wire, name: str, args: dict[str, object], code: str) -> None:
    # when
    answer = counter.ask(name, **args)
    # then
    assert (answer["ok"], answer["error"]["code"]) == (False, code)
    assert len(counter.widget.errors) == 1


def test_an_exception_in_a_guarded_callback_is_shown_and_kept(counter: Wire) -> None:
    # when
    with counter.widget.guarded():
        raise ReasonRequired(action="save")
    # then
    assert [event["code"] for event in counter.events("error")] == ["REASON_REQUIRED"]
    assert len(counter.widget.errors) == 1


def test_every_answer_is_plain_json(counter: Wire) -> None:
    # when
    counter.ask("add", by=1)
    counter.ask("clear")
    # then
    assert json.loads(json.dumps(counter.sent)) == counter.sent


@pytest.mark.usefixtures("halves")
@pytest.mark.parametrize(("wrong", "likely"), [("hight", "'height'"), ("strat", "'start'"), ("zzz", "Remove it")])
def test_an_unknown_keyword_is_refused_and_the_likely_one_named(wrong: str, likely: str) -> None:
    # when
    with pytest.raises(LabelkitError) as refusal:
        Counter(**{wrong: 1})
    # then
    assert refusal.value.code == "UNKNOWN_ARGUMENT"
    assert likely in refusal.value.hint


@pytest.mark.usefixtures("halves")
def test_a_cell_run_again_closes_the_instance_before_it() -> None:
    # given
    first, other = Counter(key="a"), Counter(key="b")
    # when
    second = Counter(key="a")
    # then
    assert first.comm is None
    assert second.comm is not None
    assert other.comm is not None


def test_a_place_without_a_kernel_gets_html_and_a_line_of_text(counter: Wire) -> None:
    # when
    data, _ = counter.widget._repr_mimebundle_()
    # then
    assert "A counter at 0 &lt;now&gt;" in data["text/html"]
    assert data["text/plain"] == "A counter at 0 <now>"
    assert "application/vnd.jupyter.widget-view+json" in data


def test_shared_modules_are_put_before_the_half_that_imports_them_once_each(halves: Callable[[str, str], None]) -> None:
    # given
    halves("shared/a.js", "/** Says one.\n * @returns {number}\n */\nexport function one() {\n  return hidden;\n}\nconst hidden = 1;\n")
    halves("shared/b.js", 'import { one } from "./a.js";\nexport const two = one() + 1;\n')
    halves(
        "sum.js",
        'import { one as first } from "./shared/a.js";\n'
        'import {\n  two,\n} from "./shared/b.js";\n'
        "export default { sum: first() + two };\n",
    )
    # when
    text = bundle.script("sum.js")
    # then
    assert text.count("function one()") == 1
    assert "import" not in text
    assert "Says one" not in text
    assert text.index("$shared_a") < text.index("$shared_b") < text.index("export default")
    assert "const { one: first } = $shared_a;" in text


def test_a_comment_before_code_on_its_line_takes_no_code_with_it(halves: Callable[[str, str], None]) -> None:
    # given
    halves("sum.js", "/** @type {number} */ (first)();\nsecond();\n/** Says why. */\nthird();\n")
    # when
    text = bundle.script("sum.js")
    # then
    assert text.splitlines() == ["/** @type {number} */ (first)();", "second();", "third();"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        pytest.param('import { sum } from "../sum.js";\n', "in a circle", id="a circle"),
        pytest.param("export default 1;\nexport * from './x.js';\n", "named imports and exports", id="a star export"),
        pytest.param('import all from "./b.js";\n', "named imports and exports", id="a default import"),
    ],
)
def test_a_shared_module_that_cannot_be_bundled_is_refused(halves: Callable[[str, str], None], text: str, sentence: str) -> None:
    # given
    halves("shared/a.js", text)
    halves("sum.js", 'import { a } from "./shared/a.js";\nexport const sum = 1;\n')
    # then
    with pytest.raises(ImportError, match=sentence):
        bundle.script("sum.js")
