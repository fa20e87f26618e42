"""What every pretend cloud shares: where it is kept (`store`), and inputs: as the engine tells them, against an SDK's types.

What a cloud does is its own package's: `rehearsal.clouds.gke`, `rehearsal.clouds.coreweave`.
"""

#: A file: the cloud. Beside it are its lock and the log of what happened, in order.
CLOUD = "LLMD_PD_PRETEND_CLOUD"
#: The kubeconfig of the fleet's API server, which every cluster of the cloud is.
FLEET = "LLMD_PD_FLEET_KUBECONFIG"
#: Host and port of that API server: where a cluster is then reached.
ENDPOINT = "LLMD_PD_FLEET_ENDPOINT"
#: What goes wrong.
FAULT = "LLMD_PD_FAULT"
