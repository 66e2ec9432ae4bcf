"""`workbench debug PACK`: stepping in plain lines, for dumb terminals, screen readers and scripts.

The same session as the app: every command is one method of `Workspace`. Commands are read from
stdin, one a line, so a script may be piped in; `#` begins a comment line. The end of stdin leaves
the run where it stands, and the exit code says how it stands.
"""

from __future__ import annotations

import argparse
import os
import select
import signal
import sys
from collections.abc import Callable
from typing import NamedTuple

from workbench.cli.arguments import read_json, start_request, usage
from workbench.cli.debug_lines import Lines
from workbench.cli.debug_looking import Looking
from workbench.cli.output import printable
from workbench.cli.runs import elsewhere
from workbench.model.effect import Effect, Failure, Outcome, failed, ok
from workbench.model.errors import WorkbenchError
from workbench.model.exit_codes import ExitCode
from workbench.model.stepping import Choice, Mode
from workbench.model.values import Json, encode, short
from workbench.model.waits import Resolution
from workbench.session import STEPPING, StartRequest, Workspace
from workbench.session.early import record_early_failure
from workbench.session.outcome import exit_code
from workbench.session.views import OpenWait


def debug_pack(options: argparse.Namespace) -> int:
    """`workbench debug PACK`."""
    request = start_request(options)
    if options.input == "-":
        raise usage("debug reads its commands from stdin: give the input as JSON or @FILE")
    workspace = Workspace(options.workspace)
    try:
        with record_early_failure(workspace, request):
            debugger = LineDebugger(workspace, request)
        return debugger.converse()
    finally:
        workspace.close()


class LineDebugger(Looking):
    """One run, stepped from stdin."""

    def __init__(self, workspace: Workspace, request: StartRequest) -> None:
        self.interactive = sys.stdin.isatty()
        self._reader = workspace.events.subscribe()
        self._interrupts = 0
        self._left = False
        lines = Lines(sys.stdout.isatty() and not os.environ.get("NO_COLOR"))
        super().__init__(workspace, workspace.start(request, STEPPING), lines)

    # the conversation

    def converse(self) -> int:
        """Follow the run and obey, until it is left; returns the exit code."""
        run = self.run
        self.say(f"{run.pack_id} {run.pack_version} ▸ {run.flow_id} · run {run.number} · h helps")
        before = signal.signal(signal.SIGINT, self._interrupted)
        try:
            self.follow()
            while not self._left and (line := self._ask()) is not None:
                self._obey(line)
        except KeyboardInterrupt:
            self.say("")
        finally:
            signal.signal(signal.SIGINT, before)
        return self._leave()

    def follow(self) -> None:
        """Tell what happens until the run stands still, waits or has ended; then where it is."""
        live = self.workspace.live(self.run.id)
        while not self._left:
            over = live is None or not live.alive
            if self._told(0 if over else 0.05) or over:
                break
            self._listen()
        if live is not None and live.error is not None:
            self.say(f"{live.error} [{live.error.code}]")
        self.run = self.workspace.find_run(self.run.id)
        if not self._left:
            self.state()

    def _told(self, timeout: float) -> bool:
        """Print what came; True when the run stands still now."""
        for event in self._reader.wait(timeout):
            if event.run_id in ("", self.run.id):
                self.say(*self.lines.of(event))
            if event.kind == "run.paused" and event.run_id == self.run.id:
                self.pause = event.subject
        return self.pause is not None

    def _listen(self) -> None:
        """At a terminal, `p`, `x` and `q` are heard while the flow runs."""
        if self.interactive and select.select([sys.stdin], [], [], 0)[0]:
            word = sys.stdin.readline().strip()
            if word in ("p", "x"):
                COMMANDS[word].obey(self, "")
            elif word == "q":
                self._left = True

    def _ask(self) -> str | None:
        print(f"({self._place()}) ", end="", flush=True)
        line = sys.stdin.readline()
        if not self.interactive:
            self.say(printable(line.rstrip("\n")))
        return line.strip() if line else None

    def _obey(self, line: str) -> None:
        self._interrupts = 0
        if not line or line.startswith("#"):
            return
        word, _, rest = ("=", "", line[1:]) if line.startswith("=") else line.partition(" ")
        command = COMMANDS.get(word)
        if command is None:
            self.say(f"there is no command {printable(word)}; h lists them")
            return
        try:
            if self.pause is None:
                self.run = self.workspace.find_run(self.run.id)  # others may have moved it
            command.obey(self, rest.strip())
        except WorkbenchError as error:
            self.say(printable(f"{error} [{error.code}]"))

    def _interrupted(self, *_: object) -> None:
        """Ctrl+C pauses a running flow; twice without a command between, it quits."""
        self._interrupts += 1
        if self._interrupts > 1:
            raise KeyboardInterrupt
        told = "Ctrl+C again, or q, quits"
        if self.pause is None and self.workspace.pause(self.run.id):
            told = "pausing before the next node; Ctrl+C again quits"
        # Past the buffer: the signal may have come in the middle of a print.
        os.write(sys.stdout.fileno(), f"\n{told}\n".encode())

    def _place(self) -> str:
        if self.past is not None:
            step = self._step()
            return f"{self.past} {step.where if step else ''}"
        if self.pause is not None:
            return self.pause.where
        item = self._open_wait()
        return item.wait.signal if item is not None else self.run.status

    def _leave(self) -> int:
        self.run = run = self.workspace.find_run(self.run.id)
        there = elsewhere(self.workspace)
        item = self._open_wait()
        if item is not None:
            how = f"workbench resolve {run.number}:{item.wait.signal} --ok JSON{there}"
            self.say(f"run {run.number} waits; answer it with: {how}")
        elif not run.ended:
            self.say(f"run {run.number} is kept; go on with: workbench resume {run.number}{there}")
        if self._interrupts > 1 or (item is None and not run.ended):
            return int(ExitCode.INTERRUPTED)
        return int(exit_code(run))

    # going on

    def go(
        self, mode: Mode, to: tuple[str, str] | None = None, choice: Choice | None = None
    ) -> None:
        """Leave the pause, then follow."""
        self.past = None
        if self.pause is None:
            if self.run.ended:
                self.say(f"the run is {self.run.status}; R starts it again")
            elif self._open_wait() is not None:
                self.say("the run waits: ok JSON, err CODE MESSAGE, timeout or cancel")
            else:
                self.workspace.resume(self.run.id, STEPPING)  # answered elsewhere meanwhile
                self.follow()
            return
        self.pause = None
        self.workspace.go(self.run.id, mode, to, choice)
        self.follow()

    def run_to(self, text: str) -> None:
        self.go("cursor", self._node(text))

    def stop(self, text: str) -> None:
        self.pause = self.past = None
        self.workspace.stop(self.run.id)
        self.follow()

    def request_pause(self, text: str) -> None:
        if self.workspace.pause(self.run.id) and self.pause is None:
            self.say("pausing before the next node")
        else:
            self.say("it stands still already")

    def restart(self, text: str) -> None:
        old, self.pause, self.past = self.run, None, None
        self.run = self.workspace.restart(old.id, STEPPING)
        self.say(f"run {self.run.number}; run {old.number} kept")
        self.follow()

    def let_go(self, text: str) -> None:
        self.go("over", choice=Choice("let_go"))

    def retry(self, text: str) -> None:
        if self.pause is None or self.pause.reason not in ("failure", "missing"):
            self.say("there is nothing to retry here")
        elif text:
            value = self._as_sent(read_json(text, "retry"))
            self.go("over", choice=Choice("retry", input=value))
        else:
            self.go("over", choice=Choice("retry"))

    def _as_sent(self, value: Json) -> Json:
        """What is typed is a component's input; what a component.exec node is sent names the
        component too."""
        step = self._step()
        sent = step.input if step is not None else None
        if not isinstance(sent, dict) or not {"component", "input"} <= set(sent):
            return value
        whole = isinstance(value, dict) and "component" in value
        return value if whole else {**sent, "input": value}

    def pin(self, text: str) -> None:
        if self.pause is None:
            self.say("a pin needs a node to stand at")
            return
        value = read_json(text, "pin")
        self.workspace.pin(self.run.id, self.pause.where, value)
        self.say(f"pinned {self.pause.node}: {short(value, 200)}")

    def grant(self, text: str) -> None:
        if not text or " " in text:
            raise usage("grant takes one HOST")
        done = self.workspace.grant(self.run.id, text)
        self.say(f"one request to {printable(text)} may go out" if done else "the run has stopped")

    # answering

    def answer_ok(self, text: str) -> None:
        item, text = self._asked(text)
        self._answer(Resolution("ok", read_json(text, "ok") if text else None), item)

    def answer_err(self, text: str) -> None:
        item, text = self._asked(text)
        code, _, message = text.partition(" ")
        if not code or not message:
            raise usage("err takes CODE MESSAGE")
        self._answer(Resolution("err", {"code": code, "message": message.strip()}), item)

    def answer_timeout(self, text: str) -> None:
        self._answer(Resolution("timeout"), self._asked(text)[0])

    def answer_cancel(self, text: str) -> None:
        self._answer(Resolution("cancelled"), self._asked(text)[0])

    def _asked(self, text: str) -> tuple[OpenWait | None, str]:
        """The wait that is answered, and the answer: a workflow may have several, then the first
        word names one."""
        word, _, rest = text.partition(" ")
        waits = self.workspace.waits(self.run.id)
        named = next((item for item in waits if item.wait.signal == word), None)
        return (named, rest.strip()) if named is not None else (self._open_wait(), text)

    def _answer(self, answer: Resolution, item: OpenWait | None) -> None:
        if self.pause is not None and self.pause.effect is not None:
            outcome = by_hand(self.pause.effect, answer)
            self.go("over", choice=Choice("answer", outcome=outcome))
        elif item is None:
            self.say("nothing waits for an answer here")
        else:
            self.past = None
            verdict, _ = self.workspace.resolve(item.key, answer, how=STEPPING)
            if verdict.status == "accepted" and self.pause is not None:
                self.say(f"{item.wait.signal} is answered; the run takes it in when it goes on")
            elif verdict.status == "accepted":
                self.follow()
            else:
                self.say(printable(f"{verdict.status}: {verdict.message}".rstrip(": ")))

    def leave(self, text: str) -> None:
        self._left = True

    def help(self, text: str) -> None:
        for word, command in COMMANDS.items():
            self.say(f"  {f'{word} {command.takes}':<22} {command.help}")


def by_hand(effect: Effect, answer: Resolution) -> Outcome:
    """An answer typed for an effect: for HTTP a whole response, or any JSON as the body of a
    200; err and timeout fail it."""
    if answer.status == "err":
        return failed(Failure(answer.payload["code"], answer.payload["message"], "you"), "you")
    if answer.status != "ok":
        return failed(Failure(answer.status, f"answered by hand: {answer.status}", "you"), "you")
    value = answer.payload
    if effect.kind == "http" and not (isinstance(value, dict) and "status" in value):
        body: Json = value if isinstance(value, str) else encode(value).decode()
        value = {"status": 200, "headers": {"content-type": "application/json"}, "body": body}
    return ok(value, "you")


class Command(NamedTuple):
    """What a word does: its method, its arguments and one line of help."""

    obey: Callable[[LineDebugger, str], None]
    takes: str
    help: str


COMMANDS: dict[str, Command] = {
    "n": Command(lambda it, _: it.go("over"), "", "step over: run this node"),
    "s": Command(lambda it, _: it.go("into"), "", "step into a sub-flow"),
    "f": Command(lambda it, _: it.go("out"), "", "finish: run to the end of this sub-flow"),
    "c": Command(lambda it, _: it.go("run"), "", "go on to a breakpoint, a failure or the end"),
    "t": Command(LineDebugger.run_to, "NODE", "run to a node"),
    "p": Command(LineDebugger.request_pause, "", "pause a running flow (Ctrl+C does too)"),
    "x": Command(LineDebugger.stop, "", "stop: cancel the run"),
    "R": Command(LineDebugger.restart, "", "start again with the same input"),
    "go": Command(LineDebugger.let_go, "", "let a failure go on"),
    "retry": Command(LineDebugger.retry, "[JSON]", "run the failed node again, with this input"),
    "pin": Command(LineDebugger.pin, "JSON", "give the node this output from now on"),
    "grant": Command(LineDebugger.grant, "HOST", "let one request to a host out"),
    "ok": Command(LineDebugger.answer_ok, "JSON", "answer the wait, or the unanswered request"),
    "err": Command(LineDebugger.answer_err, "CODE MESSAGE", "answer with an error"),
    "timeout": Command(LineDebugger.answer_timeout, "", "nobody answered in time"),
    "cancel": Command(LineDebugger.answer_cancel, "", "answer cancelled"),
    "i": Command(LineDebugger.input, "", "input: what the node is sent, its template beside"),
    "o": Command(LineDebugger.output, "[json]", "output of the last step; a card is read out"),
    "e": Command(LineDebugger.effects, "", "effects of the last step"),
    "=": Command(LineDebugger.evaluate, "EXPR", "evaluate an expression"),
    "bt": Command(LineDebugger.backtrace, "", "where it stands, through all sub-flows"),
    "[": Command(LineDebugger.back, "", "look at the step before; nothing is repeated"),
    "]": Command(LineDebugger.forward, "", "look at the step after, up to the present"),
    "b": Command(LineDebugger.breakpoint, "[NODE [if EXPR]]", "list, set or remove breakpoints"),
    "w": Command(LineDebugger.waits, "", "everything that waits here"),
    "q": Command(LineDebugger.leave, "", "leave; the run is kept"),
    "h": Command(LineDebugger.help, "", "this list"),
    "?": Command(LineDebugger.help, "", "this list"),
}
