"""provider.invoke from the pack's declaration to the node's output (packs-and-engine §4.6)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests import faults
from tests.cli.packs import write_pack
from tests.faults.provider import provider_echo
from tests.session.desk import Open, standing, step
from workbench.model.effect import ok
from workbench.model.run import Run
from workbench.model.stepping import Breakpoint
from workbench.session import ComponentQuestion, DriveMode, StartRequest, Workspace

TYPE = "example.dummy"
CORE = "greentic:provider-core@1.0.0"
DECLARED = [(TYPE, "provider.dummy")]
DOCUMENT = {
    "provider_id": "mine",
    "provider_type": TYPE,
    "component_ref": "provider.dummy",
    "export": "schema-core-api",
    "world": CORE,
    "enabled": True,
}


def invoking(**payload: Any) -> dict[str, Any]:
    return {"provider.invoke": payload, "routing": "out"}


def provider_pack(
    folder: Path,
    node: dict[str, Any],
    declared: list[tuple[str, str]] | None = None,
    *,
    documents: dict[str, Any] | None = None,
    mocks: str = "",
    components: dict[str, bytes] | None = None,
) -> Path:
    """One node `ask` in a pack that declares (type, component) pairs; `documents` is the state."""
    wasm = components or {"provider.dummy": provider_echo()}
    state = "".join(
        f"'providers/instances/{name}.json' = {{{_inline(document)}}}\n"
        for name, document in (documents or {}).items()
    )
    pack = write_pack(folder, {"main": {"ask": node}}, wasm, f"{mocks}\n[kv]\n{state}")
    manifest = json.loads((pack / "pack.yaml").read_text("utf-8"))
    providers = [
        {
            "provider_type": kind,
            "ops": ["echo"],
            "runtime": {"component_ref": component, "export": "schema-core-api", "world": CORE},
        }
        for kind, component in (DECLARED if declared is None else declared)
    ]
    manifest["extensions"] = {
        "greentic.provider-extension.v1": {"inline": {"providers": providers}}
    }
    (pack / "pack.yaml").write_text(json.dumps(manifest), "utf-8")
    return pack


def _inline(document: dict[str, Any]) -> str:
    return ", ".join(f"{key} = {json.dumps(value)}" for key, value in document.items())


def run(workspace: Workspace, pack: Path, given: Any = None, semantics: str = "current") -> Run:
    made = workspace.run_here(StartRequest(pack, input=given, semantics=semantics))
    return workspace.find_run(made.id)


def failure(workspace: Workspace, pack: Path, **more: Any) -> tuple[str, str]:
    ended = run(workspace, pack, **more)
    error = workspace.steps(ended.id)[-1].error
    assert ended.status == "failed" and error is not None
    return error.code, error.message


@pytest.mark.parametrize("semantics", ["current", "runner-2026-02"])
@pytest.mark.parametrize("package", ["provider-core", "provider-schema-core"])
def test_the_pointers_of_the_reference(
    reopen: Open, tmp_path: Path, semantics: str, package: str
) -> None:
    node = invoking(
        provider_type=TYPE,
        op="echo",
        in_map={"echo": "/state/input/message"},
        out_map={"echoed": "/result/echo"},
    )
    pack = provider_pack(
        tmp_path / "p", node, components={"provider.dummy": provider_echo(package)}
    )
    ended = run(reopen(), pack, {"message": "hello world"}, semantics)
    assert (ended.status, ended.output) == ("finished", {"echoed": "hello world"})


def test_without_maps_the_input_goes_out_and_the_answer_comes_back(
    reopen: Open, tmp_path: Path
) -> None:
    node = invoking(provider_id=TYPE, operation="echo", input={"n": "{{entry.n}}"})
    ended = run(reopen(), provider_pack(tmp_path / "p", node), {"n": [1, None]})
    assert ended.output == {"n": [1, None]}


def test_a_map_may_hold_templates_where_the_old_runner_fails(reopen: Open, tmp_path: Path) -> None:
    node = invoking(
        provider_type=TYPE, op="echo", input={"n": 7}, out_map={"said": "{{result.n}}!"}
    )
    pack, workspace = provider_pack(tmp_path / "p", node), reopen()
    assert run(workspace, pack).output == {"said": "7!"}
    exact = provider_pack(
        tmp_path / "q",
        invoking(provider_type=TYPE, op="echo", input={"n": 7}, out_map="{{result.n}}"),
    )
    assert run(workspace, exact).output == 7
    assert failure(workspace, exact, semantics="runner-2026-02")[0] == "template_missing"
    codes = [finding.code for finding in workspace.pack(exact).all_findings]
    assert codes == ["differs_provider_map"]


def test_a_pointer_that_leads_nowhere(reopen: Open, tmp_path: Path) -> None:
    node = invoking(provider_type=TYPE, op="echo", input={}, out_map={"x": "/result/gone"})
    pack, workspace = provider_pack(tmp_path / "p", node), reopen()
    ended = run(workspace, pack)
    assert ended.output == {"x": None}
    (missing,) = workspace.steps(ended.id)[-1].missing
    assert (missing.reached, missing.missing) == ("result", "gone")
    code, said = failure(workspace, pack, semantics="runner-2026-02")
    assert code == "mapping_missing"
    assert said.endswith("out_map: mapping path `/result/gone` not found")


@pytest.mark.parametrize(
    ("payload", "declared", "documents", "expected"),
    [
        (
            {"provider_type": TYPE},
            None,
            {},
            ("missing_operation", "provider.invoke requires an op"),
        ),
        (
            {"op": "echo"},
            None,
            {},
            ("missing_provider", "provider.invoke requires provider_id or provider_type"),
        ),
        (
            {"op": "echo", "provider_type": "no"},
            None,
            {},
            ("provider_missing", "no provider runtime found for type `no`"),
        ),
        (
            {"op": "echo", "provider_id": "no"},
            None,
            {},
            ("provider_missing", "provider_id `no` not found"),
        ),
        (
            {"op": "echo", "provider_type": TYPE},
            DECLARED * 2,
            {},
            (
                "provider_ambiguous",
                f"multiple providers found for type `{TYPE}`, specify provider_id",
            ),
        ),
        (
            {"op": "echo", "provider_type": TYPE},
            [(TYPE, "absent")],
            {},
            ("component_missing", "provider component 'absent' not found in pack"),
        ),
        (
            {"op": "echo", "provider_id": "mine"},
            None,
            {"mine": {key: value for key, value in DOCUMENT.items() if key != "enabled"}},
            ("provider_disabled", "provider `mine` is disabled"),
        ),
        (
            {"op": "echo", "provider_id": "mine"},
            None,
            {"mine": {"enabled": True}},
            (
                "provider_invalid",
                "invalid provider instance `mine`: provider_id is missing or of the wrong type",
            ),
        ),
    ],
)
def test_who_cannot_be_called(
    reopen: Open,
    tmp_path: Path,
    payload: dict[str, Any],
    declared: Any,
    documents: dict[str, Any],
    expected: tuple[str, str],
) -> None:
    pack = provider_pack(tmp_path / "p", invoking(**payload), declared, documents=documents)
    assert failure(reopen(), pack) == expected


def test_a_state_document_comes_before_the_declaration(reopen: Open, tmp_path: Path) -> None:
    node = invoking(provider_id=TYPE, op="echo", input={"a": 1})
    pack = provider_pack(
        tmp_path / "p",
        node,
        [(TYPE, "absent")],
        documents={TYPE: {**DOCUMENT, "component_ref": "other"}},
        components={"other": provider_echo()},
    )
    workspace = reopen()
    ended = run(workspace, pack)
    assert ended.output == {"a": 1}
    (read,) = workspace.effects(ended.id)
    assert (read.kind, read.target) == ("state.read", f"providers/instances/{TYPE}.json")


def test_an_error_for_an_answer(reopen: Open, tmp_path: Path) -> None:
    node = invoking(provider_type=TYPE, op="burn")
    pack, workspace = provider_pack(tmp_path / "p", node), reopen()
    assert failure(workspace, pack) == ("component_error", "unsupported op")
    assert run(workspace, pack, semantics="runner-2026-02").output == {"error": "unsupported op"}


def test_an_ordinary_component_answers_for_a_provider_only_now(
    reopen: Open, tmp_path: Path
) -> None:
    node = invoking(provider_type=TYPE, op="echo", input={"a": 1})
    pack = provider_pack(tmp_path / "p", node, components={"provider.dummy": faults.echo()})
    workspace = reopen()
    assert run(workspace, pack).output == {"a": 1}
    assert failure(workspace, pack, semantics="runner-2026-02")[0] == "component_link"


def test_pinned_mocked_and_faulted(reopen: Open, tmp_path: Path) -> None:
    node = invoking(provider_type=TYPE, op="echo", input={"a": 1}, out_map={"got": "/result/a"})
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "example_dummy__echo.json").write_text('{"a": "scripted"}', "utf-8")
    tools = f"[tools]\nshort_circuit = true\nscript_dir = {json.dumps(str(tmp_path / 'tools'))}\n"
    fault = '[[faults]]\npoint = "BeforeToolCall"\nmode = "Once"\nerror_kind = "Permanent"\n'
    workspace = reopen()
    pinned = provider_pack(tmp_path / "pin", node, mocks='[pins]\nask = "mine"\n')
    assert run(workspace, pinned).output == "mine"
    scripted = provider_pack(tmp_path / "script", node, mocks=tools)
    ended = run(workspace, scripted)
    assert ended.output == {"got": "scripted"}
    assert workspace.steps(ended.id)[-1].source == "mock"
    assert (
        failure(workspace, provider_pack(tmp_path / "fault", node, mocks=fault))[0] == "permanent"
    )


def test_who_the_provider_is_can_be_said_by_hand(reopen: Open, tmp_path: Path) -> None:
    node = invoking(provider_id="mine", op="echo", input={"a": 1}, out_map={"got": "/result/a"})
    workspace = reopen()
    workspace.breakpoints.put(Breakpoint(effect="state.read"))
    made = workspace.start(StartRequest(provider_pack(tmp_path / "p", node)), DriveMode("run"))
    pause = standing(workspace, made)
    assert pause.effect is not None and pause.effect.target == "providers/instances/mine.json"
    assert step(workspace, made, "run", verb="answer", outcome=ok(DOCUMENT, "you")) is None
    assert workspace.find_run(made.id).output == {"got": 1}


def test_what_lint_says(reopen: Open, tmp_path: Path) -> None:
    def codes(name: str, declared: Any = None, **payload: Any) -> list[str]:
        pack = provider_pack(tmp_path / name, invoking(**payload), declared)
        return [finding.code for finding in workspace.pack(pack).all_findings]

    workspace = reopen()
    assert codes("good", provider_type=TYPE, op="echo") == []
    assert codes("op", provider_type=TYPE, op="sing") == ["unknown_operation"]
    assert codes("who", provider_type="no", op="echo") == ["unknown_provider"]
    assert codes("id", provider_id="no", op="echo") == ["undeclared_provider"]
    assert codes("two", DECLARED * 2, provider_type=TYPE, op="echo") == ["ambiguous_provider"]
    assert codes("none", [(TYPE, "no")], provider_type=TYPE, op="echo") == ["unknown_component"]
    assert codes("map", provider_type=TYPE, op="echo", err_map={"a": 1}) == ["ignored_err_map"]
    assert codes("asks", provider_type="{{entry.t}}", op="{{entry.o}}") == []
    assert codes("noop", provider_type=TYPE) == ["missing_operation"]
    assert codes("half", [("", "x")], provider_id="no", op="e")[0] == "bad_provider"


def test_a_provider_describes_itself_and_can_be_called_alone(reopen: Open, tmp_path: Path) -> None:
    pack = provider_pack(tmp_path / "p", invoking(provider_type=TYPE, op="echo"))
    workspace = reopen()
    names = [one.name for one in workspace.inspect(pack).components["provider.dummy"].operations]
    assert names == ["run", "echo"]  # the manifest's, then what it says itself
    view = workspace.call(pack, ComponentQuestion("provider.dummy", "echo", {"a": 1}))
    assert view.outcome.value == {"a": 1}
