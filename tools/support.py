"""`layergraph ops`: the Keras layers and operations that are read, as the code has them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from layergraph.frontends.keras.eras.history import KERAS_1, KERAS_2, LEGACY
from layergraph.frontends.keras.registry import LAYERS, OTHERWISE_READ, REFUSED
from layergraph.frontends.keras.restrictions import RESTRICTIONS
from layergraph.tools.screen import print_table

Kind = Literal["layer", "operation", "function"]

TITLES: dict[Kind, str] = {
    "layer": "Layers",
    "operation": "Operations of keras.ops",
    "function": "TensorFlow functions in Keras 2 models",
}


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        name: Keras class, ``Dense``; an operation's class, ``ops.Add``; or a
            TensorFlow function, ``tf.math.add``.
        kind: what it is.
        family: file of that name in every room; empty for what is refused.
        keras: versions that write it, ``1-3``.
        status: ``supported`` or ``refused``.
        restrictions: what of it is refused, or why all of it is.
    """

    name: str
    kind: Kind
    family: str
    keras: str
    status: Literal["supported", "refused"]
    restrictions: str = ""


def rows() -> list[Row]:
    """Every class and function that is read or refused on purpose, by kind and name."""
    found = [
        Row(name, _kind(name), family, _versions(name), "supported", RESTRICTIONS.get(name, ""))
        for name, family in {**LAYERS, **OTHERWISE_READ}.items()
        # What the dialect makes of TensorFlow functions, which are listed by themselves.
        if not name.startswith("tf.")
    ]
    found += [Row(n, _kind(n), "", _versions(n), "refused", why) for n, why in REFUSED.items()]
    found += [
        Row(f"tf.{name}", "function", "", "2", "refused" if why else "supported", why)
        for name, why in _functions().items()
    ]
    return sorted(found, key=lambda row: (list(TITLES).index(row.kind), row.name.lower()))


def _kind(name: str) -> Kind:
    return "operation" if name.startswith("ops.") else "layer"


def _versions(name: str) -> str:
    """Major versions of Keras whose files hold the class."""
    if name.startswith("ops."):
        return "3"
    first = 1 if name in KERAS_1 else 2 if name in KERAS_2 else 3
    last = LEGACY.get(name, 3)
    return str(first) if first == last else f"{first}-{last}"


def _functions() -> dict[str, str]:
    """TensorFlow functions, and why those that are refused by name are."""
    from layergraph.frontends.keras.eras.tensorflow_functions import FUNCTIONS

    return {name: row.refusal for name, row in FUNCTIONS.items()}


def ops(names: Sequence[str], *, as_json: bool, markdown: bool) -> int:
    """Print the table; returns the exit status, 1 when a name asked for is not in it.

    Args:
        names: parts of names to look for, in any case; none for all.
        as_json: a JSON list instead of a table.
        markdown: docs/support.md instead of a table.
    """
    found = [r for r in rows() if not names or any(n.lower() in r.name.lower() for n in names)]
    if as_json:
        print(json.dumps([asdict(row) for row in found], indent=1))
    elif markdown:
        print(page(found), end="")
    else:
        columns = ("name", "kind", "family", "keras", "status", "restrictions")
        print_table(columns, [[getattr(row, c) for c in columns] for row in found])
        print()
        print("; ".join(_counted(found)))
    return 0 if found else 1


def _counted(found: Sequence[Row]) -> list[str]:
    """``Layers: 117 (4 refused)``, for each kind."""
    lines = []
    for kind, title in TITLES.items():
        of_kind = [row for row in found if row.kind == kind]
        refused = sum(row.status == "refused" for row in of_kind)
        if of_kind:
            tail = f" ({refused} refused)" if refused else ""
            lines.append(f"{title}: {len(of_kind) - refused}{tail}")
    return lines


def page(found: Sequence[Row]) -> str:
    """The table as a page of the documentation."""
    lines = [
        "# What is supported",
        "",
        "Made from the code by `make support`; `layergraph ops NAME` looks a name up. "
        "A file that needs more is refused by name: `layergraph check FILE` lists all of it.",
        "",
        f"{'; '.join(_counted(found))}.",
    ]
    for kind, title in TITLES.items():
        of_kind = [row for row in found if row.kind == kind]
        lines += ["", f"## {title}", ""]
        if kind == "function":
            read = [row for row in of_kind if row.status == "supported"]
            refused = [row for row in of_kind if row.status == "refused"]
            lines.append(", ".join(f"`{row.name}`" for row in read))
            lines += ["", "Refused by name:", ""]
            lines += [f"- `{row.name}`: {row.restrictions}" for row in refused]
            continue
        lines += ["| class | Keras | status | restrictions |", "|---|---|---|---|"]
        lines += [
            f"| {row.name.removeprefix('ops.')} | {row.keras} | {row.status} | {row.restrictions} |"
            for row in of_kind
        ]
    return "\n".join(lines) + "\n"
