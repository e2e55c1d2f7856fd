"""YAML that refuses a key that stands twice: in a table the second would silently win."""

from __future__ import annotations

from typing import Any

import yaml


class _EachKeyOnce(yaml.CSafeLoader):
    """A safe loader, only stricter."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT002 - PyYAML's
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        twice = sorted({str(key) for key in keys if keys.count(key) > 1})
        if twice:
            raise yaml.constructor.ConstructorError(None, None, f"keys {twice} stand twice", node.start_mark)
        return super().construct_mapping(node, deep)


def load(text: str) -> Any:
    """The document. yaml.YAMLError names line and column of what is wrong."""
    return yaml.load(text, Loader=_EachKeyOnce)  # noqa: S506 - a safe loader, only stricter
