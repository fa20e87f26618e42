"""Section `router` of a stack file, with the gateway. `stacks.serving.router` translates it to a chart's values."""

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from releases.gateways import GATEWAY, PROVIDERS, Provider
from stacks.schema import (
    Chart,
    Cores,
    DnsLabel,
    Duration,
    FlagName,
    HeaderValue,
    Memory,
    NonEmpty,
    Positive,
    Scalar,
    Section,
)

#: A gateway's implementation, as the router's chart and upstream's recipes name it; `na` is one that they do not know.
GatewayProvider = Literal["gke", "istio", "agentgateway", "na"]
PortNumber = Annotated[int, Field(ge=1, le=65535)]
PortName = Annotated[DnsLabel, StringConstraints(max_length=15)]


class Amounts(Section):
    """Cores and memory."""

    cpu: Cores | None = None
    memory: Memory | None = None


class Resources(Section):
    """Resources of one container, as in a pod. Defaults are upstream's (requests 4 cores and 8Gi, limit 16Gi)."""

    requests: Amounts = Amounts()
    limits: Amounts = Amounts()


class Tracing(Section):
    """OpenTelemetry traces of the endpoint picker: the collector, and the share of requests that is sampled."""

    endpoint: NonEmpty = "http://otel-collector:4317"
    ratio: Annotated[float, Field(ge=0, le=1)] = 0.05


class ExtraPort(Section):
    """A port of the router's Service in addition to upstream's ports."""

    name: PortName
    port: PortNumber
    target_port: PortNumber
    protocol: Literal["TCP", "UDP"] = "TCP"


class Gateway(Section):
    """The Gateway in front of the router, in mode `gateway`.

    `recipe` is one of upstream's recipes for the provider, by default the first. `className` replaces the recipe's class; the
    recipe `base` has none and needs it. `manage: false`: another owner, such as another stack, has the Gateway `name` in
    `namespace`. `install` installs the implementation too, in a namespace of its own; `retain` leaves it behind on destroy.
    `baseModel` is the model name that a request's header must have, for stacks that share a Gateway. `backendTimeout`, in
    seconds, is GKE's limit for one response. `deleteInUse` allows a destroy to delete the Gateway while routes of others use it.
    """

    provider: GatewayProvider
    recipe: NonEmpty | None = None
    class_name: DnsLabel | None = None
    name: DnsLabel = GATEWAY
    namespace: DnsLabel | None = None
    manage: bool = True
    install: bool = False
    retain: bool = True
    base_model: HeaderValue | None = None
    request_timeout: Duration | None = None
    backend_timeout: Positive | None = None
    delete_in_use: bool = False

    @property
    def implementation(self) -> Provider:
        """The capabilities of its provider."""
        return PROVIDERS[self.provider]


class Router(Section):
    """Endpoint picker and proxy. `standalone` is the guide's default: Envoy beside the picker, no gateway.

    `plugins` is the team's own configuration of the endpoint picker in place of the guide's, without `apiVersion` and `kind`,
    which come from the release. `values` are values of the chart itself and override everything else.
    """

    mode: Literal["standalone", "gateway"] = "standalone"
    gateway: Gateway | None = None
    chart: Chart | None = None
    replicas: Positive | None = None
    resources: Resources = Resources()
    proxy_resources: Resources = Resources()
    flags: dict[FlagName, Scalar] = Field(default_factory=dict)
    failure_mode: Literal["FailOpen", "FailClose"] | None = None
    plugins: dict[NonEmpty, Any] | None = None
    tracing: Tracing | None = None
    extra_ports: tuple[ExtraPort, ...] = ()
    values: dict[NonEmpty, Any] = Field(default_factory=dict)
    wait: bool = True
