{{/* What the official charts refuse, and then what these stand-ins cannot imitate. */}}
{{- define "standin.refusals" -}}
{{- range $key, $instead := dict
      "inferenceExtension" "router.epp and its neighbours under router"
      "inferencePool" "router.inferencePool and router.modelServers"
      "experimentalHttpRoute" "httpRoute (gateway chart only)"
      "inferenceObjectives" "router.inferenceObjectives" }}
{{- if index $.Values $key }}
{{- fail (printf "top-level key `%s` is of the charts before these; write %s" $key $instead) }}
{{- end }}
{{- end }}
{{- $router := .Values.router }}
{{- if and (ne $router.inferencePool.create false) (not $router.modelServers.matchLabels) }}
{{- fail "router.modelServers.matchLabels must select the model servers" }}
{{- end }}
{{- range list "cpu" "memory" }}
{{- if not (dig "requests" . "" ($router.epp.resources | default dict)) }}
{{- fail (printf "router.epp.resources.requests.%s is required" .) }}
{{- end }}
{{- end }}
{{- $proxy := $router.proxy }}
{{- range $key, $wanted := dict
      "router.tokenizer.enabled" $router.tokenizer.enabled
      "router.latencyPredictor.enabled" $router.latencyPredictor.enabled
      "router.inferenceObjectives" $router.inferenceObjectives
      "router.proxy.mode" (ne ($proxy.mode | default "sidecar") "sidecar")
      "router.proxy.proxyType" (ne ($proxy.proxyType | default "envoy") "envoy") }}
{{- if $wanted }}
{{- fail (printf "%s: the official chart can do this, the rehearsal's stand-in for it cannot" $key) }}
{{- end }}
{{- end }}
{{- end }}
