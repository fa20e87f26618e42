"""The look before a CKS cluster of the stack's own is made or changed: at its last plan, and where its context leads."""

from pathlib import Path
from typing import Any

import pytest

from stacks.clouds.changes import fingerprint
from stacks.clouds.cloud import Previous
from stacks.clouds.coreweave.pools import API
from stacks.clouds.coreweave.replaces import CKS
from stacks.clouds.coreweave.rules import RULES as ROWS
from stacks.clouds.outputs import NEXT, PLANNED
from stacks.clouds.rules import IMM
from stacks.findings import run
from stacks.rules.facts import Facts
from stacks.spec.stack import StackSpec
from tests.cks_plans import planned, stack
from tests.unit.api_server import OWNER, ApiServer, kubeconfig

ALONE = {"context": None}
RULES = (IMM, *ROWS)


def kept(before: StackSpec, **more: Any) -> dict[str, Any]:
    """Outputs of a stack that was planned so."""
    return {PLANNED: fingerprint(planned(before).resources, CKS), **more}


def look(outputs: dict[str, Any], after: StackSpec) -> list[str]:
    """The problems, as text."""
    previous = Previous(OWNER, outputs, outputs.get(PLANNED) or {})
    return [str(problem) for problem in run(RULES, Facts(after, planned=True, previous=previous)).errors]


LIVED_IN = {"context": "cw"}


@pytest.mark.parametrize("outputs", [{}, kept(stack(), **{NEXT: {}})])
def test_the_first_step_is_fine_and_again(outputs: dict[str, Any]) -> None:
    assert look(outputs, stack(cluster=ALONE)) == []


def test_a_stack_that_is_as_it_was_is_fine_and_nobody_else_is_asked() -> None:
    assert look(kept(stack()), stack(cluster=LIVED_IN)) == []


@pytest.mark.parametrize(
    ("cks", "begins"),
    [
        ({"zone": "US-EAST-08A"}, ["zone: zone of VPC pd-disaggregation-vpc", "zone: zone of CKS cluster pd-disaggregation-cl"]),
        ({"vpc": {"name": "other"}}, ["vpc.name: name of VPC pd-disaggregation-vpc"]),
        ({"vpc": {"hosts": "10.16.192.0/18"}}, ["vpc.hosts: host_prefixes of VPC"]),
        ({"vpc": {"pods": "10.8.0.0/13"}}, ["vpc: vpc_prefixes of VPC pd-disaggregation-vpc would lose a range or move one"]),
        ({"version": "v1.37"}, ["version: CKS cluster pd-disaggregation-cluster is v1.35, and would become v1.37"]),
        ({"version": "v1.36"}, []),
    ],
)  # fmt: skip
def test_a_change_is_refused_by_its_key(cks: dict[str, Any], begins: list[str]) -> None:
    found = look(kept(stack()), stack(cks, LIVED_IN))
    assert len(found) == len(begins)
    for text, begin in zip(found, begins, strict=True):
        assert text.startswith(f"llmd-pd:cluster.coreweave.cluster.{begin}")


def test_unprotected_it_may_be_replaced_but_no_range_moves() -> None:
    free = {**LIVED_IN, "protect": False}
    assert look(kept(stack()), stack({"zone": "US-EAST-08A"}, free)) == []
    assert len(look(kept(stack()), stack({"vpc": {"services": "10.17.0.0/22"}}, free))) == 1


def test_a_context_that_is_gone_would_take_everything_with_it() -> None:
    (text,) = look(kept(stack(), namespace="a"), stack(cluster=ALONE))
    assert text.startswith(
        "llmd-pd:cluster.context: `context` was removed, because this would delete all that the stack has"
    )
    assert "(CW-15)" in text


# --- where the context leads ---------------------------------------------------------------------------------------------


def pools(*holders: str | None) -> dict[str, Any]:
    rows = [{"metadata": {"name": f"p{at}", "annotations": {"llmd-pd/stack": one}}} for at, one in enumerate(holders)]
    return {API: (200, {"items": rows})}


def reaching(server: ApiServer, directory: Path) -> dict[str, Any]:
    return {"kubeconfig": str(kubeconfig(directory / "kubeconfig", server.url)), "context": "prod"}


@pytest.mark.parametrize(
    ("holders", "endpoint", "words"),
    [
        ((), None, ""),
        ((OWNER,), None, ""),
        ((OWNER, "acme/llmd-pd/dev"), None, "with NodePool p1, because CKS cluster pd-disaggregation is not made"),
        (("acme/llmd-pd/dev",), "https://x.k8s.us-east-02a.coreweave.com", "answers at https://x.k8s.us-east-02a.coreweave.com"),
        ((), "https://x.k8s.us-east-02a.coreweave.com", ""),
        (("acme/llmd-pd/dev",), "its own", ""),
    ],
)  # fmt: skip
def test_a_context_that_leads_to_another_cluster(
    holders: tuple[str, ...], endpoint: str | None, words: str, server: ApiServer, tmp_path: Path
) -> None:  # fmt: skip
    server.answers = pools(*holders)
    made = server.url.removeprefix("http://") if endpoint == "its own" else endpoint
    outputs = kept(stack(), **{NEXT: {"endpoint": made}}) if made else {}
    found = look(outputs, stack(cluster=reaching(server, tmp_path)))
    assert len(found) == bool(words)
    for text in found:
        assert text.startswith("llmd-pd:cluster.context: context `prod` leads to")
        assert words in text


def test_a_context_that_is_named_too_early(tmp_path: Path) -> None:
    nowhere = {"kubeconfig": str(kubeconfig(tmp_path / "kubeconfig", "http://127.0.0.1:1")), "context": "cw"}
    (text,) = look({}, stack(cluster=nowhere))
    assert (
        "context `cw` leads nowhere, because CKS cluster pd-disaggregation is not made yet; leave `context` out until"
        in text
    )
    # Once the cluster is made, that it does not answer is said by the look into it.
    assert look(kept(stack(), **{NEXT: {"endpoint": "a"}}), stack(cluster=nowhere)) == []
