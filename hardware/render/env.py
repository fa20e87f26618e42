"""A model server's environment: its sources in order, and its variables as Kubernetes writes them.

The order is upstream's. A later source may override an earlier one; the variable keeps its place.
"""

from typing import Any

from hardware.render.workload import Workload
from hardware.vocabulary import HF_TOKEN, EnvValue, FieldRef, Role


def environment(workload: Workload, role: Role) -> dict[str, EnvValue]:
    """Returns the variables of one role's container, in order."""
    build, fabric = workload.hardware.build, workload.hardware.fabric
    bill, key, backend = workload.bill, workload.build_key, build.engine.nixl_backend_env
    in_front = ({backend: fabric.nixl_backend} if backend and fabric.nixl_backend else {}) | dict(fabric.env_first)
    return (
        in_front
        | bill.added_env(key, role, first=True)
        | dict(build.env)
        | bill.added_env(key, role, first=False)
        | in_front  # again, for its values: the fabric overrides the build, and its variables stay in front
        | dict(fabric.env)
        | ({HF_TOKEN: workload.hf_token} if workload.hf_token else {})
        | dict(workload.env)
    )


def env_var(name: str, value: EnvValue) -> dict[str, Any]:
    """Returns one variable of a container."""
    if isinstance(value, str):
        return {"name": name, "value": value}
    if isinstance(value, FieldRef):
        return {"name": name, "valueFrom": {"fieldRef": {"fieldPath": value.path}}}
    secret: dict[str, Any] = {"name": value.name, "key": value.key}
    if value.optional is not None:
        secret["optional"] = value.optional
    return {"name": name, "valueFrom": {"secretKeyRef": secret}}
