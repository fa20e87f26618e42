"""Published CRDs that stacks expect in their cluster. A rehearsal's cluster gets these.

Each file is pinned by its checksum. Left out: CoreWeave's NodePool, which is not published. A file that is also in a Go module
has the version of `rehearsal/tools/upstream`; only its publisher serves the rest.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from hardware.bill import Crd, InModule
from releases.gateways import AGENTGATEWAY, ISTIO


@dataclass(frozen=True)
class Published:
    """The file with a CRD (it may hold more), and the publisher's name for reports."""

    crd: Crd
    publisher: str


#: The newest versions that Go modules have.
PROMETHEUS_OPERATOR = "v0.85.0"
GKE_NETWORKING_API = "v0.2.11"
#: Of 2026-04-29. Since 2026-04-23 the CRD refuses a health check with a port and without `portSpecification`.
GKE_GATEWAY_API = "fc40d606a5332f11a8883f85caff66b63c4e88ef"
PROMETHEUS_ENGINE = "v0.17.2"

GITHUB = "https://raw.githubusercontent.com"


def _published(repository: str, version: str, path: str, sha256: str, module: str | None = None) -> Published:
    publisher = f"{repository} {version if version.startswith('v') else version[:7]}"
    source = InModule(module, path) if module else None
    crd = Crd(path.rpartition("/")[2], f"{GITHUB}/{repository}/{version}/{path}", sha256, source)
    return Published(crd, publisher)


_OPERATOR = ("prometheus-operator/prometheus-operator", PROMETHEUS_OPERATOR)
_OPERATOR_MODULE = "github.com/prometheus-operator/prometheus-operator"
_NETWORKING = ("GoogleCloudPlatform/gke-networking-api", GKE_NETWORKING_API)
_NETWORKING_MODULE = "github.com/GoogleCloudPlatform/gke-networking-api"
_POLICIES = ("GoogleCloudPlatform/gke-gateway-api", GKE_GATEWAY_API)

#: Files by the CRD's name.
PUBLISHED: Mapping[str, Published] = {
    "podmonitors.monitoring.coreos.com": _published(
        *_OPERATOR,
        path="example/prometheus-operator-crd/monitoring.coreos.com_podmonitors.yaml",
        sha256="8ce88c52c51209993511cae093089c9525f5552def88119e3f559123ee9d454b",
        module=_OPERATOR_MODULE,
    ),
    "servicemonitors.monitoring.coreos.com": _published(
        *_OPERATOR,
        path="example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml",
        sha256="1dae27b7189b5ce7b9ab764656c18b4c75a45cde1e6f3af6a5e84c4317628919",
        module=_OPERATOR_MODULE,
    ),
    # Istio's chart `base` has the same file.
    "destinationrules.networking.istio.io": _published(
        repository="istio/api",
        version=f"v{ISTIO}",
        path="kubernetes/customresourcedefinitions.gen.yaml",
        sha256="126c195eaa38471f70e482f25a4e033fafeff01ff524a86e0a8de22dfb46db2f",
        module="istio.io/api",
    ),
    "gkenetworkparamsets.networking.gke.io": _published(
        *_NETWORKING,
        path="config/crds/networking.gke.io_gkenetworkparamsets.yaml",
        sha256="49513fe1994d7987af39fd804fbc050c615909357b782addc1ae037a2f5ec140",
        module=_NETWORKING_MODULE,
    ),
    "networks.networking.gke.io": _published(
        *_NETWORKING,
        path="config/crds/networking.gke.io_networks.yaml",
        sha256="4309ef9545f9df5e552601e15927f82bb386334e16da035cae19cc3e9ad77c3b",
        module=_NETWORKING_MODULE,
    ),
    "gcpbackendpolicies.networking.gke.io": _published(
        *_POLICIES,
        path="config/crd/networking.gke.io_gcpbackendpolicies.yaml",
        sha256="e696e138973d42ca54326403850c4518875053e5e8cf5238128bfc5ce5663668",
    ),
    "healthcheckpolicies.networking.gke.io": _published(
        *_POLICIES,
        path="config/crd/networking.gke.io_healthcheckpolicies.yaml",
        sha256="94ea8b54cabad1e7c67f518de7394149e6ffb6b80ac2f8523650e3e70f6a9c94",
    ),
    "podmonitorings.monitoring.googleapis.com": _published(
        repository="GoogleCloudPlatform/prometheus-engine",
        version=PROMETHEUS_ENGINE,
        path="charts/operator/crds/monitoring.googleapis.com_podmonitorings.yaml",
        sha256="d344029bc7754e0254d7c253db9d6400b344d5837e121b42790946757bc79f1f",
    ),
    "agentgatewayparameters.agentgateway.dev": _published(
        repository="agentgateway/agentgateway",
        version=AGENTGATEWAY,
        path="controller/install/helm/agentgateway-crds/templates/agentgateway.dev_agentgatewayparameters.yaml",
        sha256="055fc6d2fb49038818eee80d0634f50ab11e2bfc3ca42c9930574d4e2870374f",
    ),
}
