{{/* Names and labels of all objects. */}}

{{/* Prefix of the names of all objects. 40 characters
leave room for "-worker-POOL". */}}
{{- define "tessera.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* Name of the coordinator's objects. */}}
{{- define "tessera.coordinator" -}}
{{ include "tessera.fullname" . }}-coordinator
{{- end -}}

{{/* Address that workers and clients call. */}}
{{- define "tessera.coordinator.address" -}}
{{ include "tessera.coordinator" . }}.{{ .Release.Namespace }}.svc:{{ .Values.coordinator.service.port }}
{{- end -}}

{{/* Name of the service account. */}}
{{- define "tessera.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "tessera.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{/* Labels by which objects find pods: dict root, component. Never change. */}}
{{- define "tessera.selector" -}}
app.kubernetes.io/name: {{ default .root.Chart.Name .root.Values.nameOverride | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- with .component }}
app.kubernetes.io/component: {{ . }}
{{- end }}
{{- with .pool }}
tessera/pool: {{ . }}
{{- end }}
{{- end -}}

{{/* Labels of an object: dict root, component, pool, labels. Those by which
objects find pods cannot be changed. */}}
{{- define "tessera.labels" -}}
{{- $fixed := include "tessera.selector" . | fromYaml -}}
{{- $own := dict
  "app.kubernetes.io/part-of" "tessera"
  "app.kubernetes.io/version" .root.Chart.AppVersion
  "app.kubernetes.io/managed-by" .root.Release.Service
  "helm.sh/chart" (printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-") -}}
{{- toYaml (merge $fixed (default (dict) .labels) .root.Values.commonLabels $own) }}
{{- end -}}

{{/* Metadata of an object: dict root, name, component, pool, labels,
annotations, namespace. */}}
{{- define "tessera.metadata" -}}
name: {{ .name }}
namespace: {{ default .root.Release.Namespace .namespace }}
labels:
  {{- include "tessera.labels" . | nindent 2 }}
{{- with merge (dict) (default (dict) .annotations) .root.Values.commonAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Reference of an image: dict root, image. The digest wins over the tag. */}}
{{- define "tessera.image" -}}
{{- if .image.digest -}}
{{ .image.repository }}@{{ .image.digest }}
{{- else -}}
{{ .image.repository }}:{{ default .root.Chart.AppVersion .image.tag }}
{{- end -}}
{{- end -}}
