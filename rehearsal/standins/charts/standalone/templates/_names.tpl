{{/* Every object of the endpoint picker is called after the release, which the official chart cuts at 40 characters. */}}
{{- define "epp.name" -}}
{{ printf "%s-epp" (.Release.Name | trunc 40 | trimSuffix "-") }}
{{- end }}

{{- define "epp.labels" -}}
app.kubernetes.io/name: {{ include "epp.name" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
{{- end }}

{{- define "epp.metadata" -}}
name: {{ include "epp.name" . }}
namespace: {{ .Release.Namespace }}
labels:
  {{- include "epp.labels" . | nindent 2 }}
{{- end }}
