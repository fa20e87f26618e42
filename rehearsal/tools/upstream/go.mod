// Nothing is built from these: they hold what upstream publishes elsewhere too, the router's charts and the CRDs.
module llmd-pd/rehearsal/tools/upstream

go 1.26.0

require (
	sigs.k8s.io/gateway-api v1.5.1
	sigs.k8s.io/gateway-api-inference-extension v1.5.0
)
