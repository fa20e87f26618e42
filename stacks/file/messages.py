"""The fields of a stack file: configuration in, a `StackSpec` out, or all problems of the fields.

pydantic finds them; this module writes the messages: the value, the reason, and the fix.
"""

import json
import re
from collections.abc import Iterator
from typing import Any, get_args, get_origin

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from stacks.clouds.registry import CLOUDS
from stacks.file.remains import Remains, remains
from stacks.findings import PROJECT, Place, Problem, closest, known, meant
from stacks.rules.file import SPEC
from stacks.schema import FORMS, Section
from stacks.spec.cluster import Cluster
from stacks.spec.stack import StackSpec, is_platform

#: Fixes for missing required keys.
EXAMPLES = {
    "serving": f"`{PROJECT}:serving: {{accelerator: nvidia}}`",
    "accelerator": "`accelerator: nvidia` (or another one)",
}


def read(config: dict[str, Any]) -> tuple[list[Problem], StackSpec | None]:
    """Every problem of the fields, and a spec: whole if there is none, else of what remains without the faulty ones."""
    problems, left = read_fields(config)
    return problems, left.spec


def read_fields(config: dict[str, Any]) -> tuple[list[Problem], Remains]:
    """Every problem of the fields, and what remains without the faulty ones: all, if there is none.

    `serving` may be missing, or empty as the project's default is, in a platform stack only.
    """
    platform = is_platform(config)
    if platform:
        config = {key: value for key, value in config.items() if key != "serving"}
    details: list[ErrorDetails] = []
    if not platform and config.get("serving") is None:
        kind = "model_type" if "serving" in config else "missing"
        context = {"cluster": "cluster" in config}
        details.append({"type": kind, "loc": ("serving",), "msg": "", "input": None, "ctx": context})
    try:
        spec = StackSpec.model_validate_json(json.dumps(config))
        if not details:
            return [], Remains(spec)
    except ValidationError as error:
        details += error.errors(include_url=False)
    faulty = [detail["loc"] for detail in details]
    meant = [place for detail in details for place in _meant(config, detail)]
    return [_problem(detail) for detail in details], remains(config, faulty, meant, platform=platform)


def _meant(config: dict[str, Any], detail: ErrorDetails) -> Iterator[Place]:
    """The missing key for which an unknown one was probably meant."""
    *above, last = detail["loc"]
    if detail["type"] != "extra_forbidden" or any(isinstance(step, int) for step in above):
        return
    key, holder = closest(str(last), _keys(tuple(above))), config
    for step in above:
        holder = holder[str(step)]
    if key is not None and key not in holder:
        yield (*above, key)


def _problem(detail: ErrorDetails) -> Problem:
    location, kind, given, context = detail["loc"], detail["type"], detail["input"], detail.get("ctx", {})
    if location[-1] == "[key]" and location[-2:-1] == (given,):
        location = location[:-1]  # pydantic's way to say that a key, and not its value, is wrong
    last = str(location[-1])
    match kind:
        case "extra_forbidden":
            what, why = "unknown key", "a misspelt key would silently mean its default"
            fix = known(last, _keys(location[:-1]))
        case "missing":
            what, why = "it is missing", "nothing can be derived without it"
            fix = f"add {EXAMPLES.get(last, f'`{last}: …`')}"
            if context.get("cluster"):
                fix += ", or, for nodes on which other stacks serve, a `cluster.provider` that makes them"
        case "model_type" | "model_attributes_type" | "dict_type":
            what, why, fix = f"it is {_kind(given)}", "it has to be a map", "write `key: value` pairs under it"
            if location == ("serving", "hfToken"):  # a name is short for a map
                why, fix = "it has to be the name of a Secret", "write something like `llm-d-hf-token`"
        case "tuple_type":
            what, why = f"it is {_kind(given)}", "it has to be a list"
            fix = f"write `[{given}]`" if isinstance(given, str) else "write `- …` lines under it"
        case "int_type" | "int_from_float":
            what, why = _cannot(given), "it has to be a whole number"
            bare = isinstance(given, str) and re.fullmatch(r"\d+", given)
            fix = f"take the quotes off: {given}" if bare else "write one without quotes, such as 8"
        case "bool_type":
            what, why, fix = _cannot(given), "it has to be true or false", "write one of the two, without quotes"
        case "string_type":
            what, why = _cannot(given), "it has to be text"
            fix = f'quote it: "{_spelt(given)}"' if isinstance(given, int | float) else "write a word, or leave it out"
            if last == "requestTimeout" and isinstance(given, int | float):
                fix = f'write a unit: "{_spelt(given)}s"'
            if location[-2:] == ("maintenanceWindow", "start") and isinstance(given, int | float):
                fix = "write hours and minutes: `09:00`"
        case "float_type" | "float_parsing":
            what, why, fix = _cannot(given), "it has to be a number", "write one without quotes, such as 0.05"
        case "scalar_type":
            what, why, fix = _cannot(given), detail["msg"], "write one of these"
        case "greater_than_equal":
            least = context["ge"]
            what, why = _cannot(given), f"it has to be at least {least}"
            fix = f"write {least} or more, or leave the key out for its default"
            if location == ("cluster", "nodes"):  # without a default where they are the stack's to make
                why, fix = "the model servers have to run somewhere", "write how many, such as `nodes: 2`"
        case "less_than_equal":
            what, why, fix = _cannot(given), f"it can be {context['le']} at most", "write the number you meant"
        case "literal_error":
            choices = re.findall(r"'([^']*)'", context["expected"])
            what, why = _cannot(given), f"it has to be {_any_of(choices)}"
            fix = meant(str(given), choices) or "write one of these"
        case "string_too_short":
            what, why, fix = "it is empty", "an empty value means nothing", "leave the key out for its default"
        case "string_too_long":
            most = context["max_length"]
            what, why = f"{_cannot(given)} ({len(given)} characters)", f"it can have {most} at most"
            fix = f"shorten it by {len(given) - most}"
        case "string_pattern_mismatch":
            form, example = FORMS[context["pattern"]]
            what, why, fix = _cannot(given), f"it has to be {form}", f"write something like `{example}`"
        case "token_in_clear":
            what, why = detail["msg"], "every reader of the file, or of its history, has it"
            fix = f"revoke it, and give a new one by `pulumi config set --secret --path '{PROJECT}:serving.hfToken'`"
        case _:
            what, why, fix = _cannot(given), detail["msg"].lower(), "write another value"
    return SPEC.problem(at=location, what=what, why=why, fix=fix)


def _any_of(words: list[str]) -> str:
    *others, last = words
    return f"{', '.join(others)} or {last}" if others else last


def _cannot(given: Any) -> str:
    if given is None or isinstance(given, list | dict):
        return f"it is {_kind(given)}"
    text = given if isinstance(given, str) else _spelt(given)
    return f"`{text if len(text) <= 60 else f'{text[:57]}…'}` cannot be used"


def _spelt(given: Any) -> str:
    """As YAML spells it: `true`, not `True`."""
    return json.dumps(given)


def _kind(value: Any) -> str:
    match value:
        case list():
            return "a list"
        case dict():
            return "a map"
        case None:
            return "empty"
        case str():
            return "text"
    return f"`{_spelt(value)}`"


def _keys(location: Place) -> Iterator[str]:
    """The keys of a section, as YAML spells them."""
    section: Any = StackSpec
    for step in location:
        section = next(iter(get_args(section)), None) if isinstance(step, int) else _below(section, str(step))
        if get_origin(section) is not tuple:  # `Chart | None` is about Chart
            section = next((part for part in get_args(section) if hasattr(part, "model_fields")), section)
    if isinstance(section, type) and issubclass(section, Section):
        yield from section.keys()
    else:
        yield from getattr(section, "__annotations__", {})


def _below(section: Any, key: str) -> Any:
    """The type of the value under a key of a section; of `cluster`, also of a cloud's key."""
    field = next((info for info in getattr(section, "model_fields", {}).values() if info.alias == key), None)
    if field is None and section is Cluster and key in CLOUDS:
        return CLOUDS[key].section_type
    return field.annotation if field else None
