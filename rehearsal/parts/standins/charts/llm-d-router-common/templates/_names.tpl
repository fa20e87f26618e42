{{/* Every object of the endpoint picker is called after the release, which the official charts cut at 40 characters. */}}
{{- define "standin.name" -}}
{{ printf "%s-epp" (.Release.Name | lower | trunc 40) }}
{{- end }}

{{- define "standin.labels" -}}
app.kubernetes.io/name: {{ include "standin.name" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
{{- end }}

{{- define "standin.metadata" -}}
name: {{ include "standin.name" . }}
namespace: {{ .Release.Namespace }}
labels:
  {{- include "standin.labels" . | nindent 2 }}
{{- end }}

{{/* Without an InferencePool the picker finds its model servers by labels; that is a mode, and pods carry it. */}}
{{- define "standin.mode" -}}
{{ ternary "llm-d-router-standalone" "llm-d-router-gateway" (eq .Values.router.inferencePool.create false) }}
{{- end }}

{{- define "standin.selector" -}}
{{ include "standin.mode" . }}: {{ include "standin.name" . }}
{{- end }}

{{- define "standin.monitor" -}}
{{- $gke := eq (lower ((.Values.provider | default dict).name | default "none")) "gke" -}}
{{ .Values.router.monitoring.provider.name | default (ternary "gmp" "prometheusoperator" $gke) | lower }}
{{- end }}

{{/* A binding of a role to a service account: dict "kind" "role" "subject" "subjectNamespace". */}}
{{- define "standin.binding" -}}
subjects:
  - kind: ServiceAccount
    name: {{ .subject }}
    {{- with .subjectNamespace }}
    namespace: {{ . }}
    {{- end }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: {{ .kind }}
  name: {{ .role }}
{{- end }}
