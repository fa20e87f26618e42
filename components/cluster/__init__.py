"""Components of the cluster: connection, cloud resources, node pools, add-ons and guards."""
