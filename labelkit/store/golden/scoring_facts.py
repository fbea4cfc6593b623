"""SQL of what examples of one type are scored by: which fields are there, what they say, and the text by which inputs are similar.

All JSON of an example is canonical, so values are compared as the texts they have; each part is parsed once for all fields. Names of fields
go into the SQL as quoted text, for a path must be a constant there.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from labelkit.core.golden.reasons import Code, Reason

if TYPE_CHECKING:
    from collections.abc import Iterable

    from labelkit.core.golden.score_rules import Near, TypeRules

_PARTS = ("input", "expected_output", "labels")
SEPARATOR = "chr(31)"  # canonical JSON has no such sign


def text(value: str) -> str:
    """Return a text as SQL."""
    return "'" + value.replace("'", "''") + "'"


def number(value: float) -> str:
    """Return a number as SQL of a double; without the exponent it would be a decimal."""
    shown = repr(float(value))
    return shown if "e" in shown else f"{shown}e0"


class Fields:
    """The fields that the rules of a type name; `value(path)` is the SQL of the JSON text of one, null where it is absent."""

    def __init__(self, rules: TypeRules) -> None:
        single = (rules.answer, rules.outcome, rules.agreement, rules.answers, rules.edge_case, rules.verified)
        paths = [*rules.required, *rules.filled, *rules.slices, *(rules.near or {}), *rules.confidence, *rules.documentation]
        self._places: dict[str, dict[str, int]] = {part: {} for part in _PARTS}
        for path in [*paths, *(one for one in single if one is not None)]:
            part, name = path.split(".", 1)
            self._places[part].setdefault(name, len(self._places[part]) + 1)

    def value(self, path: str) -> str:
        """Return the SQL of a field's JSON text."""
        part, name = path.split(".", 1)
        return f"{part}_values[{self._places[part][name]}]"

    def values(self) -> str:
        """Return the SQL of the columns that `value` takes fields from."""
        return "".join(
            f", CAST(json_extract({part}, [{', '.join(text(_pointer(name)) for name in names)}]) AS VARCHAR[]) AS {part}_values"
            for part, names in self._places.items()
            if names
        )


def _pointer(name: str) -> str:
    """Return the JSON pointer of a field; any name can be one."""
    return "/" + name.replace("~", "~0").replace("/", "~1")


def facts(name: str, rules: TypeRules, source: str) -> str:
    """Return the SQL of one row an example of a type of a source (SQL of a relation of examples), in no order.

    Columns: example_id, version, status, rejected, missing, blank (numbers), completeness_reasons, answer (null where there is none), said
    (what similar examples are compared by), slice, near, elsewhere, outcome, agreement, confidence, documented.
    """
    fields = Fields(rules)
    absent = [(f"{fields.value(path)} IS NULL", path) for path in rules.required]
    blank = [(_is_blank(fields.value(path)), path) for path in rules.filled]
    answer = "NULL" if rules.answer is None else f"nullif({fields.value(rules.answer)}, 'null')"
    said = "expected_output" if rules.answer is None else f"coalesce({fields.value(rules.answer)}, 'null')"
    slices = [f"coalesce({fields.value(path)}, 'null')" for path in rules.slices]
    return f"""
        SELECT example_id, version, status, status = 'rejected' AS rejected,
            {_count(test for test, _ in absent)} AS missing, {_count(test for test, _ in blank)} AS blank,
            CASE WHEN missing + blank = 0 THEN CAST([] AS VARCHAR[]) ELSE {_missing_reasons(absent, blank)} END AS completeness_reasons,
            CAST({answer} AS VARCHAR) AS answer, {said} AS said,
            {f"concat_ws({SEPARATOR}, {', '.join(slices)})" if slices else "''"} AS slice,
            {_near(rules, fields)} AS near,
            {"FALSE" if rules.verified is None else f"coalesce({fields.value(rules.verified)} = 'true', FALSE)"} AS elsewhere,
            {_outcome(rules, fields)} AS outcome,
            {_agreement(rules, fields, said)} AS agreement,
            {_first_share(fields.value(path) for path in rules.confidence)} AS confidence,
            {_documented(rules, fields)} AS documented
        FROM (SELECT example_id, version, status, input, expected_output{fields.values()} FROM {source} WHERE type = {text(name)})
    """


def _is_blank(value: str) -> str:
    # In order of bytes, text that is empty or begins with a blank stands before '"#'; few texts do. Only CASE leaves the others alone.
    early = f"""{value} < '"#' OR starts_with({value}, '"\\')"""
    return f"coalesce(CASE WHEN {early} THEN regexp_full_match({value} ->> '$', '\\s*') ELSE {value} = 'null' END, TRUE)"


def _count(tests: Iterable[str]) -> str:
    return " + ".join(f"CAST({test} AS INTEGER)" for test in tests) or "0"


def _missing_reasons(absent: list[tuple[str, str]], blank: list[tuple[str, str]]) -> str:
    gone = {path: test for test, path in absent}
    cases = [(test, str(Reason(Code.REQUIRED_FIELD_MISSING, path))) for test, path in absent]
    cases += [(f"{test} AND NOT {gone[path]}" if path in gone else test, str(Reason(Code.FIELD_BLANK, path))) for test, path in blank]
    return reasons(cases) if cases else "CAST([] AS VARCHAR[])"


def reasons(cases: Iterable[tuple[str, str]]) -> str:
    """Return the SQL of the list of those texts whose test holds."""
    listed = ", ".join(f"CASE WHEN {test} THEN {code if code.startswith('concat(') else text(code)} END" for test, code in cases)
    return f"list_filter([{listed}], lambda one: one IS NOT NULL)"


def _share(value: str) -> str:
    double = f"TRY_CAST({value} AS DOUBLE)"
    return f"CASE WHEN {double} < 0 THEN 0e0 WHEN {double} > 1 THEN 1e0 ELSE {double} END"


def _first_share(values: Iterable[str]) -> str:
    listed = [_share(value) for value in values]
    return f"coalesce({', '.join(listed)})" if listed else "CAST(NULL AS DOUBLE)"


def _agreement(rules: TypeRules, fields: Fields, said: str) -> str:
    stated = "CAST(NULL AS DOUBLE)" if rules.agreement is None else _share(fields.value(rules.agreement))
    if rules.answers is None:
        return stated
    answers = f"CAST(json_extract({fields.value(rules.answers)}, '$[*]') AS VARCHAR[])"
    share = f"len(list_filter({answers}, lambda one: one = {said})) / nullif(len({answers}), 0)"
    return f"coalesce({stated}, CASE WHEN starts_with({fields.value(rules.answers)}, '[') THEN {share} END)"


def _outcome(rules: TypeRules, fields: Fields) -> str:
    if not rules.judges_outcomes or rules.outcome is None:
        return "CAST(NULL AS BOOLEAN)"
    said = "expected_output" if rules.answer is None else f"coalesce({fields.value(rules.answer)}, 'null')"
    cases = " ".join(
        f"WHEN {fields.value(rules.outcome)} IN {_listed([seen])} THEN {f'{said} IN {_listed(answers)}' if answers else 'FALSE'}"
        for seen, answers in rules.agrees.items()
    )
    return f"CASE {cases} ELSE NULL END"


def _listed(values: Iterable[str]) -> str:
    """Return the SQL of the JSON texts that these words can stand for: as text, and as a number or flag that is written so."""
    forms = [form for value in values for form in (json.dumps(value, ensure_ascii=False), value)]
    return f"({', '.join(map(text, forms))})"


def _documented(rules: TypeRules, fields: Fields) -> str:
    if rules.edge_case is None:
        return "TRUE"
    words = [f"NOT {_is_blank(fields.value(path))}" for path in rules.documentation]
    return " OR ".join([f"coalesce({fields.value(rules.edge_case)} <> 'true', TRUE)", *words])


def _near(rules: TypeRules, fields: Fields) -> str:
    if not rules.near:
        return "lower(CASE WHEN contains(input, '  ') THEN regexp_replace(input, ' +', ' ', 'g') ELSE input END)"
    return f"concat_ws({SEPARATOR}, {', '.join(_near_value(fields.value(path), how) for path, how in rules.near.items())})"


def _near_value(value: str, how: Near) -> str:
    """Return the SQL of what similar values share. White space and escapes are rare, so they are looked for before they are replaced."""
    odd = f"""contains({value}, '  ') OR contains({value}, '\\') OR starts_with({value}, '" ') OR ends_with({value}, ' "')"""
    plain = f"""concat('"', trim(regexp_replace({value} ->> '$', '\\s+', ' ', 'g')), '"')"""
    words = f"""lower(CASE WHEN starts_with({value}, '"') AND ({odd}) THEN {plain} ELSE {value} END)"""
    if how == "text":
        return f"coalesce({words}, 'null')"
    double = f"TRY_CAST({value} AS DOUBLE)"
    binned = f"format('{{:.1e}}', {double})" if how == "number" else f"CAST(floor({double} / {number(float(how))}) AS VARCHAR)"
    return f"coalesce({binned}, {words}, 'null')"
