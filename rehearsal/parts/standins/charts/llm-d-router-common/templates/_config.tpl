{{/* The picker's own plugin files, and what a values file adds. */}}
{{- define "standin.config" -}}
{{- $servers := .Values.router.modelServers -}}
{{- $grpc := and (eq (lower $servers.type) "vllm") (eq (lower $servers.protocol) "grpc") -}}
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ include "standin.name" . }}
  namespace: {{ .Release.Namespace }}
data:
  default-plugins.yaml: |
    apiVersion: llm-d.ai/v1alpha1
    kind: EndpointPickerConfig
    plugins:
    - type: queue-scorer
    - type: kv-cache-utilization-scorer
    - type: prefix-cache-scorer
    - type: metrics-data-source
      parameters:
        scheme: "http"
        path: "/metrics"
        insecureSkipVerify: true
    - type: core-metrics-extractor
      {{- if ne $servers.type "vllm" }}
      parameters: {defaultEngine: {{ $servers.type }}}
      {{- end }}
    {{- if $grpc }}
    - type: vllmgrpc-parser
    requestHandler:
      parsers:
      - pluginRef: vllmgrpc-parser
    {{- end }}
    schedulingProfiles:
    - name: default
      plugins:
      - pluginRef: queue-scorer
        weight: 2
      - pluginRef: kv-cache-utilization-scorer
        weight: 2
      - pluginRef: prefix-cache-scorer
        weight: 3
  payload-agnostic.yaml: |
    apiVersion: llm-d.ai/v1alpha1
    kind: EndpointPickerConfig
    plugins:
    - type: passthrough-parser
    - type: active-request-scorer
    - type: session-affinity-scorer
    requestHandler:
      parsers:
      - pluginRef: passthrough-parser
    schedulingProfiles:
    - name: default
      plugins:
      - pluginRef: active-request-scorer
        weight: 1
      - pluginRef: session-affinity-scorer
        weight: 1
  {{- with .Values.router.epp.pluginsCustomConfig }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}
