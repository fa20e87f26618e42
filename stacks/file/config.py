"""The top of a stack file, and the project's own keys under `config`."""

import difflib
from collections.abc import Collection, Mapping
from typing import Any

from stacks.file.faults import EXAMPLES
from stacks.file.yaml import Document
from stacks.findings import OUTSIDE, PROJECT, Finding, Place, Problem, closest, known
from stacks.rules.file import FILE

#: The Pulumi CLI's own keys at the top of a stack file.
PULUMI_KEYS = ("config", "encryptionsalt", "secretsprovider", "encryptedkey", "environment")
#: Other files that users name by mistake, by a key at their top.
MISTAKEN = {
    "apiVersion": "a Kubernetes manifest",
    "runtime": "Pulumi's project file",
    "inferenceExtension": "the values of the router's chart",
}

#: Places in the document by the names of the project's keys, without the project.
Keys = dict[str, Place]


def project_keys(document: Document) -> tuple[list[Problem], Keys | None]:
    """Returns the problems of the top of a file, and the project's keys: None if nothing can be said about the rest.

    Keys of other projects are not judged.
    """
    data, why = document.data, "a stack has to say what it serves"
    start = f"start with `config:` and {EXAMPLES['serving']}"
    if data is None:
        return [FILE.problem(at=(), what="the file is empty", why=why, fix=start)], None
    if not isinstance(data, dict):
        why = "a stack file is a map of keys and values"
        return [_problem(document, (), what="the file holds no map", why=why, fix="begin with `config:`")], None
    for key, title in MISTAKEN.items():
        if key in data:
            why, fix = "a stack file has `config:` and none of this", "name a file like Pulumi.<stack>.yaml"
            return [_problem(document, (key,), what=f"this is {title}", why=why, fix=fix)], None
    strange, kept = "unknown key", "the Pulumi CLI keeps nothing under it"
    problems = [
        _problem(document, (key,), what=strange, why=kept, fix=_meant(key, data))
        for key in data
        if key not in PULUMI_KEYS
    ]
    config = data.get("config")
    if not config and any(closest(key, PULUMI_KEYS) == "config" for key in data if key not in PULUMI_KEYS):
        return problems, None
    if not config:
        fix = f"add {EXAMPLES['serving']} under it"
        return [*problems, _problem(document, ("config",), what="there is no configuration", why=why, fix=fix)], None
    if not isinstance(config, dict):
        why, fix = "every setting is a key with a value", f"write {EXAMPLES['serving']} under it"
        return [*problems, _problem(document, ("config",), what="it is not a map", why=why, fix=fix)], None
    keys: Keys = {}
    for key in config:
        found, wrong = _read(key, config, keys)
        keys = {**found, **keys}
        if wrong is not None:
            line = document.line(("config", key))
            problems.append(FILE.problem(at=wrong.at, what=wrong.what, why=wrong.why, fix=wrong.fix, line=line))
    return problems, keys


def _problem(document: Document, place: Place, *, what: str, why: str, fix: str) -> Problem:
    at = (OUTSIDE, *place) if place else ()
    return FILE.problem(at=at, what=what, why=why, fix=fix, line=document.line(place))


def _meant(key: str, there: Collection[str]) -> str:
    near = closest(key, PULUMI_KEYS)
    return f"leave it out: `{near}` is there already" if near in there else known(key, PULUMI_KEYS)


def _read(key: str, config: Mapping[str, Any], before: Keys) -> tuple[Keys, Finding | None]:
    """Returns the keys of the project that a key under `config` stands for, and what is wrong with it, if anything."""
    namespace, _, name = key.rpartition(":")
    own, at = f"{PROJECT}:{name}", (OUTSIDE, key)
    if key.strip(":") == PROJECT:
        return _nested(key, config)
    if namespace and namespace != PROJECT and not difflib.get_close_matches(namespace, [PROJECT], cutoff=0.8):
        return {}, None
    if namespace:
        what, why = "unknown project", "the program would not see this key"
    else:
        what, why = "key without a project", "several projects may keep keys here"
    once = "only one of the two can count"
    if key != own and own in config:
        return {}, Finding(at=at, what=f"{what}, beside `{own}`", why=once, fix="take it out")
    if name in before:
        what = f"it is there as `{before[name][-1]}` too"
        return {}, Finding(at=at, what=what, why=once, fix=f"keep one, as `{own}`")
    wrong = Finding(at=at, what=what, why=why, fix=f"write `{own}`") if namespace != PROJECT else None
    return {name: ("config", key)}, wrong


def _nested(key: str, config: Mapping[str, Any]) -> tuple[Keys, Finding]:
    """The project's name alone as a key: Pulumi has no maps of keys, but what was meant can still be judged."""
    inside = [str(name) for name in config[key]] if isinstance(config[key], dict) else []
    names = [name for name in inside or ["serving"] if f"{PROJECT}:{name}" not in config]
    keys: Keys = {name: ("config", key, name) for name in names if name in inside}
    written = ", ".join(f"`{PROJECT}:{name}`" for name in names)
    return keys, Finding(
        at=(OUTSIDE, key), what="it is the project's name and no key",
        why="each of the project's keys has the name before its own",
        fix=f"write {written} under `config` instead" if written else "take it out",
    )  # fmt: skip
