{{/* `pgmedic` for a release of that name, else `RELEASE-pgmedic`. */}}
{{- define "pgmedic.name" -}}
{{- if contains "pgmedic" .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-pgmedic" .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "pgmedic.selector" -}}
app.kubernetes.io/name: pgmedic
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "pgmedic.labels" -}}
{{ include "pgmedic.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}
