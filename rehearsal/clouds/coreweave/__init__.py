"""The pretend cloud of CoreWeave: a stand-in for the Pulumi plugin `pulumi-resource-coreweave`, for a VPC and a CKS cluster.

`provider` is where it starts, `lifecycle` what it does with a resource. Node pools are no part of it: they are objects in the
cluster, and the fleet has a controller for them (`rehearsal.fleet.node_pools`). It is never the fallback for an
official plugin: a
rehearsal that reached a real cloud would be none.
"""
