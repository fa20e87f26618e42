// Nothing is built from these: they hold what upstream publishes elsewhere too, the router's charts and the CRDs.
module llmd-pd/rehearsal/tools/upstream

go 1.26.0

require (
	github.com/GoogleCloudPlatform/gke-networking-api v0.2.11
	github.com/prometheus-operator/prometheus-operator v0.85.0
	istio.io/api v1.29.2
	sigs.k8s.io/gateway-api v1.5.1
	sigs.k8s.io/gateway-api-inference-extension v1.5.0
)
