"""A fault of a field of a stack file: the value, the reason and the fix in words, and what was probably meant.

A fix that names the value to write is tried (`stacks.file.messages`).
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic_core import ErrorDetails

from stacks.file.sections import constraints, field_of, has_default, is_required, keys_of, section_at
from stacks.findings import PROJECT, Place, Problem, closest
from stacks.rules.file import SPEC
from stacks.rules.proposals import scalar
from stacks.schema import FORMS, UNITS

#: Fixes for missing required keys.
EXAMPLES = {
    "serving": f"`{PROJECT}:serving: {{accelerator: nvidia}}`",
    "accelerator": "`accelerator: nvidia` (or another one)",
}
#: The fix for a place that has a default.
BY_DEFAULT = "leave the key out for its default"
#: Characters of a value that a message repeats.
MOST_SHOWN = 60
#: Words for true and false in other versions of YAML.
TRUTHS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}

#: Returns the text of a number or a word without quotes, as the file has it; None if there is no file.
Written = Callable[[Place], str | None]


@dataclass(frozen=True)
class Fault:
    """One fault that pydantic found in a configuration."""

    detail: ErrorDetails
    config: Mapping[str, Any]
    written: Written

    @property
    def _of_a_key(self) -> bool:
        """Whether the key is wrong, and not its value."""
        *_, key, last = (None, *self.detail["loc"])
        return last == "[key]" and key == self.detail["input"]

    @property
    def at(self) -> Place:
        """The place of the value, or of the key."""
        location = self.detail["loc"]
        return location[:-1] if self._of_a_key else location

    def repair(self, config: dict[str, Any]) -> bool:
        """Writes what is meant into a configuration, where only the spelling is wrong and there is no doubt."""
        holder: Any = config
        for step in self.at[:-1]:
            holder = holder[step]
        key, near = self.at[-1], self._near()
        if self.detail["type"] == "extra_forbidden" and near and near not in holder:
            holder[near] = holder.pop(key)
            return True
        nothing = self.detail["input"] in (None, "") or (self.detail["input"] is False and self._is_switch())
        if nothing and key in holder and has_default(self.at) and self._out():
            del holder[key]
            return True
        value = self._meant()
        if value is not None:
            holder[key] = value
        return value is not None

    def _meant(self) -> Any:
        """The value that is meant; None where nobody can tell."""
        given = self.detail["input"]
        match self.detail["type"]:
            case "literal_error":
                return self._near()
            case "string_type" if isinstance(given, bool | int | float):
                return _text(given, self.written(self.at))
            case "string_type" if isinstance(given, list) and len(given) == 1 and isinstance(given[0], str):
                return given[0]
            case "dict_type" if isinstance(given, list) and given and all("=" in str(item) for item in given):
                return dict(str(item).split("=", 1) for item in given)
            case "int_type" if isinstance(given, str) and re.fullmatch(r"[0-9]{1,10}", given):
                return int(given)
            case "bool_type" if isinstance(given, str):
                return TRUTHS.get(given.lower())
            case "float_type" if isinstance(given, str) and re.fullmatch(r"[0-9]*\.?[0-9]+", given):
                return float(given)
            case "tuple_type" if isinstance(given, str) and re.fullmatch(r"[-\w./=:@, ]*\w[-\w./=:@, ]*", given):
                return re.split(r"[, ]+", given.strip(", "))
            case "tuple_type" if given and isinstance(given, str | int | float | dict):
                return [given]
            case "string_pattern_mismatch" if not self._of_a_key:
                return _in_form(given, self.detail["ctx"]["pattern"])
            case "model_type" if given is True and self._is_switch():
                return {}
            case "model_type" if isinstance(given, str) and given and len(self._required()) == 1:
                return {self._required()[0]: given}
            case "string_too_long" if not self._of_a_key:
                return given[: self.detail["ctx"]["max_length"]]
        return None

    def _required(self) -> list[str]:
        """The keys without which the section at the place is none."""
        return [key for key in keys_of(self.at) if is_required((*self.at, key))]

    def _is_switch(self) -> bool:
        """Whether the place is a section that turns something on by being there, and needs no key."""
        section, field = section_at(self.at), field_of(section_at(self.at[:-1]), str(self.at[-1]))
        keys = getattr(section, "model_fields", {}).values()
        return field is not None and field.default is None and not any(key.is_required() for key in keys)

    def _near(self) -> str | None:
        """The key or the word that was probably meant."""
        if self.detail["type"] == "literal_error":
            return closest(str(self.detail["input"]), self._choices())
        return closest(str(self.at[-1]), keys_of(self.at[:-1]))

    def _choices(self) -> list[str]:
        return re.findall(r"'([^']*)'", self.detail["ctx"]["expected"])

    def problem(self) -> Problem:
        """The problem: what is wrong, why, and the fix."""
        what, why, fix = self._words()
        return SPEC.problem(at=self.at, what=what, why=why, fix=fix)

    def _words(self) -> tuple[str, str, str]:
        kind, given, context = self.detail["type"], self.detail["input"], self.detail.get("ctx", {})
        match kind:
            case "extra_forbidden":
                return "unknown key", "a misspelt key would silently mean its default", self._key_that_was_meant()
            case "missing":
                last = str(self.at[-1])
                one = f"`{last}: …`, such as `{scalar(self._example())}`" if self._example() else f"`{last}: …`"
                other = ", or, for nodes on which other stacks serve, a `cluster.provider` that makes them"
                fix = f"add {EXAMPLES.get(last, one)}{other if context.get('cluster') else ''}"
                return "it is missing", "nothing can be derived without it", fix
            case "model_type" | "model_attributes_type" | "dict_type":
                if self.at == ("serving", "hfToken"):  # a name is short for a map
                    return self._is(), "it has to be the name of a Secret", "write something like `llm-d-hf-token`"
                if self._is_switch() and isinstance(given, bool):
                    return self._is(), "it has to be a map", "write `{}`" if given else BY_DEFAULT
                if meant := self._meant():
                    items = ", ".join(f"{key}: {_flow(value)}" for key, value in meant.items())
                    return self._is(), "it has to be a map", f"write `{{{items}}}`"
                if self.at == ("serving",):
                    return self._is(), "it has to be a map", self._or_leave_out(f"write {EXAMPLES['serving']}")
                required = ", ".join(f"{key}: …" for key in self._required())
                pairs = f"write `{{{required}}}`" if required else "write `key: value` pairs under it"
                return self._is(), "it has to be a map", self._or_leave_out(pairs)
            case "tuple_type":
                items = ", ".join(map(_flow, self._meant() or ()))
                fix = f"write `[{items}]`" if items else self._or_leave_out("write `- …` lines under it")
                return self._is(), "it has to be a list", fix
            case "int_type" | "int_from_float":
                fix = f"write one, such as {max([2, *constraints(self.at, 'ge')])}"
                return self._cannot(), "it has to be a whole number", self._without_quotes() or fix
            case "bool_type":
                word = TRUTHS.get(str(given).lower())
                fix = "write `true` or `false`" if word is None else f"write `{_spelt(word)}`"
                return self._cannot(), "it has to be true or false", self._without_quotes() or fix
            case "float_type" | "float_parsing":
                return self._cannot(), "it has to be a number", self._without_quotes() or "write one, such as 0.05"
            case "string_type":
                if str(self.at[-1]) in EXAMPLES:
                    return self._cannot(), "it has to be text", f"write {EXAMPLES[str(self.at[-1])]}"
                if isinstance(given, list) and self._meant():
                    return self._is(), "it has to be text", f"write `{_flow(self._meant())}`"
                if isinstance(given, bool | int | float):
                    quoted = json.dumps(_text(given, self.written(self.at)), ensure_ascii=False)
                    return self._cannot(), "it has to be text", f"quote it: {quoted}"
                example = self._example()
                fix = f"write something like `{scalar(example)}`" if example else "write a word"
                return self._cannot(), "it has to be text", self._or_leave_out(fix)
            case "scalar_type":
                return self._cannot(), self.detail["msg"], "write one such value"
            case "greater_than_equal":
                least = context["ge"]
                if self.at == ("cluster", "nodes"):  # without a default where they are the stack's to make
                    why, fix = "the model servers have to run somewhere", "write how many, such as `nodes: 2`"
                    return self._cannot(), why, fix
                return self._cannot(), f"it has to be at least {least}", self._or_leave_out(f"write {least} or more")
            case "less_than_equal":
                return self._cannot(), f"it can be {context['le']} at most", "write the number you meant"
            case "literal_error":
                fix = f"did you mean `{self._near()}`?" if self._near() else "write one of these"
                return self._cannot(), f"it has to be {_any_of(self._choices())}", fix
            case "string_too_short" | "too_short":
                return "it is empty", "an empty value means nothing", self._instead_of_nothing()
            case "string_too_long":
                most = context["max_length"]
                what = f"{self._cannot()} ({len(given)} characters)"
                return what, f"it can have {most} at most", f"shorten it to {most} characters"
            case "string_pattern_mismatch":
                form, example = FORMS[context["pattern"]]
                unit = UNITS.get(context["pattern"]) if re.fullmatch(r"[0-9.]+", given) else None
                near = _in_form(given, context["pattern"])
                fix = f"write `{scalar(near)}`" if near else f"write something like `{scalar(example)}`"
                return self._cannot(), f"it has to be {form}", f"write a unit: `{given}{unit}`" if unit else fix
            case "token_in_clear":
                why = "every reader of the file, or of its history, has it"
                fix = (
                    f"revoke it, and give a new one by `pulumi config set --secret --path '{PROJECT}:serving.hfToken'`"
                )
                return self.detail["msg"], why, fix
        return self._cannot(), self.detail["msg"].lower(), "write another value"

    def _is(self) -> str:
        return f"it is {_kind(self.detail['input'])}"

    def _cannot(self) -> str:
        given = self.detail["input"]
        if given is None or isinstance(given, list | dict):
            return self._is()
        text = given if isinstance(given, str) else _text(given, self.written(self.at))
        key = "key " if self._of_a_key else ""
        return f"{key}`{text if len(text) <= MOST_SHOWN else f'{text[: MOST_SHOWN - 3]}…'}` cannot be used"

    def _key_that_was_meant(self) -> str:
        there: Any = self.config
        for step in self.at[:-1]:
            there = there[step]
        near = self._near()
        if near is None:
            return f"leave it out; the keys here are {', '.join(keys_of(self.at[:-1]))}"
        return f"leave it out: `{near}` is there already" if near in there else f"did you mean `{near}`?"

    def _without_quotes(self) -> str:
        """The fix for a text that is a number or a truth but for its quotes."""
        given = self.detail["input"]
        bare = isinstance(given, str) and self._meant() is not None
        return f"take the quotes off: {given}" if bare and str(given).lower() not in ("yes", "no", "on", "off") else ""

    def _or_leave_out(self, fix: str) -> str:
        out = self._out()
        return f"{fix}, or {out}" if out else fix

    def _instead_of_nothing(self) -> str:
        """The fix for an empty value: the default, or an example where there is none."""
        if out := self._out():
            return out
        one = f"something like `{scalar(self._example())}`" if self._example() else "one"
        return f"write {EXAMPLES.get(str(self.at[-1]), one)}"

    def _out(self) -> str:
        """Leaves the place out, if something has a default there; "" if it is required."""
        if isinstance(self.at[-1], int):
            return "take the item out"
        # A platform stack has no `serving`, and says so by its provider.
        if is_required(self.at) or self.at == ("serving",):
            return ""
        return BY_DEFAULT if has_default(self.at) else "leave it out"

    def _example(self) -> str:
        """A value of the field's form; "" if it has no form but text."""
        return next((FORMS[pattern][1] for pattern in constraints(self.at, "pattern") if pattern in FORMS), "")


def _any_of(words: Sequence[str]) -> str:
    *others, last = words
    return f"{', '.join(others)} or {last}" if others else last


def _in_form(given: str, pattern: str) -> str | None:
    """The text in the form of a pattern, if it is only spelt in another way: blanks in an amount, case, an address's scheme."""
    text = re.sub(r"^https?://(huggingface\.co/)?", "", given.strip()).lstrip("-")
    dashed = text.lower().replace("_", "-")
    ways = (given.replace(" ", ""),) if pattern in UNITS else (text, text.lower(), text.upper(), dashed)
    return next((way for way in ways if way != given and len(way) <= MOST_SHOWN and re.fullmatch(pattern, way)), None)


def _text(given: Any, written: str | None) -> str:
    """A value that is no text as text: as the file has it, else as YAML spells it (`true`, not `True`)."""
    return written if written is not None else _spelt(given)


def _spelt(given: Any) -> str:
    return json.dumps(given)


def _flow(given: Any) -> str:
    """A value as it stands between brackets."""
    return scalar(given) if isinstance(given, str) else json.dumps(given, ensure_ascii=False)


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
