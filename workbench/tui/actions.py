"""The one table of actions: keys, footer, help, palette and README come from here.

An action has an id, the keys of `experience.md` (a user may choose others: `keymap`), a short
title for the footer and a sentence of help. Each screen says which it offers (`ACTIONS`), performs
it in `do_<id>` and may refuse it with a reason; a refused action stays visible and says why.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Action:
    """One thing a person can do. `keys` in order of preference; the first is shown."""

    id: str
    keys: tuple[str, ...]
    title: str
    help: str
    group: str


TABLE: tuple[Action, ...] = (
    # stepping
    Action("step_over", ("n", "f10", "space"), "step", "Run this node and stop at the next", "Run"),
    Action(
        "step_into", ("s", "f11"), "into", "Run this node; stop inside the flow it calls", "Run"
    ),
    Action("step_out", ("f", "shift+f11"), "out", "Go on until the called flow returns", "Run"),
    Action(
        "go_on", ("c", "f5"), "go on", "Go on to a breakpoint, a failure, a wait or the end", "Run"
    ),
    Action("pause", ("p",), "pause", "Stand still before the next node", "Run"),
    Action("stop", ("x", "shift+f5"), "stop", "Cancel this run", "Run"),
    Action(
        "restart", ("R",), "restart", "Retry the failed node, or run again from the start", "Run"
    ),
    Action("run_to", ("t",), "to cursor", "Run until the node under the cursor", "Run"),
    Action("breakpoint", ("b", "f9"), "break", "Set or remove a breakpoint here", "Run"),
    Action("breakpoint_if", ("B",), "break if", "A breakpoint with a condition", "Run"),
    # looking
    Action(
        "back", ("left_square_bracket",), "back", "Look at the step before; nothing repeats", "Look"
    ),
    Action("forward", ("right_square_bracket",), "forward", "Look at the step after", "Look"),
    Action("evaluate", ("equals_sign",), "evaluate", "An expression over the run's state", "Look"),
    Action("frame_up", ("u",), "caller", "To the node that called this flow", "Look"),
    Action("frame_down", ("d",), "called", "To the flow this node calls", "Look"),
    Action("graph", ("g",), "graph", "Rail or boxed graph", "Look"),
    Action("why", ("W",), "why", "Why this route was (not) taken", "Look"),
    Action("find", ("slash",), "find", "Find in this pane, or filter the transcript", "Look"),
    Action("find_next", ("full_stop",), "next", "The next match", "Look"),
    Action("find_previous", ("comma",), "previous", "The match before", "Look"),
    Action("follow", ("F",), "follow", "Follow the end of the transcript", "Look"),
    Action("transcript", ("L",), "log file", "The whole transcript file of this run", "Look"),
    Action("mark", ("m",), "mark", "Keep the value under the cursor, for comparing", "Look"),
    Action("compare", ("D",), "diff", "What differs from the marked value, or the usual", "Look"),
    Action("changed", ("tilde",), "changes", "Only what changed since the visit before", "Look"),
    Action("ignore", ("i",), "ignore", "Leave this path out of every comparison", "Look"),
    Action("ignore_none", ("I",), "ignore none", "Show the ignored paths again", "Look"),
    Action("pager", ("V",), "pager", "The value or transcript in $PAGER", "Look"),
    Action("in_editor", ("O",), "in editor", "The value or transcript in $EDITOR", "Look"),
    # changing
    Action("edit_input", ("E",), "input", "Edit the input: of the run, or of the node", "Change"),
    Action("edit_source", ("e",), "edit", "Open the source at this line in $EDITOR", "Change"),
    Action("pin", ("P",), "pin", "Fix this node's output, or let it go", "Change"),
    Action("mock", ("M",), "mock it", "Make what answered here a mock for the next run", "Change"),
    Action("add", ("plus",), "add", "Add a key", "Change"),
    Action("remove", ("minus",), "remove", "Remove the key under the cursor", "Change"),
    Action("as_text", ("ctrl+t",), "as text", "The same as text, and back", "Change"),
    Action("reveal", ("v",), "reveal", "Show the secret under the cursor for a moment", "Look"),
    Action("supply", ("a",), "answer", "Answer or let out the request it stands at", "Change"),
    Action("waits", ("w",), "waits", "Go to the waits, and answer them", "Change"),
    Action("copy", ("y",), "copy", "Copy the value under the cursor", "Change"),
    Action("copy_all", ("Y",), "copy all", "Copy the whole block", "Change"),
    Action("call", ("C",), "call", "Call one operation of a component, without a flow", "Run"),
    Action("reload", ("ctrl+r",), "reload", "Read the packs again", "Change"),
    # moving
    Action("pane_1", ("1",), "flow", "To the flow", "Move"),
    Action("pane_2", ("2",), "inspect", "To the inspector", "Move"),
    Action("pane_3", ("3",), "log", "To the transcript", "Move"),
    Action("pane_4", ("4",), "mocks", "To the mocks of this pack", "Move"),
    Action("pane_5", ("5",), "waits", "To the waits", "Move"),
    Action("packs", ("0",), "packs", "To the packs", "Move"),
    Action("talk", ("6", "T"), "talk", "Talk to a flow as its users do", "Move"),
    Action("next_tab", ("o",), "next tab", "The inspector's next tab", "Move"),
    Action("zoom", ("z",), "zoom", "One pane on the whole screen, and back", "Move"),
    Action("open", ("enter",), "open", "Open what is under the cursor", "Move"),
    Action("settings", ("S",), "settings", "Theme, rerun on save, present mode, keys", "Move"),
    Action("present", ("H",), "present", "Hide paths, ids, findings; show keys", "Look"),
    Action("help", ("question_mark", "f1"), "keys", "Every key, for this screen", "Move"),
    Action("palette", ("ctrl+p", "colon"), "all", "Everything by name", "Move"),
    Action("leave", ("escape",), "back out", "Leave one level; never quits", "Move"),
    Action("quit", ("ctrl+q", "q"), "quit", "Quit; live runs can be resumed", "Move"),
)
BY_ID: dict[str, Action] = {action.id: action for action in TABLE}

# Textual's names of keys, and how people write them.
SPELLINGS = {
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "equals_sign": "=",
    "slash": "/",
    "full_stop": ".",
    "comma": ",",
    "question_mark": "?",
    "plus": "+",
    "minus": "-",
    "colon": ":",
    "tilde": "~",
    "escape": "Esc",
    "enter": "Enter",
    "space": "space",
}


def spell(key: str) -> str:
    """A key as people write it: "F10", "ctrl+p", "[", "n"."""
    if key in SPELLINGS:
        return SPELLINGS[key]
    head, plus, tail = key.rpartition("+")
    if len(tail) > 1 and tail[0] == "f" and tail[1:].isdigit():
        tail = tail.upper()
    return f"{head}{plus}{tail}"


def key_table() -> str:
    """The README's table of keys, as Markdown."""
    lines = ["| action | keys | what it does |", "| --- | --- | --- |"]
    for action in TABLE:
        keys = " ".join(f"`{spell(key)}`" for key in action.keys)
        lines.append(f"| {action.title} | {keys} | {action.help} |")
    return "\n".join(lines)
