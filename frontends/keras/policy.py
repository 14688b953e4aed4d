"""Dtype policies: in which dtype a layer computes, and how its weights are quantised.

Source: keras/src/dtype_policies/dtype_policy.py and dtype_policy_map.py, Keras 3.15;
tf_keras/src/mixed_precision/policy.py, tf-keras 2.21.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Policy:
    """What a dtype policy says.

    Attributes:
        compute: dtype inputs and weights are cast to; ``None`` for whatever
            comes in.
        mode: how weights are quantised, ``int8``, ``int4``, ``float8``, ``gptq``
            or ``awq``; ``None`` for plain weights.
        bits: bits of a quantised weight.
        block: how many inputs share a scale, ``None`` for all.
    """

    compute: str | None
    mode: str | None = None
    bits: int = 8
    block: int | None = None


def policy_of(data: Any, path: str = "") -> Policy:
    """A policy as any Keras writes it: a name, a policy's config, or a map of policies.

    Args:
        data: the value of the option ``dtype``.
        path: path of the layer, which a map of policies is asked for.

    Raises:
        ValueError: it is none that a Keras writes.
    """
    if data is None:
        return Policy(None)
    if isinstance(data, str):
        mode, joint, source = data.partition("_from_")
        return _quantized(mode, source) if joint else Policy(_compute(data))
    if not isinstance(data, dict) or not isinstance(config := data.get("config"), dict):
        raise ValueError(f"{data!r} is no dtype policy")
    if "policy_map" in config:
        return _mapped(config, path)
    if "mode" in config:
        return _quantized(str(config["mode"]), config.get("source_name"))
    return Policy(_compute(config.get("name")))


def _compute(name: Any) -> str | None:
    """The dtype computed in by a policy of this name; Keras reads null as its default."""
    if name is None:
        return "float32"
    if name == "_infer":
        return None
    return str(name).removeprefix("mixed_")


def _quantized(spelled: str, source: Any) -> Policy:
    """``int8``, ``int4/128``, ``gptq/4/32``, ``awq/4/-1``."""
    mode, *numbers = spelled.split("/")
    sizes = [int(n) for n in numbers]
    counts = {"int8": (0,), "int4": (0, 1), "float8": (0,), "gptq": (2,), "awq": (2,)}
    if len(sizes) not in counts.get(mode, ()):
        raise ValueError(f"{spelled!r} is no way of quantising that Keras has")
    bits = sizes[0] if len(sizes) == 2 else 4 if mode == "int4" else 8
    block = sizes[-1] if sizes and sizes[-1] > 0 else None
    return Policy(_compute(source), mode, bits, block)


def _mapped(config: dict[str, Any], path: str) -> Policy:
    """The entry of a path: the exact one, the one pattern that fits, or the default.

    A path starts with the model's name inside a Sequential only, and a file
    does not say under which name the model was built: both are tried.
    """
    found = config["policy_map"] or {}
    if path in found:
        return policy_of(found[path])
    tail = re.compile(rf"[^/]+/{re.escape(path)}")
    entries = [p for key, p in found.items() if re.fullmatch(key, path) or tail.fullmatch(key)]
    if len(entries) > 1:
        raise ValueError(f"several entries of a map of policies fit layer {path!r}")
    return policy_of(entries[0] if entries else config.get("default_policy") or "float32")
