{{/* Parts of pods that coordinator, workers and tests share. */}}

{{/* Fields of a pod that are the same everywhere: dict root, pod, selector. */}}
{{- define "tessera.pod" -}}
serviceAccountName: {{ include "tessera.serviceAccountName" .root }}
automountServiceAccountToken: false
# Variables that Kubernetes makes of services would be read as flags.
enableServiceLinks: false
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .pod.podSecurityContext }}
securityContext:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .pod.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .pod.schedulerName }}
schedulerName: {{ . }}
{{- end }}
{{- with .pod.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .pod.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .pod.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- if .pod.topologySpreadConstraints }}
topologySpreadConstraints:
  {{- $selector := dict "labelSelector" (dict "matchLabels" (fromYaml .selector)) }}
  {{- range .pod.topologySpreadConstraints }}
  - {{- toYaml (merge (dict) . $selector) | nindent 4 }}
  {{- end }}
{{- end }}
{{- end -}}

{{/* Labels and annotations of a pod: dict names (root, component, pool), pod. */}}
{{- define "tessera.pod.metadata" -}}
labels:
  {{- include "tessera.labels" (merge (dict "labels" .pod.podLabels) .names) | nindent 2 }}
{{- with .pod.podAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* A probe: dict probe, how (a map that says what is asked). */}}
{{- define "tessera.probe" -}}
{{ toYaml (merge (dict) .probe .how) }}
{{- end -}}

{{/* The volume named "output", where the chart has one. */}}
{{- define "tessera.output.volume" -}}
{{- $output := .Values.output -}}
{{- if eq $output.type "persistentVolumeClaim" }}
- name: output
  persistentVolumeClaim:
    claimName: {{ default (printf "%s-output" (include "tessera.fullname" .)) $output.persistentVolumeClaim.claimName }}
{{- else if eq $output.type "hostPath" }}
- name: output
  hostPath:
    path: {{ required "output.hostPath.path: name the folder on the node" $output.hostPath.path }}
    type: Directory
{{- end }}
{{- end -}}

{{/* The mount of the output folder, where the chart has one. */}}
{{- define "tessera.output.mount" -}}
{{- if ne .Values.output.type "none" }}
- name: output
  mountPath: {{ .Values.output.mountPath }}
{{- end }}
{{- end -}}
