"""The pretend cloud of CoreWeave, for a VPC and a CKS cluster; `pretend` is its table.

Node pools are objects in the cluster, with a controller of the fleet (`rehearsal.fleet.node_pools`). A rehearsal uses the pretend
cloud also if the official plugin is available, because it must not reach a real cloud.
"""
