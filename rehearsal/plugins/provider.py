"""The base of the resource provider stand-ins: the protocol's envelope around plain Python functions.

A provider subclasses `Provider`, and `Lifecycle` for each sort of resource: plain functions on dicts. Left out: components
(`Construct`), functions (`Invoke`, `Call`) and packages with parameters; a program that uses them gets an error.
"""
# ruff: noqa: ARG002 - the signatures are the protocol's

import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import wraps
from typing import Any

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage  # type: ignore[import-untyped]
from google.protobuf.empty_pb2 import Empty  # type: ignore[import-untyped]
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc, status_pb2

from rehearsal.plugins.plugin import Engine, Failure, InitFailure
from rehearsal.plugins.values import contains_unknown, to_python, to_struct

Properties = dict[str, Any]


@dataclass(frozen=True)
class Resource:
    """The resource of a request."""

    urn: str
    type: str
    name: str


@dataclass
class Changes:
    """The answer to a diff: the changes by property path, and whether the old object has to be deleted first."""

    updates: dict[str, str] = field(default_factory=dict)  # path -> ADD | DELETE | UPDATE
    replaces: set[str] = field(default_factory=set)  # those of `updates` that need a new object
    delete_first: bool = False

    def without(self, ignored: Collection[str]) -> "Changes":
        """Returns the changes without those at or below paths that the program ignores.

        The engine replaces inputs at these paths by old ones, but not differences that a provider finds in the state.
        """
        below = tuple(f"{path}{sign}" for path in ignored for sign in (".", "["))
        kept = {path: kind for path, kind in self.updates.items() if path not in ignored and not path.startswith(below)}
        return Changes(kept, self.replaces & kept.keys(), self.delete_first)


class Lifecycle:
    """The operations on one sort of resource. Every method can raise Failure; all but `check` and `diff` InitFailure too.

    `foresees`: in a preview, `create` and `update` accept inputs that are not all known, and answer with unknowns in their place.
    Otherwise such a preview's answer is the inputs.
    """

    foresees = False

    def check(
        self, resource: Resource, old: Properties, new: Properties, name: str
    ) -> tuple[Properties, Mapping[str, str]]:
        """Inputs with defaults, and what is wrong by property. `name` is the engine's proposal for an unnamed one."""
        raise NotImplementedError

    def diff(self, resource: Resource, old: Properties, new: Properties, state: Properties) -> Changes:
        raise NotImplementedError

    def create(self, resource: Resource, new: Properties, timeout: float, preview: bool) -> tuple[str, Properties]:
        """Id (anything in a preview) and state. `timeout` in seconds; 0: the program did not say."""
        raise NotImplementedError

    def read(
        self, resource: Resource, id_: str, inputs: Properties, state: Properties
    ) -> tuple[str, Properties, Properties] | None:
        """Id, inputs and state of the live object, or None when it is gone. Empty `inputs`: an import."""
        raise NotImplementedError

    def update(
        self,
        resource: Resource,
        id_: str,
        new: Properties,
        state: Properties,
        *,
        timeout: float,
        preview: bool,
        ignore: list[str],
    ) -> Properties:
        """The new state. `ignore` are the paths of the option `ignore_changes`."""
        raise NotImplementedError

    def delete(self, resource: Resource, id_: str, inputs: Properties, state: Properties, timeout: float) -> None:
        raise NotImplementedError


def answering(method: Callable[[Any, Any], Any]) -> Callable[[Any, Any, Any], Any]:
    """Decorates an operation of the protocol: its two kinds of failure become the protocol's.

    FAILED_PRECONDITION means that the state is known; UNKNOWN, INTERNAL and DATA_LOSS would make the engine doubt it.
    """

    @wraps(method)
    def answer(self: Any, request: Any, context: Any) -> Any:
        try:
            return method(self, request)
        except InitFailure as failure:
            detail = provider_pb2.ErrorResourceInitFailed(
                id=failure.id,
                properties=to_struct(failure.properties),
                reasons=failure.reasons,
                inputs=to_struct(failure.inputs) if failure.inputs is not None else None,
            )
            packed = AnyMessage()
            packed.Pack(detail)
            code = grpc.StatusCode.UNKNOWN
            status = status_pb2.Status(code=code.value[0], message=str(failure), details=[packed])
            context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
            return context.abort(code, str(failure))
        except Failure as failure:
            return context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(failure))

    return answer


class Provider(provider_pb2_grpc.ResourceProviderServicer):
    """The servicer. Subclasses set `package` and return the lifecycle of a resource; `cancelled` is set by Ctrl-C."""

    package = ""

    def __init__(self, version: str, engine: Engine):
        self.version = version
        self.engine = engine
        self.cancelled = threading.Event()

    def lifecycle(self, resource: Resource) -> Lifecycle:
        raise NotImplementedError

    def configure(self, variables: Mapping[str, str]) -> None:
        """Take the provider's settings; every value a string, as the SDK sends them."""

    def diff_config(self, old: Properties, new: Properties) -> set[str]:
        """The changed settings that make the provider another one (its resources are replaced)."""
        return set()

    def Handshake(self, request: Any, context: Any) -> Any:
        return provider_pb2.ProviderHandshakeResponse(supports_autonaming_configuration=True)

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        return plugin_pb2.PluginInfo(version=self.version)

    def GetSchema(self, request: Any, context: Any) -> Any:
        return provider_pb2.GetSchemaResponse(schema=f'{{"name":"{self.package}","version":"{self.version}"}}')

    def GetMappings(self, request: Any, context: Any) -> Any:
        return provider_pb2.GetMappingsResponse()

    def GetMapping(self, request: Any, context: Any) -> Any:
        return provider_pb2.GetMappingResponse()

    def Cancel(self, request: Any, context: Any) -> Any:
        self.cancelled.set()
        return Empty()

    def CheckConfig(self, request: Any, context: Any) -> Any:
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: Any) -> Any:
        old, new = to_python(request.old_inputs), to_python(request.news)
        changed = sorted(key for key in old.keys() | new.keys() if old.get(key) != new.get(key))
        response = provider_pb2.DiffResponse
        if not changed:
            return response(changes=response.DIFF_NONE)
        replaces = sorted(self.diff_config(old, new))
        return response(changes=response.DIFF_SOME, diffs=changed, replaces=replaces)

    @answering
    def Configure(self, request: Any) -> Any:
        prefix = f"{self.package}:config:"
        self.configure({key.removeprefix(prefix): value for key, value in request.variables.items()})
        return provider_pb2.ConfigureResponse(supportsPreview=True, supports_autonaming_configuration=True)

    @answering
    def Check(self, request: Any) -> Any:
        resource = _resource(request)
        seed = request.randomSeed.hex()[:8] or "00000000"
        proposed = request.autonaming.proposed_name if request.HasField("autonaming") else ""
        name = proposed or f"{request.name}-{seed}"
        inputs, problems = self.lifecycle(resource).check(
            resource, to_python(request.olds), to_python(request.news), name
        )
        failures = [provider_pb2.CheckFailure(property=key, reason=reason) for key, reason in problems.items()]
        return provider_pb2.CheckResponse(inputs=to_struct(inputs), failures=failures)

    @answering
    def Diff(self, request: Any) -> Any:
        resource = _resource(request)
        old, new = to_python(request.old_inputs), to_python(request.news)
        changes = self.lifecycle(resource).diff(resource, old, new, to_python(request.olds))
        return _diff_response(changes.without(request.ignoreChanges))

    @answering
    def Create(self, request: Any) -> Any:
        resource, new = _resource(request), to_python(request.properties)
        lifecycle = self.lifecycle(resource)
        if request.preview and contains_unknown(new) and not lifecycle.foresees:
            return provider_pb2.CreateResponse(properties=request.properties)
        id_, state = lifecycle.create(resource, new, request.timeout, request.preview)
        return provider_pb2.CreateResponse(id="" if request.preview else id_, properties=to_struct(state))

    @answering
    def Read(self, request: Any) -> Any:
        resource = _resource(request)
        inputs, state = to_python(request.inputs), to_python(request.properties)
        live = self.lifecycle(resource).read(resource, request.id, inputs, state)
        if live is None:
            return provider_pb2.ReadResponse()
        return provider_pb2.ReadResponse(id=live[0], inputs=to_struct(live[1]), properties=to_struct(live[2]))

    @answering
    def Update(self, request: Any) -> Any:
        resource, new = _resource(request), to_python(request.news)
        lifecycle = self.lifecycle(resource)
        if request.preview and contains_unknown(new) and not lifecycle.foresees:
            return provider_pb2.UpdateResponse(properties=request.news)
        state = lifecycle.update(
            resource,
            request.id,
            new,
            to_python(request.olds),
            timeout=request.timeout,
            preview=request.preview,
            ignore=list(request.ignoreChanges),
        )
        return provider_pb2.UpdateResponse(properties=to_struct(state))

    @answering
    def Delete(self, request: Any) -> Any:
        resource = _resource(request)
        inputs, state = to_python(request.old_inputs), to_python(request.properties)
        self.lifecycle(resource).delete(resource, request.id, inputs, state, request.timeout)
        return Empty()

    @answering
    def Invoke(self, request: Any) -> Any:
        raise not_offered(f"the function {request.tok}", self.package)

    @answering
    def Construct(self, request: Any) -> Any:
        raise not_offered(f"the component {request.type}", self.package)


def not_offered(what: str, package: str) -> Failure:
    return Failure(f"{what} is not offered by the offline stand-in for the {package} plugin: use the official plugin")


def _resource(request: Any) -> Resource:
    parts = request.urn.split("::")
    return Resource(request.urn, request.type or parts[2].split("$")[-1], request.name or parts[-1])


def _diff_response(changes: Changes) -> Any:
    response, detail = provider_pb2.DiffResponse, provider_pb2.PropertyDiff
    detailed = {
        path: detail(kind=detail.Kind.Value(f"{kind}_REPLACE" if path in changes.replaces else kind), inputDiff=True)
        for path, kind in changes.updates.items()
    }
    return response(
        changes=response.DIFF_SOME if changes.updates else response.DIFF_NONE,
        replaces=sorted(changes.replaces),
        deleteBeforeReplace=changes.delete_first,
        detailedDiff=detailed,
        hasDetailedDiff=True,
    )
