"""The pretend cloud: a stand-in for the Pulumi plugin `pulumi-resource-gcp`, for what a stack on GKE makes and nothing else.

`provider` is where it starts, `lifecycle` what it does with a resource, `store` where the cloud is kept between runs,
`pool_machine` and `nodes` how node pools become simulated nodes. Words are Google's own, as far as they are known. It is never
the fallback for an official plugin: a rehearsal that reached a real cloud would be none.
"""

import importlib.util

#: A file: the cloud. Beside it are its lock and the log of what happened, in order.
CLOUD = "LLMD_PD_PRETEND_CLOUD"
#: The kubeconfig of the API server on which node pools become nodes; unset: they do not.
FLEET = "LLMD_PD_FLEET_KUBECONFIG"
#: Host and port of that API server: what a cluster's DNS endpoint then is.
ENDPOINT = "LLMD_PD_FLEET_ENDPOINT"
#: What goes wrong, of `faults.FAULTS`.
FAULT = "LLMD_PD_FAULT"

#: The SDK's package, an extra, in whose words a resource is checked.
SDK = "pulumi_gcp"


def installed() -> bool:
    """Whether the SDK is."""
    return importlib.util.find_spec(SDK) is not None
