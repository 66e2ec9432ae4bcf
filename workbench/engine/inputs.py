"""The compiled inputs of a definition's nodes, each compiled when it is first needed."""

from __future__ import annotations

from functools import lru_cache

from workbench.language.machines import machine_template
from workbench.language.nodes import RAW_POINTERS
from workbench.language.providers import MAPS
from workbench.language.semantics import Semantics
from workbench.language.templates import Rendered, Template, compile_template
from workbench.model.flow import Definition, Node
from workbench.model.state import FrameState

_NEAR = frozenset({"entry", "prev"})


class Inputs:
    """The templates of one definition (`name` is its hash) under one semantics."""

    def __init__(self, definition: Definition, name: str, semantics: Semantics) -> None:
        self._definition = definition
        self._semantics = semantics
        self._templates = _templates_of(name, semantics.name)

    def render(self, flow: str, node: Node, frame: FrameState) -> Rendered:
        """What a node is sent. Raises `template_missing`, `template_failed`."""
        template = self._template(flow, node)
        if template.names <= _NEAR:
            rendered = template.render(frame.near(), node.where)
            if not rendered.missing:  # what is missing is explained by all that is there
                return rendered
        return template.render(frame.roots(), node.where)

    def _template(self, flow: str, node: Node) -> Template:
        key = (flow, node.id)
        template = self._templates.get(key)
        if template is None:
            mapping, raw = node.mapping, self._raw(node)
            if node.machine is not None:
                mapping, raw = machine_template(node)
            template = compile_template(mapping, self._semantics, raw=raw)
            self._templates[key] = template
        return template

    def _raw(self, node: Node) -> frozenset[str]:
        """Fields that are themselves templates: a builtin renders them, not the pass before it."""
        if node.kind == "provider.invoke":
            return MAPS if self._semantics.maps_render_once else frozenset()
        for name in (node.component, node.operation or ""):
            if name in RAW_POINTERS and name not in self._definition.components:
                return RAW_POINTERS[name]
        return frozenset()


@lru_cache(maxsize=16)
def _templates_of(definition: str, semantics: str) -> dict[tuple[str, str], Template]:
    """By (flow, node); all runs of a definition share them."""
    return {}
