{{/* Who may read the picker's metrics, and who is asked to. */}}
{{- define "standin.monitoring" -}}
{{- $prometheus := .Values.router.monitoring.prometheus -}}
{{- if $prometheus.enabled -}}
{{- $name := include "standin.name" . -}}
{{- $clusterName := printf "%s-%s-epp" (.Release.Name | lower | trunc 40) (.Release.Namespace | trunc 40) -}}
{{- $monitor := include "standin.monitor" . -}}
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: {{ $clusterName }}
  labels:
    {{- include "standin.labels" . | nindent 4 }}
rules:
  - {apiGroups: [authentication.k8s.io], resources: [tokenreviews], verbs: [create]}
  - {apiGroups: [authorization.k8s.io], resources: [subjectaccessreviews], verbs: [create]}
  - {nonResourceURLs: [/metrics], verbs: [get]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: {{ $clusterName }}
{{ include "standin.binding" (dict "kind" "ClusterRole" "role" $clusterName
     "subject" $name "subjectNamespace" .Release.Namespace) }}
{{- if eq $monitor "prometheusoperator" }}
---
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata:
  name: {{ $name }}-monitor
  namespace: {{ .Release.Namespace }}
  labels:
    {{- include "standin.labels" . | nindent 4 }}
    {{- with $prometheus.extraLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  endpoints:
    - interval: {{ .Values.router.monitoring.interval }}
      port: http-metrics
      path: /metrics
      {{- if $prometheus.auth.enabled }}
      authorization:
        credentials: {name: {{ $prometheus.auth.secretName }}, key: token}
      {{- end }}
  jobLabel: {{ $name }}
  namespaceSelector:
    matchNames: [{{ .Release.Namespace }}]
  selector:
    matchLabels:
      {{- include "standin.labels" . | nindent 6 }}
{{- if $prometheus.auth.enabled }}
---
{{ include "standin.token" (list . $prometheus.auth.secretName $name) }}
{{- end }}
{{- else if and (eq $monitor "gmp") $prometheus.auth.enabled }}
---
{{ include "standin.gmp" . }}
{{- end }}
{{- end }}
{{- end }}

{{/* The token of a service account: root context, name of the secret, name of the account. */}}
{{- define "standin.token" -}}
{{- $ := index . 0 -}}
apiVersion: v1
kind: Secret
type: kubernetes.io/service-account-token
metadata:
  name: {{ index . 1 }}
  namespace: {{ $.Release.Namespace }}
  labels:
    {{- include "standin.labels" $ | nindent 4 }}
  annotations:
    kubernetes.io/service-account.name: {{ index . 2 }}
{{- end }}

{{/* For Google's collector. Without authentication the official charts render none of it, and so nobody reads the metrics. */}}
{{- define "standin.gmp" -}}
{{- $release := .Release.Name -}}
{{- $account := printf "%s-metrics-reader-sa" $release -}}
{{- $secret := printf "%s-metrics-reader-secret" $release -}}
{{- $reader := printf "%s-%s-metrics-reader" .Release.Namespace $release -}}
{{- $collectors := ternary "gke-gmp-system" "gmp-system" (.Values.router.monitoring.provider.gmp.autopilot | default false) -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ $account }}
  namespace: {{ .Release.Namespace }}
---
{{ include "standin.token" (list . $secret $account) }}
---
apiVersion: monitoring.googleapis.com/v1
kind: PodMonitoring
metadata:
  name: {{ $release }}
  namespace: {{ .Release.Namespace }}
  labels:
    {{- include "standin.labels" . | nindent 4 }}
spec:
  endpoints:
    - port: metrics
      scheme: http
      interval: {{ .Values.router.monitoring.interval }}
      path: /metrics
      authorization:
        type: Bearer
        credentials:
          secret: {name: {{ $secret }}, key: token}
  selector:
    matchLabels:
      {{- include "standin.selector" . | nindent 6 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: {{ $reader }}
rules:
  - {nonResourceURLs: [/metrics], verbs: [get]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: {{ $reader }}-role-binding
{{ include "standin.binding" (dict "kind" "ClusterRole" "role" $reader
     "subject" $account "subjectNamespace" .Release.Namespace) }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: {{ $secret }}-read
rules:
  - {apiGroups: [""], resources: [secrets], verbs: [get, list, watch], resourceNames: [{{ $secret }}]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: {{ $collectors }}:collector:{{ .Release.Namespace }}-{{ $secret }}-read
  namespace: {{ .Release.Namespace }}
{{ include "standin.binding" (dict "kind" "Role" "role" (printf "%s-read" $secret)
     "subject" "collector" "subjectNamespace" $collectors) }}
{{- end }}
