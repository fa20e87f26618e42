{{/* The picker's Service, and the pool it picks from. */}}
{{- define "standin.service" -}}
apiVersion: v1
kind: Service
metadata:
  {{- include "standin.metadata" . | nindent 2 }}
spec:
  type: ClusterIP
  selector:
    {{- include "standin.selector" . | nindent 4 }}
  ports:
    - name: grpc-ext-proc
      protocol: TCP
      port: {{ .Values.router.epp.extProcPort }}
    - name: http-metrics
      protocol: TCP
      port: 9090
    {{- with .Values.router.extraServicePorts }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end }}

{{- define "standin.pool" -}}
{{- $router := .Values.router -}}
{{- if ne $router.inferencePool.create false -}}
apiVersion: inference.networking.k8s.io/v1
kind: InferencePool
metadata:
  name: {{ .Release.Name }}
  namespace: {{ .Release.Namespace }}
  labels:
    {{- include "standin.labels" . | nindent 4 }}
spec:
  targetPorts:
    {{- toYaml $router.modelServers.targetPorts | nindent 4 }}
  {{- with get (dict "http" "http" "grpc" "kubernetes.io/h2c") ($router.modelServers.protocol | default "") }}
  appProtocol: {{ . }}
  {{- end }}
  selector:
    matchLabels:
      {{- range $key, $value := $router.modelServers.matchLabels }}
      {{ $key }}: {{ $value | quote }}
      {{- end }}
  endpointPickerRef:
    name: {{ include "standin.name" . }}
    port:
      number: {{ $router.epp.extProcPort }}
    failureMode: {{ $router.inferencePool.failureMode }}
{{- end }}
{{- end }}
