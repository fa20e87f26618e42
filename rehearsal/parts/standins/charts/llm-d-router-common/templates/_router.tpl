{{/* All that both charts render. */}}
{{- define "standin.router" -}}
{{- include "standin.refusals" . -}}
{{- range list "access" "config" "deployment" "service" "pool" "monitoring" }}
---
{{ include (printf "standin.%s" .) $ }}
{{- end }}
{{- end }}
