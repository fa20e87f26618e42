"""The pretend clouds: their common parts, and one package for each cloud.

A cloud's table (`pretend`) says which resources it has, what they refer to and answer, and what judges them. One `lifecycle`
with its `checks` and `references`, and one plugin (`provider`) serve every table. `store` keeps a cloud in a file, `inputs` reads
the engine's inputs, `sdk` compares them with an SDK's types, `access` connects a rehearsal to its cloud.
"""

#: Environment variable: the file that holds the cloud. Beside it are its lock and the log of its events.
CLOUD = "LLMD_PD_PRETEND_CLOUD"
#: Environment variable: the kubeconfig of the fleet, which stands for every cluster of the cloud.
FLEET = "LLMD_PD_FLEET_KUBECONFIG"
#: Environment variable: host and port of the fleet's API server, a cluster's endpoint.
ENDPOINT = "LLMD_PD_FLEET_ENDPOINT"
#: Environment variable: the id of the fault to play.
FAULT = "LLMD_PD_FAULT"
