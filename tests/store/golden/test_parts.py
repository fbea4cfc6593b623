"""Spelling and checking as sets says what the RFC 8785 and JSON Schema libraries say of each value."""

from __future__ import annotations

import json
import random

import polars as pl
import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from labelkit.core.golden.json_texts import canonical_text, parsed
from labelkit.store.golden.checks import passes
from labelkit.store.golden.encode import ABSENT
from labelkit.store.golden.guess import proved
from labelkit.store.golden.parts import as_sets, one_by_one, part_of
from labelkit.store.golden.schema import Judge

TEXTS = st.sampled_from(["", "a", "bb", "A1", 'q"', "tab\t", "é", "\x01", "ü😀", "a\n", "null", "1.0", '{"a":1}', "\\"])
WHOLE = st.sampled_from([0, 1, -3, 7, 100, 2**53 - 1, 2**53, 10**16])
DOUBLES = st.sampled_from([0.0, -0.0, 1.0, 0.5, 1e-7, 1e-5, 9.999e-6, 123456.789, 1e15, 1e16, 1e21, 1e300, 5e-324, 2 / 3, -7.25])
FLAT = {
    "s": TEXTS,
    "i": WHOLE,
    "f": DOUBLES,
    "b": st.booleans(),
    "l": st.lists(TEXTS, max_size=3),
    "n": st.lists(DOUBLES | st.none(), max_size=2),
}


def objects(fields):
    return st.fixed_dictionaries({}, optional={name: st.none() | inner for name, inner in fields.items()})


REGULAR = objects(FLAT | {"o": objects(FLAT), "r": st.lists(objects(FLAT), max_size=2)})
ODD = st.recursive(
    st.none() | TEXTS | WHOLE | DOUBLES | st.booleans(), lambda one: st.lists(one) | st.dictionaries(TEXTS, one), max_leaves=5
)
VALUES = REGULAR | REGULAR | REGULAR | st.fixed_dictionaries({"s": ODD, "i": ODD}) | ODD

KINDS = st.sampled_from(["string", "integer", "number", "boolean", "array", "object", "null"])
KEYWORDS = {
    "type": KINDS | st.lists(KINDS, min_size=1, max_size=3, unique=True),
    "enum": st.lists(ODD, min_size=1, max_size=3),
    "const": TEXTS | WHOLE | DOUBLES | st.booleans() | st.none(),
    "minimum": st.integers(-5, 5) | DOUBLES,
    "maximum": st.integers(-5, 200) | DOUBLES,
    "exclusiveMinimum": st.integers(-1, 2),
    "exclusiveMaximum": st.integers(0, 8),
    "minLength": st.integers(0, 3),
    "maxLength": st.integers(0, 3),
    "pattern": st.sampled_from(["^a", "a$", r"^\w+$", r"\d", "[^a]", "(?i)A"]),
    "minItems": st.integers(0, 2),
    "maxItems": st.integers(0, 2),
    "multipleOf": st.just(7),
    "uniqueItems": st.booleans(),
    "required": st.lists(st.sampled_from([*FLAT, "o", "zz"]), max_size=2, unique=True),
    "title": st.just("says nothing"),
    "format": st.just("date"),
}


def schema_of(inner):
    more = {
        "items": inner,
        "properties": st.dictionaries(st.sampled_from([*FLAT, "o", "r", "zz"]), inner, max_size=5),
        "additionalProperties": inner,
        "patternProperties": st.just({"^s": {"type": "string"}}),
        "allOf": st.lists(inner, min_size=1, max_size=2),
        "anyOf": st.lists(inner, min_size=1, max_size=2),
        "oneOf": st.lists(inner, min_size=1, max_size=2),
        "not": inner,
    }
    return st.booleans() | st.fixed_dictionaries({}, optional=KEYWORDS | more)


def few(strategy):
    """Schemas with a few keywords: with many, hardly any value would pass."""
    return strategy.flatmap(
        lambda schema: (
            st.just(schema)
            if isinstance(schema, bool)
            else st.lists(st.sampled_from(sorted(schema) or ["title"]), max_size=3, unique=True).map(
                lambda keep: {name: schema[name] for name in keep if name in schema}
            )
        )
    )


SCHEMAS = few(schema_of(few(schema_of(few(schema_of(st.booleans()))))))


def written(value, seed: int) -> str:
    """A value as one of many programs writes it."""
    chance = random.Random(seed)
    spaces = chance.choice([(",", ":"), (", ", ": "), (" ,", ":\n")])
    return json.dumps(value, ensure_ascii=chance.random() < 0.3, separators=spaces, sort_keys=chance.random() < 0.3)


def expected(texts: list[str], schema) -> tuple[list[str | None], list[int]]:
    """What the libraries say: canonical texts, null where refused, and the places of those."""
    found: list[str | None] = []
    for text in texts:
        value = parsed(text)
        found.append(canonical_text(value) if Draft202012Validator(schema).is_valid(value) else None)
    return found, [place for place, text in enumerate(found) if text is None]


@given(st.lists(VALUES, min_size=1, max_size=12), SCHEMAS, st.integers(0, 3), st.sampled_from([0, 100]))
@settings(max_examples=80, deadline=None)
def test_sets_of_texts_are_spelled_and_refused_as_the_libraries_do_it(values, schema, seed, few):
    # given values of one shape and of none, as they were written
    texts = [written(value, seed + place % 2) for place, value in enumerate(values)]
    wanted, fallen = expected(texts, schema)

    # when
    sets = as_sets("input", pl.Series(texts), schema, Judge(schema), few)
    singles = one_by_one("input", pl.Series(texts), Judge(schema))

    # then
    assert sets.texts.to_list() == singles.texts.to_list() == wanted
    assert sets.refused["row"].to_list() == fallen
    assert sets.refused.equals(singles.refused)


@given(st.lists(REGULAR, min_size=1, max_size=8))
@settings(max_examples=25, deadline=None)
def test_what_a_guess_proves_is_spelled_as_the_library_does_it(values):
    texts = [json.dumps(value, separators=(",", ":"), ensure_ascii=False) for value in values]
    part = as_sets("input", pl.Series(texts), {}, Judge({}))
    assert part.texts.to_list() == [rfc8785.dumps(parsed(text)).decode() for text in texts]


# --- what is settled as sets at all


def bare(value):
    return {name: bare(item) for name, item in value.items() if item is not None} if isinstance(value, dict) else value


WRITERS = {
    "compact": lambda value: json.dumps(value, separators=(",", ":"), ensure_ascii=False),
    "as Python does it": lambda value: json.dumps(value, ensure_ascii=False),
    "canonical": lambda value: rfc8785.dumps(value).decode(),
    "without null fields": lambda value: json.dumps(bare(value), ensure_ascii=False),
}
CONTACTS = [
    {
        "title": f"Head of {n}",
        "age": n if n % 3 else None,
        "share": n / 4,
        "tags": ["a", "b\n"][: n % 3],
        "at": {"city": "Köln", "zip": None},
    }
    for n in range(300)
]


@pytest.mark.parametrize("writer", WRITERS)
def test_texts_of_one_shape_need_no_look_at_each(writer):
    # given
    texts = pl.Series([WRITERS[writer](value) for value in CONTACTS])

    # when
    places = pl.concat([found.places for found in proved(texts)])

    # then every text is proved, once
    assert places.sort().to_list() == list(range(len(texts)))


def test_a_guess_does_not_rest_on_texts_at_equal_distances():
    # given whole numbers at every hundredth place, and only there
    texts = pl.Series([f'{{"share":{n % 100 / 100:g}}}' for n in range(5000)])

    # then all are proved
    assert sum(len(found.places) for found in proved(texts)) == 5000


def test_a_few_texts_of_another_shape_do_not_hold_up_the_others():
    # given two that are no JSON, one with a key twice, one of other types, among 3000
    texts = [json.dumps(CONTACTS[n % 300] | {"title": str(n)}, ensure_ascii=False) for n in range(3000)]
    texts[7], texts[1500], texts[1501], texts[2999] = "{", '{"title":5,"age":"x"}', '{"title":"a","title":"a"}', ""

    # when
    part = as_sets("input", pl.Series(texts), {}, Judge({}))
    found = sum(len(one.places) for one in proved(pl.Series(texts)))

    # then
    assert found > 1900
    assert part.refused["row"].to_list() == [7, 1501, 2999]


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "properties": {"a": {"type": ["string", "null"], "pattern": "^x", "maxLength": 3}}, "required": ["a"]},
        {"properties": {"a": {"anyOf": [{"enum": ["x"]}, {"type": "null"}]}}, "additionalProperties": False},
        {"properties": {"a": {"allOf": [{"minLength": 1}, {"const": "x"}]}}, "title": "t"},
    ],
    ids=["types and patterns", "a choice", "both"],
)
def test_common_schemas_are_one_expression(schema):
    assert passes(schema, pl.col("value"), pl.Struct({"a": pl.String()}), ABSENT) is not None


# --- typed columns


TYPED = pl.Struct({"b": pl.String(), "a": pl.Int64(), "n": pl.List(pl.Struct({"y": pl.Float64(), "x": pl.Int32()}))})


def test_a_null_field_of_a_struct_is_not_there_unless_the_schema_requires_it():
    # given
    schema = {"required": ["a"], "properties": {"a": {"type": ["integer", "null"]}, "n": {"items": {"required": ["x"]}}}}
    values = [{"b": "x", "a": 1, "n": [{"y": 1.0, "x": None}]}, {"b": None, "a": None, "n": None}, {"b": "z", "a": 2, "n": [None]}]

    # when
    part = part_of("input", pl.Series("input", values, dtype=TYPED), schema)

    # then
    assert part.texts.to_list() == ['{"a":1,"b":"x","n":[{"x":null,"y":1}]}', '{"a":null}', '{"a":2,"b":"z","n":[null]}']


@given(
    st.lists(st.none() | st.builds(dict, b=st.none() | TEXTS, a=st.none() | WHOLE, n=st.none() | st.just([])), min_size=1, max_size=5),
    st.lists(DOUBLES, min_size=5, max_size=5),
)
@settings(max_examples=25, deadline=None)
def test_typed_values_are_spelled_as_the_library_does_it(values, doubles):
    # given
    rows = [None if value is None else value | {"n": [{"y": double, "x": 7}]} for value, double in zip(values, doubles, strict=False)]

    # when
    part = part_of("input", pl.Series("input", rows, dtype=TYPED), {})

    # then a null is refused, and null fields are left out
    wanted = [None if row is None else {name: item for name, item in row.items() if item is not None} for row in rows]
    assert part.texts.to_list() == [None if row is None else canonical_text(row) for row in wanted]
    assert part.refused["row"].to_list() == [place for place, row in enumerate(rows) if row is None]


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        pytest.param(pl.Series([1, None, 3], dtype=pl.UInt8), ["1", None, "3"], id="whole numbers"),
        pytest.param(pl.Series([2**53, 2**53 + 1], dtype=pl.UInt64), ["9007199254740992", None], id="very large ones"),
        pytest.param(pl.Series([0.5, float("nan"), float("inf")], dtype=pl.Float32), ["0.5", None, None], id="floats"),
        pytest.param(pl.Series(["a", "b"], dtype=pl.Categorical), ['"a"', '"b"'], id="categories"),
        pytest.param(pl.Series([[1, 2]], dtype=pl.Array(pl.Int8, 2)), ["[1,2]"], id="arrays"),
        pytest.param(pl.Series([True, False]), ["true", "false"], id="booleans"),
        pytest.param(pl.Series([None, None]), [None, None], id="nothing"),
        pytest.param(pl.Series([[], ["x"]], dtype=pl.List(pl.String)), ["[]", '["x"]'], id="empty lists"),
    ],
)
def test_columns_of_plain_types_are_values(values, texts):
    part = part_of("input", values.alias("input"), {})
    assert part.texts.to_list() == texts
    assert part.refused["row"].to_list() == [place for place, text in enumerate(texts) if text is None]


# --- in bulk


def test_repeated_texts_are_looked_at_once_and_refused_wherever_they_stand():
    # given 400 texts of which there are two
    texts = pl.Series(['{"a":1}', '{"a": "x"}'] * 200)

    # when
    part = part_of("labels", texts, {"properties": {"a": {"type": "integer"}}})

    # then
    assert part.texts.to_list() == ['{"a":1}', None] * 200
    assert part.refused["row"].to_list() == list(range(1, 400, 2))
    assert set(part.refused.drop("row").unique().row(0)) == {"labels", "a", "'x' is not of type 'integer'"}
