"""The section of the router and its gateway. `stacks.serving.router` translates it into a chart's values."""

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from releases.gateways import GATEWAY, PROVIDERS, Provider
from stacks.schema import (
    Chart,
    DnsLabel,
    Duration,
    FlagName,
    HeaderValue,
    NonEmpty,
    Positive,
    Quantity,
    Scalar,
    Section,
)

#: The word for an implementation, as the router's chart and upstream's recipes use it; `na` is one they do not know.
GatewayProvider = Literal["gke", "istio", "agentgateway", "na"]
PortNumber = Annotated[int, Field(ge=1, le=65535)]
PortName = Annotated[DnsLabel, StringConstraints(max_length=15)]


class Amounts(Section):
    """Cores and memory."""

    cpu: Quantity | None = None
    memory: Quantity | None = None


class Resources(Section):
    """Of one container, as in a pod. What is left out is upstream's (4 cores and 8Gi asked for, 16Gi at most)."""

    requests: Amounts = Amounts()
    limits: Amounts = Amounts()


class Tracing(Section):
    """OpenTelemetry traces of the endpoint picker: where they go, and the share of requests that is sampled."""

    endpoint: NonEmpty = "http://otel-collector:4317"
    ratio: Annotated[float, Field(ge=0, le=1)] = 0.05


class ExtraPort(Section):
    """A port of the router's Service beside upstream's."""

    name: PortName
    port: PortNumber
    target_port: PortNumber
    protocol: Literal["TCP", "UDP"] = "TCP"


class Gateway(Section):
    """The Gateway in front of the router, in mode `gateway`.

    `recipe` is one of upstream's for the provider; left out, the provider's first. `className` takes the place of its class,
    and says it where the recipe has none (`base`). `manage: false`: another stack, or somebody, owns the Gateway `name`
    in `namespace`. `install` installs the implementation too, in a namespace of its own; `retain` leaves it behind
    on destroy. `baseModel` is the model name a request's header must carry, for stacks that share a Gateway.
    `backendTimeout`, in seconds, is GKE's limit for one response. `deleteInUse` allows a destroy to take the Gateway away
    from routes of others.
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

    `plugins` is the team's own endpoint picker configuration in place of the guide's, without `apiVersion` and `kind`, which
    are the release's. `values` are values of the chart itself, the last word.
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
