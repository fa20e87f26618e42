{{/* Who the picker is and what it may do. */}}
{{- define "standin.access" -}}
{{- $name := include "standin.name" . -}}
{{- $router := .Values.router -}}
{{- $read := list "get" "watch" "list" -}}
{{- $extensions := list "inferenceobjectives" "inferencemodelrewrites" -}}
{{- $rules := dict "sa" (list (dict "apiGroups" (list "") "resources" (list "pods") "verbs" $read)) -}}
{{- if or (ne $router.inferencePool.create false) (not $router.proxy.enabled) -}}
{{- $_ := set $rules "non-sa" (list
      (dict "apiGroups" (list "inference.networking.x-k8s.io") "resources" $extensions "verbs" $read)
      (dict "apiGroups" (list "llm-d.ai") "resources" $extensions "verbs" $read)
      (dict "apiGroups" (list "inference.networking.k8s.io") "resources" (list "inferencepools") "verbs" $read)) -}}
{{- end -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  {{- include "standin.metadata" . | nindent 2 }}
{{- range $suffix, $allowed := $rules }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: {{ $name }}-{{ $suffix }}
  namespace: {{ $.Release.Namespace }}
  labels:
    {{- include "standin.labels" $ | nindent 4 }}
rules:
  {{- toYaml $allowed | nindent 2 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: {{ $name }}-{{ $suffix }}
  namespace: {{ $.Release.Namespace }}
{{ include "standin.binding" (dict "kind" "Role" "role" (printf "%s-%s" $name $suffix)
     "subject" $name "subjectNamespace" $.Release.Namespace) }}
{{- end }}
{{- if gt ($router.epp.replicas | int) 1 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: {{ $name }}-leader-election
  namespace: {{ .Release.Namespace }}
  labels:
    {{- include "standin.labels" . | nindent 4 }}
rules:
  - apiGroups: [coordination.k8s.io]
    resources: [leases]
    verbs: [get, list, watch, create, update, patch, delete]
  - apiGroups: [""]
    resources: [events]
    verbs: [create, patch]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: {{ $name }}-leader-election-binding
  namespace: {{ .Release.Namespace }}
{{ include "standin.binding" (dict "kind" "Role" "role" (printf "%s-leader-election" $name) "subject" $name) }}
{{- end }}
{{- end }}
