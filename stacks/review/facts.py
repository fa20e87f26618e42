"""Facts of two bills that no rendered object shows: whether their pods can be paired, metrics, behaviour, CRDs."""

from collections.abc import Iterator, Mapping
from typing import Any

from hardware.bill import Bill
from stacks.blueprint import ServingBlueprint
from stacks.review.change import Change, Kind, became
from stacks.review.model_servers import ENGINE, flags, images
from stacks.review.serving import deployments, replaced_servers
from stacks.review.trees import added_and_gone, by_name

Object = Mapping[str, Any]

#: Flags of vLLM and SGLang that decide the form of a KV block, or how it travels.
KV_FLAGS = (
    "--kv-transfer-config", "--block-size", "--page-size", "--kv-cache-dtype", "--dtype", "--quantization",
    "--disaggregation-transfer-backend", "--disaggregation-mode", "--max-model-len",
)  # fmt: skip

#: The additional problem if the Deployments are not replaced.
MIXING = "an `up` in place mixes them while it rolls, and requests fail meanwhile, so deploy the new release beside the old: "

#: Texts for the metrics of an engine, by the names of `EngineMetrics`.
COUNTED = {
    "requests": "the engine's requests",
    "prompt_tokens": "the engine's prompt tokens",
    "generation_tokens": "the engine's generated tokens",
    "external_hits": "KV cache that came from elsewhere",
    "kv_bytes": "the bytes of KV cache that came",
    "kv_failures": "KV transfers that failed",
}


def kv_cache(before: ServingBlueprint, after: ServingBlueprint) -> Iterator[Change]:
    """Yields a change if prefill pods of one release and decode pods of the other cannot be trusted to serve together."""
    words = before.bill.kv_compatibility, after.bill.kv_compatibility
    old, new = deployments(before.model_server), deployments(after.model_server)
    parts = list(dict.fromkeys(part for role in old if role in new for part in _kv_parts(old[role], new[role])))
    if not parts or (words[0] and words[0] == words[1]):
        return
    vllm = after.workload.hardware.build.engine.key == "vllm"
    known = "vLLM's NIXL connector refuses a peer of another version" if vllm else "nobody has shown that the two fit"
    mixing = "" if replaced_servers(before, after) else MIXING
    yield Change(
        Kind.BREAKS, "KV cache", what="do not count on prefill and decode pods of the two releases to exchange it",
        why=f"their {' and '.join(parts)} differ ({known}), and the router pairs any prefill pod with any decode pod of its pool",
        fix=f"{mixing}never let both serve in one pool: a stack beside needs a `name` and a `namespace` of its own",
    )  # fmt: skip


def _kv_parts(before: Object, after: Object) -> Iterator[str]:
    if images(before).get(ENGINE) != images(after).get(ENGINE):
        yield "engine images"
    old, new = _engine_flags(before), _engine_flags(after)
    yield from (f"`{name}`" for name in KV_FLAGS if old.get(name) != new.get(name))


def _engine_flags(deployment: Object) -> dict[str, str]:
    containers = by_name(deployment["spec"]["template"]["spec"]["containers"])
    return flags(containers[ENGINE].get("args", ()))


def metrics(before: ServingBlueprint, after: ServingBlueprint) -> Iterator[Change]:
    """Yields the metrics that have another name after the move."""
    engine, still = after.workload.hardware.build.engine.key, after.bill.metrics.still
    for counted, was, now in added_and_gone(*(_names(plan.bill, engine) for plan in (before, after))):
        if not was:
            continue
        subject, what = f"metric of {counted}", became(was, now or "")
        if was in still:
            yield Change(
                Kind.CHANGES, subject, what=what,
                why=f"it is renamed; {after.bill.name} still exposes the old name, with the same values",
                fix="move dashboards and alerts to the new name before the old one goes, and never sum the two",
            )  # fmt: skip
        else:
            fix = "ask for the new name" if now else "take it out of them"
            why = "dashboards and alerts that ask for the old name see nothing any more, without an error"
            yield Change(Kind.BREAKS, subject, what=what, why=why, fix=fix)


def _names(bill: Bill, engine: str) -> dict[str, str]:
    of_engine = vars(bill.metrics.engines[engine]) if engine in bill.metrics.engines else {}
    counted = {COUNTED.get(key, key): name or "" for key, name in of_engine.items()}
    return {"the router's P/D decisions": bill.metrics.decisions} | counted


def behaviour(before: Bill, after: Bill) -> Iterator[Change]:
    """Yields the differences in the response to the same request or failure."""
    for subject, now in after.behaviour.items():
        was = before.behaviour.get(subject)
        if was is not None and was != now:
            yield Change(Kind.BREAKS, subject, f"{now}; until now {was}")


def crd_changes(before: ServingBlueprint, after: ServingBlueprint) -> Iterator[Change]:
    """Yields the files of CRDs that are added, removed or changed. CRDs of another owner have to exist before the move."""
    ours = after.spec.crds.manage
    old, new = (
        {crd.file: crd.sha256 for crd in (plan.crd_files if ours else plan.bill.crds)} for plan in (before, after)
    )
    for file, *_ in added_and_gone(old, new):
        subject, form = f"CRD {file}", "{} in another version" if file in old and file in new else "{} too"
        if file not in new:
            what = "not installed any more; it stays in the cluster" if ours else "not needed any more"
            yield Change(Kind.CHANGES, subject, what)
        elif ours:
            yield Change(Kind.CHANGES, subject, form.format("installed"))
        else:
            why, fix = "the cluster's owner installs the CRDs", "have it in the cluster before the move"
            yield Change(Kind.BREAKS, subject, what=form.format("needed"), why=why, fix=fix)
