"""Who makes the cluster. Every cluster component carries the two Kubernetes providers the rest of the stack uses."""
