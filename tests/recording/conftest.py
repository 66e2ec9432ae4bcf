"""Until `model.masking` is here, redaction by key stands in for it (the reference's five words)."""

from __future__ import annotations

import importlib.util
import sys
import types
from typing import Any

if importlib.util.find_spec("workbench.model.masking") is None:
    MARKERS = ("secret", "token", "password", "authorization", "cookie")

    def redact_keys(value: Any, base: str) -> tuple[Any, list[str]]:
        if isinstance(value, dict):
            out, paths = {}, []
            for key, item in value.items():
                if any(word in key.lower() for word in MARKERS):
                    out[key] = "__REDACTED__"
                    paths.append(f"{base}.{key}")
                else:
                    out[key], more = redact_keys(item, f"{base}.{key}")
                    paths += more
            return out, paths
        if isinstance(value, (list, tuple)):
            pairs = [redact_keys(item, f"{base}[{i}]") for i, item in enumerate(value)]
            return [pair[0] for pair in pairs], [path for pair in pairs for path in pair[1]]
        return value, []

    stand_in = types.ModuleType("workbench.model.masking")
    stand_in.redact_keys = redact_keys  # type: ignore[attr-defined]
    sys.modules["workbench.model.masking"] = stand_in
