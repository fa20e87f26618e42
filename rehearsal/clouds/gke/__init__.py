"""The pretend GKE, for the resources of a stack on GKE only.

`pretend` is its table, `kinds` has the rows and `effects` what they do, `pool_machine` and `nodes` turn node pools into
simulated nodes. Messages are Google's own as far as they are known. A rehearsal uses the pretend cloud also if the official
plugin is available, because it must not reach a real cloud.
"""

#: The SDK's package, an extra; resources are checked against it.
SDK = "pulumi_gcp"
