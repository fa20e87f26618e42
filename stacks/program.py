"""The running Pulumi program: reads its configuration, asks the rules and the cluster, composes, and reports errors."""

import json
import sys
from pathlib import Path
from typing import Any

import pulumi
from pulumi.runtime import config as runtime_config

from releases.files import SourceError
from stacks.clouds.cloud import ByHand, Follows
from stacks.compose import compose
from stacks.compose_cluster import compose_alone
from stacks.exits import SHOWN
from stacks.file.load import judged
from stacks.findings import PROJECT, Outcome, Problem, StackFileError, UnknownError
from stacks.kube.answering import answering
from stacks.kube.live import LiveCluster
from stacks.kube.repair import repair_helm_records
from stacks.outputs import full_name, keep, previous, referred
from stacks.rules.facts import Facts
from stacks.rules.live import Found, found_in
from stacks.rules.sdk import need_sdk
from stacks.rules.table import Examined, ask_again
from stacks.rules.token import SECRET_02
from stacks.spec.cluster import OF_A_STACK


def main(base: Path) -> None:
    """Runs `run` as the whole program. Logs a refusal itself, because the language host would add its own text.

    Raises:
        SystemExit: the stack is refused; the reason was logged.
    """
    try:
        run(base)
    except pulumi.RunError as error:
        pulumi.log.error(str(error))
        sys.exit(SHOWN)


def run(base: Path) -> None:
    """Composes the stack that the engine runs. Relative paths in the stack file start at `base`.

    Raises:
        pulumi.RunError: the stack is refused; the message holds all that a user needs.
    """
    try:
        owner = f"{pulumi.get_organization()}/{pulumi.get_project()}/{pulumi.get_stack()}"
        config, hf_token = sealed(_configuration())
        found = judged(config, base)
        spec = found.facts.spec
        need_sdk(spec.cluster)
        if spec.cluster.provider == OF_A_STACK:
            name = full_name(spec, pulumi.get_organization(), pulumi.get_project())
            found = referred(found, name)
            pulumi.StackReference("platform", name)  # for readers of the state: the platform stack
        _point_out(found)
        _apply(found, owner, hf_token)
    except (StackFileError, SourceError, UnknownError) as error:
        raise pulumi.RunError(str(error)) from error


def _apply(found: Examined, owner: str, hf_token: pulumi.Output[str] | None) -> None:
    facts = found.facts
    planned = facts.blueprint
    found = check_change(found, facts, owner)
    keep(planned)
    if isinstance(access := planned.cluster.reached_by, ByHand):
        compose_alone(planned, access)
        return
    state = check_live_cluster(found, facts, owner)
    if planned.serving is not None and not pulumi.runtime.is_dry_run():
        repair_helm_records(planned.spec.cluster.at, state.revisions)
    if planned.request is not None:
        planned.cloud.watch(planned.request, planned.cluster)
    compose(planned, owner, preinstalled=state.preinstalled, established=state.established, hf_token=hf_token)


def check_change(before: Examined, facts: Facts, owner: str) -> Examined:
    """Asks the rules that wait for the stack as its last run left it.

    Raises:
        StackFileError: a rule objects to the change, or the project is not ready for a new cluster.
    """
    last = previous(owner)
    return before if last is None else _ask(before, facts.also(previous=last))


def check_live_cluster(before: Examined, facts: Facts, owner: str) -> Found:
    """Asks the rules that wait for the live cluster, and returns its state.

    A cluster that cannot be reached fails an `up`; a preview goes on with a warning, because a preview in CI may have no access.

    Raises:
        StackFileError: a rule objects, or the cluster cannot be reached.
    """
    plan, at = facts.blueprint.cluster, facts.spec.cluster.at
    if isinstance(plan.reached_by, Follows):
        # The cluster is the stack's own: before it is made nothing can be asked, and afterwards nobody else is expected.
        return Found((), plan.brought_crds)
    with answering(at):
        facts = facts.also(live=LiveCluster(at, owner))
        _ask(before, facts)
        return found_in(facts)
    return Found()


def _ask(before: Examined, facts: Facts) -> Examined:
    """Asks the rules that wait for these facts, and logs what they find.

    Raises:
        StackFileError: a rule objects.
    """
    found = ask_again(before, facts)
    _point_out(found)
    if found.errors:
        raise StackFileError(found.errors)
    return found


def _point_out(found: Outcome) -> None:
    for warning in found.warnings:
        pulumi.log.warn(str(warning))
    for suppressed in found.suppressed:
        pulumi.log.info(f"Suppressed: {suppressed}")


def _configuration() -> dict[str, Any]:
    """Returns the project's keys as written; text stays text even if JSON would read it as a number."""
    prefix = f"{PROJECT}:"
    found = {
        key.removeprefix(prefix): value for key, value in runtime_config.CONFIG.get().items() if key.startswith(prefix)
    }
    return {key: _structured(value) for key, value in found.items()}


def sealed(config: dict[str, Any]) -> tuple[dict[str, Any], pulumi.Output[str] | None]:
    """Returns the configuration without the one secret that it may hold, and that secret: no other code sees it.

    The engine passes a decrypted value as text inside its section and marks the whole section as secret.

    Raises:
        StackFileError: another value is encrypted. Everything except the token ends up in places where it can be read.
    """
    secret = [key for key in config if runtime_config.is_config_secret(f"{PROJECT}:{key}")]
    serving = config.get("serving")
    stated = serving.get("hfToken") if isinstance(serving, dict) else None
    # A value set under the key's full path, `serving.hfToken.secure`, is written by the CLI as one `secure` inside another.
    token = stated.get("secure") if isinstance(stated, dict) else stated
    wrong = [key for key in secret if key != "serving" or not isinstance(token, str)]
    if wrong:
        raise StackFileError([_encrypted(key) for key in wrong])
    if not secret or not isinstance(serving, dict):
        return config, None
    others = stated if isinstance(stated, dict) else {}
    return {**config, "serving": {**serving, "hfToken": {**others, "secure": SEALED}}}, pulumi.Output.secret(token)


def _encrypted(key: str) -> Problem:
    return SECRET_02.problem(
        at=(key,), what="it holds an encrypted value that is not `serving.hfToken`",
        why="everything else of a stack file ends up in objects and in the state, in clear",
        fix="write it in clear, or keep it in a Secret of the cluster",
    )  # fmt: skip


#: Stands for the secret in the configuration that the rest of the program reads.
SEALED = "[secret]"


def _structured(value: str) -> Any:
    try:
        parsed = json.loads(value)
    except ValueError:
        return value
    return parsed if isinstance(parsed, dict | list) else value
