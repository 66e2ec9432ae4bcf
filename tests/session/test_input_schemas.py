"""Schemas of inputs found in a pack, and the samples made from them."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import pytest

from tests.cli.packs import call, write_pack
from workbench.model.values import Json
from workbench.session import Workspace
from workbench.session.input_schemas import declared_schema, flow_schema, sample_of

SAMPLES = Path(__file__).resolve().parents[2] / "sample_packs"


@pytest.mark.parametrize(
    ("schema", "sample"),
    [
        ({"type": "object", "properties": {"name": {"type": "string"}}}, {"name": "name"}),
        (
            {"type": "object", "required": ["a"],
             "properties": {"a": {"type": "integer", "minimum": 3}, "b": {"type": "boolean"},
                            "c": {"enum": ["x", "y"]}}},
            {"a": 3, "c": "x"},
        ),
        (
            {"$ref": "#/$defs/order",
             "$defs": {"order": {"properties": {"lines": {"type": "array", "minItems": 1,
                                                          "items": {"$ref": "#/$defs/line"}}}},
                       "line": {"type": "object", "properties": {"sku": {"type": "string",
                                                                         "minLength": 5}}}}},
            {"lines": [{"sku": "skuxx"}]},
        ),
        ({"properties": {"at": {"type": "string", "format": "date"},
                         "n": {"type": ["null", "number"], "exclusiveMinimum": 4}}},
         {"at": "2026-03-07", "n": 5}),
        ({"oneOf": [{"type": "object", "properties": {"k": {"const": 1}}}, {"type": "null"}]},
         {"k": 1}),
    ],
)  # fmt: skip
def test_a_sample_fits_its_schema(schema: Json, sample: Json) -> None:
    assert sample_of(schema) == sample
    jsonschema.Draft202012Validator(schema).validate(sample)


def test_a_schema_that_refers_to_itself_ends() -> None:
    loop = {"properties": {"next": {"$ref": "#"}}, "required": ["next"]}
    text = str(sample_of(loop))
    assert 5 < text.count("next") < 30
    assert sample_of({"$ref": "#"}) == ""


def test_where_the_schema_of_a_flow_comes_from(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    colleague = workspace.pack(SAMPLES / "new-colleague")
    declared = declared_schema(colleague, colleague.flows["onboarding"])
    assert declared["required"] == ["name", "team"]
    refund = workspace.pack(SAMPLES / "refund-approval")  # its first node is sent {{entry}}
    handed = declared_schema(refund, refund.flows["main"])
    assert list(handed["properties"]) == ["order", "amount", "currency", "iban", "text"]
    triage = workspace.pack(SAMPLES / "support-triage")  # nodes of it read single fields
    assert declared_schema(triage, triage.flows["main"]) is None
    read = {"from": {"type": "string"}, "text": {"type": "string"}}
    assert flow_schema(triage, triage.flows["main"]) == {"type": "object", "properties": read}


def test_fields_that_only_templates_read_have_the_types_they_had(tmp_path: Path) -> None:
    node = call(
        "echo", {"a": "{{in.input.count}}", "b": "x {{ entry.who }}", "c": "{{in.deep.er}}"}
    )
    write_pack(tmp_path / "one", {"main": {"ask": node}})
    pack = Workspace(tmp_path).pack(tmp_path / "one")
    schema = flow_schema(pack, pack.flows["main"], {"count": 2})
    kinds = {name: one.get("type") for name, one in schema["properties"].items()}
    assert kinds == {"count": "number", "who": None, "deep": "object"}
    again = flow_schema(pack, pack.flows["main"])
    assert again["properties"]["who"] == {"type": "string"}


def test_without_presets_a_sample_is_made_from_the_schema(tmp_path: Path) -> None:
    (tmp_path / "w" / "workflows").mkdir(parents=True)
    (tmp_path / "w" / "pack.yaml").write_text("pack_id: w\nversion: 1.0.0\n", "utf-8")
    (tmp_path / "w" / "workflows" / "main.yaml").write_text(
        "id: main\ninput_schema: {type: object, required: [city], properties: "
        "{city: {type: string}}}\nsteps:\n  - {id: s, kind: wait_for_input, message: hello}\n",
        "utf-8",
    )
    workspace = Workspace(tmp_path)
    pack = workspace.pack(tmp_path / "w")
    assert "main" in pack.flows, pack.all_findings
    assert workspace.inputs(tmp_path / "w", "main") == [("from its schema", {"city": "city"})]
