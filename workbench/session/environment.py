"""The environment as a workflow sees it (`{env.NAME}`): looked up when a template is filled in,
and never written down (`durable-model.md` §3.5).

What a step is sent holds a placeholder; the value takes its place at the two ends where real
values are seen, as a secret's does.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping

from workbench.engine.branches import Env
from workbench.model.masking import Masker

Secrets = Callable[[], Mapping[str, str]]


class Environment(Mapping[str, str]):
    """Names of `[secrets.map]` first, then of this process's environment. `hide` is what becomes
    of a value before anybody sees it. Nobody can list it."""

    def __init__(self, secrets: Secrets, hide: Callable[[str, str], str]) -> None:
        self._secrets = secrets
        self._hide = hide

    def __getitem__(self, name: str) -> str:
        value = self._secrets().get(name, os.environ.get(name))
        if value is None:
            raise KeyError(name)
        return self._hide(name, value)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def environment(secrets: Secrets, masker: Masker) -> Env:
    """The environment of a run, with placeholders and as it is."""
    return Env(Environment(secrets, masker.veil), Environment(secrets, lambda name, value: value))
