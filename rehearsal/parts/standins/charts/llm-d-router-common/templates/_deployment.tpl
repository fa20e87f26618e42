{{/* The endpoint picker, with the proxy beside it where the chart has one. */}}
{{- define "standin.deployment" -}}
{{- $epp := .Values.router.epp -}}
{{- $elected := gt ($epp.replicas | int) 1 -}}
{{- $proxy := include "standin.proxy" . | fromYaml -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  {{- include "standin.metadata" . | nindent 2 }}
    llm-d.ai/igw-mode: {{ include "standin.mode" . }}
spec:
  replicas: {{ $epp.replicas }}
  strategy:
    type: Recreate
  selector:
    matchLabels:
      {{- include "standin.selector" . | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "standin.selector" . | nindent 8 }}
        llm-d.ai/igw-mode: {{ include "standin.mode" . }}
    spec:
      serviceAccountName: {{ include "standin.name" . }}
      terminationGracePeriodSeconds: 130
      containers:
        {{- with $proxy.container }}
        - {{ toYaml . | nindent 10 | trim }}
        {{- end }}
        - name: epp
          image: {{ $epp.image.registry }}/{{ $epp.image.repository }}:{{ $epp.image.tag }}
          imagePullPolicy: {{ $epp.image.pullPolicy }}
          args:
            {{- include "standin.args" . | trim | nindent 12 }}
          env:
            {{- include "standin.env" . | trim | nindent 12 }}
          ports:
            - {name: grpc, containerPort: 9002}
            - {name: grpc-health, containerPort: {{ $epp.grpcHealthPort }}}
            - {name: metrics, containerPort: 9090}
            {{- with $epp.extraContainerPorts }}
            {{- toYaml . | nindent 12 }}
            {{- end }}
          livenessProbe:
            grpc: {port: {{ $epp.grpcHealthPort }}, service: {{ ternary "liveness" "inference-extension" $elected }}}
            initialDelaySeconds: 5
            periodSeconds: 10
          readinessProbe:
            grpc: {port: {{ $epp.grpcHealthPort }}, service: {{ ternary "readiness" "inference-extension" $elected }}}
            periodSeconds: 2
          resources:
            {{- toYaml $epp.resources | nindent 12 }}
          volumeMounts:
            - {name: plugins-config-volume, mountPath: /config}
            {{- with $epp.volumeMounts }}
            {{- toYaml . | nindent 12 }}
            {{- end }}
      volumes:
        {{- with concat $epp.volumes ($proxy.volumes | default list) }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
        - name: plugins-config-volume
          configMap:
            name: {{ include "standin.name" . }}
      {{- with $epp.affinity }}
      affinity:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $epp.tolerations }}
      tolerations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
{{- end }}

{{/* The proxy's container and volumes; nothing where there is no proxy. What a values file says stands over the preset. */}}
{{- define "standin.proxy" -}}
{{- $proxy := .Values.router.proxy -}}
{{- if $proxy.enabled -}}
{{- $proxy = mergeOverwrite (deepCopy $proxy.presets.envoy) (deepCopy $proxy) -}}
{{- $container := dict "imagePullPolicy" "IfNotPresent" -}}
{{- range $key := list "name" "image" "imagePullPolicy" "args" "env" "ports" "livenessProbe" "readinessProbe" "startupProbe"
      "securityContext" "resources" "volumeMounts" -}}
{{- with index $proxy $key -}}{{- $_ := set $container $key . -}}{{- end -}}
{{- end -}}
{{- with $proxy.command -}}{{- $_ := set $container "command" (list .) -}}{{- end -}}
{{- dict "container" $container "volumes" $proxy.volumes "configMap" $proxy.configMap | toYaml -}}
{{- end -}}
{{- end }}

{{- define "standin.args" -}}
{{- $router := .Values.router -}}
{{- if eq $router.inferencePool.create false -}}
{{- $labels := list -}}
{{- range $key, $value := $router.modelServers.matchLabels }}{{ $labels = append $labels (printf "%s=%s" $key $value) }}{{ end -}}
{{- $ports := list -}}
{{- range $router.modelServers.targetPorts }}{{ $ports = append $ports (toString .number) }}{{ end -}}
- --endpoint-selector
- {{ join "," $labels | quote }}
- --endpoint-target-ports
- {{ join "," $ports | quote }}
{{- else -}}
- --pool-name
- {{ .Release.Name }}
- --pool-namespace
- {{ .Release.Namespace }}
- --pool-group
- inference.networking.k8s.io
{{- end }}
- --zap-encoder
- json
- --config-file
- {{ printf "/config/%s" $router.epp.pluginsConfigFile }}
{{- if gt ($router.epp.replicas | int) 1 }}
- --ha-enable-leader-election
{{- end }}
- --grpc-health-port
- {{ $router.epp.grpcHealthPort | quote }}
{{- range $flag, $value := $router.epp.flags }}
- {{ printf "--%s=%v" $flag $value | quote }}
{{- end }}
- --tracing={{ $router.tracing.enabled | default false }}
{{- if not $router.monitoring.prometheus.auth.enabled }}
- --metrics-endpoint-auth=false
{{- end }}
{{- end }}

{{- define "standin.env" -}}
{{- $tracing := .Values.router.tracing -}}
- {name: NAMESPACE, valueFrom: {fieldRef: {fieldPath: metadata.namespace}}}
- {name: POD_NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
{{- if $tracing.enabled }}
- {name: OTEL_SERVICE_NAME, value: llm-d-router/epp}
- name: OTEL_EXPORTER_OTLP_ENDPOINT
  value: {{ $tracing.otelExporterEndpoint | quote }}
- {name: OTEL_TRACES_EXPORTER, value: otlp}
{{- range $name, $field := dict "NODE_NAME" "spec.nodeName" "POD_NAME" "metadata.name" }}
- name: OTEL_RESOURCE_ATTRIBUTES_{{ $name }}
  valueFrom: {fieldRef: {apiVersion: v1, fieldPath: {{ $field }}}}
{{- end }}
- name: OTEL_RESOURCE_ATTRIBUTES
  value: >-
    k8s.namespace.name=$(NAMESPACE),k8s.node.name=$(OTEL_RESOURCE_ATTRIBUTES_NODE_NAME),k8s.pod.name=$(OTEL_RESOURCE_ATTRIBUTES_POD_NAME)
- name: OTEL_TRACES_SAMPLER
  value: {{ $tracing.sampling.sampler | quote }}
- name: OTEL_TRACES_SAMPLER_ARG
  value: {{ $tracing.sampling.samplerArg | quote }}
{{- end }}
{{- with .Values.router.epp.env }}
{{ toYaml . }}
{{- end }}
{{- end }}
