"""An engine's command line: filled slots, the role's flags, the port, and the stack's edits."""

import json
import shlex
from collections.abc import Sequence

from hardware.render.join import join
from hardware.render.workload import Workload
from hardware.vocabulary import BEHIND_PROXY_PORT, SERVING_PORT, Role

#: Flags that follow from the rest of the workload; a stack file that sets one would contradict itself.
DERIVED = ("--tensor-parallel-size", "--kv-transfer-config", "--port", "--disaggregation-mode", "--model-path")


class ArgumentError(ValueError):
    """A flag of a stack's `extraArgs` or `dropArgs` cannot be applied; `field` is the key of the two.

    `known` are the flags that can be dropped, if it is not one of them; `replaceable`: it could be set if it were dropped too.
    """

    def __init__(
        self, field: str, flag: str, why: str, *, known: Sequence[str] = (), replaceable: bool = False
    ) -> None:
        self.field, self.flag, self.known, self.replaceable = field, flag, known, replaceable
        super().__init__(f"{flag} {why}")


def flag(word: str) -> str:
    """Returns the flag that a word of a command line sets (`--a=1` and `--a` set `--a`), or "" for a value."""
    return word.split("=", 1)[0] if word.startswith("--") else ""


def port(role: Role) -> int:
    """Returns the engine's port: prefill listens on the pool's port, decode on a port behind its sidecar."""
    return SERVING_PORT if role == "prefill" else BEHIND_PROXY_PORT


def command_line(workload: Workload, role: Role) -> list[str]:
    """Returns the `args` of one role's container.

    Raises:
        ArgumentError: `extra_args` sets a flag twice or a derived flag, or `drop_args` names a flag that is not set.
    """
    build = workload.hardware.build
    slots = {
        "{model}": workload.model,
        "{role}": role,
        "{tp}": str(workload.tensor_parallel(role)),
        "{kv}": kv_config(workload, role),
        "{port}": str(port(role)),
    }
    words = _without(shlex.split(build.argv) + shlex.split(build.role_args.get(role, "")), _dropped(workload))
    if "{port}" not in build.argv and port(role) != SERVING_PORT:
        words.append("--port={port}")
    words = _edited(words, workload.extra_args, workload.drop_args, known=_flags_of_any_role(workload))
    for slot, value in slots.items():
        words = [word.replace(slot, value) for word in words]
    return words


def kv_config(workload: Workload, role: Role) -> str:
    """Returns the JSON of `--kv-transfer-config`: the pairs of the build, the role, the fabric and its NIXL backend."""
    kv, fabric = workload.hardware.build.kv, workload.hardware.fabric
    backend = {"kv_connector_extra_config": {"backends": [fabric.nixl_backend]}} if fabric.nixl_backend else {}
    pairs = {**kv.config, **kv.by_role.get(role, {}), **fabric.kv, **backend}
    text = join(
        {"separator": kv.separator} if kv.separator else {},
        {"separator": fabric.kv_separator} if fabric.kv_separator else {},
        path="kv",
    )
    return json.dumps(pairs, separators=(text.get("separator", ", "), ":"))


def _dropped(workload: Workload) -> tuple[str, ...]:
    """Returns the build's flags that the release leaves out."""
    return workload.bill.dropped.get(workload.build_key, ())


def _flags_of_any_role(workload: Workload) -> set[str]:
    build = workload.hardware.build
    flags = {flag(word) for text in (build.argv, *build.role_args.values()) for word in shlex.split(text)}
    return flags - {"", *_dropped(workload)}


def _edited(words: list[str], extra: tuple[str, ...], drop: tuple[str, ...], known: set[str]) -> list[str]:
    for name in drop:
        if name in DERIVED:
            raise ArgumentError("dropArgs", name, "follows from the rest of the stack and cannot be dropped")
        if name not in known:
            others = sorted(known - {*DERIVED})
            why = f"is not among this build's flags ({', '.join(others)})"
            raise ArgumentError("dropArgs", name, why, known=others)
    kept = _without(words, drop)
    present = {flag(word) for word in kept} - {""}
    for name in filter(None, map(flag, extra)):
        if name in DERIVED:
            raise ArgumentError("extraArgs", name, "follows from the rest of the stack and cannot be set")
        if name in present:
            raise ArgumentError("extraArgs", name, "is set by the build already", replaceable=True)
    return kept + list(extra)


def _without(words: list[str], flags: tuple[str, ...]) -> list[str]:
    """Returns the words without these flags and their values."""
    kept: list[str] = []
    dropping = False
    for word in words:
        if name := flag(word):
            dropping = name in flags
        if not dropping:
            kept.append(word)
    return kept
