"""The CRDs of the Gateway API, standard channel, at the version that the guide's gateway mode installs. Both releases use it.

Upstream's kustomization also applies the ValidatingAdmissionPolicy `safe-upgrades.gateway.networking.k8s.io` with its binding.
It is left out: it refuses older CRDs of this group, and those of the experimental channel, to all users of the cluster, whose
own charts and pipelines may install them. That is a decision of the cluster's owner, and no stack needs it. The policy prevents
downgrades; the check of the live cluster refuses them too.
"""

from hardware.bill import Crd, InModule

GROUP = "gateway.networking.k8s.io"
#: The path of its objects in the API server, at a version in which all are served.
API = f"/apis/{GROUP}/v1"
GATEWAY_API = "v1.5.1"
MODULE = "sigs.k8s.io/gateway-api"
CRD_URL = f"https://raw.githubusercontent.com/kubernetes-sigs/gateway-api/{GATEWAY_API}/config/crd/standard"

CRD_SHA256 = {
    "gateway.networking.k8s.io_backendtlspolicies.yaml": (
        "9b8818172153d72f9c84032db0be0a4a657277d13f5bbc22226ad9481ff57971"
    ),
    "gateway.networking.k8s.io_gatewayclasses.yaml": (
        "234ad4b2757ee1b3596a4187bb98df071c5bbdd9e1806f692f2dbf8387e6bef4"
    ),
    "gateway.networking.k8s.io_gateways.yaml": ("7416e8300eb4d8c0a71a23445609075bbacbe8bc80104584b019cfe1ebe77c31"),
    "gateway.networking.k8s.io_grpcroutes.yaml": ("979f4125d44d3df24659ba00d1d04ff8e76c45423193e8aae82dd5810d7827df"),
    "gateway.networking.k8s.io_httproutes.yaml": ("682203b109baecb18d38073a578f7bc2c17d22fe9b0c27bf030850abe014c370"),
    "gateway.networking.k8s.io_listenersets.yaml": ("9221468d19fdfbb0026113b1ef64abac64f27607975aff2410361b8b38f0e0bb"),
    "gateway.networking.k8s.io_referencegrants.yaml": (
        "a8902c486eed0b7339f5bb8a476ccaba0918eb038048402bdc01cbb69b0fbb51"
    ),
    "gateway.networking.k8s.io_tlsroutes.yaml": ("818e4827c469a40e2527a2851591e656782c50fea8dd44812c900d219da09345"),
}

CRDS = tuple(
    Crd(file, f"{CRD_URL}/{file}", sha256, InModule(MODULE, f"config/crd/standard/{file}"))
    for file, sha256 in CRD_SHA256.items()
)
