"""A monitor that records what a program registers, and runs a stack against it: no engine, no cluster.

The SDK's mocks tell inputs and provider; parent, dependencies, retention and timeouts are in the requests, so those are kept.
Everything is read after the program returned and every registration was answered.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import pulumi
from pulumi.runtime import mocks, rpc, settings

ORGANIZATION, PROJECT, STACK = "acme", "llmd-pd", "prod"
OWNER = f"{ORGANIZATION}/{PROJECT}/{STACK}"
SERVICE_ADDRESS = "10.96.0.17"
RELEASE = "kubernetes:helm.sh/v3:Release"
SERVICE = "kubernetes:core/v1:Service"
GATEWAY = "kubernetes:gateway.networking.k8s.io/v1:Gateway"
PROVIDER = "pulumi:providers:kubernetes"
READ = "pulumi:pulumi:readStackOutputs"
LISTENER = {"name": "default", "port": 80, "protocol": "HTTP", "allowedRoutes": {"namespaces": {"from": "All"}}}


@dataclass(frozen=True)
class Registration:
    """One resource as the engine is told of it. `parent` and `provider` are logical names, `after` too: all it depends on."""

    type: str
    name: str
    inputs: Mapping[str, Any]
    parent: str
    provider: str
    after: frozenset[str]
    retained: bool
    protected: bool
    imported: str
    ignored: tuple[str, ...]
    create_timeout: str
    update_timeout: str
    delete_timeout: str
    trigger: str
    deleted_first: bool
    replaced_on: tuple[str, ...]
    secret_outputs: tuple[str, ...]
    read: bool


@dataclass
class Recording:
    """The resources that a program registered, in order, its exports, and the full names of stacks whose outputs it read."""

    resources: list[Registration] = field(default_factory=list)
    exports: dict[str, Any] = field(default_factory=dict)
    reads: list[str] = field(default_factory=list)

    def of(self, kind: str) -> list[Registration]:
        """Registrations whose type ends so (`:Deployment`)."""
        return [resource for resource in self.resources if resource.type.endswith(kind)]

    def one(self, kind: str) -> Registration:
        """The only registration of that type."""
        (found,) = self.of(kind)
        return found

    def under(self, component: str) -> list[Registration]:
        """The children of a component, by its type."""
        names = {resource.name for resource in self.resources if resource.type == f"llmd-pd:index:{component}"}
        return [resource for resource in self.resources if resource.parent in names]

    def before(self, resource: Registration) -> set[str]:
        """The names of all resources that exist before a resource, and are deleted after it on destroy."""
        after = {other.name: other.after for other in self.resources if other.after}
        found: set[str] = set()
        waiting = {*resource.after}
        while waiting:
            name = waiting.pop()
            found.add(name)
            waiting |= after.get(name, frozenset()) - found
        return found


class _Cluster(mocks.Mocks):
    """Gives every resource what it asked for, and those a status that the program reads."""

    def __init__(
        self,
        addresses: Sequence[str] | None,
        listeners: Sequence[Mapping[str, Any]],
        computed: Mapping[str, Mapping[str, Any]],
        outputs: Mapping[str, Any],
        reads: list[str],
    ) -> None:
        self.addresses = addresses
        self.listeners = listeners
        self.computed = computed
        self.outputs = outputs
        self.reads = reads

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        state = {**args.inputs, **self.computed.get(args.typ, {})}
        if args.typ == RELEASE:
            state["status"] = {"name": state["name"], "namespace": state["namespace"]}
        if args.typ == SERVICE:
            assert args.resource_id
            state = {
                "metadata": {"name": args.resource_id.split("/")[1]},
                "spec": {"clusterIP": SERVICE_ADDRESS},
            }
        if args.typ == GATEWAY and args.resource_id:
            state["spec"] = {"listeners": [*self.listeners]}
        if args.typ == GATEWAY and self.addresses is not None:
            state["status"] = {"addresses": [{"value": address} for address in self.addresses]}
        return args.resource_id or f"{args.name}-id", state

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
        assert args.token == READ, f"the program calls {args.token}"
        assert args.args == {"name": OWNER}
        self.reads.append(args.args["name"])
        return {"outputs": {**self.outputs}}, []


class _Monitor(mocks.MockMonitor):
    def __init__(self, recording: Recording, slow: str, cluster: _Cluster) -> None:
        super().__init__(cluster)
        self.recording = recording
        self.slow = slow
        self.names: dict[str, str] = {}

    def RegisterResource(self, request: Any) -> Any:
        if self.slow and request.type.endswith(self.slow):
            time.sleep(0.1)
        answer = super().RegisterResource(request)
        self._record(request, answer.urn, rpc.deserialize_properties(request.object))
        return answer

    def ReadResource(self, request: Any) -> Any:
        answer = super().ReadResource(request)
        inputs = {**rpc.deserialize_properties(request.properties), "id": request.id}
        self._record(request, answer.urn, inputs, read=True)
        return answer

    def _record(self, request: Any, urn: str, inputs: Mapping[str, Any], read: bool = False) -> None:
        self.names[urn] = request.name
        timeouts = getattr(request, "customTimeouts", None)
        properties = getattr(request, "propertyDependencies", {})
        depends = {*request.dependencies, *(urn for value in properties.values() for urn in value.urns)}
        self.recording.resources.append(
            Registration(
                type=request.type,
                name=request.name,
                inputs=inputs,
                parent=self._name(request.parent),
                provider=self._name(request.provider.rpartition("::")[0]),
                after=frozenset(map(self._name, depends)),
                retained=bool(getattr(request, "retainOnDelete", False)),
                protected=bool(getattr(request, "protect", False)),
                imported=getattr(request, "importId", ""),
                ignored=tuple(getattr(request, "ignoreChanges", ())),
                create_timeout=timeouts.create if timeouts else "",
                update_timeout=timeouts.update if timeouts else "",
                delete_timeout=timeouts.delete if timeouts else "",
                trigger=request.replacement_trigger.string_value if hasattr(request, "replacement_trigger") else "",
                deleted_first=bool(getattr(request, "deleteBeforeReplace", False)),
                replaced_on=tuple(getattr(request, "replaceOnChanges", ())),
                secret_outputs=tuple(getattr(request, "additionalSecretOutputs", ())),
                read=read,
            )
        )

    def _name(self, urn: str) -> str:
        return self.names.get(urn, "")


def record(
    program: Callable[[], None],
    *,
    preview: bool = False,
    slow: str = "",
    addresses: Sequence[str] | None = None,
    listeners: Sequence[Mapping[str, Any]] = (LISTENER,),
    computed: Mapping[str, Mapping[str, Any]] = MappingProxyType({}),
    outputs: Mapping[str, Any] = MappingProxyType({}),
) -> Recording:
    """Runs a program to its end, as the engine would, and tells what it registered and exported.

    Resources whose type ends in `slow` take 0.1 s each, so that a resource that does not wait for them overtakes them.
    `addresses` are those of every Gateway; None: it has no status. `listeners` are those of a shared Gateway. `computed` are
    outputs that a provider adds to a resource's inputs, by its type; `outputs` is what the stack itself exported last.
    """
    recording = Recording()
    monitor = _Monitor(recording, slow, _Cluster(addresses, listeners, computed, outputs, recording.reads))
    mocks.set_mocks(monitor.mocks, PROJECT, STACK, preview, monitor=monitor, organization=ORGANIZATION)
    stack = settings.get_root_resource()
    assert isinstance(stack, pulumi.runtime.stack.Stack)
    stack.outputs.clear()

    def whole() -> pulumi.Output[Any]:
        program()
        return pulumi.Output.from_input(stack.outputs).apply(recording.exports.update)

    mocks.test(whole)()
    return recording
