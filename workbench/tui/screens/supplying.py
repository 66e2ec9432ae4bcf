"""What to do at a request nobody could answer: by hand, let it out, or make it a failure."""

from __future__ import annotations

from workbench.model.effect import Effect, Failure, Outcome, failed, ok
from workbench.model.stepping import Choice
from workbench.model.values import Json
from workbench.tui.screens.base import WorkbenchScreen
from workbench.tui.screens.input_editor import InputEditor
from workbench.tui.screens.menu import MenuScreen

HTTP_WAYS = (
    ("hand", "Answer it by hand"),
    ("once", "Let this host be reached, this once"),
    ("host", "Let this host be reached for the rest of the run"),
    ("429", "Answer 429 Too Many Requests"),
    ("500", "Answer 500 Internal Server Error"),
    ("timeout", "Make it time out"),
    ("fail", "Leave it a failure"),
)
SECRET_WAYS = (("secret", "Give the value, for this run"), ("fail", "Leave it missing"))
OTHER_WAYS = (("hand", "Answer it by hand"), ("fail", "Leave it a failure"))


def supply(screen: WorkbenchScreen, run_id: str, effect: Effect, why: str) -> None:
    """Ask which way, do it, and let the run go on."""
    ways = {"http": HTTP_WAYS, "secret.get": SECRET_WAYS}.get(effect.kind, OTHER_WAYS)

    def took(way: str | None) -> None:
        if way is not None:
            _take(screen, run_id, effect, way)

    screen.app.push_screen(MenuScreen(f"{effect.kind} {effect.target}", why, ways), took)


def _take(screen: WorkbenchScreen, run_id: str, effect: Effect, way: str) -> None:
    workspace = screen.workspace
    if way in ("once", "host"):
        workspace.grant(run_id, effect.target, once=way == "once")
        workspace.go(run_id, "into", choice=Choice("retry"))
    elif way == "hand":
        _by_hand(screen, run_id, effect)
    elif way == "secret":
        _secret(screen, run_id, effect)
    elif way == "fail":
        workspace.go(run_id, "into", choice=Choice("let_go"))
    else:
        _answer(screen, run_id, _refusal(way))


def _refusal(way: str) -> Outcome:
    if way == "timeout":
        return failed(Failure("timeout", "the request timed out", origin="you"), "you")
    reason = {"429": "too many requests", "500": "internal server error"}[way]
    return ok({"status": int(way), "headers": {}, "body": reason}, "you")


def _answer(screen: WorkbenchScreen, run_id: str, outcome: Outcome) -> None:
    screen.workspace.go(run_id, "into", choice=Choice("answer", outcome=outcome))


def _by_hand(screen: WorkbenchScreen, run_id: str, effect: Effect) -> None:
    start: Json = {"status": 200, "headers": {}, "body": ""} if effect.kind == "http" else None

    def took(value: tuple[Json] | None) -> None:
        if value is not None:
            _answer(screen, run_id, ok(value[0], "you"))

    title = f"Answer to {effect.kind} {effect.target}"
    screen.app.push_screen(InputEditor(title, start, "answer with it"), took)


def _secret(screen: WorkbenchScreen, run_id: str, effect: Effect) -> None:
    from workbench.tui.screens.prompt import PromptScreen

    def took(value: str | None) -> None:
        if value:
            stand_in = screen.workspace.give_secret(run_id, effect.target, value)
            _answer(screen, run_id, ok(stand_in, "you"))

    screen.app.push_screen(PromptScreen(f"the value of {effect.target}", secret=True), took)
