"""docs/stack-files.md says what the code says: every key and default, every rule and combination. Examples of all pages pass."""

import re
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from hardware.accelerators import ACCELERATORS
from hardware.machines import machine_for
from releases import RELEASES
from stacks.clouds.gke.readiness import NEEDED, enable
from stacks.clouds.gke.versions import offers_command
from stacks.clouds.registry import CLOUDS
from stacks.file.load import load
from stacks.findings import ERROR, PROJECT, WARNING
from stacks.rules.table import rules
from stacks.spec.cluster import Cluster
from stacks.spec.stack import StackSpec
from tests.blueprints import read
from tests.docs import written
from tests.shipped import fill

DOCS = Path(__file__).parents[2] / "docs"
TEXT = (DOCS / "stack-files.md").read_text()
ROWS = [line for line in TEXT.splitlines() if line.startswith("| ")]
#: Whole stack files among the examples of each page that has some.
EXAMPLES = {
    path.name: found
    for path in sorted(DOCS.glob("*.md"))
    if (found := re.findall(r"```yaml\n(config:.*?)```", path.read_text(), re.DOTALL))
}


def section_of(annotation: Any) -> type[BaseModel] | None:
    options = typing.get_args(annotation) or (annotation,)
    return next((option for option in options if isinstance(option, type) and issubclass(option, BaseModel)), None)


def keys(section: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every key that holds a value, with its default (None: nothing, or the recipe's)."""
    for field in section.model_fields.values():
        path = f"{prefix}{field.alias}"
        below = section_of(field.annotation)
        if below is not None:
            yield from keys(below, f"{path}.")
        else:
            yield path, "required" if field.is_required() else field.get_default(call_default_factory=True)
    if section is Cluster:
        for cloud in CLOUDS.values():
            if cloud.section_type is not None:
                yield from keys(cloud.section_type, f"{prefix}{cloud.key}.")


@pytest.mark.parametrize(("key", "default"), [*keys(StackSpec)], ids=lambda value: str(value))
def test_every_key_has_a_row_with_its_default(key: str, default: Any) -> None:
    (row,) = [row for row in ROWS if f"`{key}`" in row.split("|")[1]]
    spelled = {True: "`true`", False: "`false`"}.get(default) if isinstance(default, bool) else None
    if isinstance(default, tuple) and default:
        spelled = f"`[{', '.join(default)}]`"
    expected = spelled or ("required" if default == "required" else f"`{default}`" if default else "–")
    assert row.split("|")[2].strip() == expected


def test_no_row_is_of_a_key_that_is_gone() -> None:
    keyed = {key for key, _ in keys(StackSpec)}
    start = TEXT.index("## Keys")
    rows = [row for row in TEXT[start : TEXT.index("## What goes together")].splitlines() if row.startswith("| `")]
    assert {key for row in rows for key in re.findall(r"`([^`]+)`", row.split("|")[1])} == keyed


def test_the_tables_of_rules_are_current() -> None:
    """`make docs` writes them."""
    assert written(TEXT) == TEXT
    rows = re.findall(r"^\| ([A-Z]+(?:-\d+)?) \|", TEXT, re.MULTILINE)
    errors, warnings = ([rule.id for rule in rules() if rule.severity is each] for each in (ERROR, WARNING))
    assert rows == [*errors, *warnings]


@pytest.mark.parametrize("key", ACCELERATORS)
def test_what_goes_together(key: str) -> None:
    accelerator = ACCELERATORS[key]
    (row,) = [row for row in ROWS if row.startswith(f"| `{key}` |")]
    _, _, engines, fabrics, model, machines, absent, _ = row.split("|")
    assert re.findall(r"`(\S+)`", engines) == [build.engine.key for build in accelerator.builds]
    assert re.findall(r"`(\S+)`", fabrics) == [*accelerator.fabrics]
    assert model.strip() == accelerator.model
    assert re.findall(r"`(\S+)`", machines) == [machine_for(key, fabric).key for fabric in accelerator.fabrics]
    lacking = {(*key, name) for name, bill in RELEASES.items() for key in bill.lacks}
    documented = {(key, *found) for found in re.findall(r"(?:`([^`]+)`: )?`([^`]+)`", absent)}
    assert {tuple(filter(None, row)) for row in documented} == {row for row in lacking if row[0] == key}


def test_every_fabric_is_explained() -> None:
    section = TEXT[TEXT.index("| fabric |") : TEXT.index("## Rules")]
    rows = [row.split("|")[1] for row in section.splitlines() if row.startswith("| `")]
    explained = [fabric for row in rows for fabric in re.findall(r"`(\S+?)`", row)]
    assert sorted(explained) == sorted({fabric for found in ACCELERATORS.values() for fabric in found.fabrics})


@pytest.mark.parametrize(("page", "example"), [(page, text) for page, found in EXAMPLES.items() for text in found])
def test_examples_pass(page: str, example: str, tmp_path: Path) -> None:
    file = tmp_path / f"Pulumi.{page}.yaml"
    file.write_text(fill(example))
    load(file)


@pytest.mark.parametrize("page", ["gke.md", "platform-stacks.md"])
def test_examples_name_no_version_that_will_be_gone(page: str) -> None:
    clusters = [own(yaml.safe_load(text)["config"]).get("cluster", {}) for text in EXAMPLES[page]]
    stated = [cluster["gke"] for cluster in clusters if cluster.get("provider") == "gke"]
    assert stated
    assert {(gke["project"], gke["version"]) for gke in stated} == {("<your-project>", "<look-it-up>")}


def test_the_page_about_gke_says_the_commands_that_problems_name() -> None:
    page = (DOCS / "gke.md").read_text()
    assert offers_command("us-south1", "PROJECT") in page
    assert f"`{enable([*NEEDED, 'container'], 'PROJECT')}`" in page


@pytest.mark.parametrize(("page", "number"), [("stack-files.md", 2), ("gateways.md", 6)])
def test_there_are_examples(page: str, number: int) -> None:
    assert len(EXAMPLES[page]) == number


def test_two_stacks_on_one_gateway_agree_on_it() -> None:
    """The owner's namespace and name are what the guest says, and their routes do not meet."""
    owner, guest = (read(own(yaml.safe_load(text)["config"]))[1] for text in EXAMPLES["gateways.md"][-2:])
    assert owner is not None
    assert guest is not None
    theirs, ours = owner.router.gateway, guest.router.gateway
    assert theirs is not None
    assert ours is not None
    assert theirs.manage
    assert not ours.manage
    assert (ours.namespace, ours.name, ours.provider) == (owner.namespace, theirs.name, theirs.provider)
    assert ours.base_model != theirs.base_model
    assert (owner.name, owner.namespace) != (guest.name, guest.namespace)


def own(config: dict[str, Any]) -> dict[str, Any]:
    return {key.removeprefix(f"{PROJECT}:"): value for key, value in config.items()}


@pytest.mark.parametrize("page", sorted(DOCS.rglob("*.md")), ids=lambda path: path.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target, anchor in re.findall(r"\]\((?!https?:)([^)#\s]*)(?:#([^)]*))?\)", page.read_text()):
        found = (page.parent / target).resolve() if target else page
        assert found.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", found.read_text(), re.MULTILINE)
            slugs = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
            assert anchor in slugs, f"{target}#{anchor}"


def test_the_readme_links_every_page() -> None:
    readme = (DOCS.parent / "README.md").read_text()
    assert [path.name for path in sorted(DOCS.glob("*.md")) if f"(docs/{path.name})" not in readme] == []


def test_the_readme_lists_what_there_is() -> None:
    rows = [line.split("|") for line in (DOCS.parent / "README.md").read_text().splitlines() if line.startswith("| `")]
    listed = {
        re.findall(r"`(\S+)`", row[1])[0]: (re.findall(r"`(\S+)`", row[2]), re.findall(r"`(\S+)`", row[3]))
        for row in rows
        if not row[1].startswith(" `llmd-pd")
    }
    assert listed == {key: (one.engines, [*one.fabrics]) for key, one in ACCELERATORS.items()}
